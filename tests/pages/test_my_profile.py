"""What a practitioner says of themselves on their own pages, beside a coordinator who edits the same."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.matching.handlers.profiles import public_profile
from services.matching.handlers.reading import find_practitioner
from shared.contracts import PractitionerChanged, TeamContactShared
from shared.messages import from_json, parse_event
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, answer, document, open_offer, submit
from tests.pages.matching_site import everything_in, press, signed_in

FORM_ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


def form_of(visitor: FlaskClient, page: str, action: str | None = None) -> dict[str, Any]:
    """The fields of the form that goes there, as a browser would send them unchanged."""
    html = visitor.get(page).text
    form = next(
        inside
        for head, inside in re.findall(r'<form method="post"([^>]*)>(.*?)</form>', html, re.S)
        if f'"{action or page}"' in head
    )
    found: dict[str, Any] = {}
    for kind, name, value, rest in re.findall(r'<input type="([^"]+)"[^>]*? name="([^"]+)" value="([^"]*)"([^>]*)>', form):
        if kind in ("checkbox", "radio") and " checked" not in rest:
            continue
        found.setdefault(name, []).append(value)
    for name, value in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        found[name] = [value]
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        found.setdefault(name, []).extend(re.findall(r'value="([^"]*)" selected', inside) or [""])
    return found


def save(visitor: FlaskClient, page: str, **changes: Any) -> TestResponse:
    return visitor.post(page, data={**form_of(visitor, page), **changes})


def words_of(matching: Service, id: str = "juniper") -> dict[str, str]:
    practitioner = find_practitioner(id, matching.db)
    assert practitioner
    return public_profile(practitioner)


def last(matching: Service, event_type: type[Any]) -> Any:
    rows = matching.db.outbox.find().sort("$natural", -1)
    events = (parse_event(from_json(row["body"])) for row in rows)
    return next(event for event in events if isinstance(event, event_type))


def test_their_own_words_stand_on_the_website_at_once(juniper: FlaskClient, matching: Service) -> None:
    version = document(matching, "practitioners", "juniper")["version"]
    assert save(juniper, "/me/words", words="I knit, slowly.", pronouns="they").location == "/me?done=saved"
    assert words_of(matching)["words"] == "I knit, slowly."
    changed = last(matching, PractitionerChanged)
    assert changed.version > version
    assert changed.encrypted_profile == document(matching, "practitioners", "juniper")["encrypted_profile"]


def test_ways_ages_and_what_is_not_for_now_are_theirs_to_say(juniper: FlaskClient, matching: Service) -> None:
    save(juniper, "/me/ways", languages=["es"], meeting_types=["text", "phone"], ages=["26_to_64"], not_now=["forms"])
    row = document(matching, "practitioners", "juniper")
    assert (row["languages"], row["ages"], row["not_now"]) == (["es"], ["26_to_64"], ["forms"])
    assert sorted(row["meeting_types"]) == ["phone", "text"]
    submit(matching, ("juniper", "ask_me"), help=("forms",), languages=())
    assert document(matching, "requests", "r1")["state"] != "asking"


def test_hours_are_rows_and_a_wrong_one_is_named_beside_them(juniper: FlaskClient, matching: Service) -> None:
    page = save(juniper, "/me/hours", day=["tue"], start=["20:00"], end=["18:00"])
    assert page.status_code == 422
    assert "Each row has a day, and an end after its start" in page.text
    assert 'value="20:00"' in page.text
    save(juniper, "/me/hours", day=["tue", ""], start=["18:00", ""], end=["20:00", ""], time_zone="America/New_York")
    row = document(matching, "practitioners", "juniper")
    assert [(one["day"], one["start"]) for one in row["hours"]] == [(1, 18 * 60)]
    assert row["time_zone"] == "America/New_York"
    assert last(matching, TeamContactShared).time_zone == "America/New_York"


def test_quiet_hours_and_ways_to_be_written_to_reach_the_part_that_writes(juniper: FlaskClient, matching: Service) -> None:
    changes = {"quiet_from": "19", "quiet_until": "11", "email": "juniper@example.org", "phone": "+1 551 234 5678"}
    save(juniper, "/me/letters", channels=["text"], **changes)
    contact = last(matching, TeamContactShared)
    assert (contact.channels, contact.quiet_from, contact.quiet_until) == (("text",), 19, 11)
    assert contact.version == document(matching, "practitioners", "juniper")["contact_version"]
    page = juniper.post("/me/letters", data={**form_of(juniper, "/me/letters"), "channels": []})
    assert page.status_code == 422
    assert "Choose at least one way to be written to" in page.text


def test_without_a_number_texts_alone_are_not_what_they_get(juniper: FlaskClient, matching: Service) -> None:
    save(juniper, "/me/letters", channels=["text"], quiet_from="20")
    assert last(matching, TeamContactShared).channels == ("email",)


def test_a_form_that_changes_nothing_changes_nothing(juniper: FlaskClient, matching: Service) -> None:
    before = {name: rows for name, rows in everything_in(matching).items() if name not in ("inbox", "sessions")}
    for topic in ("words", "ways", "hours", "letters"):
        assert save(juniper, f"/me/{topic}").status_code == 303
    after = {name: rows for name, rows in everything_in(matching).items() if name not in ("inbox", "sessions")}
    assert after == before


def test_a_coordinator_sees_that_it_changed_and_of_what_kind(juniper: FlaskClient, ro: FlaskClient) -> None:
    assert "Changed by themselves" not in ro.get("/c/people/juniper").text
    save(juniper, "/me/ways", languages=["es"])
    save(juniper, "/me/words", words="One")
    save(juniper, "/me/words", words="Two")
    html = ro.get("/c/people/juniper").text
    assert html.count("what everybody reads,") == 1
    assert html.count("how they meet,") == 1
    assert "changed on" in ro.get("/c/people").text


def test_what_one_leaves_alone_the_other_may_change_meanwhile(juniper: FlaskClient, ro: FlaskClient, matching: Service) -> None:
    theirs = form_of(juniper, "/me/words")
    coordinators = form_of(ro, "/c/people/juniper")
    ro.post("/c/people/juniper", data={**coordinators, "first_meeting": "Tea and quiet.", "places": "4"})
    juniper.post("/me/words", data={**theirs, "words": "I knit."})
    juniper.post("/me/ways", data={**form_of(juniper, "/me/ways"), "help": ["listening"]})
    ro.post("/c/people/juniper", data={**coordinators, "form_id": FORM_ID, "access": "Captions."})
    profile, row = words_of(matching), document(matching, "practitioners", "juniper")
    assert (profile["words"], profile["first_meeting"], profile["access"]) == ("I knit.", "Tea and quiet.", "Captions.")
    assert (row["places"], row["help"]) == (4, ["listening"])


@pytest.mark.parametrize("page", ["/me/words", "/c/people/juniper"])
def test_where_both_change_the_same_both_texts_are_there(
    page: str, juniper: FlaskClient, ro: FlaskClient, matching: Service
) -> None:
    second, first = (juniper, ro) if page == "/me/words" else (ro, juniper)
    other = "/c/people/juniper" if page == "/me/words" else "/me/words"
    drawn = form_of(second, page)
    save(first, other, words="I knit.")
    answered = second.post(page, data={**drawn, "words": "I sew."})
    assert answered.status_code == 422
    assert "Somebody else changed this meanwhile" in answered.text
    assert "I knit." in answered.text
    assert "I sew." in answered.text
    assert words_of(matching)["words"] == "I knit."
    shown = re.search(r'name="shown" value="([^"]*)"', answered.text)
    assert shown
    assert second.post(page, data={**drawn, "form_id": FORM_ID, "words": "I sew.", "shown": shown[1]}).status_code == 303
    assert words_of(matching)["words"] == "I sew."


def test_a_rest_and_its_day_are_one_for_whoever_edits_them(juniper: FlaskClient, ro: FlaskClient, matching: Service) -> None:
    coordinators = form_of(ro, "/c/people/juniper")
    press(juniper, "/me", "/me/availability", state="resting", places="2", offers_at_once="1", resting_until="2099-01-01")
    ro.post("/c/people/juniper", data={**coordinators, "access": "Captions."})
    row = document(matching, "practitioners", "juniper")
    assert (row["state"], row["resting_until"].year) == ("resting", 2099)


def test_an_address_of_somebody_else_is_refused(juniper: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "kai")
    assert save(juniper, "/me/letters", email="kai@example.org").status_code == 422


def test_nobody_reads_or_writes_it_without_being_signed_in(matching: Service, keys: Path, juniper: FlaskClient) -> None:
    stranger = juniper.application.test_client()
    for topic in ("words", "ways", "hours", "letters", "step-back"):
        assert stranger.get(f"/me/{topic}").location == "/me"
    assert signed_in(matching, keys, "practitioner", "juniper@example.org").get("/me/everything").status_code == 404


def test_stepping_back_asks_each_of_those_they_meet(juniper: FlaskClient, matching: Service) -> None:
    submit(matching, ("juniper", "ask_me"))
    answer(matching, open_offer(matching), "yes")
    submit(matching, ("juniper", "ask_me"), id="r2")
    page = press(juniper, "/me/step-back")
    assert page.status_code == 422
    assert press(juniper, "/me/step-back", people="hand_over").location == "/me?done=stepped_back"
    row = document(matching, "practitioners", "juniper")
    assert (row["state"], row["pending_codes"]) == ("stepped_back", [])
    first = document(matching, "requests", "r1")
    assert (first["state"], first["waiting_for"]) == ("waiting", "choice")
    assert matching.db.offers.count_documents({"is_open": True}) == 0
    assert "You have stepped back" in juniper.get("/me").text
    assert last(matching, PractitionerChanged).state == "stepped_back"


def test_stepping_back_may_leave_the_pairs_as_they_are(juniper: FlaskClient, matching: Service) -> None:
    submit(matching, ("juniper", "ask_me"))
    answer(matching, open_offer(matching), "yes")
    press(juniper, "/me/step-back", people="go_on")
    assert document(matching, "requests", "r1")["state"] == "matched"
    assert juniper.get("/me/words").status_code == 200
    assert save(juniper, "/me/words", words="Still here").location == "/me?done=not_possible"


def test_what_is_wrong_elsewhere_does_not_write_over_what_came_meanwhile(
    juniper: FlaskClient, ro: FlaskClient, matching: Service
) -> None:
    drawn = form_of(ro, "/c/people/juniper")
    save(juniper, "/me/words", words="I knit.")
    refused = ro.post("/c/people/juniper", data={**drawn, "places": "500"})
    shown = re.search(r'name="shown" value="([^"]*)"', refused.text)
    assert shown
    ro.post("/c/people/juniper", data={**drawn, "form_id": FORM_ID, "places": "5", "shown": shown[1]})
    assert (words_of(matching)["words"], document(matching, "practitioners", "juniper")["places"]) == ("I knit.", 5)


def test_one_email_a_day_is_theirs_to_choose_and_the_page_says_what_still_comes_at_once(
    juniper: FlaskClient, matching: Service
) -> None:
    assert "still come at once" in juniper.get("/me/letters").text
    save(juniper, "/me/letters", digest="daily")
    assert last(matching, TeamContactShared).digest
    assert juniper.post("/me/letters", data={**form_of(juniper, "/me/letters"), "digest": "hourly"}).status_code == 422
    save(juniper, "/me/letters", digest="single")
    assert not last(matching, TeamContactShared).digest
