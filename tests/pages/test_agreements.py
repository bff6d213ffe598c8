"""The pages on which two people write down what they agree on, on both sides at once."""

import re
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.matching.coordinators import add_coordinator
from shared.contracts import OfferMade
from shared.messages import from_json, parse_event
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, answer, open_offer
from tests.pages import intake_site, matching_site
from tests.pages.intake_site import ask_for, post
from tests.pages.matching_site import links_in, press, signed_in
from tests.three_services import Services

SECTIONS = ("helps", "not_helpful", "off", "would_do", "pause_and_end", "may_know")


@dataclass
class Two:
    """Wren asked for Juniper, who said yes. `deliver`: what a broker does."""

    wren: FlaskClient
    juniper: FlaskClient
    services: Services
    seen: list[str] = field(default_factory=list)

    def deliver(self) -> None:
        self.services.deliver()

    def writes(self, who: str, **typed: Any) -> TestResponse:
        """And what they wrote arrives."""
        visitor, page = (self.wren, "/s/agreement") if who == "wren" else (self.juniper, "/o/agreement")
        done = press(visitor, f"{page}/write", f"{page}/write", **typed)
        self.deliver()
        return done


@pytest.fixture
def two(intake: Service, matching: Service, notify: Service, keys: Path) -> Two:
    services = Services(intake, matching, notify)
    wren = intake_site.make_site(intake, keys).test_client()
    add_practitioners(matching, "juniper")
    services.deliver()
    ask_for(wren, "juniper")
    post(wren, "/ask/check")
    services.deliver()
    [asked] = matching.db.requests.find()
    [made] = [parse_event(from_json(row["body"])) for row in matching.db.outbox.find({"type": "offer.made.v1"})]
    assert isinstance(made, OfferMade)
    answer(matching, open_offer(matching, asked["_id"]), "yes")
    services.deliver()
    juniper = matching_site.make_site(matching, keys).test_client()
    press(juniper, links_in(keys, made)["link"])
    return Two(wren, juniper, services)


def shown(visitor: FlaskClient, page: str) -> str:
    """Its words, without what marks them."""
    html = re.sub(r"</(p|h\d|span)>(?=<|\s)", " ", visitor.get(page).text.split("<main", 1)[1])
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_both_write_it_and_say_yes(two: Two) -> None:
    assert "Written by both, if you like." in shown(two.wren, "/s")
    assert "Written by both, if you like." in shown(two.juniper, "/o")
    assert two.writes("wren", helps="Mornings.\r\nTea.").location == "/s/agreement"
    assert "Juniper has not said yes yet" in shown(two.wren, "/s/agreement")
    assert "Your yes is missing." in shown(two.juniper, "/o")
    assert "Wren wrote this, and said yes to it by that." in shown(two.juniper, "/o/agreement")
    press(two.juniper, "/o/agreement", "/o/agreement/yes")
    two.deliver()
    for visitor, page in ((two.wren, "/s/agreement"), (two.juniper, "/o/agreement")):
        assert "Both of you said yes to this." in shown(visitor, page)
        assert "/yes" not in visitor.get(page).text
        assert "Mornings.\nTea." in visitor.get(page).text


def test_what_changed_stands_side_by_side_and_is_not_said_by_colour_alone(two: Two) -> None:
    two.writes("wren", helps="Call me first.", off="One word is enough.")
    press(two.juniper, "/o/agreement", "/o/agreement/yes")
    two.deliver()
    two.writes("juniper", helps="Text me first.", off="", may_know="My buddy.")
    for visitor, page in ((two.wren, "/s/agreement"), (two.juniper, "/o/agreement")):
        html = visitor.get(page).text
        assert re.search(r"<del>.*Call.*</del>", html)
        assert re.search(r"<ins>.*Text.*</ins>", html)
        words = shown(visitor, page)
        assert "[taken out: Call] me first." in words
        assert "[added: Text] me first." in words
        assert "Who may know about us New [added: My buddy.]" in words
        assert "that something is off Taken out [taken out: One word is enough.]" in words
    assert "There is something new. Your yes is missing." in shown(two.wren, "/s")


@pytest.mark.parametrize("who", ["wren", "juniper"])
def test_wrong_words_are_said_beside_the_field_and_nothing_is_lost(two: Two, who: str) -> None:
    empty = two.writes(who, helps="   ", off="\r\n")
    assert (empty.status_code, empty.text.count("Write something, or delete it")) == (422, 2)
    long = two.writes(who, helps="Mornings.", off="x" * 4001)
    assert (long.status_code, long.text.count("This is longer than 4,000 characters.")) == (422, 2)
    assert 'href="#f-off"' in long.text
    assert "x" * 4001 in long.text
    assert ">Mornings.</textarea>" in long.text
    assert two.services.matching.db.agreements.count_documents({}) == 0


