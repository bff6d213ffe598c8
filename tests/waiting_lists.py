"""Waiting lists of any size, written straight into matching's database: for the bench and for tests at size."""

from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any, Literal

from services.matching import store
from services.matching.domain import Practitioner, Request
from services.matching.handlers.profiles import PUBLIC_FIELDS
from shared.contracts import EncryptedFields, Mode
from shared.mongo import Db
from shared.service import Service
from shared.transaction import Transaction
from shared.vault import Vault
from tests.people import MONDAY, NEW_YORK

Kind = Literal["places", "suggestions"]
HELP = ("listening", "planning", "making_sense", "forms")
MEETING_TYPES = ("video", "phone", "text")
PARTS = ("weekday_morning", "weekday_afternoon", "weekday_evening", "weekend_morning")
LANGUAGES = ("en", "es")


def add_practitioners_who_are_full(service: Service, count: int, places: int, random: Random) -> list[str]:
    """Each says no to new people now, and has `places` when they open up."""
    people, together = [_practitioner(service.vault, number, places, random) for number in range(count)], Transaction(service.db)
    store.practitioners.save(together.as_db(), *people)
    together.flush()
    return [one.id for one in people]


def add_waiting(db: Db, count: int, kind: Kind, practitioner_ids: list[str], random: Random) -> None:
    """For places: half of them named one to three practitioners, the others would meet anyone who suits."""
    requests = (_request(number, kind, practitioner_ids, random) for number in range(count))
    while some := list(islice(requests, 1000)):
        together = Transaction(db)
        store.requests.save(together.as_db(), *some)
        together.flush()


def _practitioner(vault: Vault, number: int, places: int, random: Random) -> Practitioner:
    id = f"practitioner-{number:04}"
    profile = '{"slug": "' + id + '", ' + ", ".join(f'"{name}": ""' for name in PUBLIC_FIELDS) + "}"
    return Practitioner(
        id=id,
        state="full",
        places=places,
        offers_at_once=places,
        languages=_some(LANGUAGES, random),
        meeting_types=_some(MEETING_TYPES, random),
        help=_some(HELP, random),
        parts=_some(PARTS, random),
        time_zone=NEW_YORK,
        slug_index=id,
        published_state="full",
        encrypted_profile=vault.encrypt_profile(id, profile),
    )


def _request(number: int, kind: Kind, practitioner_ids: list[str], random: Random) -> Request:
    id = f"request-{number:06}"
    named = tuple(random.sample(practitioner_ids, random.randint(1, 3))) if kind == "places" and random.random() < 0.5 else ()
    mode: Mode = "suggest" if kind == "suggestions" else "chosen" if named else "anyone"
    request = Request(
        id=id,
        supportee_id=f"supportee of {id}",
        mode=mode,
        submitted_at=MONDAY + timedelta(seconds=random.randrange(10_000_000)),
        languages=_some(LANGUAGES, random)[:1],
        meeting_types=_some(MEETING_TYPES, random),
        help=_some(HELP, random),
        parts=_some(PARTS, random),
        time_zone=NEW_YORK,
        encrypted=EncryptedFields(person_id=f"supportee of {id}", wrap="w" * 160, fields={"words": "x" * 400}),
    )
    request.wait_for_place(named)
    return request


def _some(values: tuple[Any, ...], random: Random) -> tuple[Any, ...]:
    return tuple(random.sample(values, random.randint(1, len(values))))
