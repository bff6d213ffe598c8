"""How people want to be told, and their way in."""

import hashlib
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.notify import rules, store
from services.notify.handlers.desk import known, service, tell
from services.notify.rules import Contact
from shared import vault
from shared.clock import now
from shared.contracts import ContactShared, Sealed, SignInAsked
from shared.messages import Event
from shared.mongo import Db


@service.on(ContactShared)
def keep_contact(event: ContactShared, db: Db) -> list[Event]:
    store.keep_contact(db, event, _zone(event.time_zone), _number_hash(event.sealed))
    if event.role == "supportee" and event.request_id and event.version == 1:
        _confirm_request(event.request_id, known(store.contact(db, event.person_id)), db)
    return []


def _confirm_request(request_id: str, supportee: Contact, db: Db) -> None:
    """The way to reach somebody comes with their request, so it is also the moment to say that the request arrived."""
    tell(db, supportee, "request_received", request_id, {"hear_by": now() + timedelta(days=service.programme.answer_days)})


@service.on(SignInAsked)
def send_sign_in_link(event: SignInAsked, db: Db) -> list[Event]:
    contact = known(store.contact(db, event.person_id))
    tell(db, contact, "sign_in", hashlib.sha256(event.sealed.wrap.encode()).hexdigest()[:32], sealed=event.sealed)
    return []


def _number_hash(sealed: Sealed) -> str | None:
    """A text's sender is found by this; the number itself is opened only here and at sending."""
    if "phone" not in sealed.fields:
        return None
    key = service.vault.unwrap(sealed.wrap, sealed.person_id)
    number = vault.open_sealed(key, sealed.person_id, "phone", sealed.fields["phone"])
    return service.vault.index("phone", rules.e164(number))


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return service.programme.time_zone
