"""What becomes of a message: handled once, sent to wait, given up with a reason, or kept."""

import json

import pytest

from shared.bus.topology import TIERS, dead_queue_of, queue_of, retry_queue_of
from tests.faults.bus.kettle import NAME, Bench, KettleFilled, as_message, eventually, whistle

pytestmark = pytest.mark.broker


def test_news_goes_from_a_form_through_two_handlers(bench: Bench) -> None:
    bench.ready_worker()
    kettle = bench.fill()
    assert eventually(lambda: bench.has_poured(kettle))
    assert eventually(lambda: "sent_at" in bench.outbox_row(kettle) and "next_at" not in bench.outbox_row(kettle))


def test_the_same_event_twice_changes_nothing_the_second_time(bench: Bench) -> None:
    bench.ready_worker()
    for _ in range(3):
        bench.send_raw(as_message(KettleFilled(kettle_id="k"), "e1"), "e1")
    assert eventually(lambda: bench.has_poured("k") and bench.is_quiet())
    assert [bench.db[rows].count_documents({}) for rows in ("boiled", "poured", "outbox")] == [1, 1, 1]
    assert bench.count(dead_queue_of(NAME)) == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"Juniper's own words", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'["Juniper"]', "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"id": "e1", "type": "Juniper"}', "Envelope: wrong or missing source, subject, time, data"),
        (as_message(KettleFilled(kettle_id="k"), "e1").replace(b"filled", b"painted"), "unknown type"),
        (as_message(KettleFilled(kettle_id="Juniper"), "e1").replace(b'"Juniper"', b"7"), "Envelope: wrong or missing subject"),
        (as_message(KettleFilled(kettle_id="k"), "e1").replace(b'"well"', b"7"), "KettleFilled: wrong or missing how"),
    ],
    ids=["words", "bytes", "a list", "deep", "no envelope", "unknown type", "wrong envelope", "wrong field"],
)  # fmt: skip
def test_what_can_never_be_understood_is_dead_at_once_and_says_why(bench: Bench, body: bytes, reason: str) -> None:
    bench.ready_worker()
    bench.send_raw(body)
    assert eventually(lambda: bench.count(dead_queue_of(NAME)) == 1)
    properties, kept = bench.one_dead()
    assert sorted(properties.headers["x-reason"].replace(",", "").split()) == sorted(reason.replace(",", "").split())
    assert kept == body
    assert properties.message_id
    assert "Juniper" not in str(properties)


@pytest.mark.parametrize(("failed_before", "tier"), list(enumerate(TIERS)))
def test_each_failure_waits_longer_than_the_one_before(bench: Bench, failed_before: int, tier: str) -> None:
    bench.control.broken.set()
    bench.ready_worker()
    bench.send_raw(as_message(KettleFilled(kettle_id="k", how="badly"), "e1"), "e1", **{"x-attempt": failed_before})
    assert eventually(lambda: bench.count(retry_queue_of(NAME, tier)) == 1)
    assert eventually(bench.is_quiet)
    assert bench.count(queue_of(NAME)) == bench.count(dead_queue_of(NAME)) == 0


@pytest.mark.parametrize("how", ["not yet", "badly"])
def test_what_fails_comes_back_by_itself_and_succeeds(bench: Bench, how: str) -> None:
    bench.control.broken.set()
    bench.ready_worker()
    kettle = bench.fill(how)
    assert eventually(lambda: bench.count(retry_queue_of(NAME, "5s")) == 1)
    bench.control.broken.clear()
    assert eventually(lambda: bench.has_poured(kettle), 15)
    assert bench.control.calls == 2


def test_after_the_last_wait_it_is_dead_and_names_the_error_and_its_place_but_never_its_words(bench: Bench) -> None:
    bench.control.broken.set()
    bench.ready_worker()
    bench.send_raw(as_message(KettleFilled(kettle_id="k", how="badly"), "e1"), "e1", **{"x-attempt": len(TIERS)})
    assert eventually(lambda: bench.count(dead_queue_of(NAME)) == 1)
    properties, body = bench.one_dead()
    assert properties.headers["x-reason"].startswith("TooHot at kettle.py:")
    assert properties.headers["x-reason"].endswith(" boil_it")
    assert "Juniper" not in str(properties)
    assert (properties.message_id, json.loads(body)["id"]) == ("e1", "e1")


def test_while_mongo_is_away_messages_are_kept_no_attempt_is_spent_and_the_worker_is_not_ready(bench: Bench) -> None:
    worker = bench.ready_worker()
    bench.control.mongo_away.set()
    kettles = [bench.fill() for _ in range(20)]
    assert eventually(lambda: bench.control.calls >= 8)
    assert not worker.ready()
    assert [bench.count(retry_queue_of(NAME, tier)) for tier in TIERS] == [0] * len(TIERS)
    bench.control.mongo_away.clear()
    assert eventually(lambda: all(map(bench.has_poured, kettles)) and worker.ready())
    assert bench.count(dead_queue_of(NAME)) == 0


def test_what_nobody_hears_is_not_marked_sent_and_does_not_hold_up_the_rest(bench: Bench) -> None:
    bench.ready_worker()
    bench.service.run(whistle, "unheard")
    kettle = bench.fill()
    assert eventually(lambda: bench.has_poured(kettle))
    assert eventually(lambda: bench.outbox_row("unheard").get("tries", 0) >= 2)
    row = bench.outbox_row("unheard")
    assert "next_at" in row
    assert "sent_at" not in row
