"""What matching decides. Pure: no clock, no randomness, no database. Whoever asks brings the facts and the moment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts import AgeGroup, Choice, Help, MeetingType, Mode, Next, Part, PractitionerState

MINUTES_TOGETHER = 60
WAKING = (9, 21)
MOST_SUGGESTIONS = 3
MOST_CHOICES = 5
PARTS_OF_DAY = {"morning": (8 * 60, 12 * 60), "afternoon": (12 * 60, 17 * 60), "evening": (17 * 60, 22 * 60)}
DAYS = {"weekday": range(5), "weekend": range(5, 7)}
Stretch = tuple[datetime, datetime]
Do = Literal["ask", "ask_me", "suggest", "wait", "nobody_suits"]


@dataclass(frozen=True, kw_only=True)
class Hours:
    """One row of a practitioner's week, in their zone. `day` counts from Monday, `start` and `end` are minutes of the day."""

    day: int
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Practitioner:
    """Empty `languages`, `meeting_types`, `ages`, `parts` and `hours` mean: no limit. `hours` say it more exactly than `parts`."""

    id: str
    state: PractitionerState = "open"
    places: int = 1
    taken: int = 0
    outstanding: int = 0
    offers_at_once: int = 1
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    ages: tuple[AgeGroup, ...] = ()
    parts: tuple[Part, ...] = ()
    hours: tuple[Hours, ...] = ()
    time_zone: str = "UTC"
    help: tuple[Help, ...] = ()
    not_now: tuple[Help, ...] = ()
    avoid: tuple[str, ...] = ()
    asked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SupportRequest:
    """`asked`: those who answered this request already, or let the time pass. They are not asked a second time."""

    id: str
    supportee_id: str
    mode: Mode
    submitted_at: datetime
    choices: tuple[Choice, ...] = ()
    avoid: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    parts: tuple[Part, ...] = ()
    time_zone: str = "UTC"
    help: tuple[Help, ...] = ()
    age_group: AgeGroup | None = None
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What happens next with a request. `at` is the choice that is being asked, where it is one of theirs."""

    do: Do
    practitioner_ids: tuple[str, ...] = ()
    at: int | None = None


# Who may be asked


def suits(request: SupportRequest, practitioner: Practitioner, today: date) -> bool:
    """The hard limits, both ways. An age nobody asked to hear is no limit: the practitioner reads "not said"."""
    return (
        not _avoid_each_other(request, practitioner)
        and _share(request.languages, practitioner.languages)
        and _share(request.meeting_types, practitioner.meeting_types)
        and (request.age_group is None or _share((request.age_group,), practitioner.ages))
        and not set(request.help) & set(practitioner.not_now)
        and have_an_hour_together(request, practitioner, today)
    )


def could_be_asked_later(request: SupportRequest, practitioner: Practitioner, today: date) -> bool:
    """Waiting for this person makes sense: nothing but time stands between them."""
    return practitioner.state != "stepped_back" and practitioner.id not in request.asked and suits(request, practitioner, today)


def may_be_asked(request: SupportRequest, practitioner: Practitioner, today: date) -> bool:
    return may_take_one_more(practitioner) and could_be_asked_later(request, practitioner, today)


def may_take_one_more(practitioner: Practitioner) -> bool:
    return practitioner.state == "open" and free_places(practitioner) > 0


def free_places(practitioner: Practitioner) -> int:
    """How many people this practitioner may be asked about now: places left, and no more at once than they set."""
    return max(0, min(practitioner.places - practitioner.taken, practitioner.offers_at_once - practitioner.outstanding))


def shown_state(state: PractitionerState, places: int, taken: int) -> PractitionerState:
    """Being asked about somebody is not being full; having no place left is."""
    return "full" if state == "open" and taken >= places else state


def _avoid_each_other(request: SupportRequest, practitioner: Practitioner) -> bool:
    return practitioner.id in request.avoid or request.supportee_id in practitioner.avoid


def _share(wanted: Sequence[str], offered: Sequence[str]) -> bool:
    return not wanted or not offered or bool(set(wanted) & set(offered))


# Time together


def have_an_hour_together(request: SupportRequest, practitioner: Practitioner, today: date) -> bool:
    """At least 60 minutes in one stretch, in the week of `today`, each side in their own zone."""
    monday = today - timedelta(days=today.weekday())
    theirs = _week(request.parts, (), request.time_zone, monday, 0, 7)
    # Two days more at each end: the same hour may lie in another week of another zone.
    mine = _week(practitioner.parts, practitioner.hours, practitioner.time_zone, monday, -2, 9)
    enough = timedelta(minutes=MINUTES_TOGETHER)
    return any(min(a[1], b[1]) - max(a[0], b[0]) >= enough for a in theirs for b in mine)


@lru_cache(maxsize=4096)
def _week(
    parts: tuple[Part, ...], hours: tuple[Hours, ...], zone: str, monday: date, first: int, last: int
) -> tuple[Stretch, ...]:
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
    return local.astimezone(_UTC)


_UTC = ZoneInfo("UTC")


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for start, end in stretches:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


# What happens next


def next_choice(request: SupportRequest, people: Mapping[str, Practitioner], at: int, today: date) -> Step:
    """Go on from the choice `at` by what the supportee said may happen. A `suggest` step comes without names yet."""
    for place, choice in enumerate(request.choices[at:], at):
        practitioner = people.get(choice.practitioner_id)
        if practitioner and may_be_asked(request, practitioner, today):
            return Step("ask", (practitioner.id,), place)
        if choice.if_not == "wait" and practitioner and could_be_asked_later(request, practitioner, today):
            return Step("wait", (practitioner.id,), place)
        if choice.if_not == "suggest":
            return Step("suggest")
        if choice.if_not != "next_choice":
            return Step("ask_me")  # also when they would wait for somebody whom no waiting brings
    return Step("ask_me")


def ask_anyone(request: SupportRequest, everyone: Iterable[Practitioner], today: date) -> Step:
    return _first_or_wait(request, everyone, today, lambda found: Step("ask", found[:1]))


def suggest(request: SupportRequest, everyone: Iterable[Practitioner], today: date) -> Step:
    return _first_or_wait(request, everyone, today, lambda found: Step("suggest", found[:MOST_SUGGESTIONS]))


def _first_or_wait(
    request: SupportRequest, everyone: Iterable[Practitioner], today: date, step: Callable[[tuple[str, ...]], Step]
) -> Step:
    suitable = [p for p in everyone if could_be_asked_later(request, p, today)]
    free = tuple(p.id for p in in_order_of_what_matters(request, filter(may_take_one_more, suitable), today))
    if free:
        return step(free)
    return Step("wait") if suitable else Step("nobody_suits")


def in_order_of_what_matters(request: SupportRequest, people: Iterable[Practitioner], today: date) -> list[Practitioner]:
    """What the person said matters, then least recently asked, then a shuffle of the day. Never popularity, never speed."""

    def key(p: Practitioner) -> tuple[int, float, bytes]:
        asked = p.asked_at.timestamp() if p.asked_at else 0.0
        return -_in_common(request, p), asked, sha256(f"{today}/{request.id}/{p.id}".encode()).digest()

    return sorted(people, key=key)


def _in_common(request: SupportRequest, p: Practitioner) -> int:
    return sum(
        len(set(wanted) & set(offered))
        for wanted, offered in (
            (request.help, p.help),
            (request.languages, p.languages),
            (request.meeting_types, p.meeting_types),
        )
    )


TOLD_AS: Mapping[Do, Next] = {
    "ask": "next_choice", "ask_me": "ask_me", "suggest": "suggest", "wait": "wait", "nobody_suits": "person",
}  # fmt: skip


# The waiting list


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """`ranking`: whom they would meet, dearest first. `chose`: they named these people; otherwise anyone who suits will do."""

    request_id: str
    since: datetime
    ranking: tuple[str, ...]
    chose: bool


def who_is_offered(waiting: Iterable[Waiting], free: Mapping[str, int]) -> dict[str, str]:
    """Deferred acceptance, request id -> practitioner id. Everyone turns to their dearest place, a place keeps those who chose
    it and waited longest, the others turn to their next. Whoever names people gains nothing by naming them in another order."""
    kept: dict[str, list[Waiting]] = {practitioner_id: [] for practitioner_id, places in free.items() if places > 0}
    turning = [(person, 0) for person in waiting]
    asked_up_to = {person.request_id: 0 for person, _ in turning}
    while turning:
        person, rank = turning.pop()
        if rank >= len(person.ranking):
            continue
        asked_up_to[person.request_id] = rank
        place = person.ranking[rank]
        if place not in kept:
            turning.append((person, rank + 1))
            continue
        kept[place] = sorted([*kept[place], person], key=_turn)
        if len(kept[place]) > free[place]:
            last = kept[place].pop()
            turning.append((last, asked_up_to[last.request_id] + 1))
    return {person.request_id: place for place, people in kept.items() for person in people}


def _turn(person: Waiting) -> tuple[bool, datetime, str]:
    return not person.chose, person.since, person.request_id


# Time to answer


def days_left_to_answer(answer_by: datetime, moment: datetime, zone: str) -> int:
    """Whole days on the practitioner's calendar; 0 means today."""
    return max(0, (answer_by.astimezone(ZoneInfo(zone)).date() - moment.astimezone(ZoneInfo(zone)).date()).days)


def nudge_at(made_at: datetime, answer_by: datetime, zone: str) -> datetime:
    """The middle of the time to answer, in waking hours: else the next morning, or the evening before if that is too late."""
    middle = made_at + (answer_by - made_at) / 2
    if is_waking(middle, zone):
        return middle
    local = middle.astimezone(ZoneInfo(zone))
    morning = datetime.combine(local.date() + timedelta(days=local.hour >= WAKING[1]), time(WAKING[0]), ZoneInfo(zone))
    if morning < answer_by:
        return morning.astimezone(_UTC)
    evening = datetime.combine(morning.date() - timedelta(days=1), time(WAKING[1] - 1), ZoneInfo(zone))
    return max(evening.astimezone(_UTC), made_at)


def is_waking(moment: datetime, zone: str) -> bool:
    return WAKING[0] <= moment.astimezone(ZoneInfo(zone)).hour < WAKING[1]
