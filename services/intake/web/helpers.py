"""What several pages of intake need: the directory, the current draft, the sessions of a supportee."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from flask import Flask, Response, current_app, request
from flask_babel import gettext, ngettext

from services.intake import code_words, labels, store
from services.intake.domain import Draft
from services.intake.handlers import service
from services.intake.handlers.access import RequestAccess
from services.intake.listing import Listing, ListingCache
from services.intake.rules import MOST_CHOICES, MOST_FOUND, Entry
from shared.people import shown_number
from shared.sessions import NewSession, new_session
from shared.web import meetings as shared_meetings
from shared.web import sessions
from shared.web.errors import error_page
from shared.web.locale import language
from shared.web.views import language_name

SUPPORTEE_SESSION, ON_OWN_DEVICE = timedelta(days=1), timedelta(days=30)


def add_to(app: Flask, people: ListingCache) -> None:
    people.load()
    app.extensions["listing"] = people
    app.context_processor(lambda: {"labels": labels, "most_choices": MOST_CHOICES, "most_found": MOST_FOUND})
    app.context_processor(lambda: {"words_in_a_code": code_words.WORDS_IN_A_CODE})
    shared_meetings.add_to(app)
    app.add_template_global(_kept, "kept")
    app.add_template_filter(lambda codes: [(code, language_name(code)) for code in codes], "language_options")
    app.add_template_filter(lambda found: [(entry.id, entry.name) for entry in found], "entry_options")
    app.add_template_filter(_known_name, "known_name")
    app.add_template_filter(lambda ids, known: [(id, _known_name(id, known)) for id in ids], "named_options")
    app.add_template_filter(lambda code, called: called[code], "in_words_of")
    app.add_template_filter(_with_hints, "with_hints")
    app.add_template_filter(lambda number: shown_number(number, language()), "shown_number")
    app.add_template_filter(lambda names: labels.listed(list(names), gettext), "listed")
    app.register_error_handler(code_words.TooBusy, lambda _: error_page(503))


def _kept(name: str) -> str:
    """How long this is kept, in words."""
    days = service.programme.days_kept(name)
    if days == int(days):
        return str(ngettext("%(num)s day", "%(num)s days", int(days)))
    return str(ngettext("%(num)s hour", "%(num)s hours", max(1, round(days * 24))))


def _with_hints(options: list[tuple[str, str]], hints: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [(value, says, hints.get(value, "")) for value, says in options]


def _known_name(id: str, known: Mapping[str, Entry]) -> str:
    return known[id].name if id in known else gettext("this person")


def listing() -> Listing:
    """Everybody who is listed now. Each call asks the database what changed, so a view calls it once."""
    people: ListingCache = current_app.extensions["listing"]
    return people.current()


def entries_by_id(ids: Collection[str]) -> dict[str, Entry]:
    return store.entries_by_id(service.db, service.vault, ids)


def current_draft() -> Draft | None:
    session = sessions.current(service.db, "draft")
    return store.draft(service.db, session.person_id, session.key) if session and session.key else None


def start_draft_session(response: Response, draft: Draft) -> Response:
    """From now on only this visitor's cookie opens the draft."""
    days = timedelta(days=service.programme.draft_days)
    begun = new_session("draft", draft.person_id, subject_id=draft.request_id, key=draft.key, lasts=days)
    return sessions.begin(response, service.db, begun)


def start_supportee_session(response: Response, access: RequestAccess) -> Response:
    return sessions.begin(response, service.db, supportee_session(access))


def supportee_session(access: RequestAccess) -> NewSession:
    """Ends with the browser, unless they say that this is their own device."""
    keep = "own_device" in request.form
    return new_session(
        "supportee",
        access.person_id,
        subject_id=access.request_id,
        key=access.key,
        note_keys=access.note_keys,
        lasts=ON_OWN_DEVICE if keep else SUPPORTEE_SESSION,
        keep=keep,
    )
