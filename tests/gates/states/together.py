"""What two people write together, on both sides, until one of them leaves: a plan that one shows, and what they agree on."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.states.answering import ANSWER
from tests.gates.states.status import send
from tests.gates.visitor import Visitor
from tests.gates.walk import Walk, slug_of
from tests.journeys.stack import Stack, address

HELPS = {"en": "Mornings are hard, so nothing before ten.\nTea.", "es": "Las mañanas son difíciles: nada antes de las diez.\nTé."}
HELPS_TOO = {
    "en": "Mornings are hard, so nothing before eleven.\nTea.",
    "es": "Las mañanas son difíciles: nada antes de las once.\nTé.",
}
OFF = {"en": "We say “pear”, and stop.", "es": "Decimos «pera» y paramos."}
NOT_SO = {"en": "Being asked how I sleep.", "es": "Que me pregunten cómo duermo."}
SAVE = "main form[action='{}'] button"


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    supportee, practitioner = a_pair(walk, "Quinn")
    yield from _plan(supportee, practitioner)
    yield from _begun(supportee, practitioner)
    yield from _changed(supportee, practitioner)
    yield from _at_the_same_time(supportee, practitioner)
    yield from _deleted(supportee, practitioner)
    yield from _over(walk, supportee, practitioner)
    supportee.go("/s/leave").press("main form[action='/s/leave'] button")
    _meet_each_week(walk)


def _meet_each_week(walk: Walk) -> None:
    """A pair that looks back some weeks later: see states/after_some_meetings.py."""
    supportee, practitioner = a_pair(walk, "Sol")
    practitioner.wait_for("/o/meetings", lambda: practitioner.see("[name=hour]").count(), "hours of both weeks")
    practitioner.page.locator("[name=hour]").first.check()
    practitioner.tick("meeting_type", "video")
    practitioner.press("main form[action='/o/meetings/propose'] button")
    supportee.wait_for("/s/meetings", lambda: supportee.see("form[action='/s/meetings/choose']").count(), "the proposal")
    supportee.press("main form[action='/s/meetings/choose'] button")
    supportee.wait_for("/s/meetings", lambda: supportee.see("button[value=skip]").count(), "their dates")


def a_pair(walk: Walk, name: str) -> tuple[Visitor, Visitor]:
    supportee, before = walk.visitor(), len(walk.stack.emails_to(walk.another))
    send(walk, supportee, name, f"with={slug_of(walk.another)}", email=address(f"{name} {walk.language}"))
    supportee.press()
    practitioner = walk.visitor().go(walk.link_to(walk.another, "/o/", after=before))
    practitioner.press("main form button")
    practitioner.tick("answer", "yes")
    practitioner.press(ANSWER)
    supportee.wait_for("/s", lambda: supportee.see("a[href='/s/agreement']").count(), "the match")
    return supportee, practitioner


def _begun(supportee: Visitor, practitioner: Visitor) -> Iterator[PageState]:
    yield supportee.go("/s/agreement").look("agreement/none yet")
    yield practitioner.go("/o/agreement").look("my agreement/none yet")
    yield supportee.go("/s/agreement/write").look("agreement/to write")
    supportee.press(SAVE.format("/s/agreement/write"))
    yield supportee.look("agreement/nothing written")
    supportee.fill(helps="x" * 4001, off=OFF[supportee.language])
    supportee.press(SAVE.format("/s/agreement/write"))
    yield supportee.look("agreement/too long", pictured=False)
    supportee.fill(helps=HELPS[supportee.language], off=OFF[supportee.language])
    supportee.press(SAVE.format("/s/agreement/write"))
    supportee.wait_for("/s/agreement", lambda: supportee.see("a[href='/s/agreement/delete']").count(), "what they wrote")
    yield supportee.look("agreement/written by me")
    practitioner.wait_for("/o", lambda: practitioner.see("a[href='/o/agreement'] .hint").count(), "news")
    yield practitioner.look("offer/yes, my yes is missing")
    yield practitioner.go("/o/agreement").look("my agreement/my yes is missing")
    practitioner.press(SAVE.format("/o/agreement/yes"))
    yield practitioner.look("my agreement/agreed")


def _plan(supportee: Visitor, practitioner: Visitor) -> Iterator[PageState]:
    """For hard days."""
    yield supportee.go("/s/plan").look("plan/none yet")
    yield supportee.go("/s/plan/write").look("plan/to write")
    supportee.press(SAVE.format("/s/plan/write"))
    yield supportee.look("plan/nothing written", pictured=False)
    supportee.fill(signs=NOT_SO[supportee.language], helps=HELPS[supportee.language])
    supportee.press(SAVE.format("/s/plan/write"))
    yield supportee.look("plan/written")
    supportee.press(SAVE.format("/s/plan/show"))
    yield supportee.look("plan/shown")
    practitioner.wait_for("/o", lambda: practitioner.see("a[href='/o/plan']").count(), "the plan")
    yield practitioner.look("offer/yes, a plan is shown", pictured=False)
    yield practitioner.go("/o/plan").look("their plan")
    supportee.go("/s/plan/write").fill(helps=HELPS_TOO[supportee.language])
    supportee.press(SAVE.format("/s/plan/write"))
    yield supportee.look("plan/changed since it was shown")
    yield supportee.go("/s/plan/delete").look("plan/to delete")
    supportee.press(SAVE.format("/s/plan/delete"))


def _changed(supportee: Visitor, practitioner: Visitor) -> Iterator[PageState]:
    yield practitioner.go("/o/agreement/write").look("my agreement/to write")
    practitioner.fill(helps=HELPS_TOO[practitioner.language], off="", not_helpful=NOT_SO[practitioner.language])
    practitioner.press(SAVE.format("/o/agreement/write"))
    yield practitioner.look("my agreement/changed")
    supportee.wait_for("/s/agreement", lambda: supportee.see("ins").count(), "what changed")
    yield supportee.look("agreement/changed, my yes is missing")
    yield supportee.go("/s").look("status/my yes is missing", pictured=False)
    supportee.go("/s/agreement").press(SAVE.format("/s/agreement/yes"))
    supportee.wait_for("/s/agreement", lambda: not supportee.see("form[action='/s/agreement/yes']").count(), "the yes")
    supportee.wait_for("/s/agreement", lambda: not supportee.see(".note").count(), "that it was heard")
    yield supportee.look("agreement/agreed")


def _at_the_same_time(supportee: Visitor, practitioner: Visitor) -> Iterator[PageState]:
    """The practitioner's page is older than what the supportee writes."""
    practitioner.go("/o/agreement/write").fill(helps=HELPS[practitioner.language])
    supportee.go("/s/agreement/write").fill(may_know=OFF[supportee.language])
    supportee.press(SAVE.format("/s/agreement/write"))
    other = practitioner.page
    practitioner.page = practitioner.context.new_page()
    practitioner.wait_for("/o/agreement", lambda: practitioner.see("#s-may_know").count(), "what was written since")
    practitioner.page = other
    practitioner.press(SAVE.format("/o/agreement/write"))
    yield practitioner.look("my agreement/both texts")


