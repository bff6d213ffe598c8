"""What coordinators have to do, and the record of what they did with requests."""

from collections.abc import Collection, Iterable
from datetime import datetime

from pymongo import IndexModel

from services.matching.domain import AuditEntry, CoordinatorTask, TaskReason
from services.matching.store import pages
from services.matching.store.pages import Page
from shared import documents
from shared.documents import load_all, load_one, to_document
from shared.mongo import Db, Doc

TASK_INDEXES = [
    IndexModel(
        [("request_id", 1), ("reason", 1)],
        unique=True,
        name="one_open_task_per_reason",
        partialFilterExpression={"is_open": True, "request_id": {"$type": "string"}},
    ),
    IndexModel([("request_id", 1), ("is_open", 1)]),
    IndexModel([("is_open", 1), ("due_at", 1), ("_id", 1)]),
    IndexModel([("is_open", 1), ("since", 1)]),
    IndexModel("resolved_at", name="done_by_a_coordinator", partialFilterExpression={"resolved_by": {"$exists": True}}),
    IndexModel("person_id", name="open_about_person", partialFilterExpression={"is_open": True}),
]
PAGE = 25
WELCOME = "welcome"  # the id of the one task about all who would like to become practitioners
FLOOD = "flood"  # the id of the one task about all requests that came in a flood
AUDIT_INDEXES = [IndexModel("request_id")]


def find(db: Db, task_id: str) -> CoordinatorTask | None:
    return load_one(CoordinatorTask, db.coordinator_tasks.find_one({"_id": task_id}))


def find_open(db: Db, request_id: str, reason: TaskReason) -> CoordinatorTask | None:
    wanted = {"request_id": request_id, "reason": reason, "is_open": True}
    return load_one(CoordinatorTask, db.coordinator_tasks.find_one(wanted))


def find_open_about_person(db: Db, person_id: str) -> CoordinatorTask | None:
    """That no notification reaches this person, apart from any request."""
    wanted = {"person_id": person_id, "request_id": None, "is_open": True}
    return load_one(CoordinatorTask, db.coordinator_tasks.find_one(wanted))


def find_open_of_no_request(db: Db, reason: TaskReason) -> CoordinatorTask | None:
    wanted = {"request_id": None, "reason": reason, "is_open": True}
    return load_one(CoordinatorTask, db.coordinator_tasks.find_one(wanted))


def requests_with_open(db: Db, reason: TaskReason) -> list[str]:
    wanted = {"is_open": True, "reason": reason, "request_id": {"$type": "string"}}
    return [row["request_id"] for row in db.coordinator_tasks.find(wanted, {"request_id": 1})]


def ids_of_late_talks(db: Db, called_before: datetime) -> list[str]:
    """With practitioners before they are asked: those about which nobody was called since then."""
    where = {**_talks_since(called_before), "$or": [{"called_again_at": None}, {"called_again_at": {"$lte": called_before}}]}
    return [row["_id"] for row in db.coordinator_tasks.find(where, {"_id": 1})]


def count_late_talks(db: Db, since: datetime) -> int:
    return db.coordinator_tasks.count_documents(_talks_since(since))


def _talks_since(moment: datetime) -> Doc:
    return {"is_open": True, "since": {"$lte": moment}, "reason": "ask_in_person"}


def hide(db: Db, request_id: str, avoid_index: Collection[str]) -> None:
    """Whatever is about this request from coordinators whose name has this index, and from nobody else."""
    changed = {"request_id": request_id, "avoid_index": {"$ne": list(avoid_index)}}
    db.coordinator_tasks.update_many(changed, {"$set": {"avoid_index": list(avoid_index)}, "$inc": {"version": 1}})


def delete_about(db: Db, request_id: str) -> None:
    db.coordinator_tasks.delete_many({"request_id": request_id})


def save(db: Db, changed: CoordinatorTask) -> None:
    documents.save(db.coordinator_tasks, changed, derived=["is_open"])


def page_of_open(db: Db, after: str, before: str, but: Collection[str] = (), *, flood: bool = True) -> Page[CoordinatorTask]:
    """Whatever is due first. `but`, here and below: not what is hidden from somebody whose name has this index. `flood`: with
    the one task about all that came in a flood."""
    where = {"is_open": True, **_hidden_from(but), **_with_flood(flood)}
    return pages.read(db.coordinator_tasks, CoordinatorTask, where, "due_at", PAGE, after=after, before=before)


def oldest_open(db: Db, but: Collection[str] = (), *, flood: bool = True) -> CoordinatorTask | None:
    where = {"is_open": True, **_hidden_from(but), **_with_flood(flood)}
    return load_one(CoordinatorTask, db.coordinator_tasks.find_one(where, sort=[("since", 1)]))


def count_open(db: Db, at_most: int, due_by: datetime | None = None, but: Collection[str] = (), *, flood: bool = True) -> int:
    due = {"due_at": {"$lte": due_by}} if due_by else {}
    where = {"is_open": True, **due, **_hidden_from(but), **_with_flood(flood)}
    return db.coordinator_tasks.count_documents(where, limit=at_most)


def done_since(
    db: Db, moment: datetime, at_most: int, without: Iterable[TaskReason], but: Collection[str] = ()
) -> list[CoordinatorTask]:
    """Those that a coordinator said are done after this moment, the newest first; none with the reasons `without`."""
    reasons = {"reason": {"$nin": list(without)}}
    done = {"resolved_by": {"$exists": True}, "resolved_at": {"$gt": moment}, **reasons, **_hidden_from(but)}
    return load_all(CoordinatorTask, db.coordinator_tasks.find(done).sort("resolved_at", -1).limit(at_most))


def open_about(db: Db, request_id: str) -> list[CoordinatorTask]:
    wanted = {"request_id": request_id, "is_open": True}
    return load_all(CoordinatorTask, db.coordinator_tasks.find(wanted).sort("since", 1))


def open_about_person(db: Db, person_id: str) -> list[CoordinatorTask]:
    """Apart from any request."""
    wanted = {"person_id": person_id, "request_id": None, "is_open": True}
    return load_all(CoordinatorTask, db.coordinator_tasks.find(wanted))


def resolve(
    db: Db,
    request_id: str,
    moment: datetime,
    only: Iterable[TaskReason] | None = None,
    without: Iterable[TaskReason] = (),
) -> None:
    """All open ones about this request, or those with these reasons; none with the reasons `without`."""
    reasons = {"reason": {"$nin": list(without)}} if only is None else {"reason": {"$in": list(only)}}
    done = {"$set": {"is_open": False, "resolved_at": moment}, "$inc": {"version": 1}}
    db.coordinator_tasks.update_many({"request_id": request_id, "is_open": True, **reasons}, done)


def add_audit_entry(db: Db, entry: AuditEntry) -> None:
    db.audit.insert_one(to_document(entry))


def audit_about(db: Db, request_id: str) -> list[AuditEntry]:
    return load_all(AuditEntry, db.audit.find({"request_id": request_id}).sort("at", 1))


def was_opened_since(db: Db, coordinator_id: str, request_id: str, since: datetime) -> bool:
    wanted = {"coordinator_id": coordinator_id, "request_id": request_id, "action": "opened", "at": {"$gt": since}}
    return db.audit.find_one(wanted, {"_id": 1}) is not None


def _with_flood(flood: bool) -> Doc:
    return {} if flood else {"_id": {"$ne": FLOOD}}


def _hidden_from(name_index: Collection[str]) -> Doc:
    """What leaves out whatever is about somebody who would never meet the person with this name."""
    return {"avoid_index": {"$nin": list(name_index)}} if name_index else {}
