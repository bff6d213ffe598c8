"""The first step of a request, when it comes or when it was held and is let go."""

from dataclasses import replace

from services.matching.domain import Request
from services.matching.handlers.held import hold_until_read, read_first, tell_who_may_read
from services.matching.handlers.requests import next_step, take_step
from services.matching.handlers.tasks import hand_to_coordinators
from services.matching.rules import Step
from shared.contracts import SuggestionsMade
from shared.messages import Event
from shared.mongo import Db


def begin_request(request: Request, db: Db) -> list[Event]:
    """Nobody is shown or asked before somebody has read whom they would never meet. Changes the request; the caller saves it."""
    wrote = request.encrypted.fields if request.encrypted else {}
    events = _first_step(request, "avoid_words" in wrote, db)
    events += read_first(request, db) if "before_we_write" in wrote else []
    return events + tell_who_may_read(request, db)


def _first_step(request: Request, names_somebody: bool, db: Db) -> list[Event]:
    if request.mode == "reach_out":
        return _reach_out(request, None if names_somebody else next_step(request, db), db)
    if names_somebody:
        return hold_until_read(request, db)
    return take_step(request, next_step(request, db), db)


def _reach_out(request: Request, step: Step | None, db: Db) -> list[Event]:
    """A coordinator writes to them; whom they might like to meet is on their page meanwhile, so that is said last."""
    events = hand_to_coordinators(request, "reach_out", db)
    if step is None or step.action != "suggest":
        return events
    shown = take_step(request, step, db)
    return events + [replace(one, until_a_person_writes=True) if isinstance(one, SuggestionsMade) else one for one in shown]
