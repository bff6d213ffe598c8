"""What the pages for people say is there, is there."""

import re
from pathlib import Path

import pytest

PAGES = ("README.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md", "deploy/RUNBOOK.md")
LINK = re.compile(r"\[(`?)([^\]`]+)`?\]\(([^)#\s]+)\)")


def links() -> list[tuple[str, str, str, bool]]:
    found = [(page, *match) for page in PAGES for match in LINK.findall(Path(page).read_text())]
    return [(page, name, target, bool(tick)) for page, tick, name, target in found if "://" not in target]


def test_every_link_leads_to_a_file() -> None:
    assert len(links()) > 20
    assert [target for page, _, target, _ in links() if not (Path(page).parent / target).is_file()] == []


def test_every_function_on_the_path_of_a_request_is_where_the_readme_says() -> None:
    named = [(name, target) for page, name, target, is_code in links() if is_code]
    assert len(named) >= 8
    wrong = [(name, target) for name, target in named if not re.search(rf"^(def|class) {name}\b", Path(target).read_text(), re.M)]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_named_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:`|    )make ([a-z-]+)", Path(page).read_text())) - targets == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_is_named_exists(page: str) -> None:
    named = re.findall(r"python -m ((?:services|shared|deploy)[\w.]*)", Path(page).read_text())
    there = [
        Path(*name.split(".")).with_suffix(".py").is_file() or Path(*name.split("."), "__main__.py").is_file() for name in named
    ]
    assert all(there), named
