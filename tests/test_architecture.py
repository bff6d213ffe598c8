"""The walls of the house. `make lint` states the directions of imports; here stands what a direction cannot say."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

SERVICES = ("intake", "matching", "notify")
EVERY_SERVICE_HAS = {"__init__", "__main__", "handlers", "rules", "store", "web"}
# Words that put a person into a clinic, a shop or a queue number (DOMAIN's list), as they would stand in code or on a page.
NOT_OUR_WORDS = (
    "patient", "client", "caseload", "service user", "service provider", "triage", "screening", "eligibility", "diagnosis",
    "symptom", "treatment", "intervention", "escalate", "escalation", "supervisor", "reject", "rejected", "deny", "denied",
    "terminate", "unmatch", "no-show", "unresponsive", "mentor", "mentee", "rating", "ratings", "score", "only 1 left", "user",
    "users", "ticket", "tickets",
)  # fmt: skip
NOT_OUR_WORDS_IN_SPANISH = (
    "paciente", "pacientes", "cliente", "clientes", "diagnóstico", "síntoma", "síntomas", "tratamiento",
    "intervención", "usuario", "usuaria", "usuarios", "rechazar", "rechazada", "rechazado",
    "denegar", "puntuación", "mentor", "mentora",
)  # fmt: skip
# "No diagnosis" and "not treatment" are what a page promises.
WHAT_WE_ARE_NOT = re.compile(r"\b(no es un|no|not|ni|sin) \w+", re.I)
# Somebody else's words: a database's connection, a gateway's login, a hook that a library calls by this name.
SAID_ON_PURPOSE = {"shared/mongo.py: client", "shared/settings.py: kannel_user", "handle_error"}


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("shared", "services", "deploy", include_external_packages=True)


def modules(pattern: str) -> list[str]:
    found = sorted(name for name in imports().modules if re.fullmatch(pattern, name))
    assert found, f"nothing is called {pattern}: this test looks at nothing"
    return found


def importers_of(package: str) -> set[str]:
    assert package in imports().modules, f"nobody imports {package}: this test looks at nothing"
    return set(imports().find_modules_that_directly_import(package))


def outside(names: set[str], allowed: str) -> set[str]:
    return {name for name in names if not re.fullmatch(allowed, name)}


@pytest.mark.parametrize("service", SERVICES)
def test_whoever_knows_one_service_can_find_anything_in_the_next(service: str) -> None:
    there = {path.stem for path in Path("services", service).iterdir()}
    assert there >= EVERY_SERVICE_HAS


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_introduces_itself_in_three_sentences(service: str) -> None:
    says = ast.get_docstring(ast.parse(Path("services", service, "__init__.py").read_text())) or ""
    assert len(says.splitlines()) == 3
    assert all(verb in says for verb in (" decides ", "It hears ", "It says "))


def test_only_the_bus_speaks_to_the_broker() -> None:
    assert outside(importers_of("pika"), r"shared\.bus(\..+)?|deploy\.(demo|compose_test)(\..+)?") == set()


def test_only_pages_know_flask() -> None:
    found = importers_of("flask") | importers_of("flask_babel")
    assert outside(found, r"shared\.web(\..+)?|services\.\w+\.web(\..+)?|deploy\.demo(\..+)?") == set()


def test_letters_leave_through_one_door_and_texts_through_another() -> None:
    assert outside(importers_of("smtplib"), r"services\.notify\.post") == set()
    # web only checks Twilio's signature
    assert outside(importers_of("twilio"), r"services\.notify\.(texts|web)") == set()


def test_only_the_vault_touches_ciphers() -> None:
    assert outside(importers_of("cryptography"), r"shared\.vault|deploy\.compose_test\.inside\.keys") == set()


def test_rules_stand_on_the_standard_library_and_the_contracts() -> None:
    for rules in modules(r"services\.\w+\.rules"):
        used = imports().find_modules_directly_imported_by(rules)
        ours = {name for name in used if name.split(".")[0] not in sys.stdlib_module_names}
        assert ours <= {"shared.contracts"}, rules


def test_rules_ask_no_clock_and_no_dice() -> None:
    asked = re.compile(r"\b(now\(\)|utcnow|today\(\)|time\.time|random\.|secrets\.|open\(|uuid4)")
    for file in Path("services").glob("*/rules.py"):
        assert not asked.search(file.read_text()), file


def test_the_contracts_stand_on_the_messages_alone() -> None:
    used = imports().find_modules_directly_imported_by("shared.contracts")
    assert {name for name in used if name.split(".")[0] not in sys.stdlib_module_names} == {"shared.messages"}


def test_nobody_but_the_service_opens_a_transaction() -> None:
    for file in [*Path("services").rglob("*.py"), *Path("shared/web").rglob("*.py")]:
        assert not re.search(r"\b(with_transaction|start_session|start_transaction)\b", file.read_text()), file


def test_a_handler_is_named_by_its_deed() -> None:
    for file in Path("services").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name not in SAID_ON_PURPOSE:
                assert not re.match(r"(on|handle|process|do)_", node.name), f"{file}:{node.lineno} {node.name}"
            if isinstance(node, ast.ClassDef):
                assert not re.search(r"(Manager|Helper|Util|Processor|Handler)s?$", node.name), (
                    f"{file}:{node.lineno} {node.name}"
                )


def test_no_name_in_the_code_belongs_to_a_clinic() -> None:
    said = {(file, name) for file in ours("*.py") for name in names_in(file)}
    wrong = {f"{file}: {name}" for file, name in said if found_in(name.replace("_", " "), NOT_OUR_WORDS)}
    assert wrong - SAID_ON_PURPOSE == set()


def test_no_sentence_for_people_belongs_to_a_clinic() -> None:
    from babel.messages.pofile import read_po

    with Path("shared/translations/es/LC_MESSAGES/messages.po").open("rb") as file:
        sentences = list(read_po(file))
    assert len(sentences) > 50
    wrong = {text for m in sentences for text in forms_of(m.id) if found_in(text, NOT_OUR_WORDS)}
    wrong |= {text for m in sentences for text in forms_of(m.string) if found_in(text, NOT_OUR_WORDS_IN_SPANISH)}
    assert wrong == set()


def test_no_template_belongs_to_a_clinic() -> None:
    wrong = {f"{file}: {word}" for file in [*ours("*.html"), *ours("*.txt")] for word in found_in(seen_in(file), NOT_OUR_WORDS)}
    assert wrong == set()


def ours(pattern: str) -> list[Path]:
    folders = [Path("shared"), Path("services")]
    return [file for folder in folders for file in folder.rglob(pattern) if "words" not in file.parts]


def names_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def seen_in(file: Path) -> str:
    """A template without its code, comments and tags."""
    return re.sub(r"{#.*?#}|{%.*?%}|<[^>]*>", " ", file.read_text(), flags=re.S)


def forms_of(text: object) -> list[str]:
    return [str(form) for form in text] if isinstance(text, list | tuple) else [str(text or "")]


def found_in(text: str, words: tuple[str, ...]) -> list[str]:
    text = WHAT_WE_ARE_NOT.sub(" ", text)
    return [word for word in words if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.I)]
