"""What the demo shows: letters and texts as their receivers see them, and one front for three web processes."""

import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

import pytest
from werkzeug.test import Client

from deploy.demo.phone import codes_in
from deploy.demo.processes import free_port
from deploy.demo.settings import DemoSettings
from deploy.demo.web import make_app

LOGIN = ("demo", "secret")


def upstream(environ: dict[str, Any], start: Any) -> list[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start("200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Host", environ["HTTP_HOST"])])
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ.get('HTTP_X_KANNEL_FROM', '')} ".encode() + body]


@pytest.fixture(scope="module")
def upstream_url() -> Iterator[str]:
    server: WSGIServer = make_server("127.0.0.1", 0, upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, upstream_url: str) -> DemoSettings:
    home: Path = tmp_path_factory.mktemp("demo")
    return DemoSettings(
        home=home, public_url="http://127.0.0.1", programme_file=Path("deploy/programme.toml"),
        smtp_listen=f"127.0.0.1:{free_port()}", intake_url=upstream_url, matching_url="http://127.0.0.1:9", notify_url="",
        reply_url=f"{upstream_url}/sms/kannel/in?id=%I", phone_login=LOGIN, clock_file=home / "clock",
    )  # fmt: skip


@pytest.fixture(scope="module")
def demo(settings: DemoSettings) -> Client:
    return Client(make_app(settings))


def a_letter(to: str, settings: DemoSettings) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Kitchen Table <table@kt.example>", to, "Someone would like to meet you"
    mail.set_content("Open https://kt.example/o/abc")
    mail.add_alternative("<html><head></head><body>Open it</body></html>", subtype="html")
    host, _, port = settings.smtp_listen.partition(":")
    with smtplib.SMTP(host, int(port)) as server:
        server.send_message(mail)


def a_text(to: str, words: str, demo: Client, password: str = LOGIN[1]) -> int:
    asked = {"username": LOGIN[0], "password": password, "to": to, "text": words}
    return demo.get("/cgi-bin/sendsms", query_string=asked).status_code


def test_a_letter_is_shown_under_its_receivers_name(demo: Client, settings: DemoSettings) -> None:
    a_letter("juniper@demo.example", settings)
    page = demo.get("/demo/inbox?who=juniper@demo.example").text
    assert "Juniper (1)" in page
    assert "Someone would like to meet you" in page


def test_a_letters_html_may_run_and_load_nothing(demo: Client, settings: DemoSettings) -> None:
    a_letter("kai@demo.example", settings)
    name = next((settings.home / "letters" / "new").iterdir()).name
    policy = demo.get(f"/demo/inbox/{name}/html").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy


def test_a_text_is_shown_with_the_answers_it_offers(demo: Client) -> None:
    assert a_text("+12025550101", "Reply B7 1 (yes), B7 2 (not this time)", demo) == 202
    page = demo.get("/demo/phone?who=%2B12025550101").text
    assert "Juniper (1)" in page
    assert 'value="B7 1"' in page


def test_a_wrong_password_sends_no_text(demo: Client) -> None:
    assert a_text("+12025550199", "hello", demo, password="wrong") == 403
    assert "+12025550199" not in demo.get("/demo/phone").text


def test_whoever_measures_learns_when_things_were_accepted(demo: Client, settings: DemoSettings) -> None:
    before = demo.get("/demo/api/accepted?after=1000000").json
    assert before is not None
    a_letter("noor@demo.example", settings)
    after = demo.get(f"/demo/api/accepted?after={before['next']}").json
    assert after is not None
    assert [(row["to"], row["channel"]) for row in after["accepted"]] == [("noor@demo.example", "email")]


def test_the_front_passes_everything_on_and_keeps_every_cookie(demo: Client) -> None:
    answer = demo.post("/ask/1", data={"a": "b"}, headers={"Host": "kt.example"})
    assert answer.text == "POST /ask/1  a=b"
    assert answer.headers.getlist("Set-Cookie") == ["a=1", "b=2"]
    assert answer.headers["X-Host"] == "kt.example"


def test_a_part_that_is_away_is_said_calmly(demo: Client) -> None:
    assert demo.get("/o/abc").status_code == 503


def test_looking_at_the_clock_does_not_move_it(demo: Client, settings: DemoSettings) -> None:
    assert demo.get("/demo/clock").status_code == 200
    assert settings.clock_file is not None
    assert not settings.clock_file.exists()


def test_only_codes_are_offered_as_answers() -> None:
    assert codes_in("by Thu 26 Nov: https://kt.example/o/xyz or reply C3 1 (yes), C3 2 (not)") == ["C3 1", "C3 2"]
