"""What matching decides. Pure: no clock, no randomness, no database. The caller brings the objects and the day."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

from services.matching.domain import Hours, Practitioner, Request, TaskReason
from shared.contracts import Next, Part, WeeklyHour
from shared.weeks import DAYS, PARTS_OF_DAY

MINUTES_TOGETHER = 60
WAKING_HOURS = (9, 21)
MOST_SUGGESTIONS = 3
Interval = tuple[datetime, datetime]
NextAction = Literal["ask", "ask_me", "suggest", "wait", "nobody_suits"]
DAYS_TO_ACT: dict[TaskReason, int] = {
    "nobody_suits": 3, "asks_first": 2, "wrote": 1, "not_delivered": 1, "yes_taken_back": 1, "notes_shared": 1,
    "read_first": 1, "stranded": 1, "names_somebody": 1, "erasure_late": 1, "ask_in_person": 1, "out_of_step": 1, "no_way_in": 2,
    "kept_too_long": 1, "flood": 1, "no_room": 2, "room_left_over": 3,
}  # fmt: skip
PROMISED_BY_A_DAY: tuple[TaskReason, ...] = ("reach_out",)
"""The supportee's page names the day by which it is done."""
HOLDS_MESSAGES: tuple[TaskReason, ...] = ("read_first",)
"""No message is sent until a coordinator decides, which is never a side effect of another action."""
NOT_DONE_BY_SAYING_SO: tuple[TaskReason, ...] = (*HOLDS_MESSAGES, "names_somebody", "ask_in_person", "flood")
"""Something is held until a coordinator presses a button of its own."""
NOT_NAMES = frozenset(
    ("de", "del", "la", "las", "los", "el", "da", "do", "dos", "di", "du", "van", "von", "der", "den", "the", "and", "of")
)
NAME_TOKEN = re.compile(r"[^\W\d_]{2,}")
Urgency = Literal["overdue", "today", "this_week", "later"]


@dataclass(frozen=True)
class Step:
    """What happens next with a request. `choice_index`: which of their choices is asked, where it is one of theirs.
    `practitioner`: who is asked."""

    action: NextAction
    practitioner_ids: tuple[str, ...] = ()
    choice_index: int | None = None
    practitioner: Practitioner | None = field(default=None, compare=False)


# Who may be asked


def suits(request: Request, practitioner: Practitioner, today: date) -> bool:
    """The hard limits, both ways. An age nobody asked to hear is no limit: the practitioner reads "not said"."""
    return not avoid_each_other(request, practitioner) and limits_allow(request, practitioner, today)


def limits_allow(request: Request, practitioner: Practitioner, today: date) -> bool:
    """The limits that depend on what both sides chose from lists, not on who they are: equal answers, equal result."""
    return (
        _share(request.languages, practitioner.languages)
        and _share(request.meeting_types, practitioner.meeting_types)
        and (request.age_group is None or _share((request.age_group,), practitioner.ages))
        and not set(request.help) & set(practitioner.not_now)
        and have_an_hour_together(request, practitioner, today)
    )


def limits_of(request: Request) -> tuple[object, ...]:
    """What `limits_allow` reads of a request: a key to remember its result by."""
    return request.languages, request.meeting_types, request.age_group, request.help, request.parts, request.time_zone


def avoid_each_other(request: Request, practitioner: Practitioner) -> bool:
    return (
        practitioner.id in request.avoid
        or is_on_own_list(request, practitioner)
        or (bool(request.avoid_index) and is_named(request, practitioner))
    )


def is_named(request: Request, practitioner: Practitioner) -> bool:
    """Some part of their name stands among the words about whom this person would never meet. Whom they chose, they would meet:
    "Juniper's brother Kai" does not keep Juniper away."""
    chosen = request.choice_of(practitioner.id) is not None
    return not chosen and not set(request.avoid_index).isdisjoint(practitioner.name_index)


