"""/me and /c: signing in, availability, the desk and the practitioners."""

import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.matching.coordinators import add_coordinator
from services.matching.handlers.practitioner import SetAvailability, set_availability
from services.matching.handlers.sharing import share_notes
from services.matching.handlers.sign_in import RequestSignIn, send_sign_in_link
from services.matching.store.tasks import PAGE
from shared import vault
from shared.clock import now
from shared.contracts import TeamSignInRequested
from shared.service import Service
from shared.vault import load_vault
from tests.handlers.matching_steps import Clock, add_practitioners, answer, document, only, open_offer, submit
from tests.pages.matching_site import everything_in, links_in, make_site, press


@pytest.mark.parametrize("page", ["/me", "/c"])
def test_known_and_unknown_addresses_get_the_same_answer(matching: Service, keys: Path, page: str) -> None:
    add_practitioners(matching, "juniper")
    add_coordinator("Juniper", "juniper@example.org", into=matching)
    visitor = make_site(matching, keys).test_client()
    known, unknown = [
        press(visitor, page, f"{page}/sign-in", email=email) for email in ("juniper@example.org", "who@example.org")
    ]
    assert (known.status_code, known.location, known.data) == (unknown.status_code, unknown.location, unknown.data)
    assert matching.db.outbox.count_documents({"type": "team_sign_in.requested.v1"}) == 1


def test_a_sign_in_link_is_not_used_up_by_looking(matching: Service, keys: Path) -> None:
    add_practitioners(matching, "juniper")
    visitor = make_site(matching, keys).test_client()
    wish = RequestSignIn(email="juniper@example.org", role="practitioner")
    link = links_in(keys, only(TeamSignInRequested, matching.run(send_sign_in_link, wish)))["link"]
    before = everything_in(matching)
    for _ in range(5):
        visitor.get(link)
    assert everything_in(matching) == before
    press(visitor, link)
    assert "Hello Juniper" in visitor.get("/me").text
    assert visitor.get(link).status_code == 410


def test_a_practitioner_sees_their_offers_and_matches(juniper: FlaskClient, matching: Service) -> None:
    submit(matching, "juniper", id="r1")
    answer(matching, open_offer(matching, "r1"), "yes")
    submit(matching, "juniper", id="r2", words={"name": "Sol"})
    html = juniper.get("/me").text
    assert re.search(r">Wren<span class=\"hint\">You said yes on", html)
    assert "1 person hopes to hear from you." in html
    assert "Answer by" in html
    assert "Sol" not in html
    matched = matching.db.offers.find_one({"request_id": "r1"})
    assert matched
    press(juniper, "/me", f"/me/offers/{matched['_id']}")
    assert "You said yes" in juniper.get("/o").text
    assert press(juniper, "/me", f"/me/offers/{open_offer(matching, 'r2')}").location == "/o"
    assert "Sol would like to meet you" in juniper.get("/o").text


def test_nobody_opens_the_offer_of_another(juniper: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "kai")
    submit(matching, "kai")
    token = juniper.get("/me").text.split('name="csrf_token" value="')[1].split('"')[0]
    assert juniper.post(f"/me/offers/{open_offer(matching)}", data={"csrf_token": token}).status_code == 404


def test_open_full_or_resting_is_theirs_to_say(juniper: FlaskClient, matching: Service) -> None:
    typed = {"state": "resting", "resting_until": "2031-02-01", "places": "4", "offers_at_once": "2"}
    assert press(juniper, "/me", "/me/availability", **typed).location == "/me?done=saved"
    row = document(matching, "practitioners", "juniper")
    assert (row["state"], row["places"], row["offers_at_once"]) == ("resting", 4, 2)
    html = juniper.get("/me?done=saved").text
    assert 'value="2031-02-01"' in html
    assert "Saved." in html


def test_a_number_that_makes_no_sense_is_said_beside_the_field(juniper: FlaskClient) -> None:
    refused = press(juniper, "/me", "/me/availability", state="open", places="-1", offers_at_once="many")
    assert refused.status_code == 422
    assert refused.text.count("Write a number that makes sense here") == 4


