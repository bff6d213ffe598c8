"""The offer page by link: GET shows, POST acts, each ending has its calm page."""

from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from services.matching.handlers.broker_events import forward_note, withdraw_request
from services.matching.handlers.endings import end_by_supportee
from services.matching.handlers.timers import expire_offer
from shared import vault
from shared.clock import now
from shared.contracts import MatchLeft, NoteAnswered, NoteForwarded, OfferMade, RequestWithdrawn
from shared.i18n import day
from shared.service import Service
from tests.handlers.matching_steps import Clock, add_practitioners, document, only, open_offer, open_tasks, run_timer, submit
from tests.pages.matching_site import everything_in, links_in, make_site, press, signed_in
from tests.people import NEW_YORK


@pytest.fixture
def visitor(matching: Service, keys: Path) -> FlaskClient:
    return make_site(matching, keys).test_client()


@pytest.fixture
def links(matching: Service, keys: Path) -> dict[str, str]:
    add_practitioners(matching, "juniper")
    return links_in(keys, only(OfferMade, submit(matching, ("juniper", "ask_me"), languages=("en",), help=("listening",))))


def test_opening_the_link_fifty_times_changes_nothing(visitor: FlaskClient, links: dict[str, str], matching: Service) -> None:
    before = everything_in(matching)
    for link in links.values():
        for _ in range(25):
            assert visitor.get(link).status_code == 200
            assert visitor.head(link).status_code == 200
    assert everything_in(matching) == before


def test_the_link_alone_shows_nothing_of_the_person(visitor: FlaskClient, links: dict[str, str]) -> None:
    html = visitor.get(links["link"]).text
    assert "Someone would like to meet you" in html
    assert "Wren" not in html


@pytest.mark.parametrize("which", ["link", "short_link"])
def test_one_button_opens_the_request_at_an_address_without_a_token(
    visitor: FlaskClient, links: dict[str, str], matching: Service, which: str
) -> None:
    answer = press(visitor, links[which])
    assert (answer.status_code, answer.location) == (303, "/o")
    html = visitor.get("/o").text
    assert "Wren would like to meet you" in html
    assert "company on hard mornings" in html
    assert "it does not count against you" in html
    assert document(matching, "offers", open_offer(matching))["state"] == "seen"


def test_a_yes_is_said_once_and_leads_to_the_two_of_them(visitor: FlaskClient, links: dict[str, str], matching: Service) -> None:
    press(visitor, links["link"])
    assert press(visitor, "/o", "/o", answer="yes").location == "/o"
    html = visitor.get("/o").text
    assert "<h1>You and Wren</h1>" in html
    assert "You said yes on" in html
    assert document(matching, "requests", "r1")["state"] == "matched"


def test_an_answer_is_needed(visitor: FlaskClient, links: dict[str, str]) -> None:
    press(visitor, links["link"])
    answer = press(visitor, "/o", "/o")
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert "Choose an answer" in answer.text


def test_a_question_is_needed_to_ask_one_and_what_was_typed_stays(visitor: FlaskClient, links: dict[str, str]) -> None:
    press(visitor, links["link"])
    assert "Write what you would like to ask first" in press(visitor, "/o", "/o", answer="ask_first").text
    late = press(visitor, "/o", "/o", answer="pause", question="kept words", pause_until="2020-01-01")
    assert "Choose a day that is still to come" in late.text
    assert "kept words" in late.text


def test_a_question_leaves_the_offer_open(visitor: FlaskClient, links: dict[str, str], matching: Service) -> None:
    press(visitor, links["link"])
    press(visitor, "/o", "/o", answer="ask_first", question="Is text all right?")
    html = visitor.get("/o").text
    assert "Your question is on their page" in html
    assert "Is text all right?" in html
    assert document(matching, "offers", open_offer(matching))["is_open"]


