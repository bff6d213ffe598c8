"""Question 1, one thing at a time: how to find somebody; people found by name, chosen in order, and taken out again."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.intake.handlers.broker_events import save_directory_entry
from services.intake.web import make_app
from shared.service import Service
from shared.web.limits import limiter
from tests.people import an_entry_seen
from tests.web_settings import settings_for_pages

NAMES = {"juniper": "Juniper", "june": "June Ortega", "lucia": "Lucía", "kai": "Kai", "ana": "Ana", "noor": "Noor Juneau"}


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    for id, name in NAMES.items():
        list_someone(intake, id, name, state="resting" if id == "ana" else "open")
    app = make_app(settings_for_pages(keys))
    limiter.reset()
    with app.test_client() as client:
        yield client


def list_someone(intake: Service, id: str, name: str, **facts: Any) -> None:
    encrypted = intake.vault.encrypt_profile(id, json.dumps({"slug": id, "name": name}))
    intake.run(save_directory_entry, an_entry_seen(intake, id, encrypted_profile=encrypted, **facts))


class FirstQuestion:
    """The page as a browser without JavaScript has it: each press sends everything that stands on it. Where people are chosen,
    unless another form of it is asked for."""

    def __init__(self, visitor: FlaskClient, address: str = "/ask/1?form=ranked") -> None:
        self._visitor = visitor
        self.html = visitor.get(address).text

    def press(self, button: str = "", **typed: Any) -> TestResponse:
        sent = {**self.fields(), "go": button, **typed}
        answer = self._visitor.post("/ask/1", data={name: value for name, value in sent.items() if name != "go" or value})
        again = answer.headers.get("Location", "").startswith("/ask/1")
        self.html = self._visitor.get(answer.headers["Location"]).text if again else answer.text or self.html
        return answer

    def fields(self) -> dict[str, Any]:
        lists = {
            "choice": re.findall(r'name="choice" value="([^"]*)"', self.html),
            "if_not": self.sent("if_not"),
            "avoid": re.findall(r'name="avoid" value="([^"]*)" checked', self.html),
            "mode": self.sent("mode"),
        }
        texts = re.findall(r'<input type="(?:text|hidden)" (?:id="[\w-]+" )?name="(\w+)" value="([^"]*)"', self.html)
        words = re.findall(r'<textarea id="f-avoid_words"[^>]*>([^<]*)<', self.html)
        return {**dict(texts), **lists, "avoid_words": words[0]}

    def sent(self, name: str) -> list[str]:
        """The values of hidden fields, ticked radios and selects."""
        hidden, ticked = rf'type="hidden" name="{name}" value="(\w+)"', rf'name="{name}" value="(\w+)" checked'
        selects = re.findall(rf'<select [^>]*name="{name}">.*?</select>', self.html, re.S)
        return [
            *re.findall(hidden, self.html),
            *re.findall(ticked, self.html),
            *re.findall(r'"(\w+)" selected', "".join(selects)),
        ]

    def chosen(self) -> list[tuple[str, str]]:
        fields = self.fields()
        return list(zip(fields["choice"], fields["if_not"], strict=True))

    def offered(self, action: str = "add") -> list[str]:
        return re.findall(rf'name="go" value="{action}/([\w-]+)"', self.html)


def test_nobody_is_listed_before_somebody_is_looked_for(visitor: FlaskClient) -> None:
    for form in ("how", "ranked"):
        assert not [name for name in NAMES.values() if name in visitor.get(f"/ask/1?form={form}").text]


def test_a_name_is_found_by_its_beginning_first_and_without_capitals_and_accents(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor)
    page.press("find", find=" JUN ")
    assert page.offered() == ["june", "juniper", "noor"]
    assert "3 people are called something like “JUN”." in page.html
    page.press("find", find="lucia")
    assert page.offered() == ["lucia"]


def test_what_was_looked_for_stands_in_no_address(visitor: FlaskClient) -> None:
    found = FirstQuestion(visitor).press("find", find="juniper", then="check")
    assert (found.status_code, found.headers["Location"]) == (303, "/ask/1?then=check#found-find")


def test_nobody_found_is_said_kindly_and_leads_to_everybody(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor)
    page.press("find", find="Zebedee")
    assert "We found nobody called “Zebedee”. Perhaps it is written another way." in page.html
    assert page.offered() == []
    assert re.search(r'id="found-find".*?<a href="/people">', page.html, re.S)


def test_at_most_ten_are_offered_and_the_page_says_so(visitor: FlaskClient, intake: Service) -> None:
    for number in range(12):
        list_someone(intake, f"sam-{number}", f"Sam {number}")
    page = FirstQuestion(visitor)
    page.press("find", find="sam")
    assert len(page.offered()) == 10
    assert "12 people are called something like “sam”. Here are the first ten" in page.html


def test_choices_are_added_moved_and_taken_out_and_keep_what_was_said_about_them(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor, "/ask/1?with=kai")
    assert page.chosen() == [("kai", "ask_me")]
    page.press("find", find="juniper", if_not=["wait"], avoid_words="my neighbour")
    page.press("add/juniper")
    assert page.chosen() == [("kai", "wait"), ("juniper", "ask_me")]
    page.press("up/juniper", if_not=["wait", "next_choice"])
    assert page.chosen() == [("juniper", "next_choice"), ("kai", "wait")]
    page.press("find", find="ana")
    page.press("add/ana")
    page.press("drop/juniper")
    assert page.chosen() == [("kai", "wait"), ("ana", "ask_me")]
    assert (page.fields()["mode"], page.fields()["avoid_words"], page.fields()["find"]) == (["chosen"], "my neighbour", "")
    assert "Resting" in page.html
    assert page.press().headers["Location"] == "/ask/2"


def test_coming_from_a_page_keeps_the_others_with_what_was_said_about_them(visitor: FlaskClient) -> None:
    FirstQuestion(visitor, "/ask/1?with=kai").press("save", if_not=["wait"])
    assert FirstQuestion(visitor, "/ask/1?with=juniper").chosen() == [("juniper", "ask_me"), ("kai", "wait")]
    assert FirstQuestion(visitor, "/ask/1?with=kai").chosen() == [("kai", "wait")]


def test_from_the_page_of_somebody_without_a_place_to_wait_for_them_is_chosen(visitor: FlaskClient, intake: Service) -> None:
    list_someone(intake, "otis", "Otis", state="full")
    for id, chosen in (("otis", "wait"), ("ana", "wait"), ("kai", "ask_me")):
        page = FirstQuestion(visitor, f"/ask/1?with={id}")
        assert page.chosen() == [(id, chosen)]
    FirstQuestion(visitor, "/ask/1?with=otis").press("save", if_not=["suggest"])
    assert FirstQuestion(visitor, "/ask/1?with=otis").chosen() == [("otis", "suggest")]


def test_five_are_the_most_and_nobody_is_chosen_twice(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor)
    for id in ["kai", *NAMES]:
        page.press(f"add/{id}")
    assert [id for id, _ in page.chosen()] == ["kai", "juniper", "june", "lucia", "ana"]
    assert "You have chosen five people" in page.html
    assert 'name="find"' not in page.html


def test_those_already_chosen_are_not_offered_again(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor, "/ask/1?with=juniper&form=ranked")
    page.press("find", find="jun")
    assert page.offered() == ["june", "noor"]
    assert page.html.count("Already on this page") == 1
    page.press("find", find="juniper")
    assert "1 person is called something like “juniper”." in page.html


def test_continue_and_the_enter_key_look_for_a_new_name_first(visitor: FlaskClient) -> None:
    """The Enter key presses a form's first button."""
    page = FirstQuestion(visitor)
    first = re.search(r"<button[^>]*>", page.html)
    assert first
    assert 'name="go" value=""' in first[0]
    page.press(find="juniper")
    assert page.offered() == ["juniper"]
    assert page.press().status_code == 422  # found, and not chosen
    assert '<a href="#f-choice">Choose somebody, or go back' in page.html
    page.press("add/juniper")
    assert page.press().headers["Location"] == "/ask/2"


