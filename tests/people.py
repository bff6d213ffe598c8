"""People and requests for tests: say only what the test is about, the rest is ordinary."""

import json
from datetime import UTC, datetime
from typing import Any

from services.matching.domain import Practitioner, Request
from services.matching.handlers.profiles import PractitionerProfile
from shared import vault
from shared.contracts import Choice, EncryptedFields, PractitionerChanged, RequestSubmitted
from shared.service import Service

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NEW_YORK = "America/New_York"


def a_practitioner(id: str = "juniper", *, taken: int = 0, **facts: Any) -> Practitioner:
    """`taken`: how many of their places are occupied."""
    return Practitioner(**{"id": id, "time_zone": NEW_YORK, "occupied_slots": tuple(range(taken)), **facts})


def a_request(*choices: str | tuple[str, str], id: str = "r1", **facts: Any) -> Request:
    """`choices`: ids of practitioners, or (id, what may happen if that person cannot)."""
    usual: dict[str, Any] = {
        "supportee_id": f"supportee of {id}",
        "mode": "chosen" if choices else "suggest",
        "submitted_at": MONDAY,
    }
    usual["choice_index"] = 0 if choices else None
    return Request(**{"id": id, **usual, "choices": _ranking(choices), "time_zone": NEW_YORK, **facts})


def a_request_submitted(
    receiver: Service, *choices: str | tuple[str, str], id: str = "r1", words: dict[str, str] | None = None, **facts: Any
) -> RequestSubmitted:
    supportee_id, key = f"supportee of {id}", vault.new_key()
    written = {"name": "Wren", "pronouns": "they", "words": "I would like company on hard mornings", **(words or {})}
    encrypted = EncryptedFields(
        person_id=supportee_id,
        wrap=receiver.vault.wrap(key, supportee_id, "matching"),
        fields=vault.encrypt_fields(key, supportee_id, written),
    )
    usual = {"mode": "chosen" if choices else "suggest", "submitted_at": MONDAY, "time_zone": NEW_YORK, "encrypted": encrypted}
    return RequestSubmitted(**{"request_id": id, "supportee_id": supportee_id, **usual, "choices": _ranking(choices), **facts})


def a_profile(id: str = "juniper", **facts: Any) -> PractitionerProfile:
    usual = {"name": id.title(), "time_zone": NEW_YORK, "email": f"{id}@example.org"}
    return PractitionerProfile(**{"practitioner_id": id, **usual, **facts})


def an_entry_seen(intake: Service, id: str = "juniper", **facts: Any) -> PractitionerChanged:
    """A practitioner as intake hears of them."""
    profile = {"slug": id, "name": id.title(), "pronouns": "they", "words": f"{id.title()} keeps bees.", "can_sit_with": "grief"}
    usual = {
        "version": 1,
        "state": "open",
        "languages": ("en",),
        "meeting_types": ("video",),
        "parts": ("weekday_evening",),
        "help": ("listening",),
    }
    encrypted = intake.vault.encrypt_profile(id, json.dumps(profile))
    return PractitionerChanged(**{"practitioner_id": id, **usual, "encrypted_profile": encrypted, **facts})


def _ranking(choices: tuple[str | tuple[str, str], ...]) -> tuple[Choice, ...]:
    steps = [(choice, "next_choice") if isinstance(choice, str) else choice for choice in choices]
    return tuple(Choice(practitioner_id=who, if_not=if_not) for who, if_not in steps)  # type: ignore[arg-type]
