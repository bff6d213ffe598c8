"""/me and /c: signing in, availability, the desk and the practitioners."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.matching.coordinators import add_coordinator
from services.matching.handlers.signing_in import SignInWish, send_sign_in_link
from shared.clock import now
from shared.contracts import SignInRequested
from shared.service import Service
from tests.handlers.matching_steps import answer, ask, only, open_offer, the, there_are
from tests.pages.matching_site import everything_in, opened, press, the_site


def signed_in(matching: Service, keys: Path, role: Any, email: str) -> FlaskClient:
    visitor = the_site(matching, keys).test_client()
    link = opened(keys, only(SignInRequested, matching.run(send_sign_in_link, SignInWish(email=email, role=role))))["link"]
    assert press(visitor, link).status_code == 303
    return visitor


@pytest.fixture
def juniper(matching: Service, keys: Path) -> FlaskClient:
    there_are(matching, "juniper", places=2)
    return signed_in(matching, keys, "practitioner", "juniper@example.org")


@pytest.fixture
def ro(matching: Service, keys: Path) -> FlaskClient:
    add_coordinator("Ro", "Ro@Example.org", into=matching)
    return signed_in(matching, keys, "coordinator", "ro@example.org")


@pytest.mark.parametrize("door", ["/me", "/c"])
def test_known_and_unknown_addresses_get_the_same_answer(matching: Service, keys: Path, door: str) -> None:
    there_are(matching, "juniper")
    add_coordinator("Juniper", "juniper@example.org", into=matching)
    visitor = the_site(matching, keys).test_client()
    known, unknown = [
        press(visitor, door, f"{door}/sign-in", email=email) for email in ("juniper@example.org", "who@example.org")
    ]
    assert (known.status_code, known.location, known.data) == (unknown.status_code, unknown.location, unknown.data)
    assert matching.db.outbox.count_documents({"type": "sign_in.requested.v1"}) == 1


def test_a_sign_in_link_is_not_used_up_by_looking(matching: Service, keys: Path) -> None:
    there_are(matching, "juniper")
    visitor = the_site(matching, keys).test_client()
    wish = SignInWish(email="juniper@example.org", role="practitioner")
    link = opened(keys, only(SignInRequested, matching.run(send_sign_in_link, wish)))["link"]
    before = everything_in(matching)
    for _ in range(5):
        visitor.get(link)
    assert everything_in(matching) == before
    press(visitor, link)
    assert "Hello Juniper" in visitor.get("/me").text
    assert visitor.get(link).status_code == 410


def test_a_practitioner_sees_their_offers_and_matches(juniper: FlaskClient, matching: Service) -> None:
    ask(matching, "juniper", id="r1")
    answer(matching, open_offer(matching, "r1"), "yes")
    ask(matching, "juniper", id="r2", said={"name": "Sol"})
    html = juniper.get("/me").text
    assert "Wren, since" in html
    assert "Someone would like to meet you. Answer by" in html
    assert "Sol" not in html
    assert press(juniper, "/me", f"/me/offers/{open_offer(matching, 'r2')}").location == "/o"
    assert "Sol would like to meet you" in juniper.get("/o").text


def test_nobody_opens_the_offer_of_another(juniper: FlaskClient, matching: Service) -> None:
    there_are(matching, "kai")
    ask(matching, "kai")
    token = juniper.get("/me").text.split('name="csrf_token" value="')[1].split('"')[0]
    assert juniper.post(f"/me/offers/{open_offer(matching)}", data={"csrf_token": token}).status_code == 404


def test_open_full_or_resting_is_theirs_to_say(juniper: FlaskClient, matching: Service) -> None:
    said = {"state": "resting", "resting_until": "2031-02-01", "places": "4", "offers_at_once": "2"}
    assert press(juniper, "/me", "/me/availability", **said).location == "/me?said=kept"
    row = the(matching, "practitioners", "juniper")
    assert (row["state"], row["places"], row["offers_at_once"]) == ("resting", 4, 2)
    html = juniper.get("/me?said=kept").text
    assert 'value="2031-02-01"' in html
    assert "Saved." in html


def test_a_number_that_makes_no_sense_is_said_beside_the_field(juniper: FlaskClient) -> None:
    refused = press(juniper, "/me", "/me/availability", state="open", places="-1", offers_at_once="many")
    assert refused.status_code == 422
    assert refused.text.count("Write a number that makes sense here") == 4


@pytest.mark.parametrize("path", ["/c/people", "/c/people/new", "/c/people/juniper", "/c/requests/r1"])
def test_without_signing_in_the_desk_stays_shut(matching: Service, keys: Path, path: str) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    visitor = the_site(matching, keys).test_client()
    shut = visitor.get(path)
    assert (shut.status_code, shut.location) == (303, "/c")


def test_a_practitioner_is_no_coordinator(juniper: FlaskClient) -> None:
    assert "Sign in as a coordinator" in juniper.get("/c").text
    assert juniper.get("/c/people").status_code == 303


def test_an_empty_desk_says_so(ro: FlaskClient) -> None:
    assert "Nothing needs a person. Go outside." in ro.get("/c").text


def test_the_desk_says_what_needs_a_person_and_why_without_a_name(ro: FlaskClient, matching: Service) -> None:
    ask(matching, mode="reach_out")
    html = ro.get("/c").text
    assert "They asked that a person writes to them" in html
    assert "Wren" not in html


def test_what_they_wrote_is_read_only_after_an_opening_that_is_written_down(ro: FlaskClient, matching: Service) -> None:
    ask(matching, mode="reach_out")
    assert "Wren" not in ro.get("/c/requests/r1").text
    assert matching.db.audit.count_documents({}) == 0
    press(ro, "/c", "/c/requests/r1/open")
    html = ro.get("/c/requests/r1").text
    assert "company on hard mornings" in html
    assert "Ro opened this request" in html
    assert matching.db.audit.count_documents({"what": "opened"}) == 1


def test_a_coordinator_asks_suggests_and_reaches_out(ro: FlaskClient, matching: Service) -> None:
    there_are(matching, "ana", "kai")
    ask(matching, mode="reach_out")
    press(ro, "/c", "/c/requests/r1/open")
    page = "/c/requests/r1"
    assert press(ro, page, f"{page}/suggest", people=["ana", "kai"]).location == f"{page}?said=suggested"
    assert press(ro, page, f"{page}/reach-out").location == f"{page}?said=reaching"
    assert "Choose a practitioner" in press(ro, page, f"{page}/ask").text
    assert press(ro, page, f"{page}/ask", practitioner="kai").location == f"{page}?said=asked"
    assert press(ro, page, f"{page}/ask", practitioner="kai").location == f"{page}?said=not_now"
    assert "Kai is being asked." in ro.get(page).text
    assert "Nothing needs a person" in ro.get("/c").text


def test_a_question_is_read_at_the_desk(ro: FlaskClient, matching: Service) -> None:
    there_are(matching, "ana")
    ask(matching, "ana")
    answer(matching, open_offer(matching), "ask_first", question="Is text all right?")
    press(ro, "/c", "/c/requests/r1/open")
    html = ro.get("/c/requests/r1").text
    assert "A practitioner asks something first" in html
    assert "Is text all right?" in html
    need = matching.db.needs.find_one({"open": True})
    assert need
    press(ro, "/c", f"/c/needs/{need['_id']}/take")
    assert "Ro has this" in ro.get("/c").text
    press(ro, "/c", f"/c/needs/{need['_id']}/done")
    assert "Nothing needs a person" in ro.get("/c").text


def test_a_practitioner_is_made_and_edited(ro: FlaskClient, matching: Service) -> None:
    html = ro.get("/c/people/new").text
    action = html.split('<form method="post" action="')[1].split('"')[0]
    token = html.split('name="csrf_token" value="')[1].split('"')[0]
    typed = {
        "csrf_token": token, "name": "Sol", "words": "I garden.", "languages": ["en", "es"], "meeting_types": ["video"],
        "day": ["tue", ""], "start": ["18:00", ""], "end": ["20:30", ""], "time_zone": "Europe/Madrid", "places": "2",
        "offers_at_once": "1", "state": "open", "language": "es", "email": "sol@example.org", "phone": "+34600000000",
    }  # fmt: skip
    assert ro.post(action, data={**typed, "email": ""}).status_code == 422
    assert ro.post(action, data=typed).location == f"{action}?said=kept"
    row = the(matching, "practitioners", action.rsplit("/", 1)[1])
    assert row["hours"] == [{"day": 1, "start": 1080, "end": 1230}]
    assert row["languages"] == ["en", "es"]
    assert "Sol" in ro.get("/c/people").text
    again = ro.get(action).text
    assert 'value="18:00"' in again
    assert "sol@example.org" not in again
    assert ro.post(action, data={**typed, "email": "", "phone": "", "words": "I cook."}).status_code == 303
    assert "I cook." in ro.get(action).text


def test_hours_that_end_before_they_start_are_said_plainly(ro: FlaskClient, matching: Service) -> None:
    there_are(matching, "kai")
    wrong = {"name": "Kai", "day": "mon", "start": "20:00", "end": "18:00", "time_zone": "UTC"}
    html = press(ro, "/c/people/kai", "/c/people/kai", **wrong).text
    assert "Each row has a day, and an end after its start" in html


def test_a_coordinator_is_signed_out_after_fifteen_idle_minutes(
    ro: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.handlers.matching_steps import Clock

    Clock(tmp_path / "clock", monkeypatch).pass_by(minutes=16)
    assert "Sign in as a coordinator" in ro.get("/c").text


def test_a_coordinator_writes_to_whoever_asked(matching: Service, ro: FlaskClient) -> None:
    ask(matching, ("nobody", "ask_me"))
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    assert "Write your note first" in press(ro, "/c/requests/r1", "/c/requests/r1/write").text
    assert press(ro, "/c/requests/r1", "/c/requests/r1/write", words="We look for somebody").status_code == 303
    html = ro.get("/c/requests/r1?said=wrote").text
    assert "Your note is on their page." in html
    assert "We look for somebody" in html
    assert matching.db.outbox.count_documents({"type": "note.written.v1"}) == 1


def test_a_note_that_does_not_open_leaves_the_page_readable(matching: Service, ro: FlaskClient) -> None:
    ask(matching, ("nobody", "ask_me"))
    matching.db.notes.insert_one({"_id": "n1", "request_id": "r1", "encrypted": "AQ", "at": now()})
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    assert ro.get("/c/requests/r1").status_code == 200
