"""A form of an old page, pressed when nobody gets it any more: the page says so, and what was typed stays there to be copied."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.intake.handlers.broker_events import add_to_history
from services.intake.handlers.erasure import withdraw_request as leave
from services.matching.handlers.broker_events import withdraw_request
from services.matching.handlers.coordinator import OpenRequest, record_opening
from services.matching.handlers.endings import end_by_practitioner, end_by_supportee
from services.matching.handlers.timers import expire_offer
from shared.clock import now
from shared.contracts import EncryptedFields, MatchEnded, MatchLeft, MatchMade, OfferMade, RequestWithdrawn
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, answer, only, open_offer, run_timer, submit
from tests.pages import intake_site
from tests.pages.intake_site import ask_for, published
from tests.pages.matching_site import links_in, make_site, press, signed_in

WORDS = "Could we meet on Tuesdays instead? <b>Mornings</b> are hard."
SHOWN = "Could we meet on Tuesdays instead? &lt;b&gt;Mornings&lt;/b&gt; are hard."
Send = Callable[..., TestResponse]


def form_on(visitor: FlaskClient, page: str, action: str) -> Send:
    """What somebody sees who opened the page; pressed later."""
    html = visitor.get(page).text
    forms = re.findall(r"<form method=\"post\"([^>]*)>(.*?)</form>", html, re.S)
    inside = next(body for head, body in forms if f'action="{action}"' in head)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inside))
    return lambda **fields: visitor.post(action, data={**hidden, **fields})


def is_kept(page: TestResponse, why: str, typed: str = SHOWN) -> None:
    assert page.status_code == 409
    assert "<h1>This was not sent</h1>" in page.text
    assert why in page.text
    assert re.search(rf"<textarea readonly[^>]*>{re.escape(typed)}</textarea>", page.text)


# The supportee


@pytest.fixture
def wren(intake: Service, keys: Path) -> FlaskClient:
    visitor = intake_site.make_site(intake, keys).test_client()
    ask_for(visitor, "juniper")
    intake_site.post(visitor, "/ask/check")
    return visitor


@pytest.fixture
def matched(wren: FlaskClient, intake: Service) -> dict[str, Any]:
    about = _about(intake)
    nothing = EncryptedFields(person_id="juniper", wrap="", fields={})
    facts = {"request_id": about["request_id"], "offer_id": "o1", "practitioner_id": "juniper"}
    intake.run(add_to_history, OfferMade(**facts, version=1, answer_by=now(), code="A7", encrypted=nothing))
    intake.run(add_to_history, MatchMade(**facts, supportee_id=about["supportee_id"], match_id="m1", version=2))
    return facts


def _about(intake: Service) -> dict[str, Any]:
    submitted = published(intake, "request.submitted.v1")[0]
    return {"request_id": submitted.request_id, "supportee_id": submitted.supportee_id}


def the_pair_ends(intake: Service, matched: dict[str, Any]) -> None:
    ended = MatchEnded(
        **matched,
        match_id="m1",
        version=3,
        ended_by="practitioner",
        then="wait",
        undo_until=now(),
        supportee_id=_about(intake)["supportee_id"],
    )
    intake.run(add_to_history, ended)


def test_a_note_to_a_practitioner_after_the_pair_ended_stays_in_the_form(
    wren: FlaskClient, intake: Service, matched: dict[str, Any]
) -> None:
    send = form_on(wren, "/s/write", "/s/write")
    the_pair_ends(intake, matched)
    page = send(words=WORDS, to="practitioner")
    assert page.status_code == 422
    assert SHOWN in page.text
    assert published(intake, "note.answered.v1") == []


def test_a_note_after_the_request_was_left_elsewhere_is_kept(wren: FlaskClient, intake: Service) -> None:
    send = form_on(wren, "/s/write/coordinators", "/s/write")
    intake.run(leave, _about(intake)["request_id"])
    is_kept(send(words=WORDS, to="coordinators"), "It has ended, or it is not open in this browser any more.")


def test_a_note_after_the_browser_was_signed_out_is_kept(wren: FlaskClient, intake: Service) -> None:
    send = form_on(wren, "/s/write/coordinators", "/s/write")
    intake.db.sessions.delete_many({})
    is_kept(send(words=WORDS, to="coordinators"), "It has ended, or it is not open in this browser any more.")


def test_a_note_after_a_long_silence_is_kept(wren: FlaskClient, intake: Service) -> None:
    send = form_on(wren, "/s/write/coordinators", "/s/write")
    intake.db.requests.update_one({}, {"$set": {"ended_at": now()}, "$unset": {"encrypted_answers": 1}})
    is_kept(send(words=WORDS, to="coordinators"), "This has come to an end, so nobody gets it any more.")


def test_a_note_that_was_sent_and_is_sent_again_says_nothing_of_that(wren: FlaskClient, intake: Service) -> None:
    send = form_on(wren, "/s/write/coordinators", "/s/write")
    assert [send(words=WORDS, to="coordinators").status_code for _ in range(2)] == [303, 303]
    assert len(published(intake, "note.answered.v1")) == 1


@pytest.mark.parametrize(
    ("question", "field"), [(2, "name"), (3, "words"), (4, "before_we_write"), (6, "access"), (7, "anything")]
)
def test_a_correction_after_the_request_ended_is_kept(wren: FlaskClient, intake: Service, question: int, field: str) -> None:
    send = form_on(wren, f"/s/change/{question}", f"/s/change/{question}")
    intake.run(leave, _about(intake)["request_id"])
    is_kept(send(**{field: WORDS}), "It has ended, or it is not open in this browser any more.")


def test_a_number_for_calls_after_the_pair_ended_is_kept(wren: FlaskClient, intake: Service, matched: dict[str, Any]) -> None:
    send = form_on(wren, "/s/meetings", "/s/meetings/calls")
    the_pair_ends(intake, matched)
    is_kept(send(calls="yes", phone="202 555 0100"), "This has come to an end, so nobody gets it any more.", "202 555 0100")


def test_a_day_that_was_written_after_the_pair_ended_is_kept(wren: FlaskClient, intake: Service, matched: dict[str, Any]) -> None:
    send = form_on(wren, "/s/meetings", "/s/meetings/propose")
    the_pair_ends(intake, matched)
    page = send(day="2026-12-24", time="18:30", meeting_type="video")
    is_kept(page, "This has come to an end, so nobody gets it any more.", "2026-12-24")
    is_kept(page, "This has come to an end, so nobody gets it any more.", "18:30")


def test_where_nothing_was_typed_the_page_says_how_it_stands(wren: FlaskClient, intake: Service, matched: dict[str, Any]) -> None:
    send = form_on(wren, "/s/meetings", "/s/meetings/calls")
    the_pair_ends(intake, matched)
    assert send(calls="yes").headers["Location"] == "/s"


# The practitioner


@pytest.fixture
def juniper(matching: Service, keys: Path) -> FlaskClient:
    """Who has opened the offer."""
    add_practitioners(matching, "juniper")
    made = only(OfferMade, submit(matching, ("juniper", "ask_me")))
    visitor = make_site(matching, keys).test_client()
    press(visitor, links_in(keys, made)["link"])
    return visitor


def says_yes(matching: Service) -> str:
    offer_id = open_offer(matching)
    answer(matching, offer_id, "yes")
    return offer_id


ENDS: dict[str, Callable[[Service, str], object]] = {
    "they ended it": lambda matching, offer_id: matching.run(
        end_by_supportee, MatchLeft(request_id="r1", practitioner_id="juniper", then="wait")
    ),
    "it was ended in another window": lambda matching, offer_id: matching.run(end_by_practitioner, offer_id),
    "they left": lambda matching, offer_id: matching.run(withdraw_request, RequestWithdrawn(request_id="r1")),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_note_after_the_end_is_kept_for_the_practitioner(juniper: FlaskClient, matching: Service, how: str) -> None:
    offer_id = says_yes(matching)
    send = form_on(juniper, "/o", "/o/write")
    ENDS[how](matching, offer_id)
    page = send(words=WORDS)
    is_kept(page, "This has come to an end" if how != "they left" else "not open in this browser any more")
    assert matching.db.notes.count_documents({}) == 0


@pytest.mark.parametrize("how", ENDS)
def test_a_number_for_calls_is_kept_after_the_end(juniper: FlaskClient, matching: Service, how: str) -> None:
    offer_id = says_yes(matching)
    matching.db.meetings.update_many({}, {"$set": {"meeting_type": "video"}})
    send = form_on(juniper, "/o/meetings", "/o/meetings/calls")
    ENDS[how](matching, offer_id)
    why = "come to an end" if how != "they left" else "not open in this browser any more"
    is_kept(send(calls="yes", phone="202 555 0100"), why, "202 555 0100")


def test_a_note_during_a_pause_is_kept(juniper: FlaskClient, matching: Service) -> None:
    says_yes(matching)
    send = form_on(juniper, "/o", "/o/write")
    matching.db.matches.update_many({}, {"$set": {"on_hold": True}})
    is_kept(send(words=WORDS), "They take a pause, so nobody can write to them now.")


def test_a_question_after_the_time_to_answer_is_kept(juniper: FlaskClient, matching: Service) -> None:
    send = form_on(juniper, "/o", "/o")
    matching.db.offers.update_many({}, {"$set": {"answer_by": now()}})
    run_timer(matching, expire_offer)
    is_kept(send(answer="ask_first", question=WORDS), "This has come to an end")


def test_a_question_that_was_asked_and_is_sent_again_says_nothing_of_that(juniper: FlaskClient, matching: Service) -> None:
    send = form_on(juniper, "/o", "/o")
    assert [send(answer="ask_first", question=WORDS).status_code for _ in range(2)] == [303, 303]
    assert matching.db.notes.count_documents({}) == 1


def test_a_yes_after_the_end_says_how_it_stands(juniper: FlaskClient, matching: Service) -> None:
    send = form_on(juniper, "/o", "/o")
    matching.db.offers.update_many({}, {"$set": {"answer_by": now()}})
    run_timer(matching, expire_offer)
    assert send(answer="yes").headers["Location"] == "/o"


# Signed in


def test_a_name_for_the_own_list_is_kept_when_they_were_signed_out(juniper: FlaskClient, matching: Service, keys: Path) -> None:
    visitor = signed_in(matching, keys, "practitioner", "juniper@example.org")
    send = form_on(visitor, "/me", "/me/list")
    matching.db.sessions.delete_many({})
    is_kept(send(name="Zebedee Quill"), "You were signed out meanwhile.", "Zebedee Quill")


def test_a_note_of_a_coordinator_is_kept_after_the_end_and_when_they_were_signed_out(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, ("juniper", "ask_me"))
    coordinator_id = matching.db.coordinators.find_one({})["_id"]  # type: ignore[index]
    matching.run(record_opening, OpenRequest(coordinator_id=coordinator_id, request_id="r1"))
    send = form_on(ro, "/c/requests/r1", "/c/requests/r1/write")
    matching.db.requests.update_one({"_id": "r1"}, {"$set": {"state": "lapsed", "ended_at": now()}})
    is_kept(send(words=WORDS), "This has come to an end")
    matching.db.sessions.delete_many({})
    is_kept(send(words=WORDS), "You were signed out meanwhile.")