def is_on_own_list(request: Request, practitioner: Practitioner) -> bool:
    """They were asked about this person before, and do not want to be asked again, even where they are chosen."""
    return any(not set(entry.person_index).isdisjoint(request.person_index) for entry in practitioner.own_list)


def may_know(practitioner: Practitioner, name_index: Iterable[str]) -> bool:
    """A name on their own list has a part of this one. Names are common: it excludes nobody by itself."""
    return any(not set(entry.name_index).isdisjoint(name_index) for entry in practitioner.own_list)


def name_tokens(text: str) -> tuple[str, ...]:
    """What can be compared with the parts of a name: without capitals and accents, and without little words between names."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return tuple(sorted(set(NAME_TOKEN.findall(plain)) - NOT_NAMES))


def could_be_asked_later(request: Request, practitioner: Practitioner, today: date) -> bool:
    """Waiting for this person makes sense: nothing but time stands between them."""
    return not practitioner.has_stepped_back and not request.was_with(practitioner.id) and suits(request, practitioner, today)


def may_be_asked(request: Request, practitioner: Practitioner, today: date) -> bool:
    able = practitioner.is_available and practitioner.id not in request.to_check
    return able and could_be_asked_later(request, practitioner, today)


def _share(wanted: Sequence[str], offered: Sequence[str]) -> bool:
    return not wanted or not offered or bool(set(wanted) & set(offered))


# Time together


def have_an_hour_together(request: Request, practitioner: Practitioner, today: date) -> bool:
    """At least 60 minutes in one stretch, in the week of `today`, each side in their own zone."""
    monday = today - timedelta(days=today.weekday())
    theirs = _week(request.parts, (), request.time_zone, monday, 0, 7)
    # Two days more at each end: the same hour may lie in another week of another zone.
    mine = _week(practitioner.parts, practitioner.hours, practitioner.time_zone, monday, -2, 9)
    enough = timedelta(minutes=MINUTES_TOGETHER)
    return any(min(a[1], b[1]) - max(a[0], b[0]) >= enough for a in theirs for b in mine)


def hours_together(request: Request, practitioner: Practitioner, today: date) -> list[WeeklyHour]:
    """Whole hours, in the supportee's zone, of the week of `today` that lie in both weeks: those in which both are awake, where
    there are any."""
    monday, zone = today - timedelta(days=today.weekday()), request.time_zone
    theirs = _week(request.parts, (), zone, monday, 0, 7)
    mine = _week(practitioner.parts, practitioner.hours, practitioner.time_zone, monday, -2, 9)
    shared = [(max(a[0], b[0]), min(a[1], b[1])) for a in theirs for b in mine if a[0] < b[1] and b[0] < a[1]]
    found = [hour for start, end in shared for hour in _whole_hours(start, end, zone)]
    awake = [hour for hour in found if is_waking(hour, zone) and is_waking(hour, practitioner.time_zone)]
    return [_hour_of_week(hour, zone) for hour in sorted({*(awake or found)})]


def _whole_hours(start: datetime, end: datetime, zone: str) -> list[datetime]:
    begun = (-start.astimezone(ZoneInfo(zone)).minute) % 60
    first, enough = start + timedelta(minutes=begun), timedelta(minutes=MINUTES_TOGETHER)
    return [first + hour * enough for hour in range(max(0, (end - first) // enough))]


def _hour_of_week(moment: datetime, zone: str) -> WeeklyHour:
    local = moment.astimezone(ZoneInfo(zone))
    return WeeklyHour(day=local.weekday(), minute=local.hour * 60 + local.minute)


@lru_cache(maxsize=4096)
def _week(
    parts: tuple[Part, ...], hours: tuple[Hours, ...], zone: str, monday: date, first: int, last: int
) -> tuple[Interval, ...]:
    rows = hours or tuple(row for part in parts for row in _rows_of(part)) or _ANY_TIME
    found = []
    for offset in range(first, last):
        day = monday + timedelta(days=offset)
        found += [(_moment(day, r.start, zone), _moment(day, r.end, zone)) for r in rows if r.day == day.weekday()]
    return tuple(_joined(sorted(found)))


_ANY_TIME = tuple(Hours(day=day, start=0, end=24 * 60) for day in range(7))


def _rows_of(part: Part) -> list[Hours]:
    days, name = part.split("_")
    start, end = PARTS_OF_DAY[name]
    return [Hours(day=day, start=start, end=end) for day in DAYS[days]]


def _moment(day: date, minutes: int, zone: str) -> datetime:
    day, minutes = day + timedelta(days=minutes // 1440), minutes % 1440
    local = datetime.combine(day, time(minutes // 60, minutes % 60), ZoneInfo(zone))
    return local.astimezone(UTC)


def _joined(intervals: list[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for start, end in intervals:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


# What happens next


def next_choice(request: Request, people: Mapping[str, Practitioner], start: int, today: date) -> Step:
    """Go on from the choice with index `start` by what the supportee said may happen. `suggest` comes without names yet."""
    for index, choice in enumerate(request.choices[start:], start):
        practitioner = people.get(choice.practitioner_id)
        if practitioner and may_be_asked(request, practitioner, today):
            return ask_step(practitioner, index)
        if choice.if_not == "wait" and practitioner and could_be_asked_later(request, practitioner, today):
            return Step("wait", (practitioner.id,), index)
        if choice.if_not == "wait" and practitioner and is_on_own_list(request, practitioner):
            return Step("nobody_suits")  # as when nobody is free: nothing tells it from that
        if choice.if_not == "suggest":
            return Step("suggest")
        if choice.if_not != "next_choice":
            return Step("ask_me")  # also when they would wait for somebody whom no waiting brings
    return Step("ask_me")


def ask_step(practitioner: Practitioner, choice_index: int | None = None) -> Step:
    return Step("ask", (practitioner.id,), choice_index, practitioner)


def ask_anyone(request: Request, free: Iterable[Practitioner], everyone: Iterable[Practitioner], today: date) -> Step:
    """`free`: those with room; `everyone` is only looked at when none of them suits."""
    found = rank_candidates(request, free, today)
    return ask_step(found[0]) if found else _wait(request, everyone, today)


def suggest(request: Request, free: Iterable[Practitioner], everyone: Iterable[Practitioner], today: date) -> Step:
    found = rank_candidates(request, free, today)
    names = tuple(practitioner.id for practitioner in found[:MOST_SUGGESTIONS])
    return Step("suggest", names) if found else _wait(request, everyone, today)


def _wait(request: Request, everyone: Iterable[Practitioner], today: date) -> Step:
    return Step("wait" if any(could_be_asked_later(request, p, today) for p in everyone) else "nobody_suits")


def rank_candidates(request: Request, people: Iterable[Practitioner], today: date) -> list[Practitioner]:
    """Those who may be asked, by what the person said matters, then least recently asked, then a shuffle of the day. Never by
    popularity or speed."""
    return in_order(request, (p for p in people if may_be_asked(request, p, today)), today)


def in_order(request: Request, people: Iterable[Practitioner], today: date) -> list[Practitioner]:
    def key(p: Practitioner) -> tuple[bool, int, float, bytes]:
        asked = p.last_asked_at.timestamp() if p.last_asked_at else 0.0
        return (
            not _speaks_as_the_page(request, p),
            -_in_common(request, p),
            asked,
            sha256(f"{today}/{request.id}/{p.id}".encode()).digest(),
        )

    return sorted(people, key=key)


def _speaks_as_the_page(request: Request, p: Practitioner) -> bool:
    """A form filled in Spanish is Spanish unless its writer says otherwise: a preference, as long as they chose no language."""
    return bool(request.languages) or request.page_language is None or _share((request.page_language,), p.languages)


def _in_common(request: Request, p: Practitioner) -> int:
    return sum(
        len(set(wanted) & set(offered))
        for wanted, offered in (
            (request.help, p.helps),
            (request.languages, p.languages),
            (request.meeting_types, p.meeting_types),
        )
    )


NEXT_IN_EVENT: Mapping[NextAction, Next] = {
    "ask": "next_choice",
    "ask_me": "ask_me",
    "suggest": "suggest",
    "wait": "wait",
    "nobody_suits": "person",
}


# The waiting list


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """`ranking`: whom they would meet, most preferred first. `named`: they named these people; otherwise anyone who suits will
    do."""

    request_id: str
    since: datetime
    ranking: tuple[str, ...]
    named: bool

    @property
    def priority(self) -> tuple[bool, datetime, str]:
        """Smaller is earlier: those who named somebody, then by waiting time. It is the same at every practitioner."""
        return not self.named, self.since, self.request_id


def stable_match(waiting: Iterable[Waiting], free: Mapping[str, int]) -> dict[str, str]:
    """Request id -> practitioner id: in the order of priority each takes the most preferred practitioner who has a place left.

    With one order for all practitioners this is what deferred acceptance (Gale and Shapley) comes to. So nobody is passed over by
    somebody with less priority, and naming people in another order gains nothing. The list may come in parts, if each part comes
    after those with more priority and `free` is what they left.
    """
    left, matched = dict(free), dict[str, str]()
    for person in sorted(waiting, key=lambda person: person.priority):
        practitioner_id = next((id for id in person.ranking if left.get(id, 0) > 0), None)
        if practitioner_id is not None:
            matched[person.request_id] = practitioner_id
            left[practitioner_id] -= 1
    return matched


# Time to answer


def answer_by(made_at: datetime, days: int, zone: str) -> datetime:
    """The end of the practitioner's day on which `days` are over, so that "by Thursday" is true until midnight."""
    return end_of_day((made_at + timedelta(days=days)).astimezone(ZoneInfo(zone)).date(), zone)


