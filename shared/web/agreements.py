"""What two people agree on, as one of them reads it: what stands there, and what is new in it, word by word."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Literal

from flask_babel import gettext

from shared import labels
from shared.contracts import AgreementText, PairMember
from shared.programme import Programme
from shared.web.locale import language

WORDS = re.compile(r"\s*\S+|\s+")
Change = Literal["", "new", "changed", "gone"]
Sections = Mapping[str, str]
Headings = list[tuple[str, str]]
"""(code, words)"""


@dataclass(frozen=True)
class Piece:
    """Some words. `marked`: they are in one of two versions alone."""

    words: str
    marked: bool = False


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """One heading. `before`, `now`: what stands under it in two versions."""

    code: str
    heading: str
    change: Change
    before: list[Piece]
    now: list[Piece]


@dataclass(frozen=True, kw_only=True)
class AgreementPage:
    """`number`: of what they have before them. `compares`: with what stood there before. `mine`: the reader wrote the newest."""

    number: int
    sections: list[SectionView]
    compares: bool
    mine: bool
    written_at: datetime | None
    i_said_yes: bool
    they_said_yes: bool

    @property
    def is_empty(self) -> bool:
        return self.written_at is None

    @property
    def was_deleted(self) -> bool:
        return self.is_empty and self.number > 0

    @property
    def is_agreed(self) -> bool:
        return self.i_said_yes and self.they_said_yes


def present(
    text: AgreementText | None,
    newest: Sections,
    before: Sections,
    *,
    number: int,
    said_yes: Sequence[PairMember],
    me: PairMember,
    programme: Programme,
) -> AgreementPage:
    """`before`: empty where there is nothing to compare with."""
    return AgreementPage(
        number=number,
        sections=compared(newest, before or newest, headings(labels.AGREEMENT, programme.agreement)),
        compares=bool(before),
        mine=bool(text and text.by == me),
        written_at=text.written_at if text else None,
        i_said_yes=me in said_yes,
        they_said_yes=bool({*said_yes} - {me}),
    )


def headings(known: Mapping[str, str], own: Mapping[str, Mapping[str, str]]) -> Headings:
    """`own`: what the programme calls them, code -> language -> words."""
    return [(code, own.get(code, {}).get(language(), "") or str(gettext(words))) for code, words in known.items()]


def compared(newest: Sections, before: Sections, headings: Headings) -> list[SectionView]:
    """Of every heading that has words in one of the two."""
    return [
        _compared(code, heading, before.get(code, ""), newest.get(code, ""))
        for code, heading in headings
        if code in newest or code in before
    ]


def _compared(code: str, heading: str, before: str, now: str) -> SectionView:
    old, new = _pieces(before, now)
    change: Change = "" if before == now else "changed" if before and now else "new" if now else "gone"
    return SectionView(code=code, heading=heading, change=change, before=old, now=new)


def _pieces(before: str, now: str) -> tuple[list[Piece], list[Piece]]:
    """What only one of the two has is marked."""
    if before == now:
        return [Piece(before)], [Piece(now)]
    old, new = WORDS.findall(before), WORDS.findall(now)
    found: tuple[list[Piece], list[Piece]] = ([], [])
    for what, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new).get_opcodes():
        for side, words in zip(found, (old[old_from:old_to], new[new_from:new_to]), strict=True):
            if words:
                side.append(Piece("".join(words), marked=what != "equal"))
    return found