@pytest.mark.parametrize("path", ["/c/people", "/c/people/new", "/c/people/juniper", "/c/requests/r1"])
def test_without_signing_in_the_desk_stays_shut(matching: Service, keys: Path, path: str) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    visitor = make_site(matching, keys).test_client()
    shut = visitor.get(path)
    assert (shut.status_code, shut.location) == (303, "/c")


def test_a_practitioner_is_no_coordinator(juniper: FlaskClient) -> None:
    assert "Sign in as a coordinator" in juniper.get("/c").text
    assert juniper.get("/c/people").status_code == 303


def test_an_empty_desk_says_so(ro: FlaskClient) -> None:
    assert "Nothing needs a person. Go outside." in ro.get("/c").text


def test_the_desk_says_what_needs_a_person_and_why_without_a_name(ro: FlaskClient, matching: Service) -> None:
    submit(matching, mode="reach_out")
    html = ro.get("/c").text
    assert "They asked that a person writes to them" in html
    assert "Wren" not in html


def test_what_they_wrote_is_read_only_after_an_opening_that_is_written_down(ro: FlaskClient, matching: Service) -> None:
    submit(matching, mode="reach_out")
    assert "Wren" not in ro.get("/c/requests/r1").text
    assert matching.db.audit.count_documents({}) == 0
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    html = ro.get("/c/requests/r1").text
    assert "company on hard mornings" in html
    assert "Ro</bdi> opened this request" in html
    assert matching.db.audit.count_documents({"action": "opened"}) == 1


