"""What was given up: look at it, send it again to the one service that failed, or let it go.

    python -m shared.bus.dead list [SERVICE ...]
    python -m shared.bus.dead show SERVICE EVENT_ID
    python -m shared.bus.dead replay SERVICE EVENT_ID|all
    python -m shared.bus.dead drop SERVICE EVENT_ID REASON

AMQP_URL (or AMQP_URL_FILE) names the broker. Looking takes nothing away and shows types and names of fields, never values.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika

from shared import logs
from shared.bus.publisher import ENDS_WITHIN, Outgoing, Publisher
from shared.bus.settle import FAILED_AT, REASON, delivery_from
from shared.bus.topology import BACK, dead_queue_of
from shared.logs import get_logger

SERVICES = ("intake", "matching", "notify")
REASONS = ("done_by_hand", "no_longer_needed", "unreadable", "erased", "test")
log = get_logger("bus.dead")


@dataclass(frozen=True)
class DeadLetter:
    event_id: str
    kind: str
    reason: str
    failed_at: str
    attempts: int
    body: bytes
    tag: int


def letters_of(amqp_url: str, service: str) -> list[DeadLetter]:
    with _held(amqp_url, service) as (_, letters):
        return list(letters)


def replay(amqp_url: str, service: str, event_id: str | None) -> int:
    """Send again, under the same id, to this service alone. None: all of them.

    A letter leaves the dead queue when the broker confirmed the new message.
    """
    publisher = Publisher(amqp_url, service)
    publisher.start()
    try:
        publisher.wait_until_ready(10)
        return _let_go(amqp_url, service, event_id, lambda letter: _send_again(publisher, service, letter))
    finally:
        publisher.close()


def drop(amqp_url: str, service: str, event_id: str, reason: str) -> int:
    def note(letter: DeadLetter) -> None:
        told = {"event_id": letter.event_id, "event_type": letter.kind, "queue": dead_queue_of(service), "reason": reason}
        log.warning("a dead letter is dropped", extra=told)

    return _let_go(amqp_url, service, event_id, note)


def shape_of(body: bytes) -> Any:
    """The names and types in it."""
    try:
        return _shape(json.loads(body))
    except (ValueError, RecursionError):
        return f"not JSON, {len(body)} bytes"


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key if _is_name(key) else "?": _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(value[0]), f"{len(value)} of them"] if value else []
    return type(value).__name__


def _is_name(key: str) -> bool:
    """A stranger's message may carry what a person wrote as a key."""
    return key.isidentifier() and len(key) <= 30


def _send_again(publisher: Publisher, service: str, letter: DeadLetter) -> None:
    publisher.publish(Outgoing(BACK, service, letter.body, letter.event_id, letter.kind)).result(ENDS_WITHIN)


def _let_go(amqp_url: str, service: str, event_id: str | None, first: Callable[[DeadLetter], None]) -> int:
    with _held(amqp_url, service) as (channel, letters):
        chosen = [letter for letter in letters if event_id in (letter.event_id, None)]
        for letter in chosen:
            first(letter)
            channel.basic_ack(letter.tag)
    return len(chosen)


@contextmanager
def _held(amqp_url: str, service: str) -> Iterator[tuple[Any, Iterator[DeadLetter]]]:
    """Hold the letters that are in the queue now. What is not acknowledged goes back when the channel closes."""
    connection = pika.BlockingConnection(_parameters(amqp_url))
    try:
        channel = connection.channel()
        count = channel.queue_declare(dead_queue_of(service), passive=True).method.message_count
        yield channel, _taken(channel, service, count)
    finally:
        if connection.is_open:
            connection.close()


def _parameters(amqp_url: str) -> pika.URLParameters:
    parameters = pika.URLParameters(amqp_url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = 10
    return parameters


def _taken(channel: Any, service: str, count: int) -> Iterator[DeadLetter]:
    for _ in range(count):
        method, properties, body = channel.basic_get(dead_queue_of(service))
        if method is None:
            return
        headers = properties.headers or {}
        given_up_by_broker = (headers.get("x-death") or [{}])[0].get("reason", "unknown")
        delivery = delivery_from(0, method.delivery_tag, properties, body)
        yield DeadLetter(
            delivery.event_id, delivery.kind, str(headers.get(REASON, given_up_by_broker)), str(headers.get(FAILED_AT, "")),
            delivery.attempt, body, delivery.tag,
        )  # fmt: skip


# the command line


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    url = _amqp_url()
    if asked.deed == "list":
        return _list(url, asked.services or list(SERVICES))
    if asked.deed == "show":
        return _show(url, asked.service, asked.event_id)
    if asked.deed == "replay":
        return _say(replay(url, asked.service, None if asked.event_id == "all" else asked.event_id), "sent again")
    return _say(drop(url, asked.service, asked.event_id, asked.reason), "dropped")


def _list(url: str, services: list[str]) -> int:
    for service in services:
        letters = letters_of(url, service)
        print(f"{service}: {len(letters) or 'none'}")
        for letter in letters:
            print(" ", letter.event_id, letter.kind or "-", letter.failed_at[:19], f"tried {letter.attempts + 1}x", letter.reason)
    return 0


def _show(url: str, service: str, event_id: str) -> int:
    for letter in letters_of(url, service):
        if letter.event_id == event_id:
            print(
                json.dumps({"id": letter.event_id, "type": letter.kind, "reason": letter.reason, "failed_at": letter.failed_at})
            )
            print(json.dumps(shape_of(letter.body), indent=2))
            return 0
    return _say(0, "found")


def _say(count: int, done: str) -> int:
    print(f"{count} {done}" if count else "There is no such dead letter.")
    return 0 if count else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dead", description="Messages that were given up.")
    deeds = parser.add_subparsers(dest="deed", required=True)
    deeds.add_parser("list").add_argument("services", nargs="*", metavar="SERVICE")
    for deed in ("show", "replay", "drop"):
        each = deeds.add_parser(deed)
        each.add_argument("service", metavar="SERVICE")
        each.add_argument("event_id", metavar="EVENT_ID")
        if deed == "drop":
            each.add_argument("reason", choices=REASONS)
    return parser


def _amqp_url() -> str:
    file = os.environ.get("AMQP_URL_FILE")
    url = Path(file).read_text().strip() if file else os.environ.get("AMQP_URL", "")
    return url or sys.exit("AMQP_URL is missing.")


if __name__ == "__main__":
    logs.set_up("dead")
    sys.exit(main())
