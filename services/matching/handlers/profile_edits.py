"""Two people may edit one profile, the practitioner and a coordinator: only what its writer changed is written, and nothing that
the other wrote meanwhile is written over unseen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from services.matching import store
from services.matching.domain import Practitioner, Topic
from services.matching.handlers import profiles
from services.matching.handlers.profiles import PUBLIC_FIELDS, PractitionerProfile
from shared.messages import Event
from shared.mongo import Db

AVAILABILITY = ("state", "resting_until", "places", "offers_at_once")
CONTACT = ("email", "phone")


class ChangedMeanwhile(ValueError):
    """`names`: the fields that somebody else changed since the page was drawn, and that its writer changed too."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__("changed meanwhile")
        self.names = names


@dataclass(frozen=True, kw_only=True, repr=False)
class EditProfile:
    """`values`: the fields of the form. `shown`: field -> trace of what the page showed in it; without one it is just written.
    `own`: what about, when the practitioner wrote it."""

    practitioner_id: str
    values: Mapping[str, Any]
    shown: Mapping[str, str]
    own: Topic | None = None


def edit_profile(command: EditProfile, db: Db) -> list[Event]:
    """Raises EmailInUse and ChangedMeanwhile."""
    practitioner = store.practitioners.find(db, command.practitioner_id)
    if practitioner is None or (command.own and practitioner.has_stepped_back):
        return []
    known = as_profile(practitioner)
    wished = replace(known, **command.values)
    changed = _changed(wished, known, command)
    lost = [name for name in changed if command.shown.get(name, trace(known, name)) != trace(known, name)]
    if lost:
        raise ChangedMeanwhile(tuple(lost))
    kept = dict.fromkeys(AVAILABILITY)
    edited: PractitionerProfile = replace(known, **{**kept, **{name: command.values[name] for name in changed}})
    return profiles.write(edited, db, command.own) if changed else []


def as_profile(practitioner: Practitioner) -> PractitionerProfile:
    """As it would be written again. Their contact is not among it: nobody here can read it."""
    public = profiles.public_profile(practitioner)
    names = {field.name for field in fields(PractitionerProfile)} - {"practitioner_id", "lived", *PUBLIC_FIELDS, *CONTACT}
    known: dict[str, Any] = {name: getattr(practitioner, name) for name in names}
    known |= {name: public.get(name, "") for name in PUBLIC_FIELDS} | {"lived": tuple(public.get("lived", "").split())}
    return PractitionerProfile(practitioner_id=practitioner.id, **known)


def traces(practitioner: Practitioner) -> dict[str, str]:
    """Of every field that a page can show."""
    known = as_profile(practitioner)
    return {field.name: trace(known, field.name) for field in fields(known) if field.name not in ("practitioner_id", *CONTACT)}


def trace(profile: PractitionerProfile, name: str) -> str:
    """By which a value is compared without being sent again. A rest and its day are one."""
    values = ("state", "resting_until") if name in ("state", "resting_until") else (name,)
    plain = [_plain(getattr(profile, each), profile.time_zone) for each in values]
    return sha256(json.dumps(plain, default=str).encode()).hexdigest()[:12]


def _changed(wished: PractitionerProfile, known: PractitionerProfile, command: EditProfile) -> list[str]:
    """What its writer changed and what is not so already."""
    return [
        name
        for name in command.values
        if (name in CONTACT and wished.email)
        or (name not in CONTACT and trace(wished, name) not in (command.shown.get(name), trace(known, name)))
    ]


def _plain(value: Any, zone: str) -> str | list[str] | date | None:
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).date()
    if isinstance(value, tuple):
        return sorted(str(item) for item in value)
    return None if value is None else str(value).replace("\r\n", "\n")
