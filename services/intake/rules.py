"""What intake decides. Pure: no clock, no randomness, no database. Whoever asks brings the facts and the moment."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from shared.contracts import Choice, Help, MeetingType, Part, PractitionerState

MOST_CHOICES = 5
REQUIRED = {1: "mode", 2: "name", 4: "reach"}
LAST_QUESTION = 7
DAYS_TO_KEEP_A_REQUEST = 90


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A practitioner as everybody may see them. The words are their own."""

    id: str
    state: PractitionerState
    resting_until: datetime | None = None
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    parts: tuple[Part, ...] = ()
    help: tuple[Help, ...] = ()
    slug: str = ""
    name: str = ""
    pronouns: str = ""
    words: str = ""
    can_sit_with: str = ""
    first_meeting: str = ""
    not_offered: str = ""
    access: str = ""


# Who is here


def order_of_the_day(entries: Iterable[Entry], today: date) -> list[Entry]:
    """The same all day, another tomorrow, and nobody's for long. Those open to somebody new come first."""
    return sorted(entries, key=lambda e: (e.state != "open", sha256(f"{today}/{e.id}".encode()).digest()))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a visitor looks for. Within a group any of the ticked will do; all groups must be met."""

    meeting_types: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    text: str = ""


def matching_wish(entries: Sequence[Entry], wish: Wish) -> list[Entry]:
    return [entry for entry in entries if all(met(entry) for met in _conditions(wish).values())]


def without_one(entries: Sequence[Entry], wish: Wish) -> dict[str, int]:
    """How many there are when one group of the wish is dropped: only those groups whose dropping helps, best first."""
    conditions = _conditions(wish)
    found = {name: sum(all(met(e) for other, met in conditions.items() if other != name) for e in entries) for name in conditions}
    return dict(sorted(((name, count) for name, count in found.items() if count), key=lambda pair: -pair[1]))


def _conditions(wish: Wish) -> dict[str, Callable[[Entry], bool]]:
    conditions: dict[str, Callable[[Entry], bool]] = {}
    if wish.meeting_types:
        conditions["meeting_types"] = lambda e: not e.meeting_types or bool(set(wish.meeting_types) & set(e.meeting_types))
    if wish.languages:
        conditions["languages"] = lambda e: bool(set(wish.languages) & set(e.languages))
    if wish.when:
        conditions["when"] = lambda e: not e.parts or bool(set(wish.when) & {part.split("_")[1] for part in e.parts})
    if wish.help:
        conditions["help"] = lambda e: bool(set(wish.help) & set(e.help))
    if wish.text.strip():
        conditions["text"] = lambda e: _says(e, wish.text)
    return conditions


def _says(entry: Entry, text: str) -> bool:
    own = " ".join([entry.name, entry.pronouns, entry.words, entry.can_sit_with, entry.first_meeting, entry.access]).casefold()
    return all(word in own for word in text.casefold().split())


def may_be_chosen(entry: Entry) -> bool:
    """Whoever is full or resting may still be chosen: some people would rather wait for this one person."""
    return entry.state != "stepped_back"


def no_longer_open(choices: Iterable[Choice], entries: Mapping[str, Entry]) -> list[str]:
    """Those chosen who cannot be asked right now, in the order they were chosen. A stranger cannot be asked at all."""
    ids = [choice.practitioner_id for choice in choices]
    return [id for id in ids if id not in entries or entries[id].state != "open"]


# The seven questions


def first_missing(answered: Collection[int]) -> int | None:
    """The first question that needs an answer and has none."""
    return next((question for question in REQUIRED if question not in answered), None)


def after(question: int) -> int | None:
    return question + 1 if question < LAST_QUESTION else None


def answer_by(sent_at: datetime, days: int) -> datetime:
    return sent_at + timedelta(days=days)


def looks_like_a_machine(trap: str, pressed_again: bool) -> bool:
    """A field nobody sees was filled in. A person's browser may do that too, so a second press goes through."""
    return bool(trap) and not pressed_again


# Where a request stands