def _deleted(supportee: Visitor, practitioner: Visitor) -> Iterator[PageState]:
    yield supportee.go("/s/agreement/delete").look("agreement/to delete")
    yield practitioner.go("/o/agreement/delete").look("my agreement/to delete")
    practitioner.press(SAVE.format("/o/agreement/delete"))
    yield practitioner.look("my agreement/deleted")
    supportee.wait_for("/s/agreement", lambda: not supportee.see("section[aria-labelledby='s-helps']").count(), "that it is gone")
    yield supportee.look("agreement/deleted")


def _over(walk: Walk, supportee: Visitor, practitioner: Visitor) -> Iterator[PageState]:
    practitioner.go("/o/agreement/write").fill(helps=HELPS[practitioner.language])
    practitioner.press(SAVE.format("/o/agreement/write"))
    supportee.wait_for("/s/agreement", lambda: supportee.see("#s-helps").count(), "the new one")
    supportee.go("/s/end").tick("then", "wait")
    supportee.press("main form[action='/s/end'] button")
    supportee.wait_for("/s", lambda: supportee.see("a[href='/s/agreement/earlier']").count(), "the end")
    yield supportee.go("/s/agreement/earlier").look("agreement/earlier")
    practitioner.wait_for("/o", lambda: practitioner.see("a[href='/o/agreement']").count(), "the end")
    yield practitioner.look("offer/meetings ended, with an agreement", pictured=False)
    yield practitioner.go("/o/agreement").look("my agreement/after the end")
    yield walk.signed_in_as(walk.another, "me").go("/me").look("my page/agreed on something before", pictured=False)
