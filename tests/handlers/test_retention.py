"""Nothing is stored past its retention: each rule of the table on a real database, and whole lives by the product's own clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.intake import store
from services.intake.handlers.access import NoteKeys
from services.intake.handlers.supportee import WriteNote, write_note
from services.matching.handlers.endings import end_by_practitioner
from services.matching.handlers.practitioner import AnswerOffer, answer_offer
from services.matching.handlers.reading import view_practitioner
from services.notify.handlers.contacts import record_contact
from shared import sweeper
from shared.clock import now
from shared.contracts import ContactShared
from shared.messages import load
from shared.mongo import Db, Doc, make_indexes
from shared.retention import DAYS, SERVICES, TABLE, Kept, rules_of
from shared.service import Service
from shared.vault import words_key
from tests.handlers.test_lifetimes import opened_by_words
from tests.handlers.test_queries_use_indexes import most_read
from tests.lifetimes import ThreeServices, three

__all__ = ["three"]
COUNTED = [rule for name in SERVICES for rule in rules_of(name)]
each_rule = pytest.mark.parametrize("rule", COUNTED, ids=lambda rule: f"{rule.service}.{rule.collection}.{rule.since}")


def the_service(three: ThreeServices, rule: Kept) -> Service:
    return next(service for service in three.all() if service.name == rule.service)


def a_row(rule: Kept, id: str, moment: datetime) -> Doc:
    """With distinct values wherever an index is unique, and everything that the rule takes away."""
    row: Doc = {"_id": id, "person_id": id, "request_id": id, "practitioner_id": id, "slot": 0, **rule.only}
    for name in rule.removes:
        inner = row
        *outer, last = name.split(".")
        for part in outer:
            inner = inner.setdefault(part, {})
        inner[last] = "something"
    row[rule.since] = moment
    return row


def what_is_left(db: Db, rule: Kept, id: str) -> str:
    row: Any = db[rule.collection].find_one({"_id": id})
    if row is None:
        return "nothing"
    return "row" if rule.since in row else "row without it"


@each_rule
def test_each_is_gone_at_its_time_and_not_an_hour_before(three: ThreeServices, rule: Kept) -> None:
    service = the_service(three, rule)
    moment, kept = now(), rule.longest
    service.db[rule.collection].insert_many([a_row(rule, "old", moment), a_row(rule, "young", moment + timedelta(hours=2))])
    three.clock.write_text(str((kept - timedelta(hours=1)).total_seconds()))
    sweep(service)
    assert what_is_left(service.db, rule, "old") == "row"
    three.clock.write_text(str((kept + timedelta(hours=1)).total_seconds()))
    sweep(service)
    assert what_is_left(service.db, rule, "young") == "row"
    expected = "row without it" if rule.removes and not rule.else_row_goes else "nothing"
    assert what_is_left(service.db, rule, "old") == expected


def sweep(service: Service) -> None:
    [timer] = [timer for timer in service.timers if timer.handler is sweeper.delete_overdue]
    for overdue in list(timer.find(service.db)):
        service.run(timer.handler, overdue)


def test_a_number_that_said_stop_is_kept_and_when_it_was_texted_is_not(three: ThreeServices) -> None:
    numbers = three.notify.db.phone_numbers
    numbers.insert_many(
        [{"_id": "stopped", "stopped_at": now(), "texted_at": now(), "texted_by": "n"}, {"_id": "n", "texted_at": now()}]
    )
    three.clock.write_text(str(timedelta(days=2).total_seconds()))
    sweep(three.notify)
    [row] = numbers.find()
    assert set(row) == {"_id", "stopped_at"}


@each_rule
def test_each_is_found_by_an_index_however_much_is_there(three: ThreeServices, rule: Kept) -> None:
    db, moment = the_service(three, rule).db, now()
    db[rule.collection].insert_many([a_row(rule, f"x{n}", moment + timedelta(seconds=n)) for n in range(400)])
    found = list(sweeper.find_overdue(db, rule.service, moment - timedelta(seconds=1), {}))
    assert found == []
    assert most_read(db, lambda db: list(sweeper.find_overdue(db, rule.service, moment - timedelta(seconds=1), {}))) <= 1


def test_twenty_thousand_overdue_rows_go_in_bounded_batches_and_nothing_else_does(three: ThreeServices) -> None:
    db, old = three.matching.db, now() - timedelta(days=DAYS["audit"] + 1)
    db.audit.insert_many([{"_id": n, "at": old} for n in range(20_000)] + [{"_id": -n, "at": now()} for n in range(1, 1001)])
    looks = 0
    while batches := list(sweeper.find_overdue(db, "matching", now(), {})):
        looks += 1
        assert all(len(batch.ids) <= sweeper.AT_ONCE for batch in batches)
        assert len(batches) <= sweeper.BATCHES_AT_ONCE
        for batch in batches:
            three.matching.run(sweeper.delete_overdue, batch)
    assert (looks, db.audit.count_documents({})) == (4, 1000)


def test_what_changed_between_the_look_and_the_deletion_stays(three: ThreeServices) -> None:
    db = three.intake.db
    db.drafts.insert_one({"_id": "p", "expires_at": now() - timedelta(seconds=1)})
    [overdue] = sweeper.find_overdue(db, "intake", now(), {})
    db.drafts.update_one({"_id": "p"}, {"$set": {"expires_at": now() + timedelta(days=14)}})
    three.intake.run(sweeper.delete_overdue, overdue)
    assert db.drafts.count_documents({}) == 1


def test_mongodb_deletes_by_itself_a_week_later_at_the_earliest(three: ThreeServices) -> None:
    for service in three.all():
        known = {name: service.db[name].index_information() for name in service.db.list_collection_names()}
        later = {
            (name, index["key"][0][0]): index for name in known for index in known[name].values() if "expireAfterSeconds" in index
        }
        wanted = {(rule.collection, rule.since): rule for rule in rules_of(service.name) if not rule.removes}
        assert later.keys() == wanted.keys()
        for key, rule in wanted.items():
            assert timedelta(seconds=later[key]["expireAfterSeconds"]) == rule.longest + timedelta(days=7)


def test_an_index_of_an_earlier_release_that_deletes_sooner_is_dropped(three: ThreeServices) -> None:
    db = three.notify.db
    db.drop_collection("old_ones")
    db.old_ones.create_index("at", expireAfterSeconds=60)
    make_indexes(db, {"old_ones": []})
    assert set(db.old_ones.index_information()) == {"_id_"}
    db.drop_collection("old_ones")


# Whole lives


def rows_about(three: ThreeServices, *ids: str) -> dict[str, int]:
    """How many rows of each collection name one of these ids, or are found under it."""
    found: dict[str, int] = {}
    for name, row in three.rows():
        if any(text in ids for text in _texts(row)):
            found[name] = found.get(name, 0) + 1
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def pairs_left(three: ThreeServices) -> set[str]:
    return {name for name, _ in three.rows()} & {"matching.offers", "matching.matches", "matching.notes"}


def test_after_a_long_silence_nothing_is_left_once_each_time_has_come(three: ThreeServices) -> None:
    draft = three.ask()
    for _ in three.day_by_day(21, 76, 90):
        pass
    ids = (draft.request_id, draft.person_id)
    assert {"notify.contacts", "intake.requests", "matching.requests"} <= set(rows_about(three, *ids))
    three.until_day(90 + DAYS["contact"] - 0.5)
    assert {"notify.contacts", "intake.requests", "matching.requests"} <= set(rows_about(three, *ids))
    three.until_day(90 + DAYS["contact"] + 0.5)
    assert not {"notify.contacts", "intake.requests", "matching.requests"} & set(rows_about(three, *ids))
    assert not opened_by_words(draft)
    three.until_day(90 + DAYS["inbox"] + 1)
    assert rows_about(three, *ids) == {}


def test_words_go_a_week_after_a_yes_and_the_name_stays_as_long_as_the_two_meet(three: ThreeServices) -> None:
    three.practitioner(places=1)
    three.ask()
    [offer] = three.matching.db.offers.find()
    three.matching.run(answer_offer, AnswerOffer(offer_id=offer["_id"], answer="yes"))
    three.deliver()
    three.until_day(6.9)
    assert "words" in three.matching.db.requests.find_one({})["encrypted"]["fields"]  # type: ignore[index]
    three.until_day(7.1)
    three.until_day(7.2)
    fields = three.matching.db.requests.find_one({})["encrypted"]["fields"]  # type: ignore[index]
    assert {"words", "anything"} & set(fields) == set()
    assert "marmalade" not in str(list(three.rows()))
    for day in (30, 200, 400):
        three.until_day(day)
        view = view_practitioner("juniper", three.matching.db)
        assert view
        assert [person.name for person in view.matched] == ["Zephyrine"]


def test_a_pair_is_gone_thirty_days_after_its_end_and_the_request_lives_on(three: ThreeServices) -> None:
    three.practitioner(places=1)
    draft = three.ask()
    [offer] = three.matching.db.offers.find()
    three.matching.run(answer_offer, AnswerOffer(offer_id=offer["_id"], answer="yes"))
    three.deliver()
    three.intake.run(
        write_note, WriteNote(draft.request_id, NoteKeys(words_key(draft.key), {}), "n1", "are you there", "juniper")
    )
    three.deliver()
    three.until_day(100)
    three.matching.run(end_by_practitioner, offer["_id"])
    three.deliver()
    three.until_day(101.5)
    three.until_day(129)
    assert pairs_left(three) == {"matching.offers", "matching.matches", "matching.notes"}
    request = store.request(three.intake.db, draft.request_id)
    assert request
    assert len(request.notes) == 1
    three.until_day(130.5)
    three.until_day(131)
    assert pairs_left(three) == set()
    request = store.request(three.intake.db, draft.request_id)
    assert request
    assert request.status.state == "meetings_ended"
    assert request.notes == ()


def test_the_table_has_no_rule_twice() -> None:
    assert len({(rule.service, rule.collection, rule.since, str(rule.only)) for rule in TABLE}) == len(TABLE)


def test_a_contact_does_not_change_after_the_end_and_goes_in_its_time(three: ThreeServices) -> None:
    draft = three.ask()
    first = three.events("contact.shared.v1")[0]
    for _ in three.day_by_day(21, 76, 90):
        pass
    later = load(ContactShared, {**first, "version": 2})
    three.notify.run(record_contact, later)
    [contact] = three.notify.db.contacts.find({"request_id": draft.request_id})
    assert (contact["version"], "ended_at" in contact) == (1, True)
    three.until_day(90 + DAYS["contact"] + 0.5)
    assert three.notify.db.contacts.count_documents({"request_id": draft.request_id}) == 0