def days_left_to_answer(answer_by: datetime, moment: datetime, zone: str) -> int:
    """Whole days on the practitioner's calendar; 0 means today."""
    return max(0, (answer_by.astimezone(ZoneInfo(zone)).date() - moment.astimezone(ZoneInfo(zone)).date()).days)


def remind_at(made_at: datetime, answer_by: datetime, zone: str) -> datetime:
    """The middle of the time to answer, in waking hours: else the next morning, or the evening before if that is too late."""
    middle = made_at + (answer_by - made_at) / 2
    if is_waking(middle, zone):
        return middle
    local = middle.astimezone(ZoneInfo(zone))
    morning = datetime.combine(
        local.date() + timedelta(days=local.hour >= WAKING_HOURS[1]), time(WAKING_HOURS[0]), ZoneInfo(zone)
    )
    if morning < answer_by:
        return morning.astimezone(UTC)
    evening = datetime.combine(morning.date() - timedelta(days=1), time(WAKING_HOURS[1] - 1), ZoneInfo(zone))
    return max(evening.astimezone(UTC), made_at)


def is_waking(moment: datetime, zone: str) -> bool:
    return WAKING_HOURS[0] <= moment.astimezone(ZoneInfo(zone)).hour < WAKING_HOURS[1]


# What needs a coordinator


def task_due_at(reason: TaskReason, since: datetime, answer_days: int, zone: str) -> datetime:
    """The end of the last day to act, in this zone. Who asked that a person writes was told `answer_days`, in theirs."""
    last_day = since.astimezone(ZoneInfo(zone)).date() + timedelta(days=DAYS_TO_ACT.get(reason, answer_days))
    return end_of_day(last_day, zone)


def end_of_day(day: date, zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC) - timedelta(milliseconds=1)


def urgency(due_at: datetime, moment: datetime, zone: str) -> Urgency:
    """`this_week`: within the next seven days."""
    due, today = due_at.astimezone(ZoneInfo(zone)).date(), moment.astimezone(ZoneInfo(zone)).date()
    if due_at < moment:
        return "overdue"
    if due == today:
        return "today"
    return "this_week" if due <= today + timedelta(days=7) else "later"
