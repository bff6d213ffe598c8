"""Each service publishes its own events and reaches its own queues, on a RabbitMQ with the users that deploy/setup makes."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from deploy import asyncapi
from deploy.setup import SERVICES, files
from deploy.setup.subscriptions import read_subscriptions
from shared.bus import dead_letters, topology
from shared.bus.publisher import OutgoingMessage, Publisher
from shared.bus.worker import Worker
from shared.clock import now
from shared.contracts import EncryptedFields, TeamContactShared
from shared.messages import Event, make_envelope, to_json
from shared.mongo import Db
from shared.service import RetryLater
from shared.settings import Settings
from tests.eventually import eventually
from tests.faults.bus import nodes
from tests.faults.bus.echo_service import EchoService

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("own_node")]
PASSWORDS = {name: f"open-{name}" for name in files.PASSWORDS}
EVENTS = asyncapi.our_contracts()
ACCESS_REFUSED, PRECONDITION_FAILED = 403, 406


@pytest.fixture(scope="module")
def url_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    home = tmp_path_factory.mktemp("users")
    written: dict[str, Any] = dict(files.definitions(PASSWORDS))
    guest = {"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    written["users"] = [*written["users"], {**files._user("guest", "guest"), "tags": ["administrator"]}]
    written["vhosts"], written["permissions"] = [*written["vhosts"], {"name": "/"}], [*written["permissions"], guest]
    with nodes.a_node(home, written) as node:

        def url(user: str) -> str:
            return nodes.url_for(node, user, PASSWORDS[f"rabbitmq-{user}"], files.VHOST)

        topology.declare(url("setup"), {**read_subscriptions(), "notify": ["team_contact.shared.v1", "contact.shared.v1"]})
        yield url


@contextmanager
def channel_of(amqp_url: str) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    channel.confirm_delivery()
    try:
        yield channel
    finally:
        connection.close()


def refusal(amqp_url: str, exchange: str, key: str, body: bytes = b"{}", **properties: Any) -> int:
    """The code with which the broker closes the channel; 0 when it takes the message."""
    with channel_of(amqp_url) as channel:
        try:
            channel.basic_publish(exchange, key, body, pika.BasicProperties(**properties))
        except ChannelClosedByBroker as closed:
            return int(closed.reply_code)
    return 0


@pytest.mark.parametrize("service", SERVICES)
def test_the_broker_refuses_every_event_of_another_service(url_of: Callable[[str], str], service: str) -> None:
    for event_class in EVENTS:
        expected = 0 if event_class.published_by == service else ACCESS_REFUSED
        assert refusal(url_of(service), topology.EVENTS, event_class.event_type) == expected, event_class.event_type
    with channel_of(url_of("setup")) as channel:
        for queue in SERVICES:
            channel.queue_purge(queue)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_puts_nothing_into_the_queues_of_another(url_of: Callable[[str], str], service: str) -> None:
    for other in SERVICES:
        keys = [(topology.BACK, other), (topology.DEAD, other), (topology.RETRY, topology.retry_queue_of(other, "5s"))]
        for exchange, key in keys if other != service else []:
            assert refusal(url_of(service), exchange, key) == ACCESS_REFUSED, key
        if other != service:
            assert refusal(url_of(service), "", other) == ACCESS_REFUSED, "the default exchange"


def test_nobody_publishes_in_the_name_of_another(url_of: Callable[[str], str]) -> None:
    for user in ("intake", "setup"):
        code = refusal(url_of(user), topology.EVENTS, "request.withdrawn.v1", user_id="matching")
        assert code == PRECONDITION_FAILED


def test_a_service_declares_its_marker_and_nothing_else(url_of: Callable[[str], str]) -> None:
    for name, allowed in [
        (topology.marker_of("intake", "1f"), True),
        (topology.marker_of("notify", "1f"), False),
        ("new", False),
    ]:
        with channel_of(url_of("intake")) as channel:
            if allowed:
                channel.exchange_declare(name, "fanout")
                continue
            with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
                channel.exchange_declare(name, "fanout")


# what a consumer makes of an event that was forged all the same


@dataclass
class Notify:
    """A consumer under notify's name and user. `addresses`: what it believes of each person."""

    worker: Worker
    service: EchoService
    amqp_url: str
    addresses: dict[str, str]
    fails: list[str]

    def dead(self) -> list[dead_letters.DeadLetter]:
        return dead_letters.dead_letters_of(self.amqp_url, "notify")


@pytest.fixture
def notify(url_of: Callable[[str], str], mongodb_uri: str, keys: Path) -> Iterator[Notify]:
    service, addresses, fails = EchoService("notify"), dict[str, str](), list[str]()

    @service.on(TeamContactShared)
    def keep_contact(event: TeamContactShared, db: Db) -> list[Event]:
        if fails:
            raise RetryLater(fails.pop())
        addresses[event.person_id] = event.encrypted.fields["email"]
        return []

    @service.on(asyncapi.contracts.ContactShared)
    def keep_supportee(event: asyncapi.contracts.ContactShared, db: Db) -> list[Event]:
        return []

    settings = Settings(
        mongodb_uri=mongodb_uri,
        amqp_url=url_of("notify"),
        keys_dir=keys,
        programme_file=Path("deploy/programme.toml"),
        public_url="https://kt.example",
        log_level="INFO",
        metrics_port=0,
        worker_threads=2,
    )
    worker = Worker(service, settings)
    worker.start()
    assert eventually(worker.ready, 60), worker.parts()
    yield Notify(worker, service, url_of("notify"), addresses, fails)
    worker.stop(5)
    with channel_of(url_of("setup")) as channel:
        for queue in topology.queues_of("notify", 0):
            channel.queue_purge(queue)
    service.db.client.drop_database("notify")


