"""Events between services: the only folder that imports pika."""

import logging

# Pika logs seven lines of addresses for each failed attempt; ReconnectingConnection logs once what happened and why.
logging.getLogger("pika").setLevel(logging.CRITICAL)