def test_a_coordinator_asks_suggests_and_reaches_out(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    submit(matching, mode="reach_out")
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    page = "/c/requests/r1"
    assert press(ro, page, f"{page}/suggest", people=["ana", "kai"]).location == f"{page}?done=suggested"
    assert press(ro, page, f"{page}/reach-out").location == f"{page}?done=reaching"
    assert "Choose a practitioner" in press(ro, page, f"{page}/ask").text
    assert press(ro, page, f"{page}/ask", practitioner="kai").location == f"{page}?done=asked"
    assert press(ro, page, f"{page}/ask", practitioner="kai").location == f"{page}?done=not_possible"
    assert "Kai is being asked." in ro.get(page).text
    assert "Nothing needs a person" in ro.get("/c").text


def test_a_new_way_in_is_shown_once_to_whoever_opened_the_request(ro: FlaskClient, matching: Service) -> None:
    submit(matching, mode="reach_out")
    page = "/c/requests/r1"
    press(ro, page, f"{page}/open")
    shown = press(ro, page, f"{page}/way-in").text
    [token] = re.findall(r"https://kt\.example/s/in/([\w-]{43})", shown)
    assert "This link is shown only now" in shown
    again = ro.get(page).text
    assert token not in again
    assert "Ro</bdi> made a new way in for them" in again
    assert token not in str([list(matching.db[name].find()) for name in matching.db.list_collection_names()])


def test_nobody_makes_a_way_in_without_having_opened_the_request(ro: FlaskClient, matching: Service) -> None:
    submit(matching, mode="reach_out")
    html = ro.get("/c/requests/r1").text
    assert "way-in" not in html
    token = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert token
    answer = ro.post("/c/requests/r1/way-in", data={"csrf_token": token[1], "form_id": str(uuid.uuid4())})
    assert answer.location == "/c/requests/r1?done=not_possible"
    assert matching.db.audit.count_documents({}) == 0


def test_a_question_is_read_at_the_desk_once_one_of_the_two_lets_them(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "ana")
    submit(matching, "ana")
    answer(matching, open_offer(matching), "ask_first", question="Is text all right?")
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    html = ro.get("/c/requests/r1").text
    assert "A practitioner asks something first" in html
    assert "Is text all right?" not in html
    task = matching.db.coordinator_tasks.find_one({"is_open": True})
    assert task
    press(ro, "/c", f"/c/tasks/{task['_id']}/take")
    assert held_by(ro.get("/c").text) == ["you"]
    press(ro, "/c/requests/r1", f"/c/tasks/{task['_id']}/done")
    assert "Nothing needs a person" in ro.get("/c").text
    matching.run(share_notes, open_offer(matching))
    assert "Is text all right?" in ro.get("/c/requests/r1").text


def held_by(html: str) -> list[str]:
    return [words.strip() for words in re.findall(r'<td data-l="Held by">([^<]*)</td>', html, re.S)]


SOL = {
    "name": "Sol",
    "words": "I garden.",
    "languages": ["en", "es"],
    "meeting_types": ["video"],
    "day": ["tue", ""],
    "start": ["18:00", ""],
    "end": ["20:30", ""],
    "time_zone": "Europe/Madrid",
    "places": "2",
    "offers_at_once": "1",
    "state": "open",
    "language": "es",
    "email": "sol@example.org",
    "phone": "+34600000000",
}


def save_new(ro: FlaskClient, **fields: Any) -> TestResponse:
    """Fill in the form for a new practitioner, at the address that it was drawn with."""
    return press(ro, "/c/people/new", None, **{**SOL, **fields})


def test_a_practitioner_is_made_and_edited(ro: FlaskClient, matching: Service) -> None:
    assert save_new(ro, email="").status_code == 422
    saved = save_new(ro).location
    page = saved.split("?")[0]
    row = document(matching, "practitioners", page.rsplit("/", 1)[1])
    assert row["hours"] == [{"day": 1, "start": 1080, "end": 1230}]
    assert row["languages"] == ["en", "es"]
    assert "Sol" in ro.get("/c/people").text
    again = ro.get(page).text
    assert 'value="18:00"' in again
    assert "sol@example.org" not in again
    assert press(ro, page, page, **{**SOL, "email": "", "phone": "", "words": "I cook."}).location == saved
    assert "I cook." in ro.get(page).text


def test_an_address_in_use_is_said_beside_the_field_of_a_new_practitioner(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "kai")
    refused = save_new(ro, email="Kai@example.org")
    assert refused.status_code == 422
    assert "Another practitioner has this email address" in refused.text
    assert "I garden." in refused.text
    assert matching.db.practitioners.count_documents({}) == 1


def test_a_phone_number_is_read_as_in_the_country_of_its_owner(ro: FlaskClient, matching: Service, keys: Path) -> None:
    save_new(ro, time_zone="America/Mexico_City", phone="55 1234 5678")
    contact = matching.db.practitioners.find_one({})
    assert contact
    key = load_vault(keys, "notify").unwrap(contact["contact"]["wrap"], contact["_id"])
    assert vault.decrypt_fields(key, contact["_id"], contact["contact"]["fields"])["phone"] == "+525512345678"


def test_a_number_without_country_code_is_refused_where_no_country_is_known(ro: FlaskClient) -> None:
    refused = save_new(ro, time_zone="UTC", phone="(202) 555-0101")
    assert refused.status_code == 422
    assert "Check the phone number" in refused.text


def test_a_long_desk_comes_in_pages_and_what_is_done_leads_back_to_the_same(ro: FlaskClient, matching: Service) -> None:
    for number in range(PAGE + 1):
        submit(matching, mode="reach_out", id=f"request-{number:03}")
    first = ro.get("/c").text
    assert f"<h1>{PAGE + 1} things need a person</h1>" in first
    assert first.count("Take it") == PAGE
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = ro.get(following).text
    assert second.count("Take it") == 1
    assert ro.get(re.findall(r'rel="prev" href="([^"]+)"', second)[0]).text.count("Take it") == PAGE
    (taken,) = re.findall(r'action="(/c/tasks/[^"]+/take[^"]*)"', second)
    assert press(ro, following, taken).location == f"{following}&done=taken"
    assert "It is yours." in ro.get(f"{following}&done=taken").text


def test_practitioners_are_listed_by_how_they_stand(ro: FlaskClient, matching: Service) -> None:
    for state in ("open", "full", "resting", "stepped_back"):
        add_practitioners(matching, f"is-{state}", state=state)
    for state in ("open", "full", "resting", "stepped_back"):
        shown = re.findall(r"Is-[A-Za-z_]+", ro.get(f"/c/people?state={state}").text)
        assert shown == [f"is-{state}".title()]
    assert ro.get("/c/people?state=unknown&after=unknown").text.count("Is-Open") == 1


@pytest.mark.parametrize("written", ["Ana.Maria@Example.org ", "ana-maria", "Ana María", " ANA-MARIA"])
def test_somebody_is_found_by_exact_address_or_page(ro: FlaskClient, matching: Service, written: str) -> None:
    add_practitioners(matching, "ana", name="Ana María", email="ana.maria@example.org", state="stepped_back")
    before = everything_in(matching)
    assert press(ro, "/c/people", "/c/people/find", who=written).location == "/c/people/ana"
    assert everything_in(matching) == before


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("maria@example.org", "Nobody here has exactly this address or name"),
        ("ana", "Nobody here has exactly this address or name"),
        ("", "Write an email address or a name"),
        ("ana@", "Check the email address"),
    ],
)
def test_whoever_is_not_found_is_said_beside_the_field(ro: FlaskClient, matching: Service, written: str, says: str) -> None:
    add_practitioners(matching, "ana", name="Ana María", email="ana.maria@example.org")
    refused = press(ro, "/c/people", "/c/people/find", who=written)
    assert (refused.status_code, says in refused.text, "Ana María" in refused.text) == (422, True, True)


