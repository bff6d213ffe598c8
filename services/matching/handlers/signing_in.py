"""Links to a person's own page, and the coordinators who may have one."""

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services.matching import store
from services.matching.handlers.entries import email_index, say_contact
from services.matching.handlers.offering import encrypted_for_notify
from services.matching.handlers.service import service
from shared import tokens
from shared.clock import now
from shared.contracts import TeamSignInRequested
from shared.messages import Event
from shared.mongo import Db, Doc

Who = Literal["practitioner", "coordinator"]
PAGES = {"practitioner": "me", "coordinator": "c"}
A_LINK_LIVES = timedelta(minutes=30)
MOST_LINKS = 5


@dataclass(frozen=True, kw_only=True)
class SignInWish:
    email: str
    role: Who


@dataclass(frozen=True, kw_only=True)
class CoordinatorEntry:
    name: str
    email: str
    language: str = "en"
    time_zone: str


def purpose_of(role: Who) -> str:
    return f"sign_in_{role}"


def send_sign_in_link(wish: SignInWish, db: Db) -> list[Event]:
    """Nothing for an address that nobody here has: the page says the same either way."""
    index = email_index(wish.email)
    row = store.practitioner_by_email(db, index) if wish.role == "practitioner" else store.coordinator_by_email(db, index)
    purpose = purpose_of(wish.role)
    if row is None or store.living_links(db, row["_id"], purpose, now()) >= MOST_LINKS:
        return []
    token = tokens.new_token()
    tokens.issue(db, token, purpose=purpose, subject_id=row["_id"], person_id=row["_id"], expires_at=now() + A_LINK_LIVES)
    link = f"{service.public_url}/{PAGES[wish.role]}/in/{token}"
    return [TeamSignInRequested(person_id=row["_id"], encrypted=encrypted_for_notify(row["_id"], {"link": link}))]


def use_sign_in_link(token: str, db: Db) -> list[Event]:
    store.use_up_link(db, token)
    return []


def welcome_coordinator(entry: CoordinatorEntry, db: Db) -> list[Event]:
    """A coordinator with this address is brought up to date, a new one made."""
    index = email_index(entry.email)
    row = store.coordinator_by_email(db, index) or {"_id": str(uuid.uuid4()), "email_index": index, "contact_version": 0}
    row["contact_version"] += 1
    row["profile"] = service.vault.encrypt_profile(row["_id"], json.dumps({"name": entry.name}))
    store.keep_coordinator(db, row)
    fields = {"email": entry.email, "link": f"{service.public_url}/c", "known_as": entry.name}
    encrypted = encrypted_for_notify(row["_id"], fields)
    return [
        say_contact(
            row["_id"], "coordinator", {"wrap": encrypted.wrap, "fields": encrypted.fields}, version=row["contact_version"],
            language=entry.language, time_zone=entry.time_zone, channels=("email",),
        )
    ]  # fmt: skip


def coordinator_name(row: Doc) -> str:
    return str(json.loads(service.vault.decrypt_profile(row["_id"], row["profile"]))["name"])
