"""The pages of when and where two people meet, on both sides: what they say, what a press does, and what is refused."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import add_to_history, save_meetings
from services.matching.handlers.meetings import agree_by_supportee, choose_by_supportee, propose_by_supportee
from services.matching.handlers.rooms import go_on_without_room
from services.matching.handlers.service import service
from shared import vault
from shared.clock import now
from shared.contracts import (
    CallsAgreed,
    EncryptedFields,
    HourChosen,
    HoursProposed,
    MatchMade,
    MeetingsChanged,
    OfferMade,
    Proposal,
    RequestSubmitted,
    Room,
    RoomFailed,
    Series,
    WeeklyHour,
)
from shared.meetings import anchored_at
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, document, only, submit
from tests.pages import intake_site, matching_site
from tests.pages.intake_site import ask_for, post, published
from tests.pages.matching_site import links_in, press
from tests.people import NEW_YORK

LONDON = "Europe/London"


def in_days(days: int, hour: int = 18, zone: str = NEW_YORK) -> datetime:
    local = (now() + timedelta(days=days)).astimezone(ZoneInfo(zone))
    return local.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(ZoneInfo("UTC"))


def a_proposal(by: Any, **facts: Any) -> Proposal:
    known: dict[str, Any] = {"id": "p1", "starts": (in_days(3), in_days(4)), "zone": NEW_YORK, "weekly": True}
    return Proposal(**{**known, "by": by, "meeting_type": "video", **facts})


def a_series(**facts: Any) -> Series:
    return replace(anchored_at(in_days(3), NEW_YORK, id="s1", weekly=True), **facts)


# The supportee's side


@pytest.fixture
def wren(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with intake_site.make_site(intake, keys).test_client() as client:
        yield client


@pytest.fixture
def pair(wren: FlaskClient, intake: Service) -> RequestSubmitted:
    ask_for(wren, "juniper")
    post(wren, "/ask/check")
    submitted: RequestSubmitted = published(intake, "request.submitted.v1")[0]
    about: dict[str, Any] = {"request_id": submitted.request_id, "offer_id": "o1", "practitioner_id": "juniper"}
    nothing = EncryptedFields(person_id="juniper", wrap="", fields={})
    intake.run(add_to_history, OfferMade(**about, version=1, answer_by=in_days(5), code="A7", encrypted=nothing))
    intake.run(add_to_history, MatchMade(**about, supportee_id=submitted.supportee_id, match_id="m1", version=2))
    return submitted


def said(intake: Service, pair: RequestSubmitted, version: int = 1, **facts: Any) -> None:
    known: dict[str, Any] = {"match_id": "m1", "request_id": pair.request_id, "offer_id": "o1", "change": "set"}
    known |= {"supportee_id": pair.supportee_id, "practitioner_id": "juniper", "version": version}
    zones = {"supportee_zone": NEW_YORK, "practitioner_zone": LONDON}
    intake.run(save_meetings, MeetingsChanged(**{**known, **zones, **facts}))


def test_before_there_is_a_time_the_page_leads_to_finding_one(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    html = wren.get("/s").text
    assert "<h1>You and Juniper: find a first time</h1>" in html
    assert '<a class="btn" href="/s/meetings">Find a time together</a>' in html
    assert "<h1>Find a time with Juniper</h1>" in wren.get("/s/meetings").text


def test_hours_of_both_weeks_are_there_to_tick_and_up_to_three_are_proposed(
    wren: FlaskClient, pair: RequestSubmitted, intake: Service
) -> None:
    said(intake, pair, hours=(WeeklyHour(day=1, minute=18 * 60), WeeklyHour(day=3, minute=19 * 60)))
    html = wren.get("/s/meetings").text
    offered = re.findall(r'name="hour" value="([^"]+)"', html)
    assert len(offered) == 2
    assert all(datetime.fromisoformat(start) > now() + timedelta(hours=24) for start in offered)
    assert "6:00" in html
    assert (
        post(wren, "/s/meetings/propose", at="/s/meetings", hour=offered, meeting_type="video", keeps="practitioner").status_code
        == 303
    )
    [event] = published(intake, "hours.proposed.v1")
    assert (event.match_id, event.proposal.zone, event.proposal.weekly) == ("m1", LONDON, True)
    assert [start.isoformat() for start in event.proposal.starts] == sorted(offered)
    assert "We heard you. In a moment this page shows it." in wren.get("/s/meetings").text


WRONG = [
    ({}, "Choose up to three hours, or write a day and a time"),
    ({"day": "2020-01-01", "time": "18:00"}, "Choose a time that is still to come"),
    ({"day": "2099-01-01", "time": "18:00"}, "Choose a time within the next four months"),
    ({"day": "2026-12-33", "time": "18:00"}, "Write the day as year, month and day, or choose it"),
    ({"day": "{soon}", "time": "25:00"}, "Write the time like 18:30"),
    ({"day": "{soon}"}, "Write the day and the time"),
    ({"time": "18:00"}, "Write the day and the time"),
    ({"hour": ["{1}", "{2}", "{3}", "{4}"]}, "Choose up to three hours, or write a day and a time"),
    ({"hour": ["tomorrow"]}, "Choose from what is offered here"),
    ({"hour": ["2020-01-01T00:00:00+00:00"]}, "Choose a time that is still to come"),
    ({"day": "{soon}", "time": "18:00", "keeps": "Mars/Olympus"}, "Choose from what is offered here"),
    ({"day": "{soon}", "time": "18:00", "doing": "skydiving"}, "Choose from what is offered here"),
    ({"day": "{soon}", "time": "18:00", "meeting_type": ""}, "Choose how you would like to meet"),
]


def filled(fields: dict[str, Any]) -> dict[str, Any]:
    known = {"{soon}": in_days(5).date().isoformat(), **{f"{{{n}}}": in_days(n + 1).isoformat() for n in range(1, 5)}}
    look: Any = lambda value: [look(one) for one in value] if isinstance(value, list) else known.get(value, value)  # noqa: E731
    return {"meeting_type": "video", **{name: look(value) for name, value in fields.items()}}


@pytest.mark.parametrize(("fields", "sentence"), WRONG)
def test_what_cannot_be_is_said_beside_the_field_and_nothing_is_proposed(
    wren: FlaskClient, pair: RequestSubmitted, intake: Service, fields: dict[str, Any], sentence: str
) -> None:
    said(intake, pair, hours=(WeeklyHour(day=1, minute=18 * 60),))
    answer = post(wren, "/s/meetings/propose", at="/s/meetings", **filled(fields))
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    assert published(intake, "hours.proposed.v1") == []


def test_an_hour_of_ones_own_is_in_ones_own_zone(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    said(intake, pair)
    day = in_days(5)
    typed = {"day": day.astimezone(ZoneInfo(NEW_YORK)).date().isoformat(), "time": "18:00", "weekly": "once", "doing": "walk"}
    post(wren, "/s/meetings/propose", at="/s/meetings", meeting_type="in_person", **typed)
    [event] = published(intake, "hours.proposed.v1")
    assert event.proposal.starts == (day,)
    assert (event.proposal.weekly, event.proposal.doing, event.proposal.zone) == (False, "walk", NEW_YORK)


def test_one_press_chooses_what_the_other_proposed(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    said(intake, pair, proposal=a_proposal("practitioner", doing="walk"))
    assert "<h1>Juniper proposes when to meet</h1>" in wren.get("/s").text
    html = wren.get("/s/meetings").text
    assert "An hour, each week from then on." in html
    assert "Video call, A walk" in html
    chosen = in_days(4).isoformat()
    assert f'name="start" value="{chosen}"' in html
    post(wren, "/s/meetings/choose", at="/s/meetings", proposal_id="p1", start=chosen)
    [event] = published(intake, "hour.chosen.v1")
    assert (event.proposal_id, event.start) == ("p1", in_days(4))


def test_the_next_meeting_is_the_headline_and_each_date_can_be_changed(
    wren: FlaskClient, pair: RequestSubmitted, intake: Service
) -> None:
    series = a_series()
    said(intake, pair, series=series, meeting_type="video")
    html = wren.get("/s").text
    assert re.search(r"<h1>You meet Juniper on \w+ \d+ \w+</h1>", html)
    assert "6:00 PM to 7:00 PM" in html
    assert "Video call" in html
    assert "find a first time" not in html
    assert wren.get("/s/meetings").text.count("Skip this one") == 4
    post(wren, "/s/meetings", series_id="s1", on=series.first, action="skip")
    [event] = published(intake, "meetings.adjusted.v1")
    assert (event.action, event.on, event.series_id) == ("skip", series.first, "s1")


def test_skipped_moved_and_paused_are_said_and_can_be_taken_back(
    wren: FlaskClient, pair: RequestSubmitted, intake: Service
) -> None:
    series = a_series()
    said(intake, pair, series=replace(series, skipped=(series.first,)))
    html = wren.get("/s/meetings").text
    assert "You do not meet on this day" in html
    assert "Meet as always" in html
    said(intake, pair, version=2, series=replace(series, paused_at=now()))
    html = wren.get("/s/meetings").text
    assert "<h1>Your meetings with Juniper are paused</h1>" in html
    assert "Go on meeting" in html
    assert "Skip this one" not in html


def test_a_meeting_is_moved_once_by_day_and_time(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    series = a_series()
    said(intake, pair, series=series)
    at = f"/s/meetings/move?on={series.first}"
    assert "Only this one moves. Juniper is told." in wren.get(at).text
    wrong = post(wren, "/s/meetings/move", at=at, series_id="s1", on=series.first, day="2020-01-01", time="10:00")
    assert (wrong.status_code, "Choose a time that is still to come" in wrong.text) == (422, True)
    to = in_days(5, 10)
    day = to.astimezone(ZoneInfo(NEW_YORK)).date().isoformat()
    post(wren, "/s/meetings/move", at=at, series_id="s1", on=series.first, day=day, time="10:00")
    [event] = published(intake, "meetings.adjusted.v1")
    assert (event.action, event.to) == ("move", to)


@pytest.mark.parametrize("on", ["2020-01-01", "nonsense", "", "2026-12-01' or 1"])
def test_a_date_that_is_none_leads_back(wren: FlaskClient, pair: RequestSubmitted, intake: Service, on: str) -> None:
    said(intake, pair, series=a_series())
    assert wren.get("/s/meetings/move", query_string={"on": on}).location == "/s/meetings"


def test_dates_are_marked_where_only_one_of_the_two_changes_clocks(
    wren: FlaskClient, pair: RequestSubmitted, intake: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = datetime(2026, 10, 20, 22, tzinfo=ZoneInfo("UTC"))  # Tuesday at six in New York
    ahead = start - timedelta(days=1) - now()
    (tmp_path / "clock").write_text(str(ahead.total_seconds()))
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    series = anchored_at(start, NEW_YORK, id="s1", weekly=True)
    said(intake, pair, series=series, supportee_zone=LONDON, practitioner_zone=NEW_YORK)
    html = wren.get("/s/meetings").text
    assert html.count("Clocks change: from this date on it is at") == 2
    assert "When clocks change, the hour stays the same in New York." in html


def test_where_they_meet_is_read_with_the_key_that_the_person_brings(
    wren: FlaskClient, pair: RequestSubmitted, intake: Service, keys: Path
) -> None:
    words = vault.load_vault(keys, "matching").unwrap(pair.encrypted.wrap, pair.supportee_id)
    place = vault.encrypt(vault.pair_key(words, "m1"), pair.supportee_id, "place", "https://rooms.example/quince")
    said(intake, pair, series=a_series(), encrypted_place=place)
    html = wren.get("/s").text
    assert '<a href="https://rooms.example/quince" rel="noreferrer noopener nofollow">' in html
    assert "quince" not in str(list(intake.db.meetings.find()))
    other = vault.encrypt(vault.pair_key(words, "m2"), pair.supportee_id, "place", "https://rooms.example/quince")
    said(intake, pair, version=2, series=a_series(), encrypted_place=other)
    assert "Where you meet opens with your code words." in wren.get("/s/meetings").text


def test_reading_changes_nothing(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    said(intake, pair, series=a_series(), proposal=a_proposal("practitioner"))
    before = list(intake.db.meetings.find()), intake.db.outbox.count_documents({})
    for path in ("/s", "/s/meetings", f"/s/meetings/move?on={a_series().first}"):
        assert wren.get(path).status_code == 200
        assert wren.head(path).status_code == 200
    assert (list(intake.db.meetings.find()), intake.db.outbox.count_documents({})) == before


def test_a_double_press_is_one(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    said(intake, pair, series=a_series())
    html = wren.get("/s/meetings").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', html)
    form = re.search(r'name="form_id" value="([^"]+)"', html)
    assert token
    assert form
    data = {"csrf_token": token[1], "form_id": form[1], "series_id": "s1", "on": a_series().first, "action": "skip"}
    for _ in range(2):
        assert wren.post("/s/meetings", data=data).status_code == 303
    assert len(published(intake, "meetings.adjusted.v1")) == 1


def test_older_news_does_not_undo_newer(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    said(intake, pair, version=5, series=a_series())
    said(intake, pair, version=4, series=None)
    assert "You meet Juniper on" in wren.get("/s").text


def test_it_reads_in_spanish(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    said(intake, pair, series=a_series(), proposal=a_proposal("practitioner"), hours=(WeeklyHour(day=1, minute=600),))
    html = wren.get("/s/meetings?lang=es").text
    assert "Juniper propone cuándo verse" in html
    assert "Saltar esta" in html
    assert "Skip" not in html


# The practitioner's side


@pytest.fixture
def ana(matching: Service, keys: Path) -> FlaskClient:
    add_practitioners(matching, "ana")
    link = links_in(keys, only(OfferMade, submit(matching, "ana")))["link"]
    visitor = matching_site.make_site(matching, keys).test_client()
    press(visitor, link)
    press(visitor, "/o", "/o", answer="yes")
    return visitor


def meetings_row(matching: Service) -> dict[str, Any]:
    row = matching.db.meetings.find_one()
    assert row
    return row


def test_a_practitioner_proposes_and_sees_that_they_wait(ana: FlaskClient, matching: Service) -> None:
    assert "Find a time together" in ana.get("/o").text
    offered = re.findall(r'name="hour" value="([^"]+)"', ana.get("/o/meetings").text)
    assert len(offered) == 12
    answer = press(ana, "/o/meetings", "/o/meetings/propose", hour=offered[:3], meeting_type="video")
    assert answer.location == "/o/meetings"
    html = ana.get("/o/meetings").text
    assert "<h1>You proposed when to meet Wren</h1>" in html
    assert len(meetings_row(matching)["proposal"]["starts"]) == 3
    token, form = (re.search(rf'name="{name}" value="([^"]+)"', html) for name in ("csrf_token", "form_id"))
    assert token
    assert form
    taken_back = {"csrf_token": token[1], "form_id": form[1], "series_id": meetings_row(matching)["proposal"]["_id"]}
    ana.post("/o/meetings", data={**taken_back, "action": "take_back"})
    assert "proposal" not in meetings_row(matching)


@pytest.mark.parametrize(("fields", "sentence"), [one for one in WRONG if "keeps" not in one[0]])
def test_the_same_is_refused_there(ana: FlaskClient, matching: Service, fields: dict[str, Any], sentence: str) -> None:
    answer = press(ana, "/o/meetings", "/o/meetings/propose", **filled(fields))
    assert (answer.status_code, answer.text.count(sentence)) == (422, 2)
    assert "proposal" not in meetings_row(matching)


def wren_proposes(matching: Service) -> Proposal:
    wanted = a_proposal("supportee")
    matching.run(propose_by_supportee, HoursProposed(request_id="r1", match_id=meetings_row(matching)["_id"], proposal=wanted))
    return wanted


def test_a_practitioner_chooses_and_the_next_meeting_is_on_their_page(ana: FlaskClient, matching: Service, keys: Path) -> None:
    wanted = wren_proposes(matching)
    assert "<h1>Wren proposes when to meet</h1>" in ana.get("/o/meetings").text
    press(ana, "/o/meetings", "/o/meetings/choose", start=wanted.starts[0].isoformat())
    assert re.search(r"<h1>You meet Wren on \w+ \d+ \w+</h1>", ana.get("/o/meetings").text)
    assert 'class="ticket"' in ana.get("/o").text
    me = matching_site.signed_in(matching, keys, "practitioner", "ana@example.org").get("/me").text
    assert re.search(r"\w+day \d+ \w+, 6:00 PM to 7:00 PM", me)


def test_my_page_says_when_they_propose_and_when_nothing_is_set(ana: FlaskClient, matching: Service, keys: Path) -> None:
    me = matching_site.signed_in(matching, keys, "practitioner", "ana@example.org")
    assert "No next time yet." in me.get("/me").text
    wren_proposes(matching)
    assert "They propose when to meet" in me.get("/me").text


def test_a_press_that_came_too_late_says_so(ana: FlaskClient, matching: Service) -> None:
    wanted = wren_proposes(matching)
    html = ana.get("/o/meetings").text
    matching.db.meetings.update_one({}, {"$unset": {"proposal": 1}})
    token, form = (re.search(rf'name="{name}" value="([^"]+)"', html) for name in ("csrf_token", "form_id"))
    assert token
    assert form
    data = {"csrf_token": token[1], "form_id": form[1], "proposal_id": "p1", "start": wanted.starts[0].isoformat()}
    assert ana.post("/o/meetings/choose", data=data).location == "/o/meetings?done=not_possible"


REFUSED = [
    "http://meet.example/a", "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "file:///etc", "ftp://x.example",
    "https://meet.example@evil.example/a", "https:///a", "https://meet .example", "my room https://meet.example/a",
]  # fmt: skip


@pytest.mark.parametrize("place", REFUSED)
def test_an_address_that_is_not_plainly_one_is_refused_beside_its_field(ana: FlaskClient, matching: Service, place: str) -> None:
    answer = press(ana, "/o/meetings", "/o/meetings/place", place=place)
    assert answer.status_code == 422
    assert answer.text.count("Write an address that begins with https://, or describe the place in words") == 2
    assert "encrypted_place" not in meetings_row(matching)


@pytest.mark.parametrize(
    "place", ["https://rooms.example/quince?pwd=a", "The library, second floor", "Time: by the <b>fountain</b>"]
)
def test_a_room_or_words_are_shown_as_they_are(ana: FlaskClient, matching: Service, place: str) -> None:
    wanted = wren_proposes(matching)
    press(ana, "/o/meetings", "/o/meetings/choose", start=wanted.starts[0].isoformat())
    press(ana, "/o/meetings", "/o/meetings/place", place=place)
    html = ana.get("/o").text
    assert (f'<a href="{place}"' in html) == place.startswith("https://")
    assert place.replace("<", "&lt;").replace(">", "&gt;") in html
    assert "quince" not in str(list(matching.db.meetings.find()))
    press(ana, "/o/meetings", "/o/meetings/place", place="")
    assert "encrypted_place" not in meetings_row(matching)


def test_reading_changes_nothing_there(ana: FlaskClient, matching: Service) -> None:
    wanted = wren_proposes(matching)
    matching.run(
        choose_by_supportee,
        HourChosen(request_id="r1", match_id=meetings_row(matching)["_id"], proposal_id="p1", start=wanted.starts[0]),
    )
    before = matching_site.everything_in(matching)
    for path in ("/o", "/o/meetings", "/o/meetings/move?on=2026-01-01"):
        ana.get(path)
        ana.head(path)
    assert matching_site.everything_in(matching) == before


def test_without_a_pair_there_is_nothing_to_arrange(matching: Service, keys: Path) -> None:
    add_practitioners(matching, "ana")
    link = links_in(keys, only(OfferMade, submit(matching, "ana")))["link"]
    visitor = matching_site.make_site(matching, keys).test_client()
    assert visitor.get("/o/meetings").status_code == 410
    press(visitor, link)
    assert visitor.get("/o/meetings").location == "/o"
    assert document(matching, "requests", "r1")["state"] == "asking"


def test_a_room_is_made_by_one_press_under_a_name_of_its_own(ana: FlaskClient, matching: Service) -> None:
    assert "Make a video room" not in ana.get("/o/meetings").text
    shipped = matching.programme
    matching.programme = replace(shipped, rooms_at="https://rooms.example/")
    try:
        wanted = wren_proposes(matching)
        press(ana, "/o/meetings", "/o/meetings/choose", start=wanted.starts[0].isoformat())
        assert "Or a video room at rooms.example" in ana.get("/o/meetings").text
        rooms = set()
        for _ in range(2):
            press(ana, "/o/meetings", "/o/meetings/room")
            found = re.search(r'<a href="https://rooms.example/([0-9a-f]{32})"', ana.get("/o/meetings").text)
            assert found
            rooms.add(found[1])
        assert len(rooms) == 2
        assert not any(room in str(list(matching.db.meetings.find())) for room in rooms)
    finally:
        matching.programme = shipped


def test_a_room_at_zoom_is_offered_only_where_there_is_an_account_and_says_how_it_stands(
    ana: FlaskClient, matching: Service
) -> None:
    assert "Zoom" not in ana.get("/o/meetings").text
    service.offers_rooms = True
    try:
        wanted = wren_proposes(matching)
        press(ana, "/o/meetings", "/o/meetings/choose", start=wanted.starts[0].isoformat())
        assert "Have a Zoom room made" in ana.get("/o/meetings").text
        press(ana, "/o/meetings", "/o/meetings/zoom")
        waiting = ana.get("/o/meetings").text
        assert waiting.count("The Zoom room is being made.") == 1
        assert "Have a Zoom room made" not in waiting
        assert "The Zoom room is being made." in ana.get("/o").text
        room = meetings_row(matching)["room"]["_id"]
        [pair] = matching.db.matches.find()
        matching.run(go_on_without_room, RoomFailed(room_id=room, match_id=pair["_id"], request_id="r1"))
        without = ana.get("/o/meetings").text
        assert without.count("No Zoom room could be made. You need another place to meet.") == 1
        assert "Have a Zoom room made" in without
    finally:
        service.offers_rooms = False


def test_a_supportee_reads_how_it_stands_with_their_room(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    rooms = (
        (Room(id="one", state="wanted"), "The Zoom room is being made."),
        (Room(id="one", state="failed"), "No Zoom room could be made."),
        (Room(id="two", state="made"), ""),
    )
    for version, (room, words) in enumerate(rooms, 1):
        said(intake, pair, version=version, series=a_series(), room=room)
        for page in ("/s", "/s/meetings"):
            text = wren.get(page).text
            assert (words in text) if words else ("Zoom room" not in text)


# By phone


def pair_key_of(pair: RequestSubmitted, keys: Path) -> bytes:
    return vault.pair_key(vault.load_vault(keys, "matching").unwrap(pair.encrypted.wrap, pair.supportee_id), "m1")


def test_a_supportee_s_number_leaves_their_page_encrypted_for_the_two(
    wren: FlaskClient, pair: RequestSubmitted, intake: Service, keys: Path
) -> None:
    said(intake, pair)
    assert "Numbers are shown only once both of you have said yes to calls." in wren.get("/s/meetings").text
    wrong = post(wren, "/s/meetings/calls", at="/s/meetings", calls="yes", phone="12")
    assert (wrong.status_code, wrong.text.count("Check the phone number. Begin with +")) == (422, 2)
    post(wren, "/s/meetings/calls", at="/s/meetings", calls="yes", phone="(212) 555-0142")
    [event] = published(intake, "calls.agreed.v1")
    assert "5550142" not in str(list(intake.db.outbox.find()))
    number = vault.decrypt(pair_key_of(pair, keys), pair.supportee_id, "phone/supportee", event.encrypted)
    assert number == "+12125550142"


def test_a_supportee_sees_the_number_once_both_said_yes(
    wren: FlaskClient, pair: RequestSubmitted, intake: Service, keys: Path
) -> None:
    said(intake, pair, callers=("supportee",))
    assert "You said yes to calls. Once Juniper does too" in wren.get("/s/meetings").text
    number = vault.encrypt(pair_key_of(pair, keys), pair.supportee_id, "phone/practitioner", "+12125550199")
    said(intake, pair, version=2, callers=("practitioner", "supportee"), encrypted_phone=number)
    assert '<a href="tel:+12125550199">' in wren.get("/s/meetings").text
    post(wren, "/s/meetings/calls", at="/s/meetings", calls="no")
    assert published(intake, "calls.agreed.v1")[-1].encrypted is None


def test_a_practitioner_s_number_is_published_only_once_both_said_yes(ana: FlaskClient, matching: Service) -> None:
    press(ana, "/o/meetings", "/o/meetings/calls", calls="yes", phone="+12125550199")
    assert "You said yes to calls. Once Wren does too" in ana.get("/o/meetings").text
    first = [event for event in published(matching, "meetings.changed.v1") if event.change == "calls"]
    assert [event.encrypted_phone for event in first] == [None]
    row, request = meetings_row(matching), document(matching, "requests", "r1")
    words = matching.vault.unwrap(request["encrypted"]["wrap"], "supportee of r1")
    theirs = vault.encrypt(vault.pair_key(words, row["_id"]), "supportee of r1", "phone/supportee", "+12125550142")
    agreed = only(
        MeetingsChanged,
        matching.run(agree_by_supportee, CallsAgreed(request_id="r1", match_id=row["_id"], encrypted=theirs)),
    )
    assert agreed.callers == ("practitioner", "supportee")
    assert agreed.encrypted_phone
    assert '<a href="tel:+12125550142">' in ana.get("/o/meetings").text
    assert "5550142" not in str(meetings_row(matching))
    back = only(MeetingsChanged, matching.run(agree_by_supportee, CallsAgreed(request_id="r1", match_id=row["_id"])))
    assert (back.callers, back.encrypted_phone) == (("practitioner",), None)
    assert "tel:" not in ana.get("/o/meetings").text


def test_whoever_calls_gives_no_number(ana: FlaskClient, matching: Service) -> None:
    press(ana, "/o/meetings", "/o/meetings/calls", calls="yes")
    assert meetings_row(matching)["phone_practitioner"]
    press(ana, "/o/meetings", "/o/meetings/calls", calls="no")
    assert "phone_practitioner" not in meetings_row(matching)
