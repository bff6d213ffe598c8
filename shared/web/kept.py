"""What somebody typed and nobody gets any more: it stays on the page, with why, so that it can be copied."""

from collections.abc import Callable
from functools import wraps

from flask import Response, request

from shared.i18n import _
from shared.labels import AGREEMENT, LOOK_BACK, PLAN
from shared.messages import Event
from shared.mongo import Db
from shared.service import Handler, M
from shared.web.views import render

ENDED = _("This has come to an end, so nobody gets it any more.")
NOT_OPEN_HERE = _("It has ended, or it is not open in this browser any more.")
LOCKED = _("Your code words open it. Show your request with them, then send this once more.")
OWN_PAUSE = _("There is a pause now, so nobody gets it. After the pause you can send it once more.")
PAUSED = _("They take a pause, so nobody can write to them now.")
SIGNED_OUT = _("You were signed out meanwhile. Sign in again, then send this once more.")
LIST_IS_FULL = _("Your list is full. Take a name off it first.")
WRITTEN = frozenset(
    (
        "name", "pronouns", "words", "email", "phone", "greet_as", "before_we_write", "access", "language_other", "anything",
        "avoid_words", "question", "place", "label", "day", "time", *AGREEMENT, *PLAN, *LOOK_BACK,
    )
)  # fmt: skip
"""Fields in which people write; the others hold codes."""


class NotSent(Exception):
    """Nothing was done, and nobody gets what was typed."""


def must_reach(handler: Handler[M]) -> Handler[M]:
    """Raises NotSent where it does nothing. A form that was sent before is not handled again, so it raises nothing either."""

    @wraps(handler)
    def handle(command: M, db: Db) -> list[Event]:
        events = handler(command, db)
        if not events:
            raise NotSent
        return events

    return handle


def kept_as_typed(why: str, otherwise: Callable[[], Response]) -> Response:
    """`otherwise`: where nothing was typed."""
    texts = [text for name, texts in request.form.lists() if name in WRITTEN for text in texts if text.strip()]
    if request.method != "POST" or not texts:
        return otherwise()
    page = render("not_sent.html", why=why, texts=texts)
    page.status_code = 409
    return page
