"""What the bus does on this machine: idle latency from commit to handled, and throughput of relay and consumer.

MONGODB_URI=... AMQP_URL=... python -m bench.bus [events]
"""

import os
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pika

from shared import logs, vault
from shared.bus import topology
from shared.bus.publisher import Publisher
from shared.bus.relay import Relay
from shared.clock import now
from shared.messages import Event, make_envelope, to_json
from shared.outbox import OutboxMessage
from tests.eventually import eventually
from tests.faults.bus.echo_service import NAME, BusFixture, EchoAsked

IDLE_ROUNDS = 100


def figures(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    median, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99) - 1]
    print(f"{name:44} median {median * 1000:6.1f} ms   p99 {p99 * 1000:6.1f} ms   ({len(ordered)})")


def commit_to_published(bus: BusFixture) -> None:
    """From the return of the commit to the arrival of the message in a queue, watched by a consumer of its own."""
    arrived: dict[str, float] = {}
    connection = pika.BlockingConnection(pika.URLParameters(bus.amqp_url))
    channel = connection.channel()

    def took(channel: object, method: object, properties: pika.BasicProperties, body: bytes) -> None:
        arrived[str(properties.message_id)] = time.monotonic()

    channel.basic_consume(topology.queue_of(NAME), took, auto_ack=True)
    threading.Thread(target=channel.start_consuming, daemon=True).start()
    committed = {}
    for _ in range(IDLE_ROUNDS):
        echo = bus.ask()
        moment = time.monotonic()
        committed[bus.outbox_row(echo)["_id"]] = moment
        time.sleep(0.03)
    eventually(lambda: len(arrived) == IDLE_ROUNDS)
    figures("commit -> in the queue, another process's row", [arrived[each] - at for each, at in committed.items()])
    connection.add_callback_threadsafe(channel.stop_consuming)


def form_to_second_handler(bus: BusFixture) -> None:
    seconds = []
    for _ in range(IDLE_ROUNDS):
        begun = time.monotonic()
        echo = bus.ask()
        while not bus.is_recorded(echo):
            time.sleep(0.001)
        seconds.append(time.monotonic() - begun)
    figures("form -> event -> handler -> event -> handler", seconds)


def rate(name: str, count: int, done: Callable[[], bool]) -> None:
    begun = time.monotonic()
    assert eventually(done, 300)
    print(f"{name:44} {count / (time.monotonic() - begun):8.0f} events/s   ({count})")


def write_rows(bus: BusFixture, count: int) -> None:
    moment, rows = now(), []
    for _ in range(count):
        event: Event = EchoAsked(echo_id=str(uuid.uuid4()))
        event_id = str(uuid.uuid4())
        body = to_json(make_envelope(event, id=event_id, source=f"/{NAME}", time=moment))
        rows.append(OutboxMessage(event_id, event.event_type, event.subject, body, moment).to_document())
    bus.db.outbox.insert_many(rows)


def main(count: int) -> None:
    logs.set_up("bench", "ERROR")
    keys = Path(tempfile.mkdtemp())
    vault.generate_keys(keys)
    bus = BusFixture(os.environ["MONGODB_URI"], os.environ["AMQP_URL"], keys)
    bus.begin()
    try:
        publisher = Publisher(bus.amqp_url, NAME)
        relay = Relay(bus.db, publisher)
        publisher.start()
        publisher.wait_until_ready(10)
        relay.watch()
        stop = threading.Event()
        relaying = threading.Thread(target=relay.run, args=(stop,))
        relaying.start()
        commit_to_published(bus)
        write_rows(bus, count)
        rate("relay alone, confirmed and marked", count, lambda: bus.db.outbox.find_one({"next_at": {"$exists": True}}) is None)
        stop.set()
        relay.wake_up.stop()
        relaying.join()
        publisher.close()
        bus.ready_worker()
        rate("consume, handle, publish, consume, handle", 2 * count, lambda: bus.db.recorded.estimated_document_count() == count)
        bus.db.recorded.delete_many({})
        form_to_second_handler(bus)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: bus.ask(), range(count)))
        rate(
            "the tail of forms from 16 threads", count, lambda: bus.db.recorded.estimated_document_count() == count + IDLE_ROUNDS
        )
    finally:
        bus.clear()
        bus.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
