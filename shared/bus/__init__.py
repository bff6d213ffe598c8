"""Facts on their way between services: the only folder that imports pika."""

import logging

# Seven lines of addresses for each failed attempt; Line says once what happened and why.
logging.getLogger("pika").setLevel(logging.CRITICAL)
