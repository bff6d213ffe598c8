"""How people want to be notified, and their links to sign in."""

import hashlib
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.notify import rules, store
from services.notify.domain import RECEIPT, Contact, Context, Message, after_release
from services.notify.handlers.outbound import enqueue_notification, require, service, write_notifications
from shared import vault
from shared.clock import now
from shared.contracts import (
    ContactAllowed,
    ContactConfirmed,
    ContactDetails,
    ContactReleased,
    ContactShared,
    EncryptedFields,
    RequestReleased,
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
    if store.find_last_update(db, event.request_id).withdrawn:
        return []
    supportee = _as_held(_contact(event, "supportee", event.request_id), event, store.find_contact(db, event.person_id))
    if not _save_next_version(supportee, db):
        return []
    if supportee.version > 1:
        _withhold_what_is_pending(supportee, db)
        return [] if supportee.is_held or supportee.withheld is None else _release(supportee, db)
    received = Message(RECEIPT, event.request_id, _promised(event), encrypted=event.first_link)
    if supportee.may_get_one_email and store.take_first_email(db, _email_hash(event.encrypted), now()):
        write_notifications(db, supportee, replace(received, context={}), ["email"])
        return []
    if event.person_writes and not event.held:  # so that matching's own word of it is no second e-mail
        store.record_update(db, event.request_id, 0, rules.update_name(RECEIPT, "person"))
    return enqueue_notification(db, supportee, received)


def _promised(event: ContactShared) -> Context:
    """What their page says after Send."""
    hear_by = event.hear_by or rules.hear_by(now(), service.programme.answer_days)
    return {"hear_by": hear_by, **({"writes": "a person"} if event.person_writes else {})}


def _as_held(supportee: Contact, event: ContactShared, known: Contact | None) -> Contact:
    """What holds already goes on: a new version brings new addresses, and perhaps new words that nobody has read."""
    held = replace(
        supportee,
        only_news=event.only_news,
        unread=event.read_first,
        on_their_word=event.on_their_word,
        unconfirmed=event.held,
        opens_by_link=event.opens_by_link,
    )
    if known is None:
        return held
    return replace(
        held,
        unread=held.unread or (known.unread and not event.nothing_to_read),
        on_their_word=held.on_their_word or known.on_their_word,
        unconfirmed=known.unconfirmed,
        withheld=known.withheld,
    )


def _withhold_what_is_pending(supportee: Contact, db: Db) -> None:
    if supportee.is_held and store.any_is_pending(db, supportee.person_id):
        store.cancel_notifications(db, now(), "held", person_id=supportee.person_id)
        store.withhold(db, supportee.person_id, Message("message", f"{supportee.person_id}/{supportee.version}"))


@service.on(ContactReleased)
def release_contact(event: ContactReleased, db: Db) -> list[Event]:
    """Once: heard again, or after the supportee's own word, it holds nothing back."""
    contact = _held(event.request_id, event.supportee_id, db)
    if contact is None or not contact.unread:
        return []
    on_their_word = contact.on_their_word or event.write == "on_their_word"
    return _release(replace(contact, unread=False, on_their_word=on_their_word), db)


@service.on(ContactAllowed)
def allow_contact(event: ContactAllowed, db: Db) -> list[Event]:
    contact = _held(event.request_id, event.person_id, db)
    if contact is None:
        return []
    unread = contact.unread and not (event.was_read or event.without_reading)
    return _release(replace(contact, unread=unread, on_their_word=False), db)


@service.on(ContactConfirmed)
def confirm_contact(event: ContactConfirmed, db: Db) -> list[Event]:
    contact = _held(event.request_id, event.person_id, db)
    return _release(replace(contact, unconfirmed=False), db) if contact else []


@service.on(RequestReleased)
def release_request(event: RequestReleased, db: Db) -> list[Event]:
    """A coordinator has looked at it, so they are written to like everybody."""
    contact = _held(event.request_id, event.supportee_id, db)
    return _release(replace(contact, unconfirmed=False), db) if contact else []


def _held(request_id: str, person_id: str, db: Db) -> Contact | None:
    if store.find_last_update(db, request_id).withdrawn:
        return None
    contact = require(store.find_contact(db, person_id))
    return contact if contact.is_held else None


def _release(contact: Contact, db: Db) -> list[Event]:
    """Of all that happened meanwhile one message."""
    withheld = contact.withheld
    if contact.is_held or withheld is None:
        store.save_contact(db, contact, is_new=False)
        return []
    free = replace(contact, withheld=None)
    store.save_contact(db, free, is_new=False)
    return enqueue_notification(db, free, after_release(withheld, now()))


@service.on(TeamContactShared)
def record_team_contact(event: TeamContactShared, db: Db) -> list[Event]:
    _save_next_version(replace(_contact(event, event.role, None), digest=event.digest), db)
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
    ended_at = known.ended_at if known else None
    store.save_contact(db, replace(contact, ended_at=ended_at), is_new=known is None)
    if known and known.phone_hash != contact.phone_hash:
        store.forget_number(db, known)
    return True


@service.on(SignInRequested)
def enqueue_sign_in_link(event: SignInRequested, db: Db) -> list[Event]:
    if event.request_id and store.find_last_update(db, event.request_id).withdrawn:
        return []
    return _enqueue_link(event.person_id, event.encrypted, db, "way_in_code" if "code" in event.encrypted.fields else "way_in")


@service.on(TeamSignInRequested)
def enqueue_team_sign_in_link(event: TeamSignInRequested, db: Db) -> list[Event]:
    return _enqueue_link(event.person_id, event.encrypted, db)


def _enqueue_link(person_id: str, encrypted: EncryptedFields, db: Db, template: str = "sign_in") -> list[Event]:
    cause = hashlib.sha256(encrypted.wrap.encode()).hexdigest()[:32]
    return enqueue_notification(db, require(store.find_contact(db, person_id)), Message(template, cause, encrypted=encrypted))


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


def _email_hash(encrypted: EncryptedFields) -> str:
    key = service.vault.unwrap(encrypted.wrap, encrypted.person_id)
    email = vault.decrypt(key, encrypted.person_id, "email", encrypted.fields["email"])
    return service.vault.blind_index("email", email.casefold())


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return service.programme.time_zone
