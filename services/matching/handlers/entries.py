"""Practitioners: how they are made and edited, and how they open, fill up and rest."""

import json
import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.matching import store
from services.matching.handlers.offering import encrypted_for_notify
from services.matching.handlers.public import changed, say_entry
from services.matching.handlers.service import service
from services.matching.handlers.waiting import offer_free_places
from services.matching.rules import Hours
from shared.clock import now
from shared.contracts import (
    AgeGroup,
    Channel,
    EncryptedFields,
    Help,
    MeetingType,
    Part,
    PractitionerState,
    TeamContactShared,
    TeamRole,
)
from shared.messages import Event
from shared.mongo import Db, Doc

SECONDS_BETWEEN_LOOKS = 30
SPOKEN = ("name", "pronouns", "words", "can_sit_with", "first_meeting", "not_offered", "access")
LIMITS = (
    "languages", "meeting_types", "parts", "help", "not_now", "ages", "places", "offers_at_once", "time_zone", "language",
)  # fmt: skip


class EmailInUse(ValueError):
    """Another practitioner has this address."""


@dataclass(frozen=True, kw_only=True)
class PractitionerEntry:
    """What is written of a practitioner. `email` None keeps the contact as it is; `phone` goes with `email`; `state` None keeps
    the state, and somebody new is open."""

    practitioner_id: str | None = None
    name: str
    pronouns: str = ""
    words: str = ""
    can_sit_with: str = ""
    first_meeting: str = ""
    not_offered: str = ""
    access: str = ""
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    parts: tuple[Part, ...] = ()
    hours: tuple[Hours, ...] = ()
    help: tuple[Help, ...] = ()
    not_now: tuple[Help, ...] = ()
    ages: tuple[AgeGroup, ...] = ()
    places: int = 1
    offers_at_once: int = 1
    time_zone: str
    language: str = "en"
    state: PractitionerState | None = None
    resting_until: datetime | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Availability:
    practitioner_id: str
    state: PractitionerState
    resting_until: datetime | None = None
    places: int
    offers_at_once: int


def write_entry(entry: PractitionerEntry, db: Db) -> list[Event]:
    row = _row_of(entry, db)
    is_new = "_id" not in row
    row.setdefault("_id", entry.practitioner_id or str(uuid.uuid4()))
    contact_changed = (
        is_new or entry.email is not None or entry.time_zone != row["time_zone"] or entry.language != row["language"]
    )
    row.update({name: _plain(getattr(entry, name)) for name in LIMITS}, hours=[asdict(hours) for hours in entry.hours])
    if entry.state:
        row.update(state=entry.state, resting_until=entry.resting_until if entry.state == "resting" else None)
    row["profile"] = _encrypted_profile(row, entry, db)
    contact = _contact(row, entry) if contact_changed else []
    store.keep_practitioner(db, row)
    return [*contact, say_entry(row, db), *offer_free_places(row["_id"], db)]


def write_entries(entries: Sequence[PractitionerEntry], db: Db) -> list[Event]:
    """All or nothing: an import writes every row of it in one transaction. Who is there already is known by their e-mail."""
    return [event for entry in entries for event in write_entry(entry, db)]


def set_availability(said: Availability, db: Db) -> list[Event]:
    until = said.resting_until if said.state == "resting" else None
    fields = {"state": said.state, "resting_until": until, "places": said.places, "offers_at_once": said.offers_at_once}
    row = store.set_practitioner(db, said.practitioner_id, fields)
    return [*changed(row, db), *offer_free_places(said.practitioner_id, db)]


def find_rested(db: Db) -> Iterable[str]:
    return store.ids_of_those_rested(db, now())


@service.every(SECONDS_BETWEEN_LOOKS, find_rested)
def come_back_from_rest(practitioner_id: str, db: Db) -> list[Event]:
    if practitioner_id not in store.ids_of_those_rested(db, now()):
        return []
    row = store.set_practitioner(db, practitioner_id, {"state": "open", "resting_until": None})
    return [*changed(row, db), *offer_free_places(practitioner_id, db)]


def profile_of(row: Doc) -> dict[str, str]:
    profile: dict[str, str] = json.loads(service.vault.decrypt_profile(row["_id"], row["profile"]))
    return profile


def email_index(email: str) -> str:
    return service.vault.blind_index("email", email)


def say_contact(
    person_id: str, role: TeamRole, contact: Doc, *, version: int, language: str, time_zone: str, channels: tuple[Channel, ...]
) -> TeamContactShared:
    return TeamContactShared(
        person_id=person_id, role=role, version=version, channels=channels, language=language, time_zone=time_zone,
        encrypted=EncryptedFields(person_id=person_id, wrap=contact["wrap"], fields=contact["fields"]),
    )  # fmt: skip


def _row_of(entry: PractitionerEntry, db: Db) -> Doc:
    index = email_index(entry.email) if entry.email else None
    by_email = store.practitioner_by_email(db, index) if index else None
    row = store.practitioner(db, entry.practitioner_id) if entry.practitioner_id else by_email
    if by_email and row and by_email["_id"] != row["_id"]:
        raise EmailInUse
    return row or {
        "version": 0, "contact_version": 0, "taken": 0, "outstanding": 0, "slots": [], "avoid": [],
        "asked_at": None, "shown": None, "state": "open", "resting_until": None,
    }  # fmt: skip


def _contact(row: Doc, entry: PractitionerEntry) -> list[Event]:
    """EncryptedFields for notify alone: what is kept here of an address is the index to find it by, and a blob we cannot open."""
    if entry.email:
        link = f"{service.public_url}/me"
        fields = {"email": entry.email, "phone": entry.phone or "", "link": link, "known_as": entry.name}
        encrypted = encrypted_for_notify(row["_id"], fields)
        row.update(email_index=email_index(entry.email), has_phone=bool(entry.phone))
        row["contact"] = {"wrap": encrypted.wrap, "fields": encrypted.fields}
    if "contact" not in row:
        return []
    row["contact_version"] += 1
    channels: tuple[Channel, ...] = ("email", "text") if row["has_phone"] else ("email",)
    return [
        say_contact(
            row["_id"], "practitioner", row["contact"], version=row["contact_version"], language=row["language"],
            time_zone=row["time_zone"], channels=channels,
        )
    ]  # fmt: skip


def _encrypted_profile(row: Doc, entry: PractitionerEntry, db: Db) -> str:
    slug = profile_of(row)["slug"] if "profile" in row else _free_slug(entry.name, row["_id"], db)
    row["slug_index"] = service.vault.blind_index("slug", slug)
    spoken = {name: getattr(entry, name) for name in SPOKEN}
    return service.vault.encrypt_profile(row["_id"], json.dumps({"slug": slug, **spoken}, ensure_ascii=False))


def _free_slug(name: str, practitioner_id: str, db: Db) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "peer"
    number = 1
    while store.slug_is_taken(db, service.vault.blind_index("slug", _numbered(base, number)), practitioner_id):
        number += 1
    return _numbered(base, number)


def _numbered(base: str, number: int) -> str:
    return base if number == 1 else f"{base}-{number}"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
