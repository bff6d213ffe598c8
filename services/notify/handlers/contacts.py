"""How people want to be notified, and their links to sign in."""

import hashlib
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.notify import rules, store
from services.notify.domain import Contact, Message
from services.notify.handlers.outbound import enqueue_notification, require, service
from shared import vault
from shared.clock import now
from shared.contracts import (
    ContactDetails,
    ContactShared,
    EncryptedFields,
    Role,
    SignInRequested,
    TeamContactShared,
    TeamSignInRequested,
)
from shared.messages import Event, InvalidMessage
from shared.mongo import Db
from shared.service import RetryLater


@service.on(ContactShared, prefetch=store.keys_of_contact)
def record_contact(event: ContactShared, db: Db) -> list[Event]:
    """A supportee's contact comes with their request, so it is also the moment to say that the request has arrived."""
    supportee = _contact(event, "supportee", event.request_id)
    if not _save_next_version(supportee, db) or supportee.version > 1:
        return []
    if store.find_last_update(db, event.request_id).withdrawn:
        return []
    hear_by = now() + timedelta(days=service.programme.answer_days)
    return enqueue_notification(db, supportee, Message("request_received", event.request_id, {"hear_by": hear_by}))


@service.on(TeamContactShared)
def record_team_contact(event: TeamContactShared, db: Db) -> list[Event]:
    _save_next_version(_contact(event, event.role, None), db)
    return []


def _save_next_version(contact: Contact, db: Db) -> bool:
    """Versions are saved one after the other, so that no event can jump ahead and shut out the true ones. False: an old version.

    RetryLater: one before it is missing. InvalidMessage: it would make one person into another.
    """
    known = store.find_contact(db, contact.person_id)
    if known and (known.role, known.request_id) != (contact.role, contact.request_id):
        raise InvalidMessage("a contact's role and request never change")
    newest = known.version if known else 0
    if contact.version > newest + 1:
        raise RetryLater("a version of this contact has not come yet")
    if contact.version <= newest:
        return False
    store.save_contact(db, contact, is_new=known is None)
    return True


@service.on(SignInRequested)
def enqueue_sign_in_link(event: SignInRequested, db: Db) -> list[Event]:
    return _enqueue_link(event.person_id, event.encrypted, db)


@service.on(TeamSignInRequested)
def enqueue_team_sign_in_link(event: TeamSignInRequested, db: Db) -> list[Event]:
    return _enqueue_link(event.person_id, event.encrypted, db)


def _enqueue_link(person_id: str, encrypted: EncryptedFields, db: Db) -> list[Event]:
    cause = hashlib.sha256(encrypted.wrap.encode()).hexdigest()[:32]
    return enqueue_notification(db, require(store.find_contact(db, person_id)), Message("sign_in", cause, encrypted=encrypted))


def _contact(event: ContactDetails, role: Role, request_id: str | None) -> Contact:
    return Contact(
        person_id=event.person_id,
        role=role,
        request_id=request_id,
        version=event.version,
        channels=event.channels,
        language=event.language,
        time_zone=_zone(event.time_zone),
        quiet_from=event.quiet_from,
        quiet_until=event.quiet_until,
        encrypted=event.encrypted,
        phone_hash=_phone_hash(event.encrypted),
    )


def _phone_hash(encrypted: EncryptedFields) -> str | None:
    """A text's sender is found by this; the number itself is decrypted only here and at sending."""
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