def test_nobody_but_coordinators_finds_anybody(juniper: FlaskClient) -> None:
    token = juniper.get("/me").text.split('name="csrf_token" value="')[1].split('"')[0]
    refused = juniper.post("/c/people/find", data={"csrf_token": token, "who": "juniper"})
    assert (refused.status_code, refused.location) == (303, "/c")


@pytest.mark.parametrize("form_id", ["+14155551234", "", "x" * 200])
def test_a_form_with_an_id_that_no_page_draws_is_refused(ro: FlaskClient, matching: Service, form_id: str) -> None:
    before = everything_in(matching)
    assert save_new(ro, form_id=form_id).status_code == 400
    assert everything_in(matching) == before


def test_a_form_that_is_sent_twice_has_its_effect_once_and_what_is_kept_of_it_says_nothing(
    ro: FlaskClient, matching: Service
) -> None:
    submit(matching, mode="reach_out")
    html = ro.get("/c").text
    data = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html))
    for _ in range(2):
        assert ro.post("/c/requests/r1/open", data=data).status_code == 303
    assert matching.db.audit.count_documents({}) == 1
    coordinator = matching.db.coordinators.find_one({})
    assert coordinator
    kept = [row["_id"] for row in matching.db.inbox.find({"_id": {"$regex": "^form/"}})]
    assert kept
    assert all(re.fullmatch("form/[0-9a-f]{64}", id) for id in kept)


@pytest.mark.parametrize("request_id", ["r1", "r2"])
def test_the_desk_asks_who_is_there_before_it_looks_for_a_request(matching: Service, keys: Path, request_id: str) -> None:
    submit(matching, mode="reach_out")
    visitor = make_site(matching, keys).test_client()
    token = visitor.get("/c").text.split('name="csrf_token" value="')[1].split('"')[0]
    refused = visitor.post(f"/c/requests/{request_id}/open", data={"csrf_token": token})
    assert (refused.status_code, refused.location) == (303, "/c")


def test_hours_that_end_before_they_start_are_said_plainly(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "kai")
    wrong = {"name": "Kai", "day": "mon", "start": "20:00", "end": "18:00", "time_zone": "UTC"}
    html = press(ro, "/c/people/kai", "/c/people/kai", **wrong).text
    assert "Each row has a day, and an end after its start" in html


