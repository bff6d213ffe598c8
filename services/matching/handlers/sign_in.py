"""Links by which practitioners and coordinators sign in, and the coordinators who may."""

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta

from services.matching import store
from services.matching.domain import Application, Coordinator, Practitioner
from services.matching.handlers import names
from services.matching.handlers.profiles import email_index
from services.matching.handlers.service import service
from shared import tokens
from shared.clock import now
from shared.contracts import TeamChanged, TeamContactShared, TeamRole, TeamSignInRequested
from shared.messages import Event
from shared.mongo import Db

START_PAGES: dict[TeamRole, str] = {"practitioner": "me", "coordinator": "c"}
LINK_LASTS = timedelta(minutes=30)
MOST_LINKS = 5


@dataclass(frozen=True, kw_only=True, repr=False)
class RequestSignIn:
    email: str
    role: TeamRole


@dataclass(frozen=True, kw_only=True, repr=False)
class AddCoordinator:
    name: str
    email: str
    language: str = "en"
    time_zone: str


def purpose_of(role: TeamRole) -> str:
    return f"sign_in_{role}"


def send_sign_in_link(command: RequestSignIn, db: Db) -> list[Event]:
    """[] for an address that nobody here has: the page says the same either way."""
    person, purpose = _person_with(command.email, command.role, db), purpose_of(command.role)
    if person is None or store.coordinators.count_valid_links(db, person.id, purpose, now()) >= MOST_LINKS:
        return []
    token = tokens.new_token()
    tokens.issue(db, token, purpose=purpose, subject_id=person.id, person_id=person.id, expires_at=now() + LINK_LASTS)
    link = f"{service.public_url}/{START_PAGES[command.role]}/in/{token}"
    return [TeamSignInRequested(person_id=person.id, encrypted=service.vault.encrypt_for("notify", person.id, {"link": link}))]


def use_sign_in_link(token: str, db: Db) -> list[Event]:
    store.coordinators.delete_link(db, token)
    return []


def add_coordinator(command: AddCoordinator, db: Db) -> list[Event]:
    """A coordinator with this address is brought up to date, a new one made."""
    index = email_index(command.email)
    coordinator = store.coordinators.find_by_email(db, index) or Coordinator(id=str(uuid.uuid4()), email_index=index)
    coordinator.version += 1
    coordinator.contact_version += 1
    coordinator.name_index = names.of_name(command.name)
    coordinator.encrypted_profile = service.vault.encrypt_profile(coordinator.id, json.dumps({"name": command.name}))
    store.coordinators.save(db, coordinator)
    fields = {"email": command.email, "link": f"{service.public_url}/c", "known_as": command.name}
    renamed = [team_changed(coordinator)] if coordinator.is_shown else []
    return [
        *renamed,
        TeamContactShared(
            person_id=coordinator.id,
            role="coordinator",
            version=coordinator.contact_version,
            channels=("email",),
            language=command.language,
            time_zone=command.time_zone,
            encrypted=service.vault.encrypt_for("notify", coordinator.id, fields),
        ),
    ]


def team_changed(coordinator: Coordinator) -> TeamChanged:
    """Their first name, for pages, where they agreed to that."""
    profile = json.dumps({"name": coordinator_name(coordinator).split()[0]}) if coordinator.is_shown else ""
    return TeamChanged(
        coordinator_id=coordinator.id,
        version=coordinator.version,
        is_shown=coordinator.is_shown,
        encrypted_profile=service.vault.encrypt_profile(coordinator.id, profile) if profile else "",
    )


def coordinator_name(coordinator: Coordinator) -> str:
    return str(json.loads(service.vault.decrypt_profile(coordinator.id, coordinator.encrypted_profile))["name"])


def _person_with(email: str, role: TeamRole, db: Db) -> Practitioner | Application | Coordinator | None:
    """Whoever is on the way to become a practitioner has the same door."""
    if role == "coordinator":
        return store.coordinators.find_by_email(db, email_index(email))
    return store.practitioners.find_by_email(db, email_index(email)) or store.applications.find_by_email(db, email_index(email))