def test_one_thing_at_a_time(visitor: FlaskClient) -> None:
    """First how; whom, on a page of its own; ranked choices only for who names a second."""
    page = FirstQuestion(visitor, "/ask/1")
    assert "<h1>Who would you like to meet?</h1>" in page.html
    assert 'name="find"' not in page.html
    assert page.press().status_code == 422
    assert '<a href="#f-mode">Choose one of these.' in page.html
    assert page.press(mode="chosen").headers["Location"] == "/ask/1?form=ranked"
    page.press("find", find="kai")
    page.press("add/kai")
    assert "<h1>You would like to meet Kai</h1>" in page.html
    assert 'name="find"' not in page.html
    assert page.press("more", if_not=["wait"]).headers["Location"] == "/ask/1?form=ranked"
    assert page.chosen() == [("kai", "wait")]
    page.press("find", find="ana")
    page.press("add/ana")
    assert "<h1>Whom would you like to meet first?</h1>" in page.html


def test_coming_from_a_page_it_is_one_line_that_can_be_changed(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor, "/ask/1?with=juniper")
    assert "<h1>You would like to meet Juniper</h1>" in page.html
    assert '<a href="/ask/1?form=how">Change' in page.html
    assert "next_choice" not in page.html
    assert page.press().headers["Location"] == "/ask/2"
    again = FirstQuestion(visitor, "/ask/1?form=how")
    assert again.fields()["mode"] == ["chosen"]
    assert again.press(mode=["suggest"]).headers["Location"] == "/ask/2"
    assert FirstQuestion(visitor, "/ask/1?form=ranked").chosen() == [("juniper", "ask_me")]  # kept, should they want it again


