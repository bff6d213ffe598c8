"""What the views of every service do: draw a page, redirect after a form, run a form's command once."""

import uuid
from collections.abc import Mapping
from typing import Any

from babel import Locale
from flask import Flask, Response, abort, current_app, g, render_template, request
from flask_babel import gettext

from shared.messages import Event
from shared.service import Handler, M, Service
from shared.tokens import digest
from shared.web.forms import in_words
from shared.web.locale import language


def add_to(app: Flask) -> None:
    app.context_processor(lambda: {"form_id": str(uuid.uuid4())})
    app.add_template_filter(language_name)
    app.add_template_filter(options)


def render(template: str, errors: Mapping[str, str] | None = None, status: int = 200, **context: Any) -> Response:
    """`errors`: field -> a sentence of the catalogue, shown in the reader's language; with any, the status is 422."""
    g.errors = _in_words(errors or {})
    return Response(render_template(template, **{**context, "errors": g.errors}), 422 if errors else status)


def _in_words(errors: Mapping[str, str]) -> dict[str, str]:
    service: Service = current_app.extensions["kitchen"][0]
    countries = service.programme.text_countries
    return {name: in_words(message, gettext, language(), countries) for name, message in errors.items()}


def redirect_after_post(url: str) -> Response:
    """303: the browser fetches that page, so going back or reloading sends nothing twice."""
    return Response(status=303, headers={"Location": url})


def run_form(service: Service, handler: Handler[M], command: M, sender: str = "") -> list[Event]:
    """Run the command of the form that was sent. The same `sender` sending the same form again changes nothing."""
    return service.run(handler, command, idempotency_key=form_key(sender))


def form_key(sender: str) -> str:
    """Of the form that was sent: a digest, which says neither who sent it nor where to. It is kept for months."""
    return "form/" + digest(f"{sender}{request.path}/{form_id()}")


def form_id() -> str:
    """The id that was drawn into the form's hidden field `form_id`. Answers 400 when it is not a UUID."""
    try:
        return str(uuid.UUID(request.form.get("form_id", "")))
    except ValueError:
        abort(400)


def language_name(code: str) -> str:
    """The language's name in the reader's language; the code itself when it has no name."""
    return str(Locale(language()).languages.get(code, code)).capitalize()


def options(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """(value, text) for a list of choices, in the reader's language."""
    return [(code, gettext(text)) for code, text in labels.items()]
