"""The directory in a web process's memory shows what was committed before the page was asked for, and asks for little."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Event
from typing import Any

import pytest
from bson import Timestamp
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.intake import store
from services.intake.handlers.broker_events import save_directory_entry
from services.intake.listing import ListingCache
from services.intake.rules import daily_order
from shared.documents import to_document
from shared.mongo import Db, connect
from shared.service import Service
from tests.people import an_entry_seen

EVERYBODY, LISTED, BIRTH = 100_000, 2_200, 1_700_000_000


@pytest.fixture
def cache(intake: Service) -> ListingCache:
    for id in ("juniper", "kai"):
        intake.run(save_directory_entry, an_entry_seen(intake, id))
    made = ListingCache(intake.db, intake.vault)
    made.load()
    return made


def states(cache: ListingCache) -> dict[str, str]:
    return {id: entry.state for id, entry in cache.current().entries.items()}


def test_the_next_page_shows_what_changed(cache: ListingCache, intake: Service) -> None:
    intake.run(save_directory_entry, an_entry_seen(intake, "juniper", version=2, state="full"))
    intake.run(save_directory_entry, an_entry_seen(intake, "noor"))
    assert states(cache) == {"juniper": "full", "kai": "open", "noor": "open"}
    assert [entry.id for entry in cache.current().open_now] == ["kai", "noor"]


def test_whoever_steps_back_leaves_at_once_and_may_come_back(cache: ListingCache, intake: Service) -> None:
    intake.run(save_directory_entry, an_entry_seen(intake, "juniper", version=2, state="stepped_back"))
    assert states(cache) == {"kai": "open"}
    intake.run(save_directory_entry, an_entry_seen(intake, "juniper", version=3))
    assert states(cache) == {"juniper": "open", "kai": "open"}


def test_what_is_committed_after_a_later_change_was_seen_is_seen_too(cache: ListingCache, intake: Service) -> None:
    """A transaction stamps its change when it writes, and is seen only once it commits."""
    slow = an_entry_seen(intake, "juniper", version=2, state="full")
    inside = intake.db.with_options(read_concern=ReadConcern(), write_concern=WriteConcern())
    with intake.db.client.start_session() as session, session.start_transaction():
        with session.bind(end_session=False):
            store.save_entry(inside, slow, "")
        with ThreadPoolExecutor(1) as another:
            another.submit(intake.run, save_directory_entry, an_entry_seen(intake, "kai", version=2, state="resting")).result()
            assert another.submit(states, cache).result() == {"juniper": "open", "kai": "resting"}
    assert states(cache) == {"juniper": "full", "kai": "resting"}


def test_every_thread_sees_what_was_written_before_it_asked(cache: ListingCache, intake: Service) -> None:
    ended = Event()

    def keep_reading() -> None:
        while not ended.is_set():
            cache.current()

    with ThreadPoolExecutor(4) as readers:
        for _ in range(4):
            readers.submit(keep_reading)
        for version in range(2, 42):
            state = "stepped_back" if version % 2 else "full"
            intake.run(save_directory_entry, an_entry_seen(intake, "juniper", version=version, state=state))
            assert states(cache).get("juniper", "stepped_back") == state
        ended.set()


def test_an_entry_of_a_release_that_did_not_stamp_is_listed_and_one_that_cannot_be_read_is_left_out(intake: Service) -> None:
    for id in ("juniper", "kai"):
        intake.run(save_directory_entry, an_entry_seen(intake, id))
    intake.db.directory.update_many({}, {"$unset": {"changed_at": 1}})
    cache = ListingCache(intake.db, intake.vault)
    assert set(states(cache)) == {"juniper", "kai"}
    intake.run(save_directory_entry, an_entry_seen(intake, "kai", version=2, encrypted_profile="AQ"))
    assert set(states(cache)) == {"juniper"}


def test_a_database_that_does_not_answer_is_no_reason_not_to_start(intake: Service) -> None:
    nobody_there = connect("mongodb://127.0.0.1:1/?directConnection=true", "intake")
    ListingCache(nobody_there, intake.vault).load()
    nobody_there.client.close()


@pytest.fixture
def many(intake: Service) -> Iterator[Service]:
    """2,200 are listed; the others stepped back long ago."""
    gone, blob = an_entry_seen(intake, "gone", state="stepped_back"), an_entry_seen(intake).encrypted_profile
    intake.db.directory.insert_many(
        {**to_document(gone), "_id": f"gone-{n}", "encrypted_profile": blob, "changed_at": Timestamp(BIRTH, n + 1)}
        for n in range(EVERYBODY - LISTED)
    )
    intake.db.directory.insert_many(row(intake, f"p-{n}") for n in range(LISTED))
    yield intake
    intake.db.command("profile", 0)
    intake.db.system.profile.drop()


def row(intake: Service, id: str) -> dict[str, Any]:
    return to_document(an_entry_seen(intake, id), {"_id": id, "slug_index": id, "changed_at": Timestamp(0, 0)})


def test_of_a_hundred_thousand_only_the_listed_are_read_and_then_only_what_changed(many: Service) -> None:
    many.db.command("profile", 2)
    cache = ListingCache(many.db, many.vault)
    assert len(cache.current().entries) == LISTED
    loaded = profiled(many.db)
    assert sum(one["docsExamined"] for one in loaded) <= LISTED + 1
    many.run(save_directory_entry, an_entry_seen(many, "p-7", version=2, state="full"))
    before = len(profiled(many.db))
    assert states(cache)["p-7"] == "full"
    asked = profiled(many.db)[before:]
    assert [(one["docsExamined"], one["planSummary"].split()[0]) for one in asked] == [(0, "IXSCAN"), (1, "IXSCAN")]
    assert not [one for one in profiled(many.db) if "COLLSCAN" in one["planSummary"]]


def test_a_directory_too_large_for_one_look_is_loaded_in_parts_and_nobody_twice(intake: Service) -> None:
    count = 2 * store.ENTRIES_AT_ONCE
    intake.db.directory.insert_many(row(intake, f"p-{n:05}") for n in range(count))
    cache = ListingCache(intake.db, intake.vault)
    assert len(cache.current().entries) == count
    intake.run(save_directory_entry, an_entry_seen(intake, "p-00007", version=2, state="full"))
    assert states(cache)["p-00007"] == "full"


def profiled(db: Db) -> list[dict[str, Any]]:
    """What was read of the directory, oldest first."""
    return list(db.system.profile.find({"ns": f"{db.name}.directory", "op": "query"}).sort("$natural", 1))


def test_the_order_of_the_day_is_the_same_for_everybody_and_follows_what_changes(cache: ListingCache, intake: Service) -> None:
    today, here = date(2026, 3, 2), cache.current()
    first = here.in_daily_order(today, "en")
    assert first == daily_order(here.everybody, today, "en")
    assert here.in_daily_order(today, "en") is first
    assert here.in_daily_order(today, "es") == daily_order(here.everybody, today, "es")
    days = [here.in_daily_order(today + timedelta(days=number), "en") for number in range(30)]
    assert {ordered[0].id for ordered in days} == {"juniper", "kai"}, "another day has another order"
    intake.run(save_directory_entry, an_entry_seen(intake, first[0].id, version=2, state="full"))
    assert [entry.id for entry in cache.current().in_daily_order(today, "en")] == [first[1].id, first[0].id]
