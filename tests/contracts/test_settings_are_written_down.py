"""The names that the code reads, that deploy/.env.example offers and that the README explains are the same names."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from shared import settings

# What docker-compose.yml itself asks for, and no service reads.
ONLY_COMPOSE = {
    "SITE_ADDRESS", "HTTP_PORT", "HTTPS_PORT", "PYTHON_IMAGE",
    "RABBITMQ_IMAGE", "MONGO_IMAGE", "CADDY_IMAGE", "PIP_INDEX_URL", "DEMO",
}  # fmt: skip
MADE_BY_COMPOSE = {"COMPOSE_PROJECT_NAME"}


def read_by_the_code() -> set[str]:
    calls = [node for node in ast.walk(ast.parse(Path(settings.__file__).read_text())) if isinstance(node, ast.Call)]
    names = [argument.value for call in calls for argument in call.args if isinstance(argument, ast.Constant)]
    return {name for name in names if isinstance(name, str) and re.fullmatch(r"[A-Z]+(_[A-Z]+)+", name)}


def offered() -> set[str]:
    return set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", Path("deploy/.env.example").read_text(), re.M))


def explained() -> set[str]:
    return set(re.findall(r"^\| `([A-Z][A-Z_]+)`", Path("README.md").read_text(), re.M))


def asked_by_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", Path("docker-compose.yml").read_text())) - MADE_BY_COMPOSE


def test_the_example_offers_every_setting_and_no_other() -> None:
    assert offered() == read_by_the_code() | ONLY_COMPOSE


def test_the_readme_explains_every_setting_and_no_other() -> None:
    assert explained() == read_by_the_code() | ONLY_COMPOSE


def test_whatever_compose_asks_for_is_offered() -> None:
    assert asked_by_compose() - offered() == set()


@pytest.mark.parametrize(
    "service", ["intake-web", "intake-worker", "matching-web", "matching-worker", "notify-web", "notify-worker"]
)
def test_compose_hands_each_service_only_settings_that_it_reads(service: str) -> None:
    given = yaml.safe_load(Path("docker-compose.yml").read_text())["services"][service]["environment"]
    names = {name.removesuffix("_FILE") if name != "PROGRAMME_FILE" else name for name in given}
    assert names - read_by_the_code() == set()


def test_a_missing_setting_is_named_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in read_by_the_code():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MONGODB_URI", "postgres://kay:sesame@nowhere")
    monkeypatch.setenv("KEYS_DIR", str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        settings.read_core()
    said = str(stopped.value)
    assert "MONGODB_URI" in said
    assert "AMQP_URL" in said
    assert "sesame" not in said


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Every setting that notify needs, each one right."""
    for name in read_by_the_code():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    right = {
        "MONGODB_URI": "mongodb://one.example/", "AMQP_URL": "amqp://a.example/", "KEYS_DIR": str(tmp_path),
        "PUBLIC_URL": "https://kt.example", "SMTP_URL": "smtp://mail.example:25", "MAIL_FROM": "a@kt.example",
        "MAIL_REPLY_TO": "b@kt.example", "SMS_GATEWAY": "kannel", "KANNEL_URL": "http://sms.example", "KANNEL_USER": "kt",
        "KANNEL_PASSWORD": "sesame", "KANNEL_CALLBACK_SECRET": "open", "ZOOM_ACCOUNT_ID": "a1", "ZOOM_CLIENT_ID": "c1",
        "ZOOM_CLIENT_SECRET": "s1",
    }  # fmt: skip
    for name, value in right.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_secret_may_stand_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uri").write_text("mongodb://two.example/\n")
    environment.delenv("MONGODB_URI")
    environment.setenv("MONGODB_URI_FILE", str(tmp_path / "uri"))
    assert settings.read_notify().mongodb_uri == "mongodb://two.example/"


@pytest.mark.parametrize("in_a_file", [False, True])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGODB_URI", "one.example:27017"),
        ("AMQP_URL", "https://kay:hunter2@a.example"),
        ("SMTP_URL", "mail.example.org:587"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", ""),
        ("KANNEL_PASSWORD", ""),
        ("KANNEL_CALLBACK_SECRET", ""),
        ("ZOOM_CLIENT_SECRET", ""),
        ("ZOOM_CLIENT_ID", ""),
        ("ZOOM_ACCOUNT_ID", ""),
    ],
)
def test_a_wrong_value_stops_the_start_wherever_it_stands(
    environment: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, in_a_file: bool
) -> None:
    environment.setenv(name, value)
    if in_a_file:
        (tmp_path / "secret").write_text(value)
        environment.delenv(name)
        environment.setenv(f"{name}_FILE", str(tmp_path / "secret"))
    with pytest.raises(SystemExit) as stopped:
        settings.read_notify()
    message = str(stopped.value)
    assert name in message
    assert not value or value not in message
    assert "hunter2" not in message


def test_a_file_that_cannot_be_read_is_named(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("SMTP_URL_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit, match="SMTP_URL_FILE"):
        settings.read_notify()


@pytest.mark.parametrize("address", ["http://kt.example", "http://192.168.1.5", "kt.example", "https://"])
def test_a_public_address_without_https_stops_the_start(environment: pytest.MonkeyPatch, address: str) -> None:
    environment.setenv("PUBLIC_URL", address)
    with pytest.raises(SystemExit, match="PUBLIC_URL"):
        settings.read_notify()


@pytest.mark.parametrize(
    ("address", "secure"), [("https://kt.example", True), ("https://localhost", True), ("http://127.0.0.1:8000", False)]
)
def test_cookies_go_without_https_on_this_machine_only(environment: pytest.MonkeyPatch, address: str, secure: bool) -> None:
    environment.setenv("PUBLIC_URL", address)
    assert settings.read_notify().secure is secure


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZOOM_API_URL", "http://api.example"),
        ("ZOOM_TOKEN_URL", "zoom.us"),
        ("ZOOM_HOSTS", ""),
        ("ZOOM_HOSTS", "ro@kt.example, ../accounts"),
    ],
)
def test_a_wrong_way_to_zoom_stops_the_start(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        settings.read_notify()


def test_hosts_at_zoom_stand_with_commas_between_them(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ZOOM_HOSTS", "ro@kt.example, sam@kt.example")
    assert settings.read_notify().zoom_hosts == ("ro@kt.example", "sam@kt.example")
    for name in ("ZOOM_HOSTS", "ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET"):
        environment.delenv(name)
    assert (settings.read_notify().zoom_account_id, settings.read_notify().zoom_hosts) == ("", ("me",))
