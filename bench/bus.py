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
from tests.faults.bus.kettle import NAME, Bench, KettleFilled, eventually

IDLE_ROUNDS = 100


def figures(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    median, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99) - 1]
    print(f"{name:44} median {median * 1000:6.1f} ms   p99 {p99 * 1000:6.1f} ms   ({len(ordered)})")


def commit_to_published(bench: Bench) -> None:
    """From the return of the commit to the arrival of the message in a queue, watched by a consumer of its own."""
    arrived: dict[str, float] = {}
    connection = pika.BlockingConnection(pika.URLParameters(bench.amqp_url))
    channel = connection.channel()

    def took(channel: object, method: object, properties: pika.BasicProperties, body: bytes) -> None:
        arrived[str(properties.message_id)] = time.monotonic()

    channel.basic_consume(topology.queue_of(NAME), took, auto_ack=True)
    threading.Thread(target=channel.start_consuming, daemon=True).start()
    committed = {}
    for _ in range(IDLE_ROUNDS):
        kettle = bench.fill()
        moment = time.monotonic()
        committed[bench.outbox_row(kettle)["_id"]] = moment
        time.sleep(0.03)
    eventually(lambda: len(arrived) == IDLE_ROUNDS)
    figures("commit -> in the queue, another process's row", [arrived[each] - at for each, at in committed.items()])
    connection.add_callback_threadsafe(channel.stop_consuming)


def form_to_second_handler(bench: Bench) -> None:
    seconds = []
    for _ in range(IDLE_ROUNDS):
        begun = time.monotonic()
        kettle = bench.fill()
        while not bench.has_poured(kettle):
            time.sleep(0.001)
        seconds.append(time.monotonic() - begun)
    figures("form -> event -> handler -> event -> handler", seconds)


def rate(name: str, count: int, done: Callable[[], bool]) -> None:
    begun = time.monotonic()
    assert eventually(done, 300)
    print(f"{name:44} {count / (time.monotonic() - begun):8.0f} events/s   ({count})")


def write_rows(bench: Bench, count: int) -> None:
    moment, rows = now(), []
    for _ in range(count):
        event: Event = KettleFilled(kettle_id=str(uuid.uuid4()))
        event_id = str(uuid.uuid4())
        body = to_json(make_envelope(event, id=event_id, source="/bench", time=moment))
        rows.append(
            {
                "_id": event_id,
                "type": event.event_type,
                "subject": event.subject,
                "body": body,
                "next_at": moment,
                "made_at": moment,
                "tries": 0,
            }
        )
    bench.db.outbox.insert_many(rows)


def main(count: int) -> None:
    logs.set_up("bench", "ERROR")
    keys = Path(tempfile.mkdtemp())
    vault.generate_keys(keys)
    bench = Bench(os.environ["MONGODB_URI"], os.environ["AMQP_URL"], keys)
    bench.begin()
    try:
        publisher = Publisher(bench.amqp_url, NAME)
        relay = Relay(bench.db, publisher)
        publisher.start()
        publisher.wait_until_ready(10)
        relay.start()
        commit_to_published(bench)
        write_rows(bench, count)
        rate("relay alone, confirmed and marked", count, lambda: bench.db.outbox.find_one({"next_at": {"$exists": True}}) is None)
        relay.stop(5)
        publisher.close()
        bench.ready_worker()
        rate("consume, handle, say, consume, handle", 2 * count, lambda: bench.db.poured.estimated_document_count() == count)
        bench.db.poured.delete_many({})
        form_to_second_handler(bench)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: bench.fill(), range(count)))
        rate(
            "the tail of forms from 16 threads", count, lambda: bench.db.poured.estimated_document_count() == count + IDLE_ROUNDS
        )
    finally:
        bench.clear()
        bench.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
