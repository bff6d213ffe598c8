"""What the desk shows: tasks by the time they are due, and every request by its state. Nothing that anybody wrote, and no name of
a supportee: these are read only after an opening (reading.py)."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from services.matching import rules, store
from services.matching.domain import CoordinatorTask, Offer, Request, RequestState
from services.matching.handlers import names
from services.matching.handlers.profiles import name_of
from services.matching.handlers.service import service
from services.matching.handlers.sign_in import coordinator_name
from services.matching.rules import Urgency
from services.matching.store.pages import Page
from shared.clock import now
from shared.mongo import Db

MOST_COUNTED = 1000
MOST_DONE_SHOWN = 10
MOST_ALIKE = 10  # beginnings of ids that are the same are rare; some may be hidden


@dataclass(frozen=True, kw_only=True, repr=False)
class TaskView:
    """`holder`: the name of the coordinator who took it. `person`: of the practitioner whom it is about. `request` None: it
    is about no request. `asked`: the name of whoever is asked, or said yes. `held`: how many came in a flood, of the task about
    them, counted up to MOST_COUNTED."""

    task: CoordinatorTask
    urgency: Urgency
    holder: str
    person: str
    request: Request | None
    asked: str
    held: int = 0


@dataclass(frozen=True, kw_only=True, repr=False)
class DeskView:
    """A page of the tasks, in groups. `open_tasks`, `due_today` (and before) and `open_offers`: how many in all, counted up to
    MOST_COUNTED. `you_are_shown`: supportees may choose you by your first name. `oldest_days`: since when the oldest task is
    open. `done_today`: the newest that a coordinator said are done."""

    tasks: Page[TaskView]
    open_tasks: int
    due_today: int
    open_offers: int
    oldest_days: int
    done_today: list[CoordinatorTask]
    you_are_shown: bool = False
    most_counted: int = MOST_COUNTED

    @property
    def groups(self) -> list[tuple[Urgency, list[TaskView]]]:
        return [(urgency, list(views)) for urgency, views in groupby(self.tasks.items, key=lambda view: view.urgency)]


@dataclass(frozen=True, kw_only=True, repr=False)
class FloodView:
    """`held`: how many in all, counted up to MOST_COUNTED. `practitioners`: id -> name, of those chosen first."""

    page: Page[Request]
    held: int
    practitioners: dict[str, str]


@dataclass(frozen=True, kw_only=True, repr=False)
class ListedRequest:
    """`with_whom`: the name of whoever is asked, or said yes. `answer_by`: when that is still open."""

    request: Request
    with_whom: str
    answer_by: datetime | None


def view_desk(db: Db, after: str = "", before: str = "", you: str | None = None) -> DeskView:
    """The page after or before the task with this id; without one the first. `you`, here and below: the coordinator who looks,
    from whom is hidden what is about people who would never meet somebody of that name."""
    but = _hidden_index(you, db)
    flood = not but or store.requests.count_flood(db, 1, but) > 0
    page, oldest = store.tasks.page_of_open(db, after, before, but, flood=flood), store.tasks.oldest_open(db, but, flood=flood)
    moment, zone = now(), service.programme.time_zone
    coordinator = store.coordinators.find(db, you) if you else None
    today = moment.astimezone(ZoneInfo(zone)).date()
    return DeskView(
        tasks=page.of(_shown(page.items, moment, db, but)),
        open_tasks=store.tasks.count_open(db, MOST_COUNTED + 1, but=but, flood=flood),
        due_today=store.tasks.count_open(db, MOST_COUNTED + 1, due_by=rules.end_of_day(today, zone), but=but, flood=flood),
        open_offers=store.requests.count_asking(db, MOST_COUNTED + 1, but),
        you_are_shown=bool(coordinator and coordinator.is_shown),
        oldest_days=(moment - oldest.since).days if oldest else 0,
        done_today=store.tasks.done_since(
            db, rules.end_of_day(today - timedelta(days=1), zone), MOST_DONE_SHOWN, rules.NOT_DONE_BY_SAYING_SO, but
        ),
    )


def tasks_about_person(db: Db, person_id: str) -> list[TaskView]:
    tasks = store.tasks.open_about_person(db, person_id)
    return list(map(_shown(tasks, now(), db), tasks))


def tasks_about_request(db: Db, request_id: str) -> list[TaskView]:
    tasks = store.tasks.open_about(db, request_id)
    return list(map(_shown(tasks, now(), db), tasks))


def list_requests(db: Db, state: RequestState, after: str = "", before: str = "", you: str | None = None) -> Page[ListedRequest]:
    """Those in this state, whoever asked first at the top: the page after or before the one with this id, else the first."""
    page = store.requests.page_of(db, state, after, before, _hidden_index(you, db))
    offers = {offer.request_id: offer for offer in store.offers.that_hold_places(db, [one.id for one in page.items])}
    known = _practitioners([offer.practitioner_id for offer in offers.values()], db)

    def listed(request: Request) -> ListedRequest:
        offer = offers.get(request.id)
        answer_by = offer.answer_by if offer and offer.is_open else None
        return ListedRequest(request=request, with_whom=_name_in(known, offer), answer_by=answer_by)

    return page.of(listed)


def view_flood(db: Db, after: str = "", before: str = "", you: str | None = None) -> FloodView:
    """What came in a flood and is held, whoever asked first at the top."""
    but = _hidden_index(you, db)
    page = store.requests.page_of_flood(db, after, before, but)
    chosen = [request.choices[0].practitioner_id for request in page.items if request.choices]
    return FloodView(page=page, held=store.requests.count_flood(db, MOST_COUNTED, but), practitioners=_practitioners(chosen, db))


def find_by_number(db: Db, number: str, you: str | None = None) -> Request | None:
    """`number`: how the id of the request begins, as pages show it. None as well when several begin so."""
    index = set(_hidden_index(you, db))
    found = [one for one in store.requests.that_begin_with(db, number, MOST_ALIKE) if index.isdisjoint(one.avoid_index)]
    return found[0] if len(found) == 1 else None


def may_see_task(db: Db, task_id: str, you: str) -> bool:
    task = store.tasks.find(db, task_id)
    return task is None or set(task.avoid_index).isdisjoint(_hidden_index(you, db))


def _hidden_index(you: str | None, db: Db) -> tuple[str, ...]:
    return names.of_coordinator(you, db) if you else ()


def _shown(
    tasks: list[CoordinatorTask], moment: datetime, db: Db, but: Collection[str] = ()
) -> Callable[[CoordinatorTask], TaskView]:
    """Everything that a page of tasks names, read once for all of them."""
    requests = store.requests.find_many(db, [task.request_id for task in tasks if task.request_id])
    offers = {offer.request_id: offer for offer in store.offers.that_hold_places(db, requests)}
    people = [task.person_id for task in tasks if task.person_id] + [offer.practitioner_id for offer in offers.values()]
    known, zone = _practitioners(people, db), service.programme.time_zone
    coordinators = _coordinators([task.holder for task in tasks if task.holder], db)
    held = store.requests.count_flood(db, MOST_COUNTED, but) if any(task.reason == "flood" for task in tasks) else 0

    def view(task: CoordinatorTask) -> TaskView:
        return TaskView(
            task=task,
            urgency=rules.urgency(task.due_at, moment, zone),
            holder=coordinators.get(task.holder or "", ""),
            person=known.get(task.person_id or "", ""),
            request=requests.get(task.request_id or ""),
            asked=_name_in(known, offers.get(task.request_id or "")),
            held=held if task.reason == "flood" else 0,
        )

    return view


def _name_in(known: dict[str, str], offer: Offer | None) -> str:
    return known.get(offer.practitioner_id, "") if offer else ""


def _practitioners(ids: Iterable[str], db: Db) -> dict[str, str]:
    return {one.id: name_of(one) for one in store.practitioners.find_many(db, ids).values()}


def _coordinators(ids: Iterable[str], db: Db) -> dict[str, str]:
    return {one.id: coordinator_name(one) for one in store.coordinators.find_many(db, ids)}
