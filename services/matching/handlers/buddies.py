"""Two practitioners who are there for each other, and how one asks a buddy or a coordinator to call."""

import uuid
from dataclasses import dataclass

from services.matching import store
from services.matching.domain import Practitioner
from services.matching.handlers.profiles import find_by_address_or_page, name_of
from services.matching.handlers.service import service
from services.matching.handlers.sign_in import coordinator_name
from shared.contracts import CallAsked
from shared.messages import Event
from shared.mongo import Db


class NobodyOfThatName(ValueError):
    """No other practitioner has a page of this name."""


@dataclass(frozen=True, kw_only=True, repr=False)
class NameBuddy:
    practitioner_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class AnswerBuddy:
    """`other_id`: who named them."""

    practitioner_id: str
    other_id: str
    yes: bool


@dataclass(frozen=True, kw_only=True)
class AskForCall:
    practitioner_id: str
    person_id: str


@dataclass(frozen=True, kw_only=True, repr=False)
class BuddyView:
    """`name`: whom they named; empty: nobody. `both`: that one named them too. `asks`: others who named them, as (id, name).
    `may_call`: whom they can ask to call, as (id, name): the buddy, and coordinators who show their first name."""

    name: str
    both: bool
    asks: list[tuple[str, str]]
    may_call: list[tuple[str, str]]


def name_buddy(command: NameBuddy, db: Db) -> list[Event]:
    """Raises NobodyOfThatName. By the name that everybody can read, so that nothing is learned of an address."""
    practitioner = store.practitioners.find(db, command.practitioner_id)
    other = find_by_address_or_page(command.name.replace("@", " "), db)
    if practitioner is None or other is None or other.id == practitioner.id or other.has_stepped_back:
        raise NobodyOfThatName
    _name(practitioner, other.id, db)
    return []


def let_go_of_buddy(practitioner_id: str, db: Db) -> list[Event]:
    """By either: then neither is the other's."""
    practitioner = store.practitioners.find(db, practitioner_id)
    if practitioner is None or practitioner.buddy_id is None:
        return []
    other = store.practitioners.find(db, practitioner.buddy_id)
    _name(practitioner, None, db)
    if other and other.buddy_id == practitioner.id:
        _name(other, None, db)
    return []


def answer_buddy(command: AnswerBuddy, db: Db) -> list[Event]:
    practitioner, other = (store.practitioners.find(db, id) for id in (command.practitioner_id, command.other_id))
    if practitioner is None or other is None or other.buddy_id != practitioner.id:
        return []
    if command.yes:
        _name(practitioner, other.id, db)
    else:
        _name(other, None, db)
    return []


def ask_for_call(command: AskForCall, db: Db) -> list[Event]:
    """Nothing is kept of it here. [] when they may not ask this person."""
    practitioner = store.practitioners.find(db, command.practitioner_id)
    if practitioner is None or command.person_id not in dict(_may_call(practitioner, db)):
        return []
    encrypted = service.vault.encrypt_for("notify", command.person_id, {"who": name_of(practitioner)})
    return [CallAsked(call_id=str(uuid.uuid4()), person_id=command.person_id, encrypted=encrypted)]


def view_buddy(practitioner: Practitioner, db: Db) -> BuddyView:
    named = store.practitioners.find(db, practitioner.buddy_id) if practitioner.buddy_id else None
    asking = [one for one in store.practitioners.who_named(db, practitioner.id) if one.id != practitioner.buddy_id]
    return BuddyView(
        name=name_of(named) if named else "",
        both=_is_buddy(practitioner, named),
        asks=[(one.id, name_of(one)) for one in asking],
        may_call=_may_call(practitioner, db),
    )


def _may_call(practitioner: Practitioner, db: Db) -> list[tuple[str, str]]:
    named = store.practitioners.find(db, practitioner.buddy_id) if practitioner.buddy_id else None
    buddy = [(named.id, name_of(named))] if named and _is_buddy(practitioner, named) else []
    shown = [one for one in store.coordinators.everyone(db) if one.is_shown]
    return buddy + [(one.id, coordinator_name(one).split()[0]) for one in shown]


def _is_buddy(practitioner: Practitioner, other: Practitioner | None) -> bool:
    return other is not None and other.buddy_id == practitioner.id


def _name(practitioner: Practitioner, other_id: str | None, db: Db) -> None:
    practitioner.name_buddy(other_id)
    store.practitioners.save(db, practitioner)
