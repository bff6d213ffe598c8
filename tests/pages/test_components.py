"""The parts that pages are made of, drawn once each."""

import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from shared.service import Service
from shared.web.app import web_app
from tests.web_settings import settings_for_pages

STATIC = Path("shared/web/static")
DRAWINGS = sorted(file.stem for file in Path("shared/web/templates/drawings").glob("*.svg"))
FROM = '{% from "components.html" import '


@pytest.fixture
def app(intake: Service, keys: Path) -> Flask:
    return web_app(intake, settings_for_pages(keys), __name__)


def drawn(app: Flask, template: str) -> str:
    with app.test_request_context("/people/juniper"):
        return re.sub(r"\s+", " ", render_template_string(template))


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_small_hidden_from_readers_and_in_the_colours_of_the_theme(app: Flask, name: str) -> None:
    svg = drawn(app, f'{FROM}drawing %}}{{{{ drawing("{name}", "small") }}}}')
    assert 'aria-hidden="true"' in svg
    assert re.match(r'<svg class="draw( scene)? small"', svg)
    assert len(svg) < 2200
    assert "#" not in svg


def test_there_are_ten_drawings() -> None:
    assert len(DRAWINGS) == 10


def test_rows_of_what_somebody_can_do_are_alike_whether_they_lead_on_or_press(app: Flask) -> None:
    template = FROM + (
        'door, door_that_presses %}{{ door("/s/leave", "Leave", "It ends.") }}'
        '{% call door_that_presses("/s/next", "Wait", "No hurry.", "next", "wait") %}<input type="hidden">{% endcall %}'
    )
    html = drawn(app, template)
    assert '<li><a href="/s/leave">Leave<span class="hint">It ends.</span></a></li>' in html
    assert '<button name="next" value="wait">Wait<span class="hint">No hurry.</span></button></form></li>' in html


def test_where_it_stands_is_said_in_words_too(app: Flask) -> None:
    html = drawn(app, FROM + 'steps %}{{ steps([("done", "Sent", "Monday"), ("now", "Read", ""), ("later", "Met", "")]) }}')
    assert [state in html for state in ("(done)", "(now)", "(not yet)")] == [True] * 3
    assert html.count('aria-current="step"') == 1


def test_a_summary_leaves_out_what_has_no_answer_and_keeps_lines_apart(app: Flask) -> None:
    html = drawn(
        app, FROM + 'summary %}{{ summary([("Name", "Wren", "/ask/2"), ("Age", "", "/ask/7"), ("By", ["a", "b"], "")]) }}'
    )
    assert "Age" not in html
    assert "<p>a</p><p>b</p>" in html
    assert html.count("Change") == 1


def test_a_ticket_a_card_of_words_and_a_table_stand_right(app: Flask) -> None:
    template = FROM + (
        "ticket, words_to_keep, stacked_table, cell, filters, notice, tag, person %}"
        '{% call ticket("Next meeting", ("Tue", "1", "December"), "8:00 pm") %}<p>By phone.</p>{% endcall %}'
        '{% call words_to_keep("Your words", "river cedar moss") %}<p>Keep them.</p>{% endcall %}'
        '{% call stacked_table("Today", ["Why", "Due"]) %}<tr><th scope="row">Asked</th>'
        '{{ cell("Due", "today") }}</tr>{% endcall %}'
        '{% call filters("Narrow", False) %}<form></form>{% endcall %}'
        '{{ notice("Saved.", "ok", "status") }}{{ tag("Open", "ok") }}'
        '{% call person("p1", "محمد", "he/him", "/people/m") %}<a class="btn soft" href="/ask">Meet</a>{% endcall %}'
    )
    html = drawn(app, template)
    assert '<td data-l="Due">today</td>' in html
    assert "<li>river</li><li>cedar</li><li>moss</li>" in html
    assert '<div class="note ok" role="status"><p>Saved.</p></div>' in html
    assert "<bdi>محمد</bdi>" in html
    assert html.count("<b>1</b>") == 1


def test_the_place_of_a_page_is_marked_and_no_other(app: Flask) -> None:
    html = drawn(
        app, '{% from "macros.html" import navigation %}{{ navigation("Main", [("/", "Home"), ("/people", "People")]) }}'
    )
    assert re.findall(r'href="([^"]+)" aria-current="(\w+)"', html) == [("/people", "true")]


def test_the_stylesheet_asks_for_nothing_else_and_stays_small() -> None:
    css = (STATIC / "kt.css").read_text()
    assert len(css.encode()) < 30_720
    assert not re.search(r"url\(|@import|https?:", css)


def test_the_stylesheet_knows_no_left_and_right() -> None:
    css = re.sub(r"/\*.*?\*/", "", (STATIC / "kt.css").read_text(), flags=re.S)
    assert re.findall(r"[\w-]*(?:left|right)[\w-]*:|text-align: (?:left|right)|float: (?:left|right)", css) == []
