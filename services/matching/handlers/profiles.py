"""Practitioners' profiles and contacts: how they are encrypted, stored and published."""

import json
import re
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import datetime

from services.matching import store
from services.matching.domain import Hours, Practitioner, Topic
from services.matching.handlers import names
from services.matching.handlers.meetings import find_hours_of
from services.matching.handlers.service import service
from shared.clock import now
from shared.contracts import (
    AgeGroup,
    Channel,
    Help,
    MeetingType,
    Part,
    PractitionerState,
    TeamContactShared,
)
from shared.messages import Event
from shared.mongo import Db

PUBLIC_FIELDS = ("name", "pronouns", "words", "can_sit_with", "first_meeting", "not_offered", "access", "lived_words")


class EmailInUse(ValueError):
    """Another practitioner has this address."""


@dataclass(frozen=True, kw_only=True, repr=False)
class PractitionerProfile:
    """What is written of a practitioner. Without an id they are known by their address. `email` None keeps the contact as it is;
    `phone` (E.164) goes with `email`. None keeps what is there of `state`, `places`, `offers_at_once`, `channels`, `digest` and
    the quiet hours; somebody new is open."""

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
    doings: tuple[str, ...] = ()
    lived: tuple[str, ...] = ()
    lived_words: str = ""
    not_now: tuple[Help, ...] = ()
    ages: tuple[AgeGroup, ...] = ()
    places: int | None = None
    offers_at_once: int | None = None
    time_zone: str
    language: str = "en"
    state: PractitionerState | None = None
    resting_until: datetime | None = None
    email: str | None = None
    phone: str | None = None
    channels: tuple[Channel, ...] | None = None
    quiet_from: int | None = None
    quiet_until: int | None = None
    digest: bool | None = None


def write(profile: PractitionerProfile, db: Db, own_change: Topic | None = None) -> list[Event]:
    """`own_change`: what about, when they wrote it themselves. Raises EmailInUse."""
    practitioner = _find_or_new(profile, db)
    contact_changed = profile.email is not None or _contact_settings_changed(profile, practitioner)
    week_changed = _week_of(profile) != _week_of(practitioner)
    _copy_limits(profile, practitioner)
    _copy_contact_settings(profile, practitioner)
    _change_availability(profile, practitioner)
    _encrypt_profile(profile, practitioner, db)
    contact = _share_contact(profile, practitioner) if contact_changed else []
    if own_change:
        practitioner.changed_themselves(own_change, now())
    published = practitioner.publish()
    store.practitioners.save(db, practitioner)
    return contact + published + (find_hours_of(practitioner, db) if week_changed else [])


def public_profile(practitioner: Practitioner) -> dict[str, str]:
    """slug, lived (codes with spaces between them) and PUBLIC_FIELDS."""
    profile: dict[str, str] = json.loads(service.vault.decrypt_profile(practitioner.id, practitioner.encrypted_profile))
    return profile


def name_of(practitioner: Practitioner) -> str:
    return public_profile(practitioner)["name"]


def email_index(email: str) -> str:
    return service.vault.blind_index("email", email)


def find_by_address_or_page(written: str, db: Db) -> Practitioner | None:
    """By their e-mail address, or by their page's name in its address, which begins as the name of the first of that name."""
    if "@" in written:
        return store.practitioners.find_by_email(db, email_index(written))
    return store.practitioners.find_by_slug(db, service.vault.blind_index("slug", _slug_of(written)))


def _find_or_new(profile: PractitionerProfile, db: Db) -> Practitioner:
    same_address = store.practitioners.find_by_email(db, email_index(profile.email)) if profile.email else None
    if profile.practitioner_id is None:
        return same_address or Practitioner(id=str(uuid.uuid4()))
    if same_address and same_address.id != profile.practitioner_id:
        raise EmailInUse
    return store.practitioners.find(db, profile.practitioner_id) or Practitioner(id=profile.practitioner_id)


def _week_of(one: PractitionerProfile | Practitioner) -> tuple[object, ...]:
    return one.parts, one.hours, one.time_zone


