"""What the shared web base promises for every page of every service."""

import dataclasses
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, Response, g, render_template_string
from flask.testing import FlaskClient

from shared.service import Service
from shared.sessions import Session, new_session
from shared.web import sessions
from shared.web.app import web_app
from shared.web.limits import limit_failures, limiter
from tests.web_settings import programme_of_a_collective, settings_for_pages

PAGE = """{% extends "base.html" %}{% from "macros.html" import csrf, field, button %}
{% block title %}A page{% endblock %}
{% block main %}<h1>A page</h1><form method="post" novalidate>{{ csrf() }}
{{ field("name", "Name", typed, errors) }}{{ button(_("Continue")) }}</form>{% endblock %}"""


@pytest.fixture
def app(intake: Service, keys: Path) -> Flask:
    settings = settings_for_pages(keys)
    made = web_app(intake, settings, __name__)
    made.add_url_rule("/a", "a", lambda: render_template_string(PAGE, typed=""))
    made.add_url_rule("/a", "send", _send, methods=["POST"])
    made.add_url_rule("/broken", "broken", lambda: 1 / 0)
    return made


def _send() -> str:
    from flask import request

    g.errors = {} if request.form["name"] else {"name": "Write a name we can call you"}
    return render_template_string(PAGE, typed=request.form["name"])


@pytest.fixture
def visitor(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


def token_in(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/a", "/nothing-here", "/broken", "/static/kt.css"])
def test_every_answer_has_the_security_headers(visitor: FlaskClient, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == ("no-store" if "static" not in path else "public, max-age=31536000, immutable")


def test_a_page_can_be_read_in_spanish_and_stays_so(visitor: FlaskClient) -> None:
    assert '<html lang="es"' in visitor.get("/a?lang=es").text
    assert '<html lang="es"' in visitor.get("/a").text


def test_a_form_without_our_token_is_shown_again_with_everything_typed(visitor: FlaskClient) -> None:
    again = visitor.post("/a", data={"name": "<Sam>", "csrf_token": "old"})
    assert again.status_code == 403
    assert 'name="name" value="&lt;Sam&gt;"' in again.text
    assert visitor.post("/a", data={"name": "Sam", "csrf_token": token_in(again.text)}).status_code == 200


@pytest.mark.parametrize("header", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_send_our_forms_even_with_a_token(visitor: FlaskClient, header: dict[str, str]) -> None:
    token = token_in(visitor.get("/a").text)
    refused = visitor.post("/a", data={"name": "Sam", "csrf_token": token}, headers=header)
    assert refused.status_code == 403
    assert ">Sam</textarea>" in refused.text
    assert "<form" not in refused.text


def test_guesses_are_limited_and_right_answers_are_not(app: Flask) -> None:
    app.add_url_rule("/guess/<word>", "guess", limit_failures("3 per hour")(guess))
    limiter.reset()
    client = app.test_client()
    assert [client.get("/guess/right").status_code for _ in range(5)] == [200] * 5
    assert [client.get("/guess/wrong").status_code for _ in range(4)] == [404, 404, 404, 429]


def guess(word: str) -> Response:
    return Response(status=200 if word == "right" else 404)


@pytest.mark.parametrize(
    ("address", "neighbour", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
    ],
)
def test_a_limit_holds_for_the_whole_network_that_one_household_has(app: Flask, address: str, neighbour: str, same: bool) -> None:
    app.add_url_rule("/once", "once", limiter.limit("1 per hour")(lambda: "here"))
    limiter.reset()
    client = app.test_client()
    assert client.get("/once", environ_base={"REMOTE_ADDR": address}).status_code == 200
    assert client.get("/once", environ_base={"REMOTE_ADDR": neighbour}).status_code == (429 if same else 200)


def test_an_error_stands_in_the_title_the_summary_and_beside_the_field(visitor: FlaskClient) -> None:
    html = visitor.post("/a", data={"name": "", "csrf_token": token_in(visitor.get("/a").text)}).text
    assert "<title>Error: A page" in html
    assert '<a href="#f-name">Write a name we can call you</a>' in html
    assert 'id="e-name"' in html


def test_a_body_over_32_kib_is_refused_kindly(visitor: FlaskClient) -> None:
    answer = visitor.post("/a", data={"name": "a" * 40_000})
    assert (answer.status_code, "too much at once" in answer.text) == (413, True)


def test_a_broken_page_says_so_without_telling_why(visitor: FlaskClient) -> None:
    answer = visitor.get("/broken")
    assert answer.status_code == 500
    assert "Something on our side is broken" in answer.text
    assert "ZeroDivision" not in answer.text


def test_a_session_cookie_is_opaque_and_its_key_opens_only_with_it(app: Flask, intake: Service) -> None:
    key = bytes(32)
    with app.test_request_context():
        begun = new_session("supportee", "p1", subject_id="r1", key=key, lasts=timedelta(days=1))
        answer = sessions.begin(app.make_response(""), intake.db, begun)
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    with app.test_request_context(headers={"Cookie": cookie}):
        assert sessions.current(intake.db, "supportee") == Session("supportee", "p1", "r1", key)
        assert sessions.current(intake.db, "coordinator") is None
    assert cookie.split("=")[1] not in str(list(intake.db.sessions.find()))


def test_over_https_cookies_are_secure_and_bound_to_the_host(intake: Service, keys: Path, app: Flask) -> None:
    settings = dataclasses.replace(app.extensions["kitchen"][1], public_url="https://kt.example")
    programme = intake.programme
    intake.programme = programme_of_a_collective()
    try:
        secure = web_app(intake, settings, __name__)
    finally:
        intake.programme = programme
    secure.add_url_rule("/a", "a", lambda: render_template_string(PAGE, typed=""))
    cookie = secure.test_client().get("/a", base_url="https://kt.example").headers["Set-Cookie"]
    assert cookie.startswith("__Host-intake=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
