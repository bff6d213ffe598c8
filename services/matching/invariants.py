"""What must be true at any time: checked once a day (handlers/daily_checks.py), and after each week of `make half-year`. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.matching.domain import Offer, Practitioner, Request, RequestState
from shared.contracts import HeldRequest

Finding = Literal[
    "left", "ended", "unknown_to_intake", "asked_without_offer", "matched_without_match", "undecided", "differs", "no_way_in",
    "waits_unseen",
]  # fmt: skip
NEW_FOR = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What matching holds beside a request. `notes`: the ids of those that its page should have too. `moving`: something about it
    was said so lately that intake may not have heard it."""

    has_open_offer: bool
    has_match: bool
    notes: frozenset[str]
    moving: bool = False

    def lacks(self, held: HeldRequest) -> set[str]:
        """How the ids of those notes begin that are on the page alone."""
        return {beginning for beginning in held.notes if not any(id.startswith(beginning) for id in self.notes)}

    def alone(self, held: HeldRequest) -> set[str]:
        """The ids of those notes that are not on the page."""
        return {id for id in self.notes if not any(id.startswith(beginning) for beginning in held.notes)}


def places_are_right(practitioner: Practitioner, holding: Iterable[Offer]) -> bool:
    """No place is taken without a person, and none by two. `holding`: their offers that hold places."""
    slots, codes = slots_and_codes(holding)
    return sorted(practitioner.occupied_slots) == sorted(slots) and sorted(practitioner.pending_codes) == sorted(codes)


def slots_and_codes(holding: Iterable[Offer]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    offers = sorted(holding, key=lambda offer: offer.made_at)
    return tuple(offer.slot for offer in offers), tuple(offer.code for offer in offers if offer.is_open)


def is_held_for_somebody(offer: Offer, state: RequestState | None) -> bool:
    """A held place has an open offer, or two who meet, or an end that may be taken back. `state`: of its request, if that is
    here."""
    if offer.is_open:
        return state == "asking"
    if offer.state == "accepted":
        return state == "matched"
    return state not in (None, "withdrawn")


def findings(request: Request, held: HeldRequest | None, known: Known, moment: datetime) -> list[Finding]:
    """What is not as it must be. `held`: how intake holds it; `moment`: when intake said so."""
    alone = _finding_of_its_own(request, known)
    if held and held.standing == "ended" and not request.has_ended:
        return ["left"]
    if alone or known.moving or (held and held.standing == "moving"):
        return [alone] if alone else []
    if held is None:
        return ["unknown_to_intake"] if not request.has_ended and moment - request.submitted_at > NEW_FOR else []
    if request.has_ended:
        return [] if held.standing == "ended" else ["ended"]
    found: list[tuple[Finding, bool]] = [
        ("no_way_in", not held.opens),
        ("waits_unseen", held.late),
        ("differs", _differs(request, held, known)),
    ]
    return [finding for finding, is_so in found if is_so]


def _finding_of_its_own(request: Request, known: Known) -> Finding | None:
    if request.state == "asking" and not known.has_open_offer:
        return "asked_without_offer"
    if request.state == "matched" and not known.has_match:
        return "matched_without_match"
    waits_for_a_person = request.held_until or request.flood
    return "undecided" if request.state == "received" and not waits_for_a_person else None


def _differs(request: Request, held: HeldRequest, known: Known) -> bool:
    stands_so = held.standing == request.standing or (held.standing == "sent" and request.standing == "open")
    return not stands_so or bool(known.lacks(held) or known.alone(held))