def test_a_coordinator_is_signed_out_after_fifteen_idle_minutes(
    ro: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(tmp_path / "clock", monkeypatch).advance(minutes=16)
    assert "Sign in as a coordinator" in ro.get("/c").text


def test_a_coordinator_writes_to_whoever_asked(matching: Service, ro: FlaskClient) -> None:
    submit(matching, ("nobody", "ask_me"))
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    assert "Write your note first" in press(ro, "/c/requests/r1", "/c/requests/r1/write").text
    assert press(ro, "/c/requests/r1", "/c/requests/r1/write", words="We look for somebody").status_code == 303
    html = ro.get("/c/requests/r1?done=wrote").text
    assert "Your note is on their page." in html
    assert "We look for somebody" in html
    assert matching.db.outbox.count_documents({"type": "note.written.v1"}) == 1


def test_a_note_that_does_not_open_leaves_the_page_readable(matching: Service, ro: FlaskClient) -> None:
    submit(matching, ("nobody", "ask_me"))
    matching.db.notes.insert_one({"_id": "n1", "request_id": "r1", "encrypted": "AQ", "at": now()})
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    assert ro.get("/c/requests/r1").status_code == 200


def fields_of(page: str) -> dict[str, Any]:
    """What a browser would send of this form, lists and texts apart."""
    fields: dict[str, Any] = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    for name in ("name", "places", "offers_at_once", "resting_until"):
        found = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
        assert found, name
        value = re.search(r'value="([^"]*)"', found[0])
        fields[name] = value[1] if value else ""
    state = re.search(r'<input[^>]*name="state" value="([^"]+)" checked', page)
    assert state
    return {**fields, "state": state[1], "time_zone": "Europe/Madrid", "language": "en"}


def test_a_coordinators_edit_leaves_what_the_practitioner_changed_meanwhile(
    ro: FlaskClient, matching: Service, keys: Path
) -> None:
    add_practitioners(matching, "juniper", places=2)
    drawn = fields_of(ro.get("/c/people/juniper").text)
    until = now() + timedelta(days=10)
    matching.run(
        set_availability,
        SetAvailability(practitioner_id="juniper", state="resting", resting_until=until, places=4, offers_at_once=3),
    )
    assert ro.post("/c/people/juniper", data={**drawn, "words": "I cook."}).status_code == 303
    row = document(matching, "practitioners", "juniper")
    assert (row["state"], row["places"], row["offers_at_once"], "resting_until" in row) == ("resting", 4, 3, True)
    assert "I cook." in ro.get("/c/people/juniper").text
    both = ro.post("/c/people/juniper", data={**drawn, "form_id": str(uuid.uuid4()), "offers_at_once": "2"})
    assert (both.status_code, document(matching, "practitioners", "juniper")["offers_at_once"]) == (422, 3)
    assert "Somebody else changed this meanwhile" in both.text


def test_a_coordinator_still_changes_what_a_practitioner_set(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "juniper", places=2)
    drawn = fields_of(ro.get("/c/people/juniper").text)
    refused = ro.post("/c/people/juniper", data={**drawn, "state": "stepped_back", "email": "no address"})
    assert refused.status_code == 422
    again = fields_of(refused.text)
    assert (again["state"], again["shown"]) == ("stepped_back", drawn["shown"])
    assert ro.post("/c/people/juniper", data=again).status_code == 303
    assert document(matching, "practitioners", "juniper")["state"] == "stepped_back"


def test_whoever_stepped_back_reads_that_they_cannot_open_up_by_themselves(juniper: FlaskClient, matching: Service) -> None:
    drawn = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', juniper.get("/me").text))
    add_practitioners(matching, "juniper", state="stepped_back")
    sent = juniper.post("/me/availability", data={**drawn, "state": "open", "places": "1", "offers_at_once": "1"})
    assert sent.location == "/me?done=not_possible"
    assert document(matching, "practitioners", "juniper")["state"] == "stepped_back"


def test_guessing_sign_in_links_ends_and_following_right_ones_does_not(matching: Service, keys: Path) -> None:
    add_practitioners(matching, "juniper")
    visitor = make_site(matching, keys).test_client()
    link = links_in(
        keys,
        only(
            TeamSignInRequested, matching.run(send_sign_in_link, RequestSignIn(email="juniper@example.org", role="practitioner"))
        ),
    )["link"]
    assert {visitor.get(link).status_code for _ in range(70)} == {200}
    assert [visitor.get(f"/me/in/wrong{number}").status_code for number in range(61)] == [410] * 60 + [429]
