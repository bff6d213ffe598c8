"""What people say of themselves to be found by, from their own page to the directory, and what a visitor finds by it."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import save_directory_entry
from shared.contracts import PractitionerChanged
from shared.messages import from_json, parse_event
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners
from tests.pages import intake_site
from tests.pages.matching_site import everything_in, signed_in
from tests.pages.test_my_profile import save

SEEN = re.compile(r'<a [^>]*href="/people/([a-z-]+)')


@pytest.fixture
def rosalind(matching: Service, keys: Path) -> FlaskClient:
    add_practitioners(matching, "rosalind", "noor", parts=("weekday_evening",))
    return signed_in(matching, keys, "practitioner", "rosalind@example.org")


@pytest.fixture
def visitor(intake: Service, keys: Path) -> FlaskClient:
    return intake_site.make_site(intake, keys).test_client()


def heard(intake: Service, matching: Service) -> None:
    """What matching says of them reaches the directory."""
    events = (parse_event(from_json(row["body"])) for row in matching.db.outbox.find().sort("$natural", 1))
    for event in events:
        if isinstance(event, PractitionerChanged):
            intake.run(save_directory_entry, event)


def found(visitor: FlaskClient, **asked: str) -> set[str]:
    return seen(visitor.get("/people", query_string=asked).text)


def seen(page: str) -> set[str]:
    """Apart from those who are always here."""
    return set(SEEN.findall(page)) - {"juniper", "kai", "ana"}


def test_what_they_chose_is_found_and_what_they_wrote_is_read_on_their_page_alone(
    rosalind: FlaskClient, visitor: FlaskClient, matching: Service, intake: Service
) -> None:
    save(rosalind, "/me/words", lived=["grief"], lived_words="A long winter with quincetree")
    save(rosalind, "/me/ways", doings=["walk"])
    heard(intake, matching)
    assert found(visitor, lived="grief") == {"rosalind"}
    assert found(visitor, lived="prison") == set()
    assert found(visitor, help="lived_it") == {"rosalind"}
    assert found(visitor, doings="walk") == {"rosalind", "noor"}, "who says nothing of it has no limit"
    assert found(visitor, doings="meal") == {"noor"}
    assert found(visitor, text="quincetree") == set()
    profile = visitor.get("/people/rosalind").text
    for words in ("A long winter with quincetree", "Grief", "A walk", "Weekday evenings (New York time)"):
        assert words in profile
    for service in (matching, intake):
        rows = everything_in(service)
        assert "quincetree" not in str(rows)
        assert "grief" not in str(rows), "it travels and rests with their words, encrypted"


def test_when_is_in_the_visitor_s_zone_and_stays_as_it_was_chosen(
    rosalind: FlaskClient, visitor: FlaskClient, matching: Service, intake: Service
) -> None:
    heard(intake, matching)
    assert found(visitor, when="weekday_evening") == {"rosalind", "noor"}, "in the collective's zone, as nobody said another"
    assert found(visitor, when="weekday_evening", zone="Europe/London") == set()
    page = visitor.get("/people?when=weekday_morning&zone=Australia/Sydney").text
    assert seen(page) == {"rosalind", "noor"}
    assert 'value="Australia/Sydney" selected' in page
    assert re.search(r'value="weekday_morning" checked', page)
    assert "zone=Australia%2FSydney" in page, "the way back from a profile leads here"


def test_an_address_that_cannot_be_read_shows_everybody(
    rosalind: FlaskClient, visitor: FlaskClient, matching: Service, intake: Service
) -> None:
    heard(intake, matching)
    for wrong in ({"when": "evening"}, {"zone": "Mars/Olympus"}, {"lived": "x" * 41}):
        assert found(visitor, **wrong) == {"rosalind", "noor"}


def test_where_nobody_has_lived_it_the_page_leads_on(
    rosalind: FlaskClient, visitor: FlaskClient, matching: Service, intake: Service
) -> None:
    save(rosalind, "/me/words", lived=["grief"])
    heard(intake, matching)
    page = visitor.get("/people?lived=grief&text=nobody").text
    assert "Nobody matches all of these" in page
    assert "Without “Words” there is 1 person." in page


def test_a_code_that_the_programme_does_not_know_is_not_taken(rosalind: FlaskClient, matching: Service) -> None:
    before = everything_in(matching)
    assert save(rosalind, "/me/words", lived=["skydiving"]).status_code == 422
    assert save(rosalind, "/me/ways", help=["lived_it"]).status_code == 422
    assert everything_in(matching) == before


def test_taken_back_it_is_found_no_more(rosalind: FlaskClient, visitor: FlaskClient, matching: Service, intake: Service) -> None:
    save(rosalind, "/me/words", lived=["grief"], lived_words="Mine")
    save(rosalind, "/me/words", lived=[], lived_words="")
    heard(intake, matching)
    assert found(visitor, lived="grief") == set()
    assert found(visitor, help="lived_it") == set()
