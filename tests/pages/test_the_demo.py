"""What the demo shows: e-mails and texts as their receivers see them; and how it starts."""

import json
import os
import re
import smtplib
import subprocess
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

import pytest
from werkzeug.test import Client

from deploy.demo.web import PATHS, DemoSettings, make_app
from deploy.local.sms_gateway import codes_in
from deploy.servers.processes import free_port

LOGIN = ("demo", "secret")


@pytest.fixture(scope="module")
def handed_over() -> Iterator[tuple[str, list[str]]]:
    """Where texts from the phones are handed over, and what came."""
    came: list[str] = []

    def take(environ: dict[str, Any], start: Any) -> list[bytes]:
        words = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        came.append(f"{environ['HTTP_X_KANNEL_FROM']}: {words}")
        start("200 OK", [])
        return []

    server: WSGIServer = make_server("127.0.0.1", 0, take)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/sms/kannel/in?id=%I", came
    server.shutdown()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, handed_over: tuple[str, list[str]]) -> DemoSettings:
    home = tmp_path_factory.mktemp("demo")
    return DemoSettings(
        home=home,
        public_url="http://127.0.0.1",
        programme_file=Path("deploy/programme.toml"),
        smtp_listen=f"127.0.0.1:{free_port()}",
        reply_url=handed_over[0],
        phone_login=LOGIN,
        clock_file=home / "clock",
    )


@pytest.fixture(scope="module")
def demo(settings: DemoSettings) -> Client:
    return Client(make_app(settings))


def an_email(to: str, settings: DemoSettings) -> None:
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


def test_an_email_is_shown_under_its_receivers_name(demo: Client, settings: DemoSettings) -> None:
    an_email("juniper@demo.example", settings)
    page = demo.get("/demo/inbox?who=juniper@demo.example").text
    assert "Juniper (1)" in page
    assert "Someone would like to meet you" in page


def test_an_emails_html_may_run_and_load_nothing(demo: Client, settings: DemoSettings) -> None:
    an_email("kai@demo.example", settings)
    name = next((settings.home / "emails" / "new").iterdir()).name
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
    an_email("noor@demo.example", settings)
    after = demo.get(f"/demo/api/accepted?after={before['next']}").json
    assert after is not None
    assert [(row["to"], row["channel"]) for row in after["accepted"]] == [("noor@demo.example", "email")]


def test_a_text_from_a_phone_is_handed_over(demo: Client, handed_over: tuple[str, list[str]]) -> None:
    page = demo.get("/demo/phone").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    sent = demo.post("/demo/phone", data={"who": "+12025550101", "answer": "B7 1", "csrf_token": token[1]})
    assert sent.status_code == 303
    assert handed_over[1] == ["+12025550101: B7 1"]


def test_each_path_belongs_to_the_service_that_the_proxy_of_a_deployment_sends_it_to() -> None:
    proxy = Path("deploy/Caddyfile").read_text()
    for service, paths in PATHS.items():
        for path in paths:
            matchers = re.findall(rf"@(\w+) .*(?<=[\s]){re.escape(path)}(?=[\s/*])", proxy)
            assert any(service in matcher for matcher in matchers) or service == "demo", (service, path)


def test_looking_at_the_clock_does_not_move_it(demo: Client, settings: DemoSettings) -> None:
    assert demo.get("/demo/clock").status_code == 200
    assert settings.clock_file is not None
    assert not settings.clock_file.exists()


def test_only_codes_are_offered_as_answers() -> None:
    assert codes_in("by Thu 26 Nov: https://kt.example/o/xyz or reply C3 1 (yes), C3 2 (not)") == ["C3 1", "C3 2"]


def test_a_demo_that_was_killed_is_not_taken_for_one_that_is_ready(tmp_path: Path) -> None:
    left_behind = {"ready": True, "pid": 2**22, "url": "http://127.0.0.1:9"}
    (tmp_path / "running.json").write_text(json.dumps(left_behind))
    cannot_start = {"MONGODB_URI": "mongodb://127.0.0.1:9", "AMQP_URL": "of another kind"}
    given = {**os.environ, **cannot_start, "DEMO_HOME": str(tmp_path), "PORT": str(free_port()), "DETACH": "1"}
    started = subprocess.run([sys.executable, "-m", "deploy.demo", "start"], env=given, capture_output=True, text=True)
    assert "ready" not in started.stdout
    assert started.returncode != 0
