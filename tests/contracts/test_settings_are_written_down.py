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


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uri").write_text("mongodb://one.example/\n")
    given = {
        "MONGODB_URI_FILE": str(tmp_path / "uri"),
        "AMQP_URL": "amqp://a.example/",
        "KEYS_DIR": str(tmp_path),
        "PUBLIC_URL": "https://kt.example",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MONGODB_URI", raising=False)
    assert settings.read_core().mongodb_uri == "mongodb://one.example/"
