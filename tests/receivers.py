"""People to be told things, as notify hears of them: say only what the test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify.handlers import contacts
from shared import vault
from shared.clock import now
from shared.contracts import ContactShared, EncryptedFields, OfferMade, OfferReminded, TeamContactShared
from shared.messages import Event
from shared.mongo import Db
from shared.service import Service
from shared.vault import Vault

ANA_PHONE, WREN_PHONE = "+15550177", "+15550188"
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # in New York


def encrypted_for_notify(vault_of_notify: Vault, person_id: str, **fields: str) -> EncryptedFields:
    """What another service sends; notify's own public key is enough to make it."""
    assert vault_of_notify.private
    publishers_vault = Vault(public={"notify": vault_of_notify.private.public_key()})
    key = vault.new_key()
    return EncryptedFields(
        person_id=person_id,
        wrap=publishers_vault.wrap(key, person_id, "notify"),
        fields=vault.encrypt_fields(key, person_id, fields),
    )


def a_contact(notify: Service, person_id: str, fields: dict[str, str], **facts: Any) -> ContactShared | TeamContactShared:
    usual: dict[str, Any] = {
        "version": 1, "channels": ("email", "text"), "language": "en", "time_zone": "America/New_York",
        "quiet_from": 0, "quiet_until": 0,
    }  # fmt: skip
    event_class = TeamContactShared if "role" in facts else ContactShared
    return event_class(
        person_id=person_id, encrypted=encrypted_for_notify(notify.vault, person_id, **fields), **{**usual, **facts}
    )


def ana(notify: Service, **facts: Any) -> TeamContactShared:
    """A practitioner, by mail and text, with no quiet hours."""
    return a_contact(
        notify, "ana", {"email": "ana@example.org", "phone": ANA_PHONE, "known_as": "Ana"}, **{"role": "practitioner", **facts}
    )


def wren(notify: Service, person_id: str = "wren", **facts: Any) -> ContactShared:
    """The supportee of request r1."""
    own = {"email": "wren@example.org", "phone": WREN_PHONE, "link": "https://kt.example/s/their-own-link", "known_as": "Wren"}
    return a_contact(notify, person_id, own, **{"request_id": "r1", **facts})


def a_coordinator(notify: Service, name: str = "coco", **facts: Any) -> ContactShared:
    own = {"email": f"{name}@example.org"}
    return a_contact(notify, name, own, **{"role": "coordinator", "channels": ("email",), **facts})


def an_offer(notify: Service, offer_id: str = "o1", **facts: Any) -> OfferMade:
    links = {"link": f"https://kt.example/o/{'x' * 43}", "short_link": "https://kt.example/o/k7QmX2RtZ9pLw4Hd"}
    usual: dict[str, Any] = {
        "request_id": "r1", "practitioner_id": "ana", "version": 1, "answer_by": now() + timedelta(days=5), "code": "A7",
    }  # fmt: skip
    facts = {**usual, **facts}
    return OfferMade(offer_id=offer_id, encrypted=encrypted_for_notify(notify.vault, facts["practitioner_id"], **links), **facts)


def a_reminder(notify: Service, offer: OfferMade) -> OfferReminded:
    return OfferReminded(
        offer_id=offer.offer_id, request_id=offer.request_id, practitioner_id=offer.practitioner_id, answer_by=offer.answer_by,
        code=offer.code, encrypted=offer.encrypted,
    )  # fmt: skip


def record_contact(event: ContactShared | TeamContactShared, db: Db) -> list[Event]:
    """What notify does when it hears of a contact, whoever it is."""
    return contacts.record_contact(event, db) if isinstance(event, ContactShared) else contacts.record_team_contact(event, db)