def contact_of(person_id: str, address: str) -> TeamContactShared:
    encrypted = EncryptedFields(person_id=person_id, wrap="w", fields={"email": address})
    return TeamContactShared(
        person_id=person_id,
        role="practitioner",
        version=1,
        channels=("email",),
        language="en",
        time_zone="UTC",
        encrypted=encrypted,
    )


def a_message(event: Event, source: str) -> bytes:
    return to_json(make_envelope(event, id=str(uuid.uuid4()), source=source, time=now())).encode()


def publish_as(amqp_url: str, service: str, message: OutgoingMessage) -> None:
    publisher = Publisher(amqp_url, service)
    publisher.start()
    assert publisher.wait_until_ready(30)
    publisher.publish(message).result(30)
    publisher.close()


def as_event(event: Event, source: str, key: str | None = None) -> OutgoingMessage:
    return OutgoingMessage(
        topology.EVENTS, key or event.event_type, a_message(event, source), str(uuid.uuid4()), event.event_type
    )


def test_an_event_of_its_own_publisher_is_handled_also_after_a_retry(notify: Notify, url_of: Callable[[str], str]) -> None:
    notify.fails.append("once")
    publish_as(url_of("matching"), "matching", as_event(contact_of("ishbel", "ishbel@example.org"), "/matching"))
    assert eventually(lambda: notify.addresses == {"ishbel": "ishbel@example.org"}, 60)
    assert notify.dead() == []


def test_who_holds_intake_cannot_redirect_a_practitioners_letters(notify: Notify, url_of: Callable[[str], str]) -> None:
    publish_as(url_of("matching"), "matching", as_event(contact_of("ishbel", "ishbel@example.org"), "/matching"))
    assert eventually(lambda: notify.addresses)
    forged = contact_of("ishbel", "attacker@example.org")
    body = a_message(forged, "/matching")
    # as it is: the broker refuses
    assert refusal(url_of("intake"), topology.EVENTS, forged.event_type, body, user_id="intake") == ACCESS_REFUSED
    # straight into the queue, or as if it came from a retry: refused as well
    assert refusal(url_of("intake"), topology.BACK, "notify", body, user_id="intake") == ACCESS_REFUSED
    assert refusal(url_of("intake"), topology.RETRY, "notify.retry.5s", body, user_id="intake") == ACCESS_REFUSED
    # under a routing key that intake may use: the consumer knows who published it
    publish_as(url_of("intake"), "intake", as_event(forged, "/matching", key="contact.shared.v1"))
    # and without saying who publishes
    assert refusal(url_of("intake"), topology.EVENTS, "contact.shared.v1", body, message_id="m") == 0
    assert eventually(lambda: len(notify.dead()) == 2)
    reasons = sorted(letter.reason for letter in notify.dead())
    assert reasons == ["not published by matching but by an unknown user", "not published by matching but by intake"]
    assert notify.addresses == {"ishbel": "ishbel@example.org"}


@pytest.mark.parametrize("user_id", ["setup", None])
def test_what_an_administrator_puts_into_the_queue_is_dead_whatever_its_headers_claim(
    notify: Notify, url_of: Callable[[str], str], user_id: str | None
) -> None:
    body = a_message(contact_of("ishbel", "attacker@example.org"), "/matching")
    headers = {"x-published-by": "matching", "x-attempt": 1}
    assert refusal(url_of("setup"), topology.BACK, "notify", body, user_id=user_id, headers=headers) == 0
    assert eventually(lambda: len(notify.dead()) == 1)
    assert notify.dead()[0].reason == f"not published by matching but by {user_id or 'an unknown user'}"
    # What was just looked at comes back to its queue a moment later.
    assert eventually(lambda: dead_letters.replay(notify.amqp_url, "notify", None) == 1)
    assert eventually(lambda: len(notify.dead()) == 1), "a replay does not launder it"
    assert notify.addresses == {}


def test_an_event_whose_source_is_not_its_publisher_is_dead(notify: Notify, url_of: Callable[[str], str]) -> None:
    publish_as(url_of("matching"), "matching", as_event(contact_of("ishbel", "i@example.org"), "/intake"))
    assert eventually(lambda: [letter.reason for letter in notify.dead()] == ["the source is not matching"])


def test_a_dead_letter_that_is_replayed_keeps_its_publisher(notify: Notify, url_of: Callable[[str], str]) -> None:
    message = as_event(contact_of("ishbel", "ishbel@example.org"), "/matching")
    notify.fails.append("for the last time")
    message.headers["x-attempt"] = len(topology.TIERS)
    publish_as(url_of("matching"), "matching", message)
    assert eventually(lambda: len(notify.dead()) == 1)
    # What was just looked at comes back to its queue a moment later.
    assert eventually(lambda: dead_letters.replay(notify.amqp_url, "notify", None) == 1)
    assert eventually(lambda: notify.addresses == {"ishbel": "ishbel@example.org"})