Kind = Literal[
    "received", "asking", "cannot", "suggestions", "waiting", "your_word", "reaching_out", "matched", "going_on", "withdrawn"
]
Move = Literal["ask", "wait", "person", "leave"]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The state of a request in the words of its own facts. `why`: how the step before ended, where that explains this one."""

    kind: Kind
    practitioner_ids: tuple[str, ...] = ()
    by: datetime | None = None
    why: str = ""
    moves: tuple[Move, ...] = ("leave",)


Fact = Mapping[str, Any]
ENDED = ("offer.declined.v1", "offer.expired.v1", "offer.released.v1")
NEEDS_THEIR_WORD: tuple[Move, ...] = ("ask", "wait", "person", "leave")


def standing(facts: Iterable[Fact], *, withdrawn: bool = False, chosen: Fact | None = None) -> Standing:
    """The newest fact decides. `chosen`: what the supportee said should happen after the fact with its version."""
    if withdrawn:
        return Standing(kind="withdrawn", moves=())
    known = in_order(fact for fact in facts if _changes_the_state(fact))
    if not known:
        return Standing(kind="received")
    now, before = known[-1], known[-2] if len(known) > 1 else None
    why = _why_it_ended(before) if before and before["kind"] in ENDED else ""
    found = _STANDING[now["kind"]](now, why)
    return _after_their_word(found, chosen) if chosen and chosen["version"] >= now["version"] else found


def _after_their_word(found: Standing, chosen: Fact) -> Standing:
    if found.kind == "asking" and chosen["next"] == "person":
        return replace(found, moves=("leave",), why="person")  # somebody is asked all the same
    return Standing(kind="going_on", practitioner_ids=tuple(filter(None, [chosen["practitioner_id"]])), why=chosen["next"])


def who_reads_a_note(found: Standing, notes: Iterable[Mapping[str, Any]]) -> str | None:
    """The practitioner who reads what the supportee writes now: who said yes, or asked something first. None: coordinators."""
    with_them = found.practitioner_ids[0] if found.kind in {"asking", "matched"} and found.practitioner_ids else None
    if found.kind == "asking" and not any(note["by"] == with_them for note in notes):
        return None
    return with_them


def newest_version(facts: Iterable[Fact]) -> int:
    return max((fact["version"] for fact in facts), default=0)


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact["version"], fact["kind"]))


def _changes_the_state(fact: Fact) -> bool:
    return fact["kind"] != "coordinator.needed.v1" or bool(fact["reaching_out"])


def _why_it_ended(fact: Fact) -> str:
    return {"offer.declined.v1": "declined", "offer.expired.v1": "lapsed"}.get(fact["kind"]) or str(fact["why"])


def _asking(fact: Fact, why: str) -> Standing:
    return Standing(
        kind="asking", practitioner_ids=(fact["practitioner_id"],), by=fact["answer_by"], why=why, moves=("person", "leave")
    )


def _ended(fact: Fact, _: str) -> Standing:
    theirs: tuple[Move, ...] = NEEDS_THEIR_WORD if fact.get("then") == "ask_me" else ("person", "leave")
    kind: Kind = "your_word" if fact.get("then") == "ask_me" else "cannot"
    return Standing(kind=kind, practitioner_ids=(fact["practitioner_id"],), why=_why_it_ended(fact), moves=theirs)


def _waiting(fact: Fact, why: str) -> Standing:
    if fact["waiting_for"] == "choice":
        return Standing(kind="your_word", practitioner_ids=tuple(fact["practitioner_ids"]), why=why, moves=NEEDS_THEIR_WORD)
    return Standing(kind="waiting", practitioner_ids=tuple(fact["practitioner_ids"]), why=why, moves=("ask", "person", "leave"))


_STANDING: dict[str, Callable[[Fact, str], Standing]] = {
    "offer.made.v1": _asking,
    "offer.declined.v1": _ended,
    "offer.expired.v1": _ended,
    "offer.released.v1": _ended,
    "match.made.v1": lambda fact, _: Standing(kind="matched", practitioner_ids=(fact["practitioner_id"],)),
    "suggestions.made.v1": lambda fact, why: Standing(
        kind="suggestions", practitioner_ids=tuple(fact["practitioner_ids"]), why=why, moves=NEEDS_THEIR_WORD
    ),
    "request.waiting.v1": _waiting,
    "coordinator.needed.v1": lambda fact, _: Standing(kind="reaching_out", why=fact["why"]),
}
