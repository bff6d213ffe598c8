"""What two people agree on, through the three services: both write it, either deletes it, nobody else reads it."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from services.intake import store
from services.intake.domain import Agreement as Page
from services.intake.handlers import agreements as theirs
from services.intake.handlers.broker_events import save_agreement
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.supportee import EndMeetings, UndoEnd, end_meetings, undo_end
from services.matching.handlers import agreements as ours
from services.matching.handlers import reading
from services.matching.handlers.endings import end_by_practitioner
from services.matching.store import agreements
from services.notify.handlers.agreements import enqueue_news_of_agreement
from shared import sweeper, vault
from shared.clock import now
from shared.contracts import AgreementChanged, AgreementWritten
from shared.messages import Event, from_json, parse_event
from shared.mongo import Doc
from shared.retention import DAYS
from shared.service import Service
from tests.handlers.matching_steps import Clock, only
from tests.whole_journey import Journey, contents_opened_by, walk


@dataclass
class Pair:
    journey: Journey
    offer_id: str
    match_id: str
    texts: int = 0

    @property
    def request_id(self) -> str:
        return self.journey.draft.request_id

    def deliver(self) -> None:
        self.journey.services.deliver()

    def ana_writes(self, words: str, base: int | None = None, id: str = "") -> list[Event]:
        self.texts += 1
        known = agreements.find(self.journey.services.matching.db, self.match_id)
        command = ours.WriteAgreement(
            offer_id=self.offer_id,
            text_id=id or f"a{self.texts}",
            base=(known.number if known else 0) if base is None else base,
            sections={"helps": words},
        )
        return self.journey.services.matching.run(ours.write_agreement, command)

    def wren_writes(self, words: str) -> list[Event]:
        self.texts += 1
        about = {"request_id": self.request_id, "person_id": self.journey.person_id, "match_id": self.match_id}
        command = theirs.WriteAgreement(
            **about, keys=self.journey.note_keys, text_id=f"w{self.texts}", sections={"helps": words, "off": f"{words}, off"}
        )
        return self.journey.services.intake.run(theirs.write_agreement, command)

    def wren_agrees(self) -> list[Event]:
        newest = self.page().newest
        assert newest
        command = theirs.SayYes(request_id=self.request_id, match_id=self.match_id, number=newest.number)
        return self.journey.services.intake.run(theirs.say_yes, command)

    def wren_deletes(self) -> list[Event]:
        command = theirs.DeleteAgreement(request_id=self.request_id, match_id=self.match_id)
        return self.journey.services.intake.run(theirs.delete_agreement, command)

    def ana_deletes(self, base: int) -> list[Event]:
        command = ours.DeleteAgreement(offer_id=self.offer_id, base=base)
        return self.journey.services.matching.run(ours.delete_agreement, command)

    def page(self) -> Page:
        found = store.agreement_of(self.journey.services.intake.db, self.match_id)
        assert found
        return found

    def wren_reads(self) -> tuple[str, str]:
        """What stands there, and what they wrote that does not."""
        view = theirs.view_agreement(self.page(), self.journey.person_id, self.journey.note_keys)
        return view.newest.get("helps", ""), view.unheard.get("helps", "")

    def ana_reads(self) -> str:
        offer = reading.offer_of(self.offer_id, "juniper", self.journey.services.matching.db)
        assert offer
        view = reading.view_agreement_of(offer, self.journey.services.matching.db)
        return view.newest.get("helps", "") if view else "nothing to open"

    def rows(self, type: str) -> list[Doc]:
        return [row for service in self.journey.services.all() for row in service.db.outbox.find({"type": type})]


@pytest.fixture
def pair(intake: Service, matching: Service, notify: Service) -> Pair:
    journey = walk(intake, matching, notify, agree=False)
    [match] = matching.db.matches.find()
    notify.db.notifications.delete_many({})
    return Pair(journey, match["offer_id"], match["_id"])


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


def test_both_write_it_and_each_says_yes(pair: Pair, matching: Service) -> None:
    pair.wren_writes("SENTINEL mornings")
    pair.deliver()
    assert pair.ana_reads() == pair.wren_reads()[0] == "SENTINEL mornings"
    matching.run(ours.say_yes, ours.SayYes(offer_id=pair.offer_id, number=1))
    pair.ana_writes("SENTINEL evenings")
    pair.deliver()
    assert pair.wren_reads() == ("SENTINEL evenings", "")
    assert pair.page().said_yes == ("practitioner",)
    assert pair.page().before
    pair.wren_agrees()
    assert pair.page().is_underway
    pair.deliver()
    assert (pair.page().is_underway, pair.page().said_yes, pair.page().before) == (False, ("practitioner", "supportee"), None)


def test_nobody_but_the_two_can_read_it(pair: Pair, keys: Path) -> None:
    """Not in any store, queue or note; only under the key of the match, and for the heading that it was written for."""
    pair.wren_writes("SENTINEL mornings")
    pair.ana_writes("SENTINEL evenings")
    pair.deliver()
    for where, row in pair.journey.services.rows():
        assert "SENTINEL" not in repr(row), where
    key = vault.pair_key(vault.words_key(pair.journey.draft.key), pair.match_id)
    [wrote, *_] = [parse_event(from_json(row["body"])) for row in pair.rows("agreement.written.v1")]
    assert isinstance(wrote, AgreementWritten)
    opened = vault.decrypt(key, pair.journey.person_id, f"agreement/{wrote.text_id}", wrote.encrypted)
    assert json.loads(opened)["helps"] == "SENTINEL mornings"
    for name in ("agreement/another", "note/w1", "place"):
        with pytest.raises(vault.DecryptionError):
            vault.decrypt(key, pair.journey.person_id, name, wrote.encrypted)
    other = vault.words_key(pair.journey.draft.key)
    with pytest.raises(vault.DecryptionError):
        vault.decrypt(other, pair.journey.person_id, f"agreement/{wrote.text_id}", wrote.encrypted)


def test_of_two_at_the_same_time_the_first_holds_and_nothing_is_lost(pair: Pair) -> None:
    pair.wren_writes("mine")
    pair.ana_writes("theirs")
    pair.deliver()
    assert pair.ana_reads() == "theirs"
    assert pair.wren_reads() == ("theirs", "mine")
    mine = pair.page().unheard
    assert mine
    assert mine.came_late
    pair.wren_writes("both")
    pair.deliver()
    assert pair.wren_reads() == ("both", "")
    assert pair.ana_reads() == "both"


def test_a_page_drawn_before_the_other_wrote_saves_nothing_over_it(pair: Pair) -> None:
    pair.wren_writes("mine")
    pair.deliver()
    assert pair.ana_writes("theirs", base=0) == []
    assert pair.ana_reads() == "mine"


def test_two_first_versions_in_the_same_moment_are_one(pair: Pair, matching: Service) -> None:
    barrier = Barrier(2)

    def write(number: int) -> list[Event]:
        barrier.wait()
        return pair.ana_writes(f"number {number}", base=0, id=f"t{number}")

    with ThreadPoolExecutor(2) as pool:
        done = [found.result() for found in [pool.submit(write, 1), pool.submit(write, 2)]]
    assert sorted(len(events) for events in done) == [0, 1]
    assert matching.db.agreements.count_documents({"number": 1}) == 1


def test_facts_in_reverse_order_and_twice_come_to_the_same(pair: Pair, matching: Service, intake: Service) -> None:
    for words in ("one", "two", "three"):
        pair.wren_writes(words)
    said = pair.rows("agreement.written.v1")
    for row in [*reversed(said), *said]:
        matching.receive(from_json(row["body"]))
    assert pair.ana_reads() == "three"
    told = pair.rows("agreement.changed.v1")
    for row in [*reversed(told), *told]:
        intake.receive(from_json(row["body"]))
    before = intake.db.agreements.find_one({"_id": pair.match_id}), matching.db.agreements.find_one({"_id": pair.match_id})
    for number, row in enumerate([*said, *told]):
        again = from_json(row["body"].replace(row["_id"], f"again-{number}"))
        matching.receive(again)
        intake.receive(again)
    after = intake.db.agreements.find_one({"_id": pair.match_id}), matching.db.agreements.find_one({"_id": pair.match_id})
    assert after == before
    assert pair.wren_reads() == ("three", "")


def test_a_deletion_that_overtakes_a_change_takes_it_too(pair: Pair, matching: Service) -> None:
    pair.ana_writes("first")
    pair.deliver()
    pair.wren_writes("second")
    pair.wren_deletes()
    assert pair.page().is_empty
    [written], [deleted] = pair.rows("agreement.written.v1"), pair.rows("agreement.deleted.v1")
    for row in (deleted, written):
        matching.receive(from_json(row["body"]))
    pair.deliver()
    _assert_gone(pair)


def test_either_deletes_it_on_both_sides_with_what_stood_there_before(pair: Pair) -> None:
    pair.wren_writes("first")
    pair.deliver()
    pair.ana_writes("second")
    pair.deliver()
    pair.ana_deletes(2)
    pair.deliver()
    _assert_gone(pair)
    pair.wren_writes("anew")
    pair.deliver()
    assert pair.ana_reads() == "anew"
    pair.wren_deletes()
    assert pair.page().is_empty
    pair.deliver()
    _assert_gone(pair)


def test_what_was_said_before_a_deletion_was_heard_brings_nothing_back(pair: Pair, intake: Service) -> None:
    pair.ana_writes("first")
    pair.deliver()
    pair.wren_deletes()
    told = only(AgreementChanged, pair.ana_writes("second"))
    intake.run(save_agreement, told)
    assert pair.page().newest is None
    pair.deliver()
    _assert_gone(pair)


def _assert_gone(pair: Pair) -> None:
    assert pair.page().is_empty
    assert pair.ana_reads() == ""
    for service in (pair.journey.services.intake, pair.journey.services.matching):
        [row] = service.db.agreements.find()
        assert not {"newest", "before", "unheard"} & {*row}


# Its end


def test_it_ends_with_the_pair_can_be_read_until_then_and_lives_again_with_it(pair: Pair, clock: Clock) -> None:
    pair.ana_writes("first")
    pair.deliver()
    request = pair.journey.request()
    pair.journey.services.intake.run(end_meetings, EndMeetings(request.id, request.version, "juniper", "wait"))
    pair.deliver()
    assert pair.page().ended_at
    assert pair.ana_reads() == pair.wren_reads()[0] == "first"
    assert pair.ana_writes("second") == []
    request = pair.journey.request()
    pair.journey.services.intake.run(undo_end, UndoEnd(request.id, request.version, "juniper"))
    pair.deliver()
    assert pair.page().ended_at is None
    assert pair.ana_writes("second")


@pytest.mark.parametrize("written_late", [False, True])
def test_nothing_of_it_is_kept_longer_than_the_pair(pair: Pair, clock: Clock, written_late: bool) -> None:
    """Also what was written in the moment of the end."""
    if not written_late:
        pair.ana_writes("first")
    pair.journey.services.matching.run(end_by_practitioner, pair.offer_id)
    if written_late:
        pair.wren_writes("too late")
    pair.deliver()
    clock.advance(days=DAYS["pair"] - 1)
    assert _sweep(pair) == {"intake": 1, "matching": 1}
    clock.advance(days=1, minutes=1)
    assert _sweep(pair) == {"intake": 0, "matching": 0}


def _sweep(pair: Pair) -> dict[str, int]:
    services = {"intake": pair.journey.services.intake, "matching": pair.journey.services.matching}
    for name, service in services.items():
        for overdue in list(sweeper.find_overdue(service.db, name, now(), {})):
            if overdue.rule.collection == "agreements":
                service.run(sweeper.delete_overdue, overdue)
    return {name: service.db.agreements.count_documents({}) for name, service in services.items()}


def test_leaving_erases_it_from_every_store_and_nothing_late_brings_it_back(pair: Pair, keys: Path) -> None:
    pair.wren_writes("SENTINEL mornings")
    pair.deliver()
    pair.ana_writes("SENTINEL evenings", id="t1")
    pair.deliver()
    said = [row for service in pair.journey.services.all() for row in service.db.outbox.find() if "agreement" in row["type"]]
    data_keys = {vault.pair_key(vault.words_key(pair.journey.draft.key), pair.match_id)}
    assert contents_opened_by(pair.journey, data_keys) >= {'{"helps": "SENTINEL evenings"}'}
    pair.journey.services.intake.run(withdraw_request, pair.request_id)
    pair.deliver()
    for number, row in enumerate([*said, *reversed(said)]):
        for service in pair.journey.services.all():
            service.receive(from_json(row["body"].replace(row["_id"], f"again-{number}")))
    for service in pair.journey.services.all():
        for row in service.db.outbox.find({"type": {"$regex": "^agreement"}}):
            assert row["erase"]
        service.db.outbox.delete_many({"erase": True})
        assert "agreements" not in service.db.list_collection_names() or service.db.agreements.count_documents({}) == 0
    assert contents_opened_by(pair.journey, data_keys) == set()


# Who is told


def told(notify: Service) -> list[tuple[str, str]]:
    found = notify.db.notifications.find({"template": "agreement_news", "channel": "email"})
    return sorted((row["person_id"], row["state"]) for row in found)


def test_the_other_is_told_and_once_of_several_within_a_short_time(pair: Pair, notify: Service, clock: Clock) -> None:
    wren = pair.journey.person_id
    for words in ("one", "two", "three"):
        pair.ana_writes(words)
        pair.deliver()
    assert told(notify) == [(wren, "pending")]
    notify.db.notifications.update_many({}, {"$set": {"state": "accepted"}, "$unset": {"next_at": ""}})
    pair.ana_writes("four")
    pair.ana_writes("five")
    pair.deliver()
    assert told(notify) == [(wren, "accepted"), (wren, "pending")]
    [waits] = notify.db.notifications.find({"state": "pending", "channel": "email"})
    assert timedelta(minutes=55) < waits["next_at"] - now() <= timedelta(hours=1)


def test_a_yes_and_a_deletion_are_the_same_neutral_news(pair: Pair, notify: Service) -> None:
    pair.wren_writes("one")
    pair.deliver()
    assert told(notify) == [("juniper", "pending")]
    pair.wren_deletes()
    pair.deliver()
    rows = list(notify.db.notifications.find({"person_id": "juniper"}))
    assert {(row["template"], *row["context"]) for row in rows} == {("agreement_news",)}


def test_what_came_too_late_is_told_to_nobody(pair: Pair, notify: Service) -> None:
    pair.ana_writes("one")
    pair.wren_writes("two")
    pair.deliver()
    assert told(notify) == [(pair.journey.person_id, "pending")]


def test_an_older_change_that_comes_late_is_not_told_again(pair: Pair, notify: Service) -> None:
    events: list[Any] = [only(AgreementChanged, pair.ana_writes(words)) for words in ("one", "two")]
    for event in (events[1], events[0]):
        notify.run(enqueue_news_of_agreement, event)
        notify.db.notifications.update_many({}, {"$set": {"state": "accepted"}})
    assert told(notify) == [(pair.journey.person_id, "accepted")]