@pytest.mark.parametrize("who", ["wren", "juniper"])
def test_six_times_four_thousand_of_the_longest_signs_fit(two: Two, who: str) -> None:
    """A line break counts once, though a browser sends two signs for it."""
    everything = dict.fromkeys(SECTIONS, "\U0001f9e1\r\n" * 1999 + "\U0001f9e1\U0001f9e1")
    assert two.writes(who, **everything).status_code == 303
    assert two.writes(who, helps="x" * 400_000).status_code == 413


def test_html_is_shown_as_text(two: Two) -> None:
    two.writes("wren", helps="<script>alert(1)</script> & <b>bold</b>")
    for visitor, page in ((two.wren, "/s/agreement"), (two.juniper, "/o/agreement"), (two.juniper, "/o/agreement/write")):
        html = visitor.get(page).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold&lt;/b&gt;" in html


def test_who_had_an_older_page_gets_both_texts(two: Two) -> None:
    two.writes("wren", helps="First.")
    drawn = hidden_fields(two.juniper.get("/o/agreement/write").text)
    two.writes("wren", helps="Second.")
    answered = two.juniper.post("/o/agreement/write", data={**drawn, "helps": "Mine."})
    assert answered.status_code == 409
    assert ">Mine.</textarea>" in answered.text
    assert "What stands there now:" in answered.text
    assert "Second." in answered.text
    again = two.juniper.post("/o/agreement/write", data={**hidden_fields(answered.text), "helps": "Second. Mine."})
    two.deliver()
    assert again.status_code == 303
    assert "Second. [added: Mine.]" in shown(two.wren, "/s/agreement")


def test_a_supportee_with_an_older_page_too_also_of_their_own(two: Two) -> None:
    drawn = hidden_fields(two.wren.get("/s/agreement/write").text)
    two.wren.post("/s/agreement/write", data={**hidden_fields(two.wren.get("/s/agreement/write").text), "helps": "Here."})
    answered = two.wren.post("/s/agreement/write", data={**drawn, "helps": "There."})
    assert answered.status_code == 409
    assert ">There.</textarea>" in answered.text
    assert "Here." in answered.text


def test_a_double_press_writes_once(two: Two) -> None:
    for visitor, page in ((two.wren, "/s/agreement"), (two.juniper, "/o/agreement")):
        drawn = {**hidden_fields(visitor.get(f"{page}/write").text), "helps": f"By {page}."}
        assert [visitor.post(f"{page}/write", data=drawn).status_code for _ in range(2)] == [303, 303]
        two.deliver()
    assert two.services.matching.db.agreements.find_one({}, {"_id": 0, "number": 1}) == {"number": 2}


def test_what_crossed_on_the_way_is_kept_and_both_can_be_put_together(two: Two) -> None:
    press(two.wren, "/s/agreement/write", "/s/agreement/write", helps="Mine.")
    assert "We heard you. In a moment this page shows it." in shown(two.wren, "/s/agreement")
    press(two.juniper, "/o/agreement/write", "/o/agreement/write", helps="Theirs.")
    two.deliver()
    words = shown(two.wren, "/s/agreement")
    assert "You and Juniper wrote at the same time, and theirs was sooner." in words
    assert "Theirs." in words
    assert "Mine." in words
    html = two.wren.get("/s/agreement/write").text
    assert ">Mine.</textarea>" in html
    assert "Theirs." in html
    two.writes("wren", helps="Mine and theirs.")
    assert "wrote at the same time" not in shown(two.wren, "/s/agreement")
    assert "[added: Mine and theirs.]" in shown(two.juniper, "/o/agreement")


@pytest.mark.parametrize("who", ["wren", "juniper"])
def test_either_deletes_it_after_being_asked_and_the_other_reads_it_in_neutral_words(two: Two, who: str) -> None:
    two.writes("wren", helps="Mornings.")
    visitor, page = (two.wren, "/s/agreement") if who == "wren" else (two.juniper, "/o/agreement")
    assert "It goes for both of you within a minute" in shown(visitor, f"{page}/delete")
    press(visitor, f"{page}/delete", f"{page}/delete")
    two.deliver()
    for client, path in ((two.wren, "/s/agreement"), (two.juniper, "/o/agreement")):
        words = shown(client, path)
        assert "Mornings" not in words
        assert "one of you deleted it for both. Nobody did anything wrong." in words
        assert client.get(f"{path}/delete").location == path


def test_a_get_changes_nothing(two: Two) -> None:
    two.writes("wren", helps="Mornings.")
    before = [list(service.db.agreements.find()) for service in (two.services.intake, two.services.matching)]
    for _ in range(3):
        for page in ("", "/write", "/delete", "/earlier"):
            two.wren.get(f"/s/agreement{page}")
            two.juniper.get(f"/o/agreement{page}")
    assert [list(service.db.agreements.find()) for service in (two.services.intake, two.services.matching)] == before


