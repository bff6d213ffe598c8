"""What the pages say of leaving, line by line, against what the three databases hold afterwards."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.intake import forms, store
from services.intake.handlers import access
from services.intake.handlers.corrections import CorrectAnswers, correct_answers
from services.intake.handlers.erasure import (
    find_late_erasures,
    publish_withdrawal_again,
    tell_of_late_erasure,
    withdraw_request,
)
from services.intake.handlers.supportee import save_draft
from services.matching.domain import Request
from services.notify.store.offers import OFFER_KEPT
from shared import outbox, sessions, vault
from shared.clock import now
from shared.documents import to_document
from shared.messages import Event, from_json
from shared.metrics import LATE_ERASURES
from shared.mongo import Doc
from shared.retention import DAYS, rules_of
from shared.service import Service
from shared.sessions import new_session
from shared.vault import DecryptionError
from tests.handlers.matching_steps import Clock, open_tasks
from tests.three_services import NAMES
from tests.whole_journey import TYPED, Journey, contents_opened_by, opened_wraps, walk

PAGE = Path("services/intake/templates/what_stays.html")
CHANGING = ("version", "submitted_at", "ended_at")
ADDRESSES = ("sentinel@people.example", "12025550187")


@pytest.fixture
def journey(intake: Service, matching: Service, notify: Service) -> Journey:
    return walk(intake, matching, notify)


@dataclass
class Left:
    journey: Journey
    said_before: list[Doc]
    data_keys: set[bytes]

    @property
    def ids(self) -> tuple[str, str]:
        return self.journey.draft.request_id, self.journey.draft.person_id

    def rows(self, service: str, collection: str) -> list[Doc]:
        return list(getattr(self.journey.services, service).db[collection].find())

    def about_them(self) -> set[tuple[str, frozenset[str]]]:
        """Every row that names the request or the person: where, and its fields. What the team is written apart: it names the
        request as its cause, and goes a day after it was sent."""
        rows = [(where, row) for where, row in self.journey.services.rows() if not self._is_to_the_team(where, row)]
        return {(where, frozenset(row)) for where, row in rows if any(id in repr(row) for id in self.ids)}

    def _is_to_the_team(self, where: str, row: Doc) -> bool:
        return where == "notify.notifications" and row["person_id"] != self.journey.person_id


@pytest.fixture
def left(journey: Journey, keys: Path) -> Left:
    said = [row for service in journey.services.all() for row in service.db.outbox.find()]
    data_keys = {one.key for one in opened_wraps(journey, keys)} | {journey.draft.key}
    assert contents_opened_by(journey, data_keys) >= {"SENTINEL words", *ADDRESSES[:1]}
    leave(journey)
    return Left(journey, said, data_keys)


def leave(journey: Journey) -> None:
    """They press the button; the broker delivers; the broker's confirmations come."""
    services = journey.services
    confirm(services.all())
    services.intake.run(withdraw_request, journey.draft.request_id)
    services.deliver()
    confirm(services.all())
    for service in services.all():
        run(service, outbox.delete_erased)


def confirm(services: tuple[Service, ...]) -> None:
    for service in services:
        service.db.outbox.update_many({"sent_at": {"$exists": False}}, [{"$set": {"sent_at": "$$NOW"}}, {"$unset": "next_at"}])


def run(service: Service, handler: Callable[..., list[Event]]) -> list[Event]:
    [timer] = [timer for timer in service.timers if timer.handler is handler]
    return [event for item in list(timer.find(service.db)) for event in service.run(handler, item)]


def test_no_key_opens_anything_of_theirs_any_more(left: Left, keys: Path) -> None:
    assert contents_opened_by(left.journey, left.data_keys) == set()
    assert {one.key for one in opened_wraps(left.journey, keys)} & left.data_keys == team_keys(left, keys)


def team_keys(left: Left, keys: Path) -> set[bytes]:
    """Of wraps that are about the team."""
    holder, found = vault.load_vault(keys, "notify"), set()
    for row in [*left.rows("notify", "contacts"), *left.rows("notify", "notifications")]:
        encrypted = row.get("encrypted")
        if encrypted and encrypted["person_id"] != left.journey.person_id:
            found.add(holder.unwrap(encrypted["wrap"], encrypted["person_id"]))
    for row in left.rows("matching", "practitioners"):
        found.add(holder.unwrap(row["contact"]["wrap"], row["_id"]))
    for row in left.rows("matching", "outbox"):
        encrypted = from_json(row["body"]).data.get("encrypted")
        if encrypted:
            found.add(holder.unwrap(encrypted["wrap"], encrypted["person_id"]))
    return found


