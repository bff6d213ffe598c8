"""Rules of the architecture. `make lint` checks the directions of imports; here is what a direction cannot say."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

from shared.logs import ALLOWED
from tests.vocabulary import forbidden_in

SERVICES = ("intake", "matching", "notify")
EVERY_SERVICE_HAS = {"__init__", "__main__", "handlers", "rules", "store", "web"}
PURE = ("shared.meetings", "shared.weeks")
# What stands for a document that nobody described. A store maps documents to frozen dataclasses; nobody else sees them.
UNTYPED = re.compile(r"\b(Doc|Docs|Document|Row|Any|dict\[str, object\])\b")


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
def test_every_service_has_the_same_file_names(service: str) -> None:
    there = {path.stem for path in Path("services", service).iterdir()}
    assert there >= EVERY_SERVICE_HAS


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_introduces_itself_in_three_sentences(service: str) -> None:
    introduction = ast.get_docstring(ast.parse(Path("services", service, "__init__.py").read_text())) or ""
    assert len(introduction.splitlines()) == 3
    assert all(verb in introduction for verb in (" decides ", "It subscribes to ", "It publishes "))


def test_only_the_bus_speaks_to_the_broker() -> None:
    assert outside(importers_of("pika"), r"shared\.bus(\..+)?|deploy\.(servers|compose_test)(\..+)?") == set()


def test_only_pages_know_flask() -> None:
    found = importers_of("flask") | importers_of("flask_babel")
    assert outside(found, r"shared\.web(\..+)?|services\.\w+\.web(\..+)?|deploy\.demo(\..+)?") == set()


def test_only_the_smtp_module_speaks_smtp_and_only_the_sms_module_uses_twilio() -> None:
    assert outside(importers_of("smtplib"), r"shared\.smtp") == set()
    assert outside(importers_of("shared.smtp"), r"services\.notify\.email") == set()
    # web only checks Twilio's signature
    assert outside(importers_of("twilio"), r"services\.notify\.(sms|web)") == set()


def test_only_the_vault_touches_ciphers() -> None:
    assert outside(importers_of("cryptography"), r"shared\.vault|deploy\.compose_test\.inside\.keys") == set()


def test_rules_stand_on_the_standard_library_the_contracts_and_their_domain() -> None:
    for rules in modules(r"services\.\w+\.rules"):
        assert foreign_imports(rules) <= {"shared.contracts", *PURE, rules.replace(".rules", ".domain")}, rules


def test_a_domain_stands_on_its_rules_and_the_contracts() -> None:
    for domain in (name for name in imports().modules if re.fullmatch(r"services\.\w+\.domain(\..+)?", name)):
        service = domain.split(".domain")[0]
        outside_of_it = {name for name in foreign_imports(domain) if not name.startswith(f"{service}.domain")}
        assert outside_of_it <= {"shared.contracts", "shared.messages", *PURE, f"{service}.rules"}, domain


@pytest.mark.parametrize("module", PURE)
def test_what_rules_share_stands_on_the_contracts_alone(module: str) -> None:
    assert foreign_imports(module) <= {"shared.contracts"}


def test_rules_and_domain_read_no_clock_and_draw_nothing_at_random() -> None:
    impure = re.compile(r"\b(now\(\)|utcnow|today\(\)|time\.time|random\.|secrets\.|open\(|uuid4)")
    for file in [
        *Path("services").glob("*/rules.py"),
        *Path("services").glob("*/domain.py"),
        *Path("services").glob("*/domain/*.py"),
    ]:
        assert not impure.search(file.read_text()), file


@pytest.mark.parametrize("service", SERVICES)
def test_no_store_hands_out_or_takes_an_untyped_document(service: str) -> None:
    files = [file for file in Path("services", service).rglob("*.py") if "store" in (file.stem, file.parent.name)]
    assert files
    assert [f"{file}:{name}" for file in files for name in untyped_functions(file)] == []


def test_the_contracts_stand_on_the_messages_alone() -> None:
    used = {name for module in modules(r"shared\.contracts(\..+)?") for name in foreign_imports(module)}
    assert {name for name in used if not name.startswith("shared.contracts")} == {"shared.messages"}


def test_nobody_but_the_service_opens_a_transaction() -> None:
    for file in [*Path("services").rglob("*.py"), *Path("shared/web").rglob("*.py")]:
        assert not re.search(r"client\.start_session|\.(with_transaction|start_transaction)\(", file.read_text()), file


def test_no_test_replaces_a_part_of_the_product() -> None:
    replaces = re.compile(r"monkeypatch\.(setattr|delattr)|unittest\.mock|\bMagicMock\b|\bmocker\b")
    files = [file for file in Path("tests").rglob("*.py") if file.name != Path(__file__).name]
    assert [str(file) for file in files if replaces.search(file.read_text())] == []


def test_no_sentence_in_the_catalogue_uses_a_clinical_or_commercial_word() -> None:
    from babel.messages.pofile import read_po

    with Path("shared/translations/es/LC_MESSAGES/messages.po").open("rb") as file:
        sentences = list(read_po(file))
    assert len(sentences) > 50
    wrong = {text for m in sentences for text in forms_of(m.id) if forbidden_in(text, "en")}
    wrong |= {text for m in sentences for text in forms_of(m.string) if forbidden_in(text, "es")}
    assert wrong == set()


def test_no_template_uses_a_clinical_or_commercial_word() -> None:
    files = [*ours("*.html"), *ours("*.txt")]
    wrong = {f"{file}: {word}" for file in files for word in forbidden_in(seen_in(file), "en")}
    assert wrong == set()


def test_nine_of_ten_functions_have_at_most_eleven_lines() -> None:
    files = [file for folder in ("services", "shared") for file in Path(folder).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    lengths = sorted((node.end_lineno or 0) - node.lineno + 1 for node in nodes if isinstance(node, ast.FunctionDef))
    assert len(lengths) > 500
    assert lengths[len(lengths) * 9 // 10] <= 11


def ours(pattern: str) -> list[Path]:
    folders = [Path("shared"), Path("services")]
    return [file for folder in folders for file in folder.rglob(pattern) if "words" not in file.parts]


def foreign_imports(module: str) -> set[str]:
    found = imports().find_modules_directly_imported_by(module)
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


def untyped_functions(file: Path) -> Iterator[str]:
    """Public functions and methods whose parameters or result are annotated with an untyped document."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            annotations = [argument.annotation for argument in given] + [node.returns]
            if any(UNTYPED.search(ast.unparse(annotation)) for annotation in annotations if annotation):
                yield node.name