def test_no_coordinator_reads_it(two: Two, matching: Service, keys: Path) -> None:
    two.writes("wren", helps="SENTINEL mornings")
    two.writes("juniper", helps="SENTINEL evenings")
    add_coordinator("Ro", "ro@example.org", into=matching)
    ro = signed_in(matching, keys, "coordinator", "ro@example.org")
    [request] = matching.db.requests.find()
    press(ro, f"/c/requests/{request['_id']}", f"/c/requests/{request['_id']}/open")
    assert "company on hard mornings" in ro.get(f"/c/requests/{request['_id']}").text
    for path in ("/c", f"/c/requests/{request['_id']}", "/c/requests", "/c/practitioners"):
        assert "SENTINEL" not in ro.get(path).text
    assert ro.get(f"/c/requests/{request['_id']}/agreement").status_code == 404
    assert ro.get("/o/agreement").status_code == 410


def test_somebody_else_s_session_opens_nothing(two: Two, matching: Service, keys: Path) -> None:
    two.writes("wren", helps="SENTINEL mornings")
    stranger = matching_site.make_site(matching, keys).test_client()
    assert {stranger.get(f"/o/agreement{page}").status_code for page in ("", "/write", "/delete")} == {410}
    assert {stranger.get(f"/s/agreement{page}").status_code for page in ("", "/write", "/delete", "/earlier")} == {404}


def test_during_a_pause_it_is_read_and_not_written(two: Two) -> None:
    two.writes("wren", helps="Mornings.")
    post(two.wren, "/s/pause", at="/s")
    two.deliver()
    for visitor, page in ((two.wren, "/s/agreement"), (two.juniper, "/o/agreement")):
        assert "Mornings." in shown(visitor, page)
        assert visitor.get(f"{page}/write").location == page


def test_after_the_end_both_still_read_it(two: Two, matching: Service, keys: Path) -> None:
    two.writes("wren", helps="Mornings.")
    press(two.juniper, "/o", "/o/end")
    two.deliver()
    assert two.wren.get("/s/agreement").location == "/s/agreement/earlier"
    assert "What you agreed on before" in shown(two.wren, "/s")
    assert "With Juniper" in shown(two.wren, "/s/agreement/earlier")
    assert "Mornings." in shown(two.wren, "/s/agreement/earlier")
    assert "What you agreed on before" in shown(two.juniper, "/o")
    assert "Mornings." in shown(two.juniper, "/o/agreement")
    assert two.juniper.get("/o/agreement/write").location == "/o/agreement"
    again = signed_in(matching, keys, "practitioner", "juniper@example.org")
    [offer] = matching.db.offers.find()
    assert press(again, "/me", f"/me/offers/{offer['_id']}").location == "/o"
    assert "Mornings." in shown(again, "/o/agreement")


def hidden_fields(html: str, action: str = "/[so]/agreement/write") -> dict[str, str]:
    form = re.search(rf'<form method="post" action="{action}"[^>]*>(.*?)</form>', html, re.S)
    assert form
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[1]))


def test_headings_may_be_the_collective_s_own(two: Two, matching: Service) -> None:
    from dataclasses import replace

    shipped = matching.programme
    matching.programme = replace(shipped, agreement={"helps": {"en": "What is good", "es": "Lo bueno"}})
    try:
        words = shown(two.juniper, "/o/agreement/write")
    finally:
        matching.programme = shipped
    assert "What is good" in words
    assert "What is not helpful" in words


def old_form(visitor: FlaskClient, page: str, action: str) -> dict[str, str]:
    return hidden_fields(visitor.get(page).text, action)


def test_what_either_wrote_on_an_old_page_stays_there_after_the_end(two: Two) -> None:
    sides = ((two.wren, "/s/agreement/write"), (two.juniper, "/o/agreement/write"))
    drawn = [old_form(visitor, page, page) for visitor, page in sides]
    plan = old_form(two.wren, "/s/plan/write", "/s/plan/write")
    press(two.juniper, "/o", "/o/end")
    two.deliver()
    for (visitor, page), hidden in zip(sides, drawn, strict=True):
        answered = visitor.post(page, data={**hidden, "helps": "Tea and <b>bread</b>."})
        assert answered.status_code == 409
        assert "This was not sent" in answered.text
        assert "Tea and &lt;b&gt;bread&lt;/b&gt;." in answered.text
    assert two.wren.post("/s/plan/write", data={**plan, "helps": "Tea."}).status_code == 303, "a plan is their own"
    press(two.wren, "/s/leave", "/s/leave")
    two.deliver()
    answered = two.wren.post("/s/plan/write", data={**plan, "helps": "Music."})
    assert (answered.status_code, "Music.</textarea>" in answered.text) == (409, True)