def test_nothing_of_theirs_is_there_in_clear(left: Left) -> None:
    code_words = left.journey.draft.code_words
    assert code_words
    for where, row in left.journey.services.rows():
        shown = repr(row)
        assert not [one for one in ("SENTINEL", *ADDRESSES, code_words.words, code_words.id) if one in shown], where


def test_what_names_them_afterwards_is_random_numbers(left: Left) -> None:
    blank = to_document(Request.withdrawn(*left.ids, now()))
    event = frozenset({"_id", "type", "subject", "body", "made_at", "attempts", "sent_at"})
    assert left.about_them() == {
        ("intake.erasures", frozenset({"_id", "at", "answered"})),
        ("intake.outbox", event),
        ("matching.requests", frozenset(blank)),
        ("matching.audit", frozenset({"_id", "coordinator_id", "action", "request_id", "at"})),
        ("matching.outbox", event),
        ("notify.request_updates", frozenset({"_id", "withdrawn", "delete_at", "match_version"})),
        ("notify.outbox", event),
        ("intake.inbox", frozenset({"_id", "at", "handler"})),
    }  # fmt: skip
    [kept] = left.rows("matching", "requests")
    assert {name: kept[name] for name in blank if name not in CHANGING} == {
        name: value for name, value in blank.items() if name not in CHANGING
    }


# The page


def checks_by_line() -> dict[str, Callable[[Left], None]]:
    """What stands on the page -> what holds it."""
    return {
        "At once, on these pages": gone_from_intake,
        "Within a minute, in the part that asks practitioners": gone_from_matching,
        "Within a minute, in the part that writes to you": gone_from_notify,
        "If a part has not done so after an hour": every_part_has_answered,  # and test_a_part_that_does_not_answer
        "For %(time)s: a random number that says that a request has ended": tombstones_have_an_end,
        "For %(time)s: what the parts of our system told each other about it at the end": only_the_end_is_told,
        "Until two weeks after the last day to answer": codes_have_an_end,
        "For %(time)s: random numbers of messages and forms": inboxes_have_an_end,
        "For %(time)s, if a coordinator opened your request": the_audit_has_an_end,
        "If you texted STOP": nothing_of_the_number_without_stop,  # and test_a_number_that_said_stop
        "If a practitioner asked us not to ask them about somebody again": nothing_is_listed_here,  # and test_own_lists
        "Backups that were made before you left": backups_are_a_setting,
        "Locked remains on our disk": cannot_be_seen_from_here,
        "What we sent you": cannot_be_seen_from_here,
        "What people remember": cannot_be_seen_from_here,
    }


def test_each_line_of_the_page_is_so(left: Left) -> None:
    lines, checks = re.findall(r'<li>{{ _\("(.+?)"[,)]', PAGE.read_text()), checks_by_line()
    for line in lines:
        [check] = [check for begins, check in checks.items() if line.startswith(begins)]
        check(left)
    assert len(lines) == len(checks)


def gone_from_intake(left: Left) -> None:
    code_words = left.journey.draft.code_words
    assert code_words
    assert access.by_code_words(code_words.words) is None
    for collection in ("requests", "meetings", "agreements", "look_backs", "links", "sessions", "drafts"):
        assert left.rows("intake", collection) == [], collection


def gone_from_matching(left: Left) -> None:
    for collection in ("offers", "matches", "meetings", "agreements", "look_backs", "notes", "coordinator_tasks"):
        assert left.rows("matching", collection) == [], collection
    assert [row["purpose"] for row in left.rows("matching", "links") if row["purpose"] == "offer"] == []
    [juniper] = left.rows("matching", "practitioners")
    assert (juniper["occupied_slots"], juniper["pending_codes"]) == ([], [])


def gone_from_notify(left: Left) -> None:
    assert {row["role"] for row in left.rows("notify", "contacts")} == {"practitioner", "coordinator"}
    assert left.rows("notify", "meetings") == []
    assert [row for row in left.rows("notify", "notifications") if row["person_id"] == left.journey.person_id] == []


def every_part_has_answered(left: Left) -> None:
    [erasure] = left.rows("intake", "erasures")
    assert (set(erasure["answered"]), "open" in erasure) == ({"matching", "notify"}, False)


def tombstones_have_an_end(left: Left) -> None:
    days = DAYS["erasure"]
    assert _end_in_days("intake", "erasures") == days >= _end_in_days("matching", "requests") > DAYS["events"]
    [row] = left.rows("notify", "request_updates")
    [erasure] = left.rows("intake", "erasures")
    assert (row["delete_at"] - erasure["at"]).days in (days - 1, days)


