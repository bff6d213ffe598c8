"""A visitor of intake's pages: fills in forms, presses buttons, never runs a script."""

import re
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.intake.handlers.broker_events import save_directory_entry
from services.intake.web import make_app
from shared.messages import from_json, parse_event
from shared.service import Service
from shared.web.limits import limiter
from tests.people import an_entry_seen
from tests.web_settings import settings_for_pages


def make_site(intake: Service, keys: Path) -> Flask:
    """With three people who can be met."""
    settings = settings_for_pages(keys)
    for name, state in (("juniper", "open"), ("kai", "open"), ("ana", "resting")):
        intake.run(save_directory_entry, an_entry_seen(intake, name, state=state))
    app = make_app(settings)
    limiter.reset()
    return app


def post(visitor: FlaskClient, path: str, at: str | None = None, **fields: Any) -> TestResponse:
    """Draw the page, then send its form with these fields."""
    html = visitor.get(at or path).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert token
    form_id = re.search(r'name="form_id" value="([^"]+)"', html)
    more = {"form_id": form_id[1]} if form_id else {}
    return visitor.post(path, data={"csrf_token": token[1], **more, **fields})


def ask_for(visitor: FlaskClient, *choices: str, **more: Any) -> None:
    assert (
        post(
            visitor, "/ask/1", mode="chosen" if choices else "suggest", choice=list(choices), if_not=["ask_me"] * len(choices)
        ).status_code
        == 303
    )
    assert post(visitor, "/ask/2", name="Wren").status_code == 303
    assert post(visitor, "/ask/3", words="company on hard mornings").status_code == 303
    assert post(visitor, "/ask/4", **(more or {"reach": "page"})).status_code == 303
    assert post(visitor, "/ask/5", time_zone="America/New_York").status_code == 303
    assert post(visitor, "/ask/6").status_code == 303
    assert post(visitor, "/ask/7").headers["Location"] == "/ask/check"


def code_words(html: str) -> str:
    found = re.search(r'<ol class="words"[^>]*>(.*?)</ol>', html, re.S)
    assert found
    return " ".join(re.findall(r"<li>([^<]+)</li>", found[1]))


def published(intake: Service, event_type: str) -> list[Any]:
    return [parse_event(from_json(row["body"])) for row in intake.db.outbox.find({"type": event_type})]
