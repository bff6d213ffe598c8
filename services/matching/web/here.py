"""What several pages of matching need at hand."""

import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from flask import Flask, Response, g, redirect, render_template, request
from flask_babel import gettext

from services.matching import labels, store
from services.matching.handlers import service
from services.matching.handlers.entries import profile_of
from shared import vault
from shared.messages import Event
from shared.mongo import Doc
from shared.service import Handler, M
from shared.vault import DecryptionError
from shared.web.locale import language

FOR_PRACTITIONERS = ("name", "pronouns", "words", "access", "anything", "language_other")


def add_words(app: Flask) -> None:
    app.context_processor(lambda: {"labels": labels, "form_id": str(uuid.uuid4()), "said": _said()})
    app.add_template_filter(language_name)
    app.add_template_filter(in_words)
    app.add_template_filter(options)
    app.add_template_filter(known_as)
    app.add_template_global(day_names)
    app.add_template_global(zones)


def page(template: str, errors: Mapping[str, str] | None = None, status: int = 200, **facts: Any) -> Response:
    """`errors`: field -> sentence of the catalogue, shown in the reader's language."""
    g.errors = {name: gettext(says) for name, says in (errors or {}).items()}
    facts["errors"] = g.errors
    return Response(render_template(template, **facts), 422 if errors else status)


def see(url: str) -> Response:
    """After a form: fetch that page, so that going back or reloading sends nothing twice."""
    answer = redirect(url, 303)
    assert isinstance(answer, Response)
    return answer


def run(handler: Handler[M], message: M) -> list[Event]:
    """A form that is sent twice has its effect once."""
    return service.run(handler, message, idempotency_key=request.form.get("form_id", "")[:80] or None)


def words_of(row: Doc, names: Sequence[str]) -> dict[str, str]:
    """What the supportee wrote, opened; nothing once it was taken back."""
    if not row["encrypted"]:
        return {}
    encrypted, person_id = row["encrypted"], row["supportee_id"]
    try:
        key = service.vault.unwrap(encrypted["wrap"], person_id)
        blobs = {name: encrypted["fields"][name] for name in names if name in encrypted["fields"]}
        return vault.decrypt_fields(key, person_id, blobs)
    except DecryptionError:
        return {}


def notes_in(row: Doc, practitioner_id: str | None = None) -> list[Doc]:
    """Oldest first: `words`, `at`, who wrote (None, None: the supportee). With a practitioner: only what is between the two."""
    if not row["encrypted"]:
        return []
    person_id, notes = row["supportee_id"], store.notes_about(service.db, row["_id"], practitioner_id)
    try:
        key = service.vault.unwrap(row["encrypted"]["wrap"], person_id)
        words = [vault.decrypt(key, person_id, vault.note_field(note["_id"]), note["encrypted"]) for note in notes]
    except DecryptionError:
        return []
    return [
        {
            "words": said,
            "at": note["at"],
            "practitioner_id": note.get("practitioner_id"),
            "coordinator_id": note.get("coordinator_id"),
        }
        for said, note in zip(words, notes, strict=True)
    ]


def name_of(row: Doc | None) -> str:
    """A practitioner's name, as everybody may read it."""
    return profile_of(row)["name"] if row else ""


def language_name(code: str) -> str:
    return str(Locale(language()).languages.get(code, code)).capitalize()


def in_words(codes: Sequence[str], called: Mapping[str, str]) -> str:
    return ", ".join(gettext(called[code]) for code in codes if code in called)


def options(called: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(code, gettext(says)) for code, says in called.items()]


def known_as(practitioner_id: str, people: Mapping[str, str]) -> str:
    return people.get(practitioner_id) or gettext("somebody who is not here")


def day_names() -> list[str]:
    names = Locale(language()).days["stand-alone"]["wide"]
    return [str(names[day]).capitalize() for day in range(7)]


@cache
def zones() -> list[tuple[str, str]]:
    known = sorted(
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right", "SystemV"))
    )
    return [(zone, zone.replace("_", " ")) for zone in known]


def _said() -> str:
    """The sentence for what was just done, by a code in the address: never a value."""
    says = labels.DONE.get(request.args.get("said", ""))
    return gettext(says) if says else ""