def _contact_settings_changed(profile: PractitionerProfile, practitioner: Practitioner) -> bool:
    wished = profile.channels, profile.quiet_from, profile.quiet_until, profile.digest
    known = practitioner.channels, practitioner.quiet_from, practitioner.quiet_until, practitioner.digest
    return (profile.time_zone, profile.language) != (practitioner.time_zone, practitioner.language) or any(
        wish is not None and wish != there for wish, there in zip(wished, known, strict=True)
    )


def _copy_contact_settings(profile: PractitionerProfile, practitioner: Practitioner) -> None:
    practitioner.channels = practitioner.channels if profile.channels is None else profile.channels
    practitioner.quiet_from = practitioner.quiet_from if profile.quiet_from is None else profile.quiet_from
    practitioner.quiet_until = practitioner.quiet_until if profile.quiet_until is None else profile.quiet_until
    practitioner.digest = practitioner.digest if profile.digest is None else profile.digest


def _copy_limits(profile: PractitionerProfile, practitioner: Practitioner) -> None:
    practitioner.languages = profile.languages
    practitioner.meeting_types = profile.meeting_types
    practitioner.parts = profile.parts
    practitioner.hours = profile.hours
    practitioner.help = profile.help
    practitioner.doings = profile.doings
    practitioner.has_lived_it = bool(profile.lived or profile.lived_words)
    practitioner.not_now = profile.not_now
    practitioner.ages = profile.ages
    practitioner.time_zone = profile.time_zone
    practitioner.language = profile.language


def _change_availability(profile: PractitionerProfile, practitioner: Practitioner) -> None:
    """What these changes publish, `publish` says with the rest."""
    practitioner.places = practitioner.places if profile.places is None else profile.places
    practitioner.offers_at_once = profile.offers_at_once or practitioner.offers_at_once
    if profile.state == "stepped_back":
        if not practitioner.has_stepped_back:
            practitioner.step_back()
    elif profile.state:
        if practitioner.has_stepped_back:
            practitioner.come_back()
        practitioner.set_availability(profile.state, profile.resting_until, practitioner.places, practitioner.offers_at_once)


def _share_contact(profile: PractitionerProfile, practitioner: Practitioner) -> list[Event]:
    """What is kept here of an address is the index to find it by, and a copy for notify that matching cannot decrypt."""
    if profile.email:
        fields = {
            "email": profile.email,
            "phone": profile.phone or "",
            "link": f"{service.public_url}/me",
            "known_as": profile.name,
        }
        practitioner.contact = service.vault.encrypt_for("notify", practitioner.id, fields)
        practitioner.email_index, practitioner.has_phone = email_index(profile.email), bool(profile.phone)
    if practitioner.contact is None:
        return []
    practitioner.contact_version += 1
    known: tuple[Channel, ...] = ("email", "text") if practitioner.has_phone else ("email",)
    wished = tuple(channel for channel in known if channel in practitioner.channels)
    return [
        TeamContactShared(
            person_id=practitioner.id,
            role="practitioner",
            version=practitioner.contact_version,
            channels=wished or ("email",),
            language=practitioner.language,
            time_zone=practitioner.time_zone,
            quiet_from=practitioner.quiet_from,
            quiet_until=practitioner.quiet_until,
            digest=practitioner.digest,
            encrypted=practitioner.contact,
        )
    ]


def _encrypt_profile(profile: PractitionerProfile, practitioner: Practitioner, db: Db) -> None:
    known = public_profile(practitioner)["slug"] if practitioner.encrypted_profile else None
    slug = known or _free_slug(profile.name, practitioner.id, db)
    practitioner.name_index = names.of_name(profile.name)
    practitioner.slug_index = service.vault.blind_index("slug", slug)
    written = {"slug": slug, "lived": " ".join(profile.lived), **{name: getattr(profile, name) for name in PUBLIC_FIELDS}}
    practitioner.encrypted_profile = service.vault.encrypt_profile(practitioner.id, json.dumps(written, ensure_ascii=False))


def _free_slug(name: str, practitioner_id: str, db: Db) -> str:
    base, number = _slug_of(name), 1
    while store.practitioners.slug_is_taken(db, service.vault.blind_index("slug", _numbered(base, number)), practitioner_id):
        number += 1
    return _numbered(base, number)


def _slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "peer"


def _numbered(base: str, number: int) -> str:
    return base if number == 1 else f"{base}-{number}"
