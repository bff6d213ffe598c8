"""How two people who said yes find an hour, change it, and have it in their calendar, as they live it."""

import re
from datetime import UTC, timedelta

import icalendar
import requests

from shared.contracts import Series
from shared.documents import from_document
from shared.meetings import start_on_date
from tests.journeys.stack import Stack, link_in, soon
from tests.journeys.website import Practitioner, Supportee, Website
from tests.zoom import SECRET, Unkind

ROOM = "https://rooms.example/quincetree"


def press(someone: Practitioner | Supportee, name: str) -> None:
    someone.page.get_by_role("button", name=name).first.click()


def reads(someone: Practitioner | Supportee, path: str, words: str) -> None:
    """The page is asked again until it says so: news is on its way."""

    def look() -> bool:
        someone.page.goto(path)
        return words in someone.page.locator("main").inner_text()

    soon(look, f"“{words}” on {path}")


def propose(wren: Supportee) -> None:
    """Two of the hours that both weeks have."""
    soon(lambda: wren.page.goto("/s/meetings") and wren.page.locator("[name=hour]").count(), "hours of both weeks")
    for index in range(2):
        wren.page.locator("[name=hour]").nth(index).check()
    wren.page.locator("[name=meeting_type][value=video]").check()
    wren.page.locator("[name=doing]").select_option("paperwork")
    press(wren, "Propose it")


def test_two_people_find_an_hour_and_change_it(stack: Stack, website: Website) -> None:
    stack.welcome("Rosalind")
    wren = website.ask("Rosalind", email="rosalindswren@people.example")
    rosalind = Practitioner(website.visitor()).open(link_in(stack.email_to("Rosalind", "/o/").text))
    rosalind.answer("yes")
    wren.status("You and Rosalind: find a first time")
    propose(wren)
    wren.status("You proposed when to meet Rosalind")

    told = stack.email_to("Rosalind", "proposes when to meet")
    assert "Wren" not in told.subject + told.text
    rosalind.open(link_in(told.text)).page.goto("/o/meetings")
    rosalind.page.locator("main form[action='/o/meetings/choose'] button").first.click()
    assert re.match(r"You meet Wren on \w+ \d+ \w+", rosalind.page.locator("h1").inner_text())
    rosalind.page.locator("[name=place]").fill(ROOM)
    press(rosalind, "Save")
    assert stack.email_to("rosalindswren", "There is news about where you meet")
    wren.status("You meet Rosalind on")
    reads(wren, "/s", ROOM)
    assert "Paperwork, side by side" in wren.page.locator(".ticket").inner_text()

    wren.page.goto("/s/meetings")
    press(wren, "Skip this one")
    assert stack.email_to("Rosalind", "One of your meetings does not take place")
    reads(rosalind, "/o/meetings", "You do not meet on this day")
    press(rosalind, "Meet as always")
    reads(wren, "/s/meetings", "Skip this one")

    _calendar(wren, stack)
    _reminder(wren, stack)
    _end(wren, rosalind, stack)
    kept = "".join(stack.database_as_text(name) for name in ("intake", "matching", "notify"))
    assert "quincetree" not in kept


def _calendar(wren: Supportee, stack: Stack) -> None:
    """The address works without a session, and says nothing but when."""
    wren.page.goto("/s/calendar")
    press(wren, "Make my address")
    address = wren.page.locator("code").inner_text()
    answer = requests.get(stack.url + "/" + address.split("/", 3)[3], timeout=20)
    events = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert [str(event["status"]) for event in events] == ["CONFIRMED"] * 8
    assert not re.search("Rosalind|Wren|quincetree|Paperwork", answer.text)


def _reminder(wren: Supportee, stack: Stack) -> None:
    """A day before, that is to say: some time before it begins."""
    wren.page.goto("/s/meetings")
    wren.page.locator("[name=remind][value=day]").check()
    press(wren, "Save")
    row = soon(
        lambda: next((row for row in stack.rows("notify", "meetings") if row.get("remind_supportee")), None), "what is kept"
    )
    begins = start_on_date(from_document(Series, row["series"]), row["series"]["first"])
    stack.move_clock(begins - timedelta(hours=3) - row["looked_at"].replace(tzinfo=UTC))
    assert stack.email_to("rosalindswren", "You meet on ")
    wren.page.goto("/s")
    if wren.page.locator("[name=code]").count():
        wren.come_back()


def _end(wren: Supportee, rosalind: Practitioner, stack: Stack) -> None:
    rosalind.page.goto("/o")
    if not rosalind.page.get_by_role("button", name="End our meetings").count():
        rosalind.open(link_in(stack.email_to("Rosalind", "One of your meetings does not take place").text))
    press(rosalind, "End our meetings")
    wren.status("Your meetings with Rosalind have come to an end")
    assert all(row.get("ended_at") for row in stack.rows("intake", "meetings") if row.get("series"))


def test_two_people_have_a_room_at_zoom_until_they_give_the_hour_up(stack: Stack, website: Website) -> None:
    stack.welcome("Odalys")
    wren = website.ask("Odalys", email="odalyswren@people.example")
    odalys = Practitioner(website.visitor()).open(link_in(stack.email_to("Odalys", "/o/").text))
    odalys.answer("yes")
    propose(wren)
    odalys.open(link_in(stack.email_to("Odalys", "proposes when to meet").text)).page.goto("/o/meetings")
    odalys.page.locator("main form[action='/o/meetings/choose'] button").first.click()

    stack.zoom.next("POST", "/oauth/token", Unkind(503, {}))  # nobody waits for ever for a provider that was away once
    press(odalys, "Have a Zoom room made")
    reads(odalys, "/o/meetings", "The Zoom room is being made.")
    reads(wren, "/s/meetings", "The Zoom room is being made.")
    stack.move_clock(timedelta(minutes=1))
    assert stack.email_to("odalyswren", "There is news about where you meet")
    [room] = stack.zoom.meetings.values()
    reads(wren, "/s", room["join_url"])
    reads(odalys, "/o/meetings", room["join_url"])

    press(odalys, "Give up this hour")
    soon(lambda: not stack.zoom.meetings, "the end of the room")
    wren.page.goto("/s/meetings")
    reads(wren, "/s/meetings", "Find a time with Odalys")
    kept = "".join(stack.database_as_text(name) for name in ("intake", "matching", "notify"))
    written = "".join(file.read_text(errors="replace") for file in stack.local.folder.rglob("*.log"))
    for secret in (str(room["id"]), room["join_url"], SECRET):
        assert secret not in kept
        assert secret not in written
