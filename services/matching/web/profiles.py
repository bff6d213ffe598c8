"""What the pages of a profile share, of a practitioner's own and of coordinators: what stands in the fields, what is saved."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import request
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from services.matching import forms, labels
from services.matching.domain import Practitioner, Topic
from services.matching.handlers import reading, service
from services.matching.handlers.profile_edits import ChangedMeanwhile, EditProfile, edit_profile, traces
from services.matching.handlers.profiles import PUBLIC_FIELDS, EmailInUse
from services.matching.web.helpers import day_names, in_words, run
from shared.contracts import TeamRole
from shared.i18n import _
from shared.web.forms import Errors
from shared.web.meetings import called_in
from shared.web.views import language_name

EMPTY_ROWS = 2
LISTS = ("languages", "meeting_types", "parts", "help", "doings", "not_now", "ages", "channels")
SINGLE = ("places", "offers_at_once", "time_zone", "language", "state", "quiet_from", "quiet_until")
CHANGED = _(
    "Somebody else changed this meanwhile. How it is now stands at the top of the page. Save again to keep what you wrote"
)
Typed = MultiDict[str, str]
CALLED: Mapping[str, Mapping[str, str]] = {
    "meeting_types": labels.MEETING_TYPES,
    "parts": labels.PARTS,
    "help": labels.HELP,
    "not_now": labels.HELP,
    "ages": labels.AGES,
}

LISTED: Mapping[str, Callable[[], Mapping[str, Mapping[str, str]]]] = {
    "doings": lambda: service.programme.doings,
    "lived": lambda: service.programme.lived,
}


def as_typed(practitioner: Practitioner) -> Typed:
    typed: Typed = MultiDict(reading.profile_of(practitioner))
    for name in SINGLE:
        typed[name] = str(getattr(practitioner, name))
    typed["digest"] = "daily" if practitioner.digest else "single"
    typed["resting_until"] = forms.day_of(practitioner.resting_until, practitioner.time_zone)
    for name in LISTS:
        typed.setlist(name, list(getattr(practitioner, name)))
    typed.setlist("lived", typed.pop("lived", "").split())
    rows = [forms.hours_as_text(hours) for hours in practitioner.hours]
    for name, values in zip(("day", "start", "end"), zip(*rows, strict=True), strict=False):
        typed.setlist(name, list(values))
    return typed


def hours_in(typed: Typed) -> list[tuple[str, str, str]]:
    """The rows of the form, with some to fill in."""
    rows = list(zip(typed.getlist("day"), typed.getlist("start"), typed.getlist("end"), strict=False))
    return [*rows, *[("", "", "")] * EMPTY_ROWS]


def shown(practitioner: Practitioner, names: tuple[str, ...] | None = None) -> str:
    """For the form's hidden field: what it showed in each of these fields, or in all, as `forms.shown_in` reads it."""
    return _joined({name: trace for name, trace in traces(practitioner).items() if names is None or name in names})


def shown_again(practitioner: Practitioner, errors: Errors) -> str:
    """With what is wrong the form shows what was typed, and beside it how it is now where that was changed meanwhile."""
    now_seen = {name: trace for name, trace in traces(practitioner).items() if errors.get(_field_of(name)) == CHANGED}
    return _joined(forms.shown_in(request.form) | now_seen)


def save(practitioner_id: str, values: Mapping[str, Any], role: TeamRole, by: str, own: Topic | None = None) -> Errors:
    command = EditProfile(practitioner_id=practitioner_id, values=values, shown=forms.shown_in(request.form), own=own)
    try:
        run(edit_profile, command, role, by)
    except EmailInUse:
        return {"email": labels.EMAIL_IN_USE}
    except ChangedMeanwhile as changed:
        return {_field_of(name): CHANGED for name in changed.names}
    return {}


def as_it_is_now(practitioner: Practitioner, errors: Errors) -> list[str]:
    """What stands in those fields that somebody else changed meanwhile, in words."""
    return [_in_words(practitioner, name) for name, says in errors.items() if says == CHANGED]


def _joined(found: Mapping[str, str]) -> str:
    return " ".join(f"{name}.{trace}" for name, trace in found.items())


def _field_of(name: str) -> str:
    return "state" if name == "resting_until" else name


def _in_words(practitioner: Practitioner, name: str) -> str:
    if name in PUBLIC_FIELDS:
        return reading.profile_of(practitioner).get(name) or "–"
    if name in LISTED:
        codes = getattr(practitioner, name, None) or reading.profile_of(practitioner).get(name, "").split()
        return called_in(codes, LISTED[name]()) or "–"
    value = getattr(practitioner, name)
    if name in CALLED:
        return in_words(value, CALLED[name]) or "–"
    if name == "languages":
        return ", ".join(map(language_name, value)) or "–"
    if name == "hours":
        rows = [forms.hours_as_text(hours) for hours in value]
        return ", ".join(f"{day_names()[forms.DAYS.index(day)]} {start}-{end}" for day, start, end in rows) or "–"
    return gettext(labels.STATES[value]) if name == "state" else str(value)
