"""The one table of retention: it names every collection, and a programme may only shorten what it says."""

import re
from pathlib import Path

import pytest

from services.intake.handlers import service as intake
from services.matching.handlers import service as matching
from services.notify.handlers import service as notify
from shared.programme import read_programme
from shared.retention import DAYS, SERVICES, TABLE
from shared.service import Service

SHIPPED = Path("deploy/programme.toml")
USED = re.compile(r"\bdb\.(\w+)\.(?:find|insert|update|replace|delete|count|bulk|aggregate|distinct|with_options|watch)")
OF_EVERY_SERVICE = {"inbox", "outbox", "broker", "sessions", "links"}


def named_in_the_code(service: str) -> set[str]:
    folder = Path("services", service)
    return {name for file in folder.rglob("*.py") for name in USED.findall(file.read_text())}


@pytest.mark.parametrize("service", [intake, matching, notify], ids=SERVICES)
def test_every_collection_of_every_service_is_in_the_table(service: Service) -> None:
    listed = {rule.collection for rule in TABLE if rule.service == service.name}
    there = set(service._indexes) | named_in_the_code(service.name)
    assert len(there) > 5
    assert there - listed == set()
    assert listed - there - OF_EVERY_SERVICE == set()


def test_every_row_of_the_table_says_why_and_who_reads_it() -> None:
    for rule in TABLE:
        assert rule.why, rule
        assert rule.readers, rule
        assert not rule.days or rule.days in DAYS, rule
        assert rule.since or not (rule.days or rule.removes or rule.only), rule


def with_retention(tmp_path: Path, lines: str) -> Path:
    file = tmp_path / "programme.toml"
    file.write_text(SHIPPED.read_text().replace("[retention]\n", f"[retention]\n{lines}\n"))
    return file


def test_a_programme_shortens_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    programme = read_programme(with_retention(tmp_path, "words = 3\ndraft = 0.5"))
    assert (programme.days_kept("words"), programme.draft_days, programme.days_kept("pair")) == (3, 0.5, DAYS["pair"])


@pytest.mark.parametrize(
    "line", ["words = 8", "audit = 181", "wrods = 3", "pair = 0", "pair = -1", "inbox = 8", 'contact = "short"', "log = nan"]
)
def test_a_longer_time_or_an_unknown_name_stops_the_start_and_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(SystemExit, match=rf"programme\.toml: .*{line.split()[0]}"):
        read_programme(with_retention(tmp_path, line))
