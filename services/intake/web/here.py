"""What several pages of intake need at hand."""

import uuid
from datetime import timedelta
from typing import Any

from flask import Flask, Response, g, redirect, render_template
from flask_babel import gettext

from services.intake import codes, labels, store
from services.intake.encryption import Draft, decrypt_draft
from services.intake.handlers import service
from services.intake.rules import Entry, order_of_the_day
from shared.clock import now
from shared.settings import Settings
from shared.vault import new_key
from shared.web import sessions
from shared.web.app import settings_here
from shared.web.errors import error_page
from shared.web.locale import language
from shared.web.sessions import Session

A_DAY = timedelta(days=1)


def add_words(app: Flask) -> None:
    app.context_processor(lambda: {"labels": labels, "form_id": str(uuid.uuid4())})
    app.add_template_filter(lambda code: labels.language_name(code, language()), "language_name")
    app.add_template_filter(lambda called: [(code, gettext(says)) for code, says in called.items()], "translated")
    app.add_template_filter(lambda found: [(code, labels.language_name(code, language())) for code in found], "named_languages")
    app.add_template_filter(lambda found: [(entry.id, entry.name) for entry in found], "entry_options")
    app.add_template_filter(lambda id, known: known[id].name if id in known else gettext("this person"), "known_name")
    app.add_template_filter(lambda names: labels.listed(list(names), gettext), "listed")
    app.register_error_handler(codes.TooBusy, lambda _: error_page(503))


def service_secret() -> str:
    settings: Settings = settings_here()
    return (settings.keys_dir / "intake.secret").read_text().strip()


def page(template: str, errors: dict[str, str] | None = None, status: int = 200, **facts: Any) -> Response:
    """`errors`: field -> sentence of the catalogue, shown in the reader's language."""
    g.errors = {name: gettext(says) for name, says in (errors or {}).items()}
    facts["errors"] = g.errors
    return Response(render_template(template, **facts), status if not errors else 422)


def see(url: str) -> Response:
    """After a form: fetch that page, so that going back or reloading sends nothing twice."""
    answer = redirect(url, 303)
    assert isinstance(answer, Response)
    return answer


def everyone() -> dict[str, Entry]:
    return store.entries(service.db, service.vault)


def everyone_today() -> list[Entry]:
    return order_of_the_day(everyone().values(), now().date())


def draft_days() -> int:
    return service.programme.draft_days


def the_draft() -> Draft | None:
    held = sessions.current(service.db, "draft")
    return draft_of(held) if held else None


def draft_of(held: Session) -> Draft | None:
    row = store.draft(service.db, held.person_id)
    return decrypt_draft(row, held.key) if held.key and row else None


def a_new_draft() -> Draft:
    return Draft(str(uuid.uuid4()), str(uuid.uuid4()), new_key())


def hold_draft(answer: Response, draft: Draft) -> Response:
    """From now on only this visitor's cookie opens the draft."""
    days = timedelta(days=draft_days())
    return sessions.begin(answer, service.db, "draft", draft.person_id, subject_id=draft.request_id, key=draft.key, lasts=days)


def let_in(answer: Response, person_id: str, request_id: str, key: bytes | None) -> Response:
    return sessions.begin(answer, service.db, "supportee", person_id, subject_id=request_id, key=key, lasts=A_DAY)
