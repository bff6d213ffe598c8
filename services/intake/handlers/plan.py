"""A supportee's own plan for hard days: in their words, under their own key. Their practitioner reads it once they show it, and
until they take it back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.intake import store
from services.intake.domain import Plan, Request
from services.intake.handlers.access import NoteKeys
from shared import vault
from shared.contracts import PlanShown
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

Sections = Mapping[str, str]
"""Heading -> what stands under it."""
FIELD = "plan"


@dataclass(frozen=True, kw_only=True, repr=False)
class WritePlan:
    """`key`: their own, from their session."""

    request_id: str
    key: bytes
    text_id: str
    sections: Sections


def write_plan(command: WritePlan, db: Db) -> list[Event]:
    """Whoever was shown an earlier version goes on reading that one. Nothing where their words open nothing any more."""
    request = store.request(db, command.request_id)
    if request and request.encrypted_answers:
        encrypted = vault.encrypt(command.key, request.person_id, FIELD, json.dumps(dict(command.sections)))
        store.save_plan(db, request.id, replace(request.plan or Plan(), text_id=command.text_id, encrypted=encrypted))
    return []


@dataclass(frozen=True, kw_only=True, repr=False)
class ShowPlan:
    """To whoever they are with. `keys`: of their notes."""

    request_id: str
    key: bytes
    keys: NoteKeys


def show_plan(command: ShowPlan, db: Db) -> list[Event]:
    request = store.request(db, command.request_id)
    match_id = request.status.match_id if request else None
    key = command.keys.of(match_id)
    if request is None or request.plan is None or not request.plan.encrypted or match_id is None or key is None:
        return []
    words = vault.decrypt(command.key, request.person_id, FIELD, request.plan.encrypted)
    shown = replace(request.plan, shown_to=match_id, shown_text=request.plan.text_id, changes=request.plan.changes + 1)
    store.save_plan(db, request.id, shown)
    encrypted = vault.encrypt(key, request.person_id, FIELD, words)
    return [PlanShown(request_id=request.id, match_id=match_id, change=shown.changes, encrypted=encrypted)]


def take_back_plan(request_id: str, db: Db) -> list[Event]:
    request = store.request(db, request_id)
    return _taken_back(request, request.plan, db) if request and request.plan else []


def delete_plan(request_id: str, db: Db) -> list[Event]:
    """Whoever was shown it reads it no more, either."""
    request = store.request(db, request_id)
    if request is None or request.plan is None:
        return []
    gone = replace(request.plan, text_id=None, encrypted=None)
    store.save_plan(db, request.id, gone)
    return _taken_back(request, gone, db)


def _taken_back(request: Request, plan: Plan, db: Db) -> list[Event]:
    if plan.shown_to is None:
        return []
    back = replace(plan, shown_to=None, shown_text=None, changes=plan.changes + 1)
    store.save_plan(db, request.id, back)
    return [PlanShown(request_id=request.id, match_id=plan.shown_to, change=back.changes)]


def own_plan(request: Request, key: bytes | None) -> Sections:
    """Empty where there is none, or nothing opens it."""
    encrypted = request.plan.encrypted if request.plan else None
    try:
        found = json.loads(vault.decrypt(key, request.person_id, FIELD, encrypted)) if key and encrypted else {}
    except DecryptionError:
        return {}
    return {str(heading): str(words) for heading, words in found.items()}
