"""Ways in without code words: each letter's own link, a link or a code that was asked for, a link from a coordinator."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.handlers.access import RequestAccess, note_keys, own_notes
from services.intake.handlers.way_in import (
    PressLink,
    SendCode,
    SendLink,
    TypeCode,
    ask_for_code,
    by_code,
    by_link,
    count_try,
    press_link,
    send_code,
    send_link,
    use_up_code,
)
from services.matching.handlers.way_in import LetIn, let_in
from shared import vault
from shared.clock import now
from shared.contracts import SignInRequested
from shared.service import Service
from shared.sessions import Session
from shared.tokens import digest
from tests.handlers.matching_steps import Clock
from tests.whole_journey import AFTER, BACK, QUESTION, REPLY, TYPED, Journey, walk

ALL_NOTES = [QUESTION, REPLY, AFTER, BACK]
EMAIL, PHONE = "sentinel@people.example", "+12025550187"


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


@pytest.fixture
def journey(clock: Clock, intake: Service, matching: Service, notify: Service) -> Journey:
    typed = {**TYPED, 4: {**TYPED[4], "safely": ["texts_safe"]}}
    return walk(intake, matching, notify, typed)


def emailed_links(journey: Journey, keys: Path) -> list[str]:
    """The tokens in the links of every e-mail to them, in the order in which they were written."""
    holder = vault.load_vault(keys, "notify")
    theirs = {"person_id": journey.person_id, "channel": "email", "encrypted": {"$exists": True}}
    found = []
    for row in journey.services.notify.db.notifications.find(theirs).sort("$natural", 1):
        encrypted = row["encrypted"]
        key = holder.unwrap(encrypted["wrap"], encrypted["person_id"])
        found.append(vault.decrypt_fields(key, encrypted["person_id"], encrypted["fields"])["link"].rsplit("/", 1)[1])
    return found


def press(journey: Journey, token: str, device: str = "a browser") -> RequestAccess | None:
    command = PressLink(token, device)
    journey.services.intake.run(press_link, command)
    return by_link(command)


def read(journey: Journey, access: RequestAccess | None) -> list[str]:
    """The notes that they read with what they were let in with."""
    assert access
    assert access.key is None
    session = Session("supportee", access.person_id, access.request_id, access.key, access.note_keys)
    return [note.words for note in own_notes(journey.request(), note_keys(session))]


def test_each_email_carries_a_link_of_its_own_that_opens_the_notes(journey: Journey, keys: Path) -> None:
    tokens = emailed_links(journey, keys)
    assert len(tokens) == len(set(tokens)) >= 3
    assert [read(journey, press(journey, token)) for token in tokens] == [ALL_NOTES] * len(tokens)


def test_no_link_opens_the_own_copy(journey: Journey, keys: Path) -> None:
    """Every private key, and every link that waits in notify: what they open together never holds the own key."""
    links = list(journey.services.intake.db.links.find({"purpose": {"$ne": "code_words"}}))
    for token in emailed_links(journey, keys):
        for row in links:
            for wrap in row.get("note_wraps", {}).values():
                try:
                    opened = vault.unwrap_under(vault.link_secret(token), journey.person_id, wrap)
                except vault.DecryptionError:
                    continue
                assert opened != journey.draft.key


def test_an_emails_link_lasts_two_weeks_and_a_day_beyond_the_next_one(journey: Journey, keys: Path, clock: Clock) -> None:
    *earlier, newest = [token for token in emailed_links(journey, keys) if _purpose(journey, token) == "letter"]
    assert earlier
    clock.advance(hours=25)
    assert [press(journey, token) for token in earlier] == [None] * len(earlier)
    assert press(journey, newest)
    clock.advance(days=13)
    assert press(journey, newest) is None


def _purpose(journey: Journey, token: str) -> str:
    row = journey.services.intake.db.links.find_one({"_id": digest(token)})
    assert row
    return str(row["purpose"])


def test_whoever_wants_code_words_to_be_asked_for_gets_no_link_that_opens_anything(
    intake: Service, matching: Service, notify: Service, keys: Path
) -> None:
    journey = walk(intake, matching, notify, {**TYPED, 4: {**TYPED[4], "safely": ["ask_words", "texts_safe"]}})
    assert emailed_links(journey, keys) == []
    assert intake.run(send_link, SendLink(EMAIL)) == []
    assert intake.run(send_code, SendCode(PHONE, ask_for_code())) == []
    assert intake.db.links.count_documents({"person_id": journey.person_id, "purpose": {"$ne": "code_words"}}) == 0
    assert notify.db.notifications.count_documents({"person_id": journey.person_id, "channel": "email"}) >= 3


# Asked for by e-mail


def test_a_link_that_was_asked_for_opens_the_notes_many_times_on_the_first_device_for_a_day(
    journey: Journey, keys: Path, clock: Clock
) -> None:
    [token] = [token for token in emailed_links(journey, keys) if _purpose(journey, token) == "asked_for"]
    assert read(journey, press(journey, token, "first")) == ALL_NOTES
    assert press(journey, token, "second") is None
    assert read(journey, press(journey, token, "first")) == ALL_NOTES
    clock.advance(hours=25)
    assert press(journey, token, "first") is None


def test_two_requests_from_one_address_are_opened_each_by_a_link_of_its_own(journey: Journey) -> None:
    """Whichever is newer, and whatever it asks for."""
    intake = journey.services.intake
    newer = {**only_request(intake), "_id": "newer", "person_id": "somebody else", "sent_at": now() + timedelta(hours=1)}
    intake.db.requests.insert_one(newer)
    intake.db.links.delete_many({"purpose": "asked_for"})
    sent = intake.run(send_link, SendLink(EMAIL))
    assert {event.request_id for event in sent if isinstance(event, SignInRequested)} == {"newer", journey.draft.request_id}
    intake.db.requests.update_one({"_id": "newer"}, {"$set": {"asks_for_words": True}})
    [event] = intake.run(send_link, SendLink(EMAIL))
    assert isinstance(event, SignInRequested)
    assert event.request_id == journey.draft.request_id
    [event] = intake.run(send_code, SendCode(PHONE, ask_for_code()))
    assert isinstance(event, SignInRequested)
    assert event.request_id == journey.draft.request_id


def only_request(intake: Service) -> dict[str, Any]:
    [request] = intake.db.requests.find()
    return request


def test_more_than_three_links_at_once_are_not_sent(journey: Journey) -> None:
    events = [journey.services.intake.run(send_link, SendLink(EMAIL)) for _ in range(4)]
    assert [len(each) for each in events] == [1, 1, 0, 0]  # the journey had asked for one


# By text


def codes(journey: Journey, keys: Path) -> list[str]:
    holder = vault.load_vault(keys, "notify")
    rows = journey.services.notify.db.notifications.find({"template": "way_in_code", "channel": "text"})
    return [holder.decrypt_fields(_fields(row["encrypted"]))["code"] for row in rows]


def _fields(encrypted: dict[str, Any]) -> Any:
    from shared.contracts import EncryptedFields

    return EncryptedFields(**encrypted)


@pytest.fixture
def type_code(journey: Journey) -> Callable[[str, str], RequestAccess | None]:
    def type_it(cookie: str, code: str) -> RequestAccess | None:
        command = TypeCode(cookie, code)
        journey.services.intake.run(count_try, command)
        return by_code(command)

    return type_it


def test_a_texted_code_opens_the_notes_in_the_browser_that_asked_once(
    journey: Journey, keys: Path, type_code: Callable[[str, str], RequestAccess | None]
) -> None:
    session, intake = ask_for_code(), journey.services.intake
    intake.run(send_code, SendCode(PHONE, session))
    journey.services.deliver()
    [code] = codes(journey, keys)
    assert re.fullmatch(r"\d{6}", code)
    assert type_code("another browser", code) is None
    assert read(journey, type_code(session.cookie, f" {code[:3]} {code[3:]}")) == ALL_NOTES
    intake.run(use_up_code, TypeCode(session.cookie, code))
    assert type_code(session.cookie, code) is None


def test_a_code_can_be_tried_five_times_for_ten_minutes(
    journey: Journey, keys: Path, clock: Clock, type_code: Callable[[str, str], RequestAccess | None]
) -> None:
    tried, late = ask_for_code(), ask_for_code()
    for session in (tried, late):
        journey.services.intake.run(send_code, SendCode(PHONE, session))
    journey.services.deliver()
    first, second = codes(journey, keys)
    wrong = f"{(int(first) + 1) % 10**6:06}"
    assert [type_code(tried.cookie, wrong) for _ in range(5)] == [None] * 5
    assert type_code(tried.cookie, first) is None
    clock.advance(minutes=11)
    assert type_code(late.cookie, second) is None


def test_for_a_number_that_is_not_known_the_same_is_written_and_nothing_sent(journey: Journey) -> None:
    intake = journey.services.intake
    before = [set(row) for row in intake.db.links.find({"purpose": "texted"})]
    known, unknown = ask_for_code(), ask_for_code()
    assert len(intake.run(send_code, SendCode(PHONE, known))) == 1
    assert intake.run(send_code, SendCode("+12025550100", unknown)) == []
    rows = [intake.db.links.find_one({"_id": digest(one.cookie)}) for one in (known, unknown)]
    assert before == []
    assert rows[0]
    assert rows[1]
    assert set(rows[0]) == set(rows[1])
    assert intake.db.sessions.count_documents({"role": "texted"}) == 2


def test_no_code_is_texted_to_whoever_did_not_say_that_texts_are_safe(
    intake: Service, matching: Service, notify: Service
) -> None:
    walk(intake, matching, notify)
    assert intake.run(send_code, SendCode(PHONE, ask_for_code())) == []


# From a coordinator


def test_a_coordinator_makes_a_way_in_that_opens_the_notes_and_leaves_an_entry(journey: Journey) -> None:
    matching = journey.services.matching
    assert matching.run(let_in, LetIn(coordinator_id="ro", request_id=journey.draft.request_id, token="made at the desk"))
    journey.services.deliver()
    assert read(journey, press(journey, "made at the desk")) == ALL_NOTES
    assert press(journey, "made at the desk", "another browser") is None
    assert [row["action"] for row in matching.db.audit.find()] == ["opened", "released", "goes_on", "let_in"]
    assert "made at the desk" not in str([row for _, row in journey.services.rows()])


def test_when_the_words_are_gone_a_way_in_still_opens_what_the_pair_wrote(journey: Journey) -> None:
    matching = journey.services.matching
    matching.db.requests.update_one({"_id": journey.draft.request_id}, {"$unset": {"encrypted": 1}})
    matching.run(let_in, LetIn(coordinator_id="ro", request_id=journey.draft.request_id, token="later"))
    journey.services.deliver()
    assert read(journey, press(journey, "later")) == [AFTER, BACK]
