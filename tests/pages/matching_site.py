"""A visitor of the matching pages: follows links, presses buttons, never runs a script."""

import re
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.matching.handlers.sign_in import RequestSignIn, send_sign_in_link
from services.matching.web import make_app
from shared import vault
from shared.contracts import NoteForwarded, OfferMade, TeamSignInRequested
from shared.service import Service
from shared.settings import Settings
from shared.vault import load_vault
from shared.web.limits import limiter
from tests.handlers.matching_steps import only


def make_site(matching: Service, keys: Path) -> Flask:
    settings = Settings(
        mongodb_uri="mongodb://unused", amqp_url="amqp://unused", keys_dir=keys, programme_file=Path("deploy/programme.toml"),
        public_url="http://localhost", log_level="INFO", metrics_port=0, worker_threads=1,
    )  # fmt: skip
    app = make_app(settings)
    limiter.reset()
    return app


def press(visitor: FlaskClient, page: str, action: str | None = None, **fields: Any) -> TestResponse:
    """Send the form on this page that goes to `action` (or to the page itself) with its own hidden fields."""
    html = visitor.get(page).text
    forms = re.findall(r"<form method=\"post\"([^>]*)>(.*?)</form>", html, re.S)
    head, inside = next((head, body) for head, body in forms if action is None or f'action="{action}"' in head)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inside))
    drawn = re.search(r'action="([^"]+)"', head)
    return visitor.post(drawn[1] if drawn else page, data={**hidden, **fields})


def links_in(keys: Path, event: NoteForwarded | OfferMade | TeamSignInRequested) -> dict[str, str]:
    """What notify reads in the events: paths of the links."""
    encrypted = event.encrypted
    key = load_vault(keys, "notify").unwrap(encrypted.wrap, encrypted.person_id)
    found = vault.decrypt_fields(key, encrypted.person_id, encrypted.fields)
    return {name: "/" + link.split("/", 3)[3] for name, link in found.items()}


def everything_in(matching: Service) -> dict[str, list[dict[str, Any]]]:
    names = sorted(matching.db.list_collection_names())
    return {name: list(matching.db[name].find().sort("_id", 1)) for name in names}


def signed_in(matching: Service, keys: Path, role: Any, email: str) -> FlaskClient:
    visitor = make_site(matching, keys).test_client()
    link = links_in(keys, only(TeamSignInRequested, matching.run(send_sign_in_link, RequestSignIn(email=email, role=role))))[
        "link"
    ]
    assert press(visitor, link).status_code == 303
    return visitor
