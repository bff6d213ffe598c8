"""Runs inside a service's container, with that service's own user: which queues may it read, and may it declare one?"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker

ACCESS_REFUSED = 403
connection = pika.BlockingConnection(pika.URLParameters(Path("/run/kitchen/amqp_url").read_text()))


def attempt(deed: Callable[[Any], object]) -> str:
    channel = connection.channel()
    try:
        deed(channel)
    except ChannelClosedByBroker as closed:
        return "ACCESS_REFUSED" if closed.reply_code == ACCESS_REFUSED else str(closed.reply_code)
    channel.close()
    return "open"


told = {name: attempt(lambda channel, queue=name: channel.basic_get(queue)) for name in sys.argv[1:]}  # type: ignore[misc]
told["declaring a queue"] = attempt(lambda channel: channel.queue_declare("a queue that nobody wants"))
print(json.dumps(told))
