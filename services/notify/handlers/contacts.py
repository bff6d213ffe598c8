"""How people want to be told, and their way in."""

import hashlib
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.notify import rules, store
from services.notify.handlers.desk import known, service, tell
from shared import vault
from shared.contracts import ContactShared, Sealed, SignInAsked
from shared.messages import Event
from shared.mongo import Db


@service.on(ContactShared)
def keep_contact(event: ContactShared, db: Db) -> list[Event]:
    store.keep_contact(db, event, _zone(event.time_zone), _number_hash(event.sealed))
    return []


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
