"""Where a practitioner says about whom they do not want to be asked again, and what everybody else sees of it: nothing."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.matching.coordinators import add_coordinator
from services.matching.handlers.broker_events import withdraw_request
from services.matching.handlers.own_list import NotThisNameAgain, put_name_on_list
from shared.contracts import OfferMade, RequestChanged, RequestSubmitted, RequestWithdrawn
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, document, only, open_offer, open_tasks, submit
from tests.pages import intake_site
from tests.pages.matching_site import everything_in, links_in, press, signed_in
from tests.pages.test_intake_corrections import reach
from tests.pages.test_intake_pages import visitor as asking

__all__ = ["asking"]
FORM_ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
PLEASE = "Please do not ask me about this person again"


def read_offer(practitioner: FlaskClient, matching: Service, request_id: str = "r1") -> None:
    press(practitioner, "/me", f"/me/offers/{open_offer(matching, request_id)}")


def test_from_an_offer_in_one_press_and_it_is_answered_with_it(juniper: FlaskClient, matching: Service) -> None:
    submit(matching, ("juniper", "ask_me"))
    read_offer(juniper, matching)
    html = juniper.get("/o").text
    assert PLEASE in html
    assert "It also answers “not this time”." in html
    assert press(juniper, "/o", "/o/not-again", label="from the choir").location == "/o?done=not_again"
    html = juniper.get("/o?done=not_again").text
    assert "You said not this time" in html
    assert html.count("You are not asked about this person again. It stands on your page") == 1
    assert PLEASE not in html
    assert "Yes, I can meet them" not in html
    assert "from the choir" in juniper.get("/me").text


def test_sent_twice_it_is_there_once(juniper: FlaskClient, matching: Service) -> None:
    submit(matching, ("juniper", "ask_me"))
    read_offer(juniper, matching)
    token = juniper.get("/o").text.split('name="csrf_token" value="')[1].split('"')[0]
    for _ in range(2):
        assert juniper.post("/o/not-again", data={"csrf_token": token, "form_id": FORM_ID}).status_code == 303
    assert juniper.get("/me").text.count("Someone you were asked about</bdi></strong>") == 1


def test_after_a_yes_and_after_the_end_it_is_there_too(juniper: FlaskClient, matching: Service) -> None:
    submit(matching, ("juniper", "ask_me"))
    read_offer(juniper, matching)
    press(juniper, "/o", "/o", answer="yes")
    assert "Your meetings go on until you end them." in juniper.get("/o").text
    press(juniper, "/o", "/o/end")
    assert PLEASE in juniper.get("/o").text
    press(juniper, "/o", "/o/not-again")
    assert "You are not asked about this person again." in juniper.get("/o").text
    assert document(matching, "requests", "r1")["state"] == "waiting"


def test_once_they_left_there_is_nobody_to_put_on_it(juniper: FlaskClient, matching: Service) -> None:
    submit(matching, ("juniper", "ask_me"))
    read_offer(juniper, matching)
    press(juniper, "/o", "/o/not-again")
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    assert "Someone you were asked about" in juniper.get("/me").text


def test_a_name_is_added_and_taken_off_on_their_page(juniper: FlaskClient, matching: Service) -> None:
    assert press(juniper, "/me", "/me/list", name="  ").status_code == 422
    assert "Write a name" in press(juniper, "/me", "/me/list").text
    page = press(juniper, "/me", "/me/list", name="x" * 81)
    assert page.status_code == 422
    assert "x" * 81 in page.text
    assert 'value="open" checked' in page.text
    assert press(juniper, "/me", "/me/list", name="<b>Rob</b> Quill").location == "/me?done=name_listed"
    html = juniper.get("/me").text
    assert "&lt;b&gt;Rob&lt;/b&gt; Quill" in html
    assert "A name you typed on" in html
    entry_id = html.split('action="/me/list/')[1].split("/remove")[0]
    assert press(juniper, "/me", f"/me/list/{entry_id}/remove").location == "/me?done=unlisted"
    assert "Quill" not in juniper.get("/me").text


def test_looking_at_it_changes_nothing(juniper: FlaskClient, matching: Service) -> None:
    press(juniper, "/me", "/me/list", name="Rob")
    before = everything_in(matching)
    for _ in range(3):
        juniper.get("/me")
    assert everything_in(matching) == before


def test_nobody_else_takes_off_what_is_theirs(juniper: FlaskClient, matching: Service, keys: Path) -> None:
    press(juniper, "/me", "/me/list", name="Rob")
    entry_id = juniper.get("/me").text.split('action="/me/list/')[1].split("/remove")[0]
    add_practitioners(matching, "kai")
    kai = signed_in(matching, keys, "practitioner", "kai@example.org")
    press(kai, "/me", "/me/list", name="Somebody")
    token = kai.get("/me").text.split('name="csrf_token" value="')[1].split('"')[0]
    taken_off = kai.post(f"/me/list/{entry_id}/remove", data={"csrf_token": token, "form_id": FORM_ID})
    assert taken_off.location == "/me?done=unlisted"
    assert "Rob" in juniper.get("/me").text
    assert "Rob" not in kai.get("/me").text


@pytest.fixture
def ro(matching: Service, keys: Path) -> FlaskClient:
    add_coordinator("Ro", "ro@example.org", into=matching)
    return signed_in(matching, keys, "coordinator", "ro@example.org")


def test_a_coordinator_talks_with_them_and_never_reads_what_is_on_the_list(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "kai")
    matching.run(put_name_on_list, NotThisNameAgain(practitioner_id="kai", name="Wren Quillfeather"))
    submit(matching, "kai")
    pages = [ro.get(path).text for path in ("/c", "/c/requests?state=waiting", "/c/people", "/c/people/kai", "/c/requests/r1")]
    assert "Talk with this practitioner before they are asked" in pages[0]
    assert "They may be asked" not in pages[-1]
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    pages.append(ro.get("/c/requests/r1").text)
    assert "Ask Kai yourself" in pages[-1]
    assert "This is done" not in pages[-1]
    assert not [html for html in pages if "Quillfeather" in html or "list of" in html]
    place = press(ro, "/c/requests/r1", "/c/requests/r1/may_be_asked").location
    assert "They may be asked about this request now." in ro.get(place).text
    assert open_offer(matching)
    assert open_tasks(matching) == []


def test_a_coordinator_who_asks_them_reads_that_they_talk_first(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "kai", "ana")
    matching.run(put_name_on_list, NotThisNameAgain(practitioner_id="kai", name="Wren"))
    submit(matching, mode="reach_out")
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    place = press(ro, "/c/requests/r1", "/c/requests/r1/ask", practitioner="kai").location
    assert "Please talk with this practitioner first" in ro.get(place).text
    place = press(ro, "/c/requests/r1", "/c/requests/r1/left_out").location
    assert "It goes on without them." in ro.get(place).text
    assert 'value="kai"' not in ro.get("/c/requests/r1").text


def test_the_link_s_own_page_says_nothing_of_it(juniper: FlaskClient, matching: Service, keys: Path) -> None:
    link = links_in(keys, only(OfferMade, submit(matching, ("juniper", "ask_me"))))["link"]
    assert PLEASE not in juniper.get(link).text


def test_intake_makes_the_same_traces_of_the_same_address_and_finds_no_request_by_them(
    asking: FlaskClient, intake: Service
) -> None:
    for visitor in (asking, asking.application.test_client()):
        intake_site.ask_for(
            visitor, "juniper", reach=["email", "text"], email="Wren@Example.org", phone="202 555 0100", pace="never"
        )
        intake_site.post(visitor, "/ask/check")
    first, second = intake_site.published(intake, "request.submitted.v1")
    assert isinstance(first, RequestSubmitted)
    assert isinstance(second, RequestSubmitted)
    assert len(first.person_index) == 2
    assert first.person_index == second.person_index
    rows = str(list(intake.db.requests.find()))
    assert not [trace for trace in first.person_index if trace in rows]
    intake_site.post(asking, "/s/change/4", **reach(email="other@example.org"))
    [changed] = intake_site.published(intake, "request.changed.v1")
    assert isinstance(changed, RequestChanged)
    assert changed.person_index
    assert set(changed.person_index) & set(first.person_index) == {first.person_index[1]}


def test_whoever_only_looks_at_their_page_leaves_no_trace(asking: FlaskClient, intake: Service) -> None:
    intake_site.ask_for(asking, "juniper", reach=["page"])
    intake_site.post(asking, "/ask/check")
    [submitted] = intake_site.published(intake, "request.submitted.v1")
    assert isinstance(submitted, RequestSubmitted)
    assert submitted.person_index == ()