def only_the_end_is_told(left: Left) -> None:
    told = {
        (name, row["type"]) for name in NAMES for row in left.rows(name, "outbox") if any(id in row["body"] for id in left.ids)
    }
    assert told == {
        ("intake", "request.withdrawn.v1"),
        ("matching", "match.ended.v1"),
        ("matching", "words.erased.v1"),
        ("notify", "contact.erased.v1"),
    }
    assert {_end_in_days(name, "outbox") for name in NAMES} == {DAYS["events"]}


def codes_have_an_end(left: Left) -> None:
    rows = left.rows("notify", "offers")
    assert rows
    for row in rows:
        assert set(row) <= {"_id", "practitioner_id", "code", "asked_at", "delete_at", "ended"}
        assert row["delete_at"] - now() <= timedelta(days=left.journey.services.intake.programme.answer_days + 1) + OFFER_KEPT


def inboxes_have_an_end(left: Left) -> None:
    assert {_end_in_days(name, "inbox") for name in NAMES} == {DAYS["inbox"]}


def the_audit_has_an_end(left: Left) -> None:
    assert _end_in_days("matching", "audit") == DAYS["audit"]
    assert [row["action"] for row in left.rows("matching", "audit")] == ["opened", "released", "goes_on"]


def nothing_of_the_number_without_stop(left: Left) -> None:
    assert left.rows("notify", "phone_numbers") == []


def backups_are_a_setting(left: Left) -> None:
    assert left.journey.services.intake.programme.backup_days == 14


def nothing_is_listed_here(left: Left) -> None:
    assert not [row for row in left.journey.services.matching.db.practitioners.find() if row.get("own_list")]


def cannot_be_seen_from_here(left: Left) -> None:
    """The page owns up to it; no database can show it."""


def _end_in_days(service: str, collection: str) -> int:
    [rule] = [rule for rule in rules_of(service) if rule.collection == collection and not rule.removes]
    return rule.longest.days


# What comes late


def test_nothing_that_comes_late_brings_them_back(left: Left) -> None:
    """Everything that was ever said about them, said once more under new ids, in both orders."""
    services = left.journey.services
    before = {where: sorted(map(repr, rows)) for where, rows in _by_place(left).items()}
    for number, row in enumerate([*left.said_before, *reversed(left.said_before)]):
        again = from_json(row["body"].replace(row["_id"], f"again-{number}"))
        for service in services.all():
            if again.type.split(".")[0] not in ("team_contact", "practitioner", "team_sign_in"):
                service.receive(again)
    after = {where: sorted(map(repr, rows)) for where, rows in _by_place(left).items()}
    assert after == before


def _by_place(left: Left) -> dict[str, list[Doc]]:
    """Without inboxes, and without what replies to a text are answered with."""
    found: dict[str, list[Doc]] = {}
    for where, row in left.journey.services.rows(without=("inbox",)):
        found.setdefault(where, []).append(row)
    return found


def test_leaving_may_overtake_all_that_was_sent_before(journey: Journey, matching: Service, notify: Service) -> None:
    said = list(journey.services.intake.db.outbox.find())
    for service in (matching, notify):
        for name in service.db.list_collection_names():
            if name not in ("practitioners", "coordinators"):
                service.db[name].delete_many({})
    journey.services.intake.run(withdraw_request, journey.draft.request_id)
    [withdrawn] = journey.services.intake.db.outbox.find({"type": "request.withdrawn.v1"})
    for row in [withdrawn, *said]:
        for service in (matching, notify):
            service.receive(from_json(row["body"]))
    assert [row["state"] for row in matching.db.requests.find()] == ["withdrawn"]
    assert list(matching.db.offers.find()) == list(matching.db.notes.find()) == []
    assert list(notify.db.contacts.find()) == list(notify.db.notifications.find()) == []


def test_a_draft_page_left_open_saves_nothing(left: Left) -> None:
    left.journey.services.intake.run(save_draft, left.journey.draft)
    assert left.rows("intake", "drafts") == left.rows("intake", "links") == []


def test_every_browser_is_let_in_no_more(journey: Journey) -> None:
    draft, db = journey.draft, journey.services.intake.db
    begun = new_session(
        "supportee", draft.person_id, subject_id=draft.request_id, key=draft.key, lasts=sessions.IDLE_TIME_RESOLUTION
    )
    sessions.save(db, begun)
    assert sessions.find(db, "supportee", begun.cookie)
    leave(journey)
    assert sessions.find(db, "supportee", begun.cookie) is None


