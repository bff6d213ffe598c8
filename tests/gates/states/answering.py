"""An offer, by its link, and every answer to it; and what the person who asks then sees."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.states.status import send
from tests.gates.visitor import Visitor
from tests.gates.walk import Walk, slug_of
from tests.journeys.stack import Stack, address
from tests.zoom import Unkind

ANSWER = "main form[action='/o'] button.btn:not(.quietly)"
QUESTION = {"en": "Is text all right at first?", "es": "¿Está bien por mensaje al principio?"}


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    supportee = walk.visitor()
    send(walk, supportee, "Robin", f"with={slug_of(walk.another)}", email=address(f"robin {walk.language}"))
    supportee.press()
    practitioner = walk.visitor().go(walk.link_to(walk.another, "/o/"))
    yield practitioner.look("offer/by link")
    practitioner.press("main form button")
    yield practitioner.look("offer")
    practitioner.press(ANSWER)
    yield practitioner.look("offer/no answer chosen")
    yield from _asking_first(walk, practitioner, supportee)
    yield from _not_this_time_and_then_yes(practitioner, supportee)
    yield from _matched(supportee)
    yield from _meetings(walk, practitioner, supportee)
    yield from _paused(practitioner, supportee)
    yield from _ended(practitioner, supportee)
    yield from _over(walk)


def _asking_first(walk: Walk, practitioner: Visitor, supportee: Visitor) -> Iterator[PageState]:
    practitioner.tick("answer", "ask_first")
    practitioner.press(ANSWER)
    yield practitioner.look("offer/nothing asked")
    practitioner.tick("answer", "ask_first")
    practitioner.fill(question=QUESTION[walk.language])
    practitioner.press(ANSWER)
    yield practitioner.look("offer/a question asked")
    supportee.wait_for("/s", lambda: supportee.see("#notes").count(), "the note")
    yield supportee.look("status/asked something first")
    supportee.go("/s/write")
    yield supportee.look("status/write back")
    supportee.tick("to", "practitioner")
    supportee.fill(words="Text is good.")
    supportee.press("main form[action='/s/write'] button")
    yield supportee.look("status/answered")
    practitioner.wait_for("/o", lambda: practitioner.see("main", "Text is good.").count(), "the answer")
    yield practitioner.look("offer/answered")


def _not_this_time_and_then_yes(practitioner: Visitor, supportee: Visitor) -> Iterator[PageState]:
    practitioner.tick("answer", "not_this_time")
    practitioner.press(ANSWER)
    yield practitioner.look("offer/not this time")
    supportee.wait_for("/s", lambda: supportee.see("form[action='/s/next']").count(), "what next")
    yield supportee.look("status/what next")
    practitioner.press(practitioner.see("main form button"))
    yield practitioner.look("offer/yes")
    practitioner.press("main form[action='/o/write'] button")
    yield practitioner.look("offer/yes, no note")
    practitioner.fill(words="Tuesday at six?")
    practitioner.press("main form[action='/o/write'] button")
    yield practitioner.look("offer/yes, a note sent")


def _matched(supportee: Visitor) -> Iterator[PageState]:
    supportee.wait_for("/s", lambda: not supportee.see("form[action='/s/next']").count() and _steps(supportee) > 2, "the match")
    yield supportee.look("status/matched")
    yield from calendar(supportee, "/s/calendar")


def calendar(visitor: Visitor, path: str) -> Iterator[PageState]:
    """Of either of the two: with and without an address that a calendar program asks."""
    name = "status/calendar" if path == "/s/calendar" else "my page/calendar"
    yield visitor.go(path).look(name)
    visitor.press(f"form[action='{path}'] button")
    yield visitor.look(f"{name}, a new address", pictured=False)
    yield visitor.go(path).look(f"{name}, one with an address")
    visitor.press(f"form[action='{path}/stop'] button")


def _meetings(walk: Walk, practitioner: Visitor, supportee: Visitor) -> Iterator[PageState]:
    """They find an hour, and change it."""
    supportee.wait_for("/s/meetings", lambda: supportee.see("[name=hour]").count(), "hours of both weeks")
    yield supportee.look("meetings/to propose")
    supportee.press("main form[action='/s/meetings/propose'] button")
    yield supportee.look("meetings/nothing proposed")
    practitioner.go("/o/meetings")
    yield practitioner.look("my meetings/to propose")
    practitioner.page.locator("[name=hour]").nth(0).check()
    practitioner.page.locator("[name=hour]").nth(1).check()
    practitioner.tick("meeting_type", "video")
    practitioner.press("main form[action='/o/meetings/propose'] button")
    yield practitioner.look("my meetings/proposed")
    supportee.wait_for("/s", lambda: _title_changed(supportee), "the proposal")
    yield supportee.look("status/hours are proposed")
    supportee.go("/s/meetings")
    yield supportee.look("meetings/to choose")
    supportee.press("main form[action='/s/meetings/choose'] button")
    practitioner.wait_for("/o/meetings", lambda: practitioner.see(".ticket").count(), "the hour")
    practitioner.fill(place="javascript:alert(1)")
    practitioner.press("main form[action='/o/meetings/place'] button")
    yield practitioner.look("my meetings/no place for anybody")
    yield from _room_at_zoom(walk, practitioner, supportee)
    practitioner.fill(place="https://rooms.example/quince")
    practitioner.press("main form[action='/o/meetings/place'] button")
    yield practitioner.look("my meetings/an hour and a place")
    practitioner.go("/o")
    yield practitioner.look("offer/yes, the next meeting")
    supportee.wait_for("/s", lambda: supportee.see(".ticket", "rooms.example").count(), "the place")
    yield supportee.look("status/the next meeting")
    supportee.go("/s/meetings").press("main button[value=skip]")
    supportee.wait_for("/s/meetings", lambda: supportee.see("button[value=keep]").count(), "the skipped date")
    yield supportee.look("meetings/one is skipped")
    supportee.press(supportee.see("main a[href^='/s/meetings/move']"))
    yield supportee.look("meetings/to move")
    supportee.press("main form[action='/s/meetings/move'] button")
    yield supportee.look("meetings/moved nowhere")
    practitioner.go("/o/meetings").press(practitioner.see("main a[href^='/o/meetings/move']"))
    yield practitioner.look("my meetings/to move")
    supportee.go("/s/meetings").press("main button[value=pause]")
    supportee.wait_for("/s/meetings", lambda: supportee.see("button[value=resume]").count(), "the pause")
    yield supportee.look("meetings/paused")


def _room_at_zoom(walk: Walk, practitioner: Visitor, supportee: Visitor) -> Iterator[PageState]:
    """While Zoom is away, and once it takes none for too long."""
    walk.stack.zoom.always("POST", "/oauth/token", Unkind(503))
    practitioner.go("/o/meetings").press("form[action='/o/meetings/zoom'] button")
    yield practitioner.look("my meetings/a room is being made")
    supportee.wait_for("/s/meetings", lambda: supportee.see(".ticket .hint", "Zoom").count(), "the room")
    yield supportee.look("meetings/a room is being made")
    practitioner.fill(place="-")
    practitioner.press("main form[action='/o/meetings/place'] button")
    walk.stack.zoom.be_kind()
    walk.stack.zoom.next("POST", "/v2/users", Unkind(429, {"code": 429}, {"Retry-After": "90000"}))
    practitioner.go("/o/meetings").press("form[action='/o/meetings/zoom'] button")
    practitioner.wait_for("/o/meetings", lambda: practitioner.see(".ticket .note", "Zoom").count(), "no room")
    yield practitioner.look("my meetings/no room could be made")
    supportee.wait_for("/s", lambda: supportee.see(".ticket .note", "Zoom").count(), "no room")
    yield supportee.look("status/no room could be made")


def _title_changed(supportee: Visitor) -> bool:
    """It no longer asks to find a first time."""
    return not supportee.see("h1", {"en": "find a first time", "es": "primera hora"}[supportee.language]).count()


def _ended(practitioner: Visitor, supportee: Visitor) -> Iterator[PageState]:
    """And taken back, so that the two go on meeting."""
    supportee.go("/s/end")
    yield supportee.look("end our meetings")
    supportee.press("main form[action='/s/end'] button")
    yield supportee.look("end our meetings/nothing chosen")
    supportee.tick("then", "wait")
    supportee.press("main form[action='/s/end'] button")
    supportee.wait_for("/s", lambda: supportee.see("form[action='/s/end/undo']").count(), "the end")
    yield supportee.look("status/meetings ended")
    practitioner.wait_for("/o", lambda: not practitioner.see("form[action='/o/write']").count(), "the end")
    yield practitioner.look("offer/meetings ended")
    supportee.go("/s").press("form[action='/s/end/undo'] button")
    supportee.wait_for("/s", lambda: supportee.see("a[href='/s/end']").count(), "the match again")
    yield supportee.look("status/matched again")
    practitioner.wait_for("/o", lambda: practitioner.see("form[action='/o/end']").count(), "the match again")
    practitioner.press("form[action='/o/end'] button")
    yield practitioner.look("offer/I ended our meetings")
    practitioner.press("form[action='/o/end/undo'] button")


def _paused(practitioner: Visitor, supportee: Visitor) -> Iterator[PageState]:
    """And back again."""
    supportee.wait_for("/s", lambda: supportee.see("form[action='/s/pause']").count(), "the match")
    supportee.press("form[action='/s/pause'] button")
    yield supportee.look("status/paused")
    practitioner.wait_for("/o", lambda: not practitioner.see("form[action='/o/write']").count(), "the pause")
    yield practitioner.look("offer/they take a pause")
    supportee.go("/s").press("form[action='/s/come-back'] button")
    yield supportee.look("status/come back")


def _steps(visitor: Visitor) -> int:
    return visitor.see(".steps .done").count()


def _over(walk: Walk) -> Iterator[PageState]:
    supportee, before = walk.visitor(), len(walk.stack.emails_to(walk.another))
    send(walk, supportee, "Sam", f"with={slug_of(walk.another)}")
    supportee.press()
    supportee.wait_for("/s", lambda: supportee.see("h1", walk.another).count(), "the offer")
    practitioner = walk.visitor().go(walk.link_to(walk.another, "/o/", after=before))
    practitioner.press("main form button")
    supportee.go("/s/leave").press("main form[action='/s/leave'] button")
    practitioner.wait_for("/o", lambda: not practitioner.see("form[action='/o']").count(), "the end")
    yield practitioner.look("offer/over")