def test_their_answer_stands_under_the_question(
    visitor: FlaskClient, links: dict[str, str], matching: Service, keys: Path
) -> None:
    press(visitor, links["link"])
    press(visitor, "/o", "/o", answer="ask_first", question="Is text all right?")
    key = matching.vault.unwrap(document(matching, "requests", "r1")["encrypted"]["wrap"], "supportee of r1")
    encrypted = vault.encrypt(key, "supportee of r1", vault.note_field("n1"), "Text is good\nand <b>mornings</b>")
    forwarded = only(NoteForwarded, matching.run(forward_note, NoteAnswered(note_id="n1", request_id="r1", encrypted=encrypted)))
    assert press(visitor, links_in(keys, forwarded)["link"]).location == "/o"
    html = visitor.get("/o").text
    assert "Text is good\nand &lt;b&gt;mornings&lt;/b&gt;" in html
    assert "Your question is on their page" not in html


def test_after_a_yes_they_write_to_each_other(visitor: FlaskClient, links: dict[str, str], matching: Service) -> None:
    press(visitor, links["link"])
    press(visitor, "/o", "/o", answer="yes")
    assert "Write your note first" in press(visitor, "/o", "/o/write").text
    assert press(visitor, "/o", "/o/write", words="Tuesdays at six?").location == "/o"
    assert "Tuesdays at six?" in visitor.get("/o").text
    assert "Tuesdays" not in str(list(matching.db.notes.find()))


def test_not_this_time_can_be_changed_on_the_page(visitor: FlaskClient, links: dict[str, str], matching: Service) -> None:
    press(visitor, links["link"])
    press(visitor, "/o", "/o", answer="not_this_time")
    assert "you can still change your answer" in visitor.get("/o").text
    press(visitor, "/o", "/o", answer="yes")
    assert document(matching, "requests", "r1")["state"] == "matched"


def test_a_pause_rests_until_the_day_they_said(visitor: FlaskClient, links: dict[str, str], matching: Service) -> None:
    press(visitor, links["link"])
    press(visitor, "/o", "/o", answer="pause", pause_until="2031-02-01")
    row = document(matching, "practitioners", "juniper")
    assert row["state"] == "resting"
    assert row["resting_until"].isoformat() == "2031-02-01T05:00:00+00:00"  # midnight in New York


def test_a_request_that_was_taken_back_says_so(visitor: FlaskClient, links: dict[str, str], matching: Service) -> None:
    press(visitor, links["link"])
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    gone = visitor.get("/o")
    assert (gone.status_code, "there is nothing left to do" in gone.text, "Wren" in gone.text) == (410, True, False)


