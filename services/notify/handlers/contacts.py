"""How people want to be told, and their way in."""

import hashlib
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.notify import rules, store
from services.notify.handlers.desk import known, service, tell
from services.notify.rules import Contact
from shared import vault
from shared.clock import now
from shared.contracts import ContactShared, EncryptedFields, SignInRequested, TeamContactShared, TeamSignInRequested
from shared.messages import Event
from shared.mongo import Db


@service.on(ContactShared)
def keep_contact(event: ContactShared, db: Db) -> list[Event]:
    store.keep_contact(db, event, "supportee", event.request_id, _zone(event.time_zone), _number_hash(event.encrypted))
    if event.version == 1:
        _confirm_request(event.request_id, known(store.contact(db, event.person_id)), db)
    return []


def _confirm_request(request_id: str, supportee: Contact, db: Db) -> None:
    """The way to reach somebody comes with their request, so it is also the moment to say that the request arrived."""
    tell(db, supportee, "request_received", request_id, {"hear_by": now() + timedelta(days=service.programme.answer_days)})


@service.on(TeamContactShared)
def keep_team_contact(event: TeamContactShared, db: Db) -> list[Event]:
    store.keep_contact(db, event, event.role, None, _zone(event.time_zone), _number_hash(event.encrypted))
    return []


@service.on(SignInRequested)
def send_sign_in_link(event: SignInRequested, db: Db) -> list[Event]:
    return _send_link(event.person_id, event.encrypted, db)


@service.on(TeamSignInRequested)
def send_team_sign_in_link(event: TeamSignInRequested, db: Db) -> list[Event]:
    return _send_link(event.person_id, event.encrypted, db)


def _send_link(person_id: str, encrypted: EncryptedFields, db: Db) -> list[Event]:
    contact = known(store.contact(db, person_id))
    tell(db, contact, "sign_in", hashlib.sha256(encrypted.wrap.encode()).hexdigest()[:32], encrypted=encrypted)
    return []


def _number_hash(encrypted: EncryptedFields) -> str | None:
    """A text's sender is found by this; the number itself is opened only here and at sending."""
    if "phone" not in encrypted.fields:
        return None
    key = service.vault.unwrap(encrypted.wrap, encrypted.person_id)
    number = vault.decrypt(key, encrypted.person_id, "phone", encrypted.fields["phone"])
    return service.vault.blind_index("phone", rules.e164(number))


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return service.programme.time_zone
