"""Practitioners from a spreadsheet, all of them or none: what `kitchen people import` does."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from services.matching import forms
from services.matching.handlers import service
from services.matching.handlers.entries import PractitionerEntry, write_entries
from shared.service import Service

SPACED = ("languages", "meeting_types", "parts", "help", "not_now", "ages")
COLUMNS = tuple(forms.EntryForm(home_zone="UTC", is_new=True).fields)
TOO_MANY = "after the last column"
Problem = tuple[int, str, str]


def read_file(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [dict(row) for row in csv.DictReader(lines, restkey=TOO_MANY, restval="")]


def check(rows: Iterable[Mapping[str, str]], home_zone: str) -> tuple[list[PractitionerEntry], list[Problem]]:
    """The people in these rows, and what is wrong: row number as a spreadsheet counts, column, reason. Never a value."""
    entries: list[PractitionerEntry] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        data, errors = forms.load(forms.EntryForm(home_zone=home_zone, is_new=True), _cells(row))
        problems += [
            (number, column, says if column in COLUMNS else "is not a column we know") for column, says in errors.items()
        ]
        if not errors:
            entries.append(forms.entry_from(data))
            first = seen.setdefault(data["email"], number)
            if first != number:
                problems.append((number, "email", f"is the same as in row {first}"))
    return entries, problems


def bring_in(entries: Sequence[PractitionerEntry], into: Service = service) -> int:
    """One transaction for all. Whoever is there already, by their e-mail, is brought up to date."""
    into.run(write_entries, entries)
    return len(entries)


def _cells(row: Mapping[str, str]) -> dict[str, object]:
    cells: dict[str, object] = {name.strip(): str(value).strip() for name, value in row.items() if str(value).strip()}
    for name in SPACED:
        if name in cells:
            cells[name] = re.split(r"[\s;,]+", str(cells[name]))
    if "hours" in cells:
        cells["hours"] = [part.strip() for part in re.split(r"[;,]", str(cells["hours"])) if part.strip()]
    return cells