def test_time_that_passed_is_no_blame(
    visitor: FlaskClient, links: dict[str, str], matching: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(tmp_path / "clock", monkeypatch)
    clock.advance(days=6, minutes=1)
    run_timer(matching, expire_offer)
    press(visitor, links["link"])
    assert "The time to answer has passed" in visitor.get("/o").text
    clock.advance(days=8)
    assert visitor.get(links["link"]).status_code == 410


@pytest.mark.parametrize("path", ["/o/wrong", "/o", "/me/in/wrong", "/c/in/wrong"])
def test_wrong_and_ended_links_have_one_neutral_page(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 410
    assert "This link no longer works" in visitor.get(path).text


def test_the_page_reads_in_spanish(visitor: FlaskClient, links: dict[str, str]) -> None:
    press(visitor, links["link"])
    html = visitor.get("/o?lang=es").text
    assert "Sí, puedo" in html
    assert "Someone" not in html


def test_answers_to_unknown_fields_are_refused(visitor: FlaskClient, links: dict[str, str], matching: Service) -> None:
    press(visitor, links["link"])
    assert press(visitor, "/o", "/o", answer="yes", **{"offer_id[$ne]": "1"}).status_code == 422
    assert document(matching, "offers", open_offer(matching))["is_open"]


def test_the_day_on_the_pages_is_the_day_that_is_stored_and_lasts_until_its_end(
    visitor: FlaskClient, links: dict[str, str], matching: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(tmp_path / "clock", monkeypatch)
    until = document(matching, "offers", open_offer(matching))["answer_by"]
    local = until.replace(tzinfo=UTC).astimezone(ZoneInfo(NEW_YORK))
    assert (local.hour, local.minute, local.second) == (23, 59, 59)
    said = f"until the end of {day(until.replace(tzinfo=UTC), NEW_YORK, 'en')}, New York time"
    assert said in visitor.get(links["link"]).text
    press(visitor, links["link"])
    assert said in visitor.get("/o").text
    clock.advance(seconds=(until.replace(tzinfo=UTC) - timedelta(minutes=1) - now()).total_seconds())
    run_timer(matching, expire_offer)
    press(visitor, links["link"])
    assert press(visitor, "/o", "/o", answer="yes").location == "/o"
    assert document(matching, "requests", "r1")["state"] == "matched"


def test_a_link_lives_a_week_longer_than_its_offer(matching: Service, links: dict[str, str]) -> None:
    offer = document(matching, "offers", open_offer(matching))
    assert [row["expires_at"] - offer["answer_by"] for row in matching.db.links.find()] == [timedelta(days=7)] * 2


@pytest.fixture
def pair(visitor: FlaskClient, links: dict[str, str]) -> None:
    press(visitor, links["link"])
    press(visitor, "/o", "/o", answer="yes")


def test_no_page_says_that_a_yes_is_final(visitor: FlaskClient, links: dict[str, str]) -> None:
    press(visitor, links["link"])
    assert "You can end your meetings at any time." in visitor.get("/o").text
    press(visitor, "/o", "/o", answer="yes")
    html = visitor.get("/o").text
    assert "final" not in html
    assert "this answer stays" not in html


@pytest.mark.usefixtures("pair")
def test_a_practitioner_ends_meetings_in_one_step_and_takes_it_back(visitor: FlaskClient, matching: Service) -> None:
    html = visitor.get("/o").text
    assert "You can end your meetings at any time and never have to say why." in html
    assert press(visitor, "/o", "/o/end").location == "/o"
    html = visitor.get("/o").text
    assert "<h1>Your meetings have come to an end</h1>" in html
    assert "You ended them." in html
    assert document(matching, "requests", "r1")["state"] == "waiting"
    assert press(visitor, "/o", "/o/end/undo").location == "/o"
    assert "<h1>You and Wren</h1>" in visitor.get("/o").text
    assert document(matching, "requests", "r1")["state"] == "matched"


@pytest.mark.usefixtures("pair")
def test_the_page_says_that_a_coordinator_is_told_exactly_while_one_is(
    visitor: FlaskClient, matching: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "A coordinator is told, so that somebody is there for them."
    assert said in visitor.get("/o").text
    matching.db.matches.update_many({}, {"$set": {"made_at": now() - timedelta(days=8)}})
    assert said not in visitor.get("/o").text
    press(visitor, "/o", "/o/end")
    assert open_tasks(matching) == []


@pytest.mark.usefixtures("pair")
def test_taking_it_back_says_when_the_supportee_has_gone_on(visitor: FlaskClient, matching: Service) -> None:
    press(visitor, "/o", "/o/end")
    press_later = visitor.get("/o").text
    assert "You can take it back until" in press_later
    matching.db.requests.update_one({"_id": "r1"}, {"$set": {"state": "asking"}})
    assert press(visitor, "/o", "/o/end/undo").location == "/o?done=not_possible"
    assert "That is not possible any more. Nothing was changed." in visitor.get("/o?done=not_possible").text


@pytest.mark.usefixtures("pair")
def test_when_the_supportee_ended_them_the_page_says_they_did_nothing_wrong(visitor: FlaskClient, matching: Service) -> None:
    matching.run(end_by_supportee, MatchLeft(request_id="r1", practitioner_id="juniper", then="wait"))
    html = visitor.get("/o").text
    assert "You did nothing wrong, and there is nothing for you to do." in html
    assert "Take it back" not in html


@pytest.mark.usefixtures("pair")
def test_my_page_leads_to_everybody_they_meet_and_to_an_end_that_can_be_taken_back(
    matching: Service, keys: Path, visitor: FlaskClient
) -> None:
    juniper = signed_in(matching, keys, "practitioner", "juniper@example.org")
    offer_id = str(matching.db.offers.find_one()["_id"])  # type: ignore[index]
    assert press(juniper, "/me", f"/me/offers/{offer_id}").location == "/o"
    assert "<h1>You and Wren</h1>" in juniper.get("/o").text
    press(juniper, "/o", "/o/end")
    assert "You ended your meetings. You can take it back until" in juniper.get("/me").text
    matching.run(end_by_supportee, MatchLeft(request_id="r1", practitioner_id="juniper", then="wait"))
    assert "You ended your meetings." not in juniper.get("/me").text
