"""Practitioners from a spreadsheet, all of them or none: what `kitchen people import` does."""

import csv
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from services.matching import forms
from services.matching.handlers import service
from services.matching.handlers.coordinator import write_profiles
from services.matching.handlers.profiles import PractitionerProfile
from shared.service import Service
from shared.web.forms import in_words, load

SPACED = ("languages", "meeting_types", "parts", "help", "doings", "lived", "not_now", "ages")
COLUMNS = tuple(forms.ProfileForm(home_zone="UTC", is_new=True).fields)
TOO_MANY = "after the last column"
Problem = tuple[int, str, str]


def read_file(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [dict(row) for row in csv.DictReader(lines, restkey=TOO_MANY, restval="")]


def check(
    rows: Iterable[Mapping[str, str]],
    home_zone: str,
    countries: tuple[str, ...] = (),
    listed: Mapping[str, Collection[str]] | None = None,
) -> tuple[list[PractitionerProfile], list[Problem]]:
    """The people in these rows, and what is wrong: row number as a spreadsheet counts, column, reason. Never a value."""
    profiles: list[PractitionerProfile] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        data, errors = load(forms.ProfileForm(home_zone=home_zone, is_new=True, countries=countries, listed=listed), _cells(row))
        for column, message in errors.items():
            says = in_words(message, str, "en", countries) if column in COLUMNS else "is not a column we know"
            problems.append((number, column, says))
        if not errors:
            profiles.append(forms.profile_from(data))
            first = seen.setdefault(data["email"], number)
            if first != number:
                problems.append((number, "email", f"is the same as in row {first}"))
    return profiles, problems


def import_profiles(profiles: Sequence[PractitionerProfile], into: Service = service) -> int:
    """One transaction for all. Whoever is there already, by their e-mail, is brought up to date."""
    into.run(write_profiles, profiles)
    return len(profiles)


def _cells(row: Mapping[str, str]) -> dict[str, object]:
    cells: dict[str, object] = {name.strip(): str(value).strip() for name, value in row.items() if str(value).strip()}
    for name in SPACED:
        if name in cells:
            cells[name] = re.split(r"[\s;,]+", str(cells[name]))
    if "hours" in cells:
        cells["hours"] = [part.strip() for part in re.split(r"[;,]", str(cells["hours"])) if part.strip()]
    return cells