def test_find_without_a_name_says_what_is_missing(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor)
    for field in ("find", "find_avoid"):
        assert page.press(field).status_code == 422
        assert f'<a href="#f-{field}">Write a name to look for</a>' in page.html


def test_someone_to_avoid_is_found_and_stays_ticked(visitor: FlaskClient, intake: Service) -> None:
    page = FirstQuestion(visitor, "/ask/1")
    assert page.press("find_avoid", find_avoid="jun", mode="suggest").headers["Location"] == "/ask/1#found-find_avoid"
    assert re.findall(r'name="avoid" value="(\w+)"', page.html) == ["june", "juniper", "noor"]
    assert page.press(avoid=["june"]).headers["Location"] == "/ask/2"
    list_someone(intake, "june", "June Ortega", state="stepped_back", version=2)
    again = FirstQuestion(visitor, "/ask/1")
    assert (again.fields()["avoid"], again.fields()["find_avoid"]) == (["june"], "")
    assert "June Ortega" in again.html
    again.press("find_avoid", find_avoid="kai")
    again.press(avoid=["june", "kai"])
    assert FirstQuestion(visitor, "/ask/1").fields()["avoid"] == ["june", "kai"]


def test_a_name_to_avoid_that_nobody_was_ticked_for_stays_in_the_answers(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor, "/ask/1")
    page.press(find_avoid="Zebedee", mode="suggest", avoid_words="my neighbour")
    assert "What you wrote stays in your answers" in page.html
    assert page.press().headers["Location"] == "/ask/2"
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page.html)[0]
    for question, typed in ((2, {"name": "Wren"}), (4, {"reach": "page"})):
        visitor.post(f"/ask/{question}", data={"csrf_token": token, **typed})
    assert "<p>my neighbour</p><p>Zebedee</p>" in visitor.get("/ask/check").text


def test_one_person_cannot_be_chosen_and_avoided(visitor: FlaskClient) -> None:
    page = FirstQuestion(visitor, "/ask/1?with=kai")
    assert page.press(avoid=["kai"]).status_code == 422
    assert '<a href="#f-avoid">You chose somebody whom you would also rather not meet.' in page.html
    assert 'id="f-avoid" name="avoid" value="kai" checked' in page.html


@pytest.mark.parametrize("stranger", ["somebody-else", "kai"])
def test_somebody_who_is_not_here_any_more_can_only_be_taken_out(visitor: FlaskClient, intake: Service, stranger: str) -> None:
    page = FirstQuestion(visitor, "/ask/1?with=juniper")
    page.press(f"add/{stranger}")
    list_someone(intake, "kai", "Kai", state="stepped_back", version=2)
    assert page.press().status_code == 422
    assert '<a href="#f-choice">Somebody you chose no longer offers meetings here.' in page.html
    page.press(f"drop/{stranger}")
    assert page.press().headers["Location"] == "/ask/2"
