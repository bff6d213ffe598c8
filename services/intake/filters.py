"""What a visitor looks for among those who are here. Pure: the caller brings the day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.intake.rules import Entry, folded
from shared.contracts import Part
from shared.weeks import share_an_hour


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Within a group any of the ticked will do; all groups must be met. `when`: parts of the week in `zone`. Empty: no limit."""

    meeting_types: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    when: tuple[Part, ...] = ()
    lived: tuple[str, ...] = ()
    doings: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    text: str = ""
    zone: str = ""

    @property
    def narrows(self) -> bool:
        return replace(self, zone="") != Wish()


def matching_wish(entries: Sequence[Entry], wish: Wish, today: date) -> list[Entry]:
    conditions = list(_conditions(wish, today).values())
    if not conditions:
        return list(entries)
    return [entry for entry in entries if all(met(entry) for met in conditions)]


def counts_without_each_filter(entries: Sequence[Entry], wish: Wish, today: date) -> dict[str, int]:
    """Where nobody meets the whole wish: how many do when one group of it is dropped. Only those groups whose dropping helps,
    best first."""
    conditions = list(_conditions(wish, today).items())
    counted = dict.fromkeys((name for name, _ in conditions), 0)
    for entry in entries:
        missed = ""
        for name, met in conditions:
            if not met(entry):
                if missed:
                    break
                missed = name
        else:
            if missed:
                counted[missed] += 1
    return dict(sorted(((name, count) for name, count in counted.items() if count), key=lambda pair: -pair[1]))


def _conditions(wish: Wish, today: date) -> dict[str, Callable[[Entry], bool]]:
    """The quickest first. Whoever said nothing of a way, a time or what they do has no limit there."""
    found: dict[str, Callable[[Entry], bool]] = {}
    if wish.meeting_types:
        found["meeting_types"] = lambda e: not e.meeting_types or not meeting_types.isdisjoint(e.meeting_types)
    if wish.languages:
        found["languages"] = lambda e: not languages.isdisjoint(e.languages)
    if wish.lived:
        found["lived"] = lambda e: not lived.isdisjoint(e.lived)
    if wish.doings:
        found["doings"] = lambda e: not e.doings or not doings.isdisjoint(e.doings)
    if wish.help:
        found["help"] = lambda e: not help.isdisjoint(e.help)
    if wish.when:
        found["when"] = lambda e: not e.parts or share_an_hour(wish.when, wish.zone, e.parts, e.time_zone or wish.zone, today)
    words = folded(wish.text).split()
    if words:
        found["text"] = lambda e: all(word in e.own_words for word in words)
    meeting_types, languages, lived = frozenset(wish.meeting_types), frozenset(wish.languages), frozenset(wish.lived)
    doings, help = frozenset(wish.doings), frozenset(wish.help)
    return found