def test_what_the_broker_had_not_confirmed_is_erased_when_it_has(journey: Journey) -> None:
    intake = journey.services.intake
    intake.run(withdraw_request, journey.draft.request_id)
    unsent = {"erase": True, "type": "request.submitted.v1"}
    assert intake.db.outbox.count_documents(unsent) == 1
    assert run(intake, outbox.delete_erased) == []
    assert intake.db.outbox.count_documents(unsent) == 1
    confirm((intake,))
    run(intake, outbox.delete_erased)
    assert [row["type"] for row in intake.db.outbox.find()] == ["request.withdrawn.v1"]


def test_a_number_that_said_stop_is_remembered_as_that_alone(journey: Journey, notify: Service) -> None:
    [contact] = notify.db.contacts.find({"role": "supportee"})
    stopped = {
        "_id": contact["phone_hash"],
        "stopped_at": contact_time(notify),
        "texted_at": contact_time(notify),
        "texted_by": "n",
    }
    notify.db.phone_numbers.replace_one({"_id": contact["phone_hash"]}, stopped, upsert=True)
    leave(journey)
    assert [set(row) for row in notify.db.phone_numbers.find()] == [{"_id", "stopped_at"}]


def test_a_number_that_was_corrected_leaves_no_trace(journey: Journey, notify: Service) -> None:
    [contact] = notify.db.contacts.find({"role": "supportee"})
    texted = {"_id": contact["phone_hash"], "texted_at": contact_time(notify), "texted_by": "n"}
    notify.db.phone_numbers.replace_one({"_id": contact["phone_hash"]}, texted, upsert=True)
    correct_number(journey, "+12025550189")
    leave(journey)
    assert list(notify.db.phone_numbers.find()) == []


def correct_number(journey: Journey, phone: str) -> None:
    typed = {**TYPED, 4: {**TYPED[4], "phone": phone}}
    before, after = (forms.read_all(each, "America/New_York")[0] for each in (TYPED, typed))
    assert before
    assert after
    command = CorrectAnswers(replace(journey.draft, typed=typed), 4, after, before, "en")
    journey.services.intake.run(correct_answers, command)
    journey.services.deliver()


def contact_time(notify: Service) -> object:
    return next(notify.db.notifications.find())["created_at"]


# A part that does not answer


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


def test_a_part_that_does_not_answer_is_a_task_and_an_alarm_after_an_hour(
    journey: Journey, matching: Service, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    intake = journey.services.intake
    intake.run(withdraw_request, journey.draft.request_id)
    [said] = intake.db.outbox.find({"type": "request.withdrawn.v1"})
    matching.receive(from_json(said["body"]))
    for row in matching.db.outbox.find({"type": "words.erased.v1"}):
        intake.receive(from_json(row["body"]))
    clock.advance(minutes=59)
    assert find_late_erasures(intake.db) == []
    clock.advance(minutes=2)
    with caplog.at_level(logging.ERROR):
        [delayed] = run(intake, tell_of_late_erasure)
    assert delayed.missing == ("notify",)  # type: ignore[attr-defined]
    assert [record.reason for record in caplog.records if record.levelname == "ERROR"] == ["notify"]  # type: ignore[attr-defined]
    assert LATE_ERASURES.labels("intake")._value.get() == 1
    assert run(intake, tell_of_late_erasure) == []
    for _ in range(2):
        matching.run(matching.handlers[type(delayed)], delayed)
    assert open_tasks(matching) == ["erasure_late"]
    intake.receive(from_json(_said_by_notify(journey, said)))
    assert find_late_erasures(intake.db) == []


def _said_by_notify(journey: Journey, said: Doc) -> str:
    notify = journey.services.notify
    notify.receive(from_json(said["body"]))
    [row] = notify.db.outbox.find({"type": "contact.erased.v1"})
    return str(row["body"])


def test_without_an_answer_the_news_is_published_again(journey: Journey, clock: Clock) -> None:
    intake = journey.services.intake
    intake.run(withdraw_request, journey.draft.request_id)
    confirm((intake,))
    clock.advance(minutes=6)
    intake.db.outbox.update_many({}, [{"$set": {"sent_at": {"$subtract": ["$$NOW", 6 * 60 * 1000]}}}])
    run(intake, publish_withdrawal_again)
    assert [row["type"] for row in intake.db.outbox.find({"next_at": {"$exists": True}})] == ["request.withdrawn.v1"]


def test_a_second_press_changes_nothing(left: Left) -> None:
    intake = left.journey.services.intake
    assert intake.run(withdraw_request, left.journey.draft.request_id) == []
    assert store.request(intake.db, left.journey.draft.request_id) is None
    with pytest.raises(DecryptionError):
        vault.decrypt(left.journey.draft.key, left.journey.person_id, "answers", "AQ")