def seen_in(file: Path) -> str:
    """A template without its code, comments and tags."""
    return re.sub(r"{#.*?#}|{%.*?%}|<[^>]*>", " ", file.read_text(), flags=re.S)


def forms_of(text: object) -> list[str]:
    return [str(form) for form in text] if isinstance(text, list | tuple) else [str(text or "")]


def test_every_field_that_a_log_line_is_given_may_reach_the_log() -> None:
    """What the list of shared/logs.py does not name is left out of the line without a word."""
    given = {f"{file}: {key}" for file in code_files() for key in extra_fields(file) if key not in ALLOWED}
    assert given == set()


def code_files() -> list[Path]:
    return [file for folder in ("shared", "services", "deploy") for file in Path(folder).rglob("*.py")]


def extra_fields(file: Path) -> set[str]:
    """The keys of each `extra={...}`, and of dicts with a name that is handed over as `extra`."""
    tree = ast.parse(file.read_text())
    extras = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "extra"]
    names = {node.id for extra in extras for node in ast.walk(extra) if isinstance(node, ast.Name)}
    named = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and names & names_assigned(node)]
    dicts = [node for value in (*extras, *named) for node in ast.walk(value) if isinstance(node, ast.Dict)]
    return {str(key.value) for one in dicts for key in one.keys if isinstance(key, ast.Constant)}


def names_assigned(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}
