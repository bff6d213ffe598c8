"""How long a request lives, and when its person is written to: on moments alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.intake import lifetimes
from services.intake.domain import Request
from services.intake.rules import StatusEvent
from shared.contracts import MatchEnded, MatchEndingUndone, MatchMade, OfferDeclined, OfferMade, RequestWaiting

SENT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def day(number: float) -> datetime:
    return SENT + timedelta(days=number)


def somebody_who_waits(**what: Any) -> Request:
    usual: dict[str, Any] = {"id": "r", "person_id": "p", "mode": "anyone", "choices": (), "language": "en", "time_zone": "UTC"}
    waiting = StatusEvent(event_type=RequestWaiting.event_type, version=1, at=SENT, waiting_for="place")
    return Request(**{**usual, "sent_at": SENT, "silent_since": SENT, "history": (waiting,), **what})


def an_event(cls: type, version: int, at: datetime) -> StatusEvent:
    return StatusEvent(event_type=cls.event_type, version=version, at=at, practitioner_ids=("juniper",), answer_by=day(999))


def whole_life(request: Request, days: int, step: float = 1.0) -> list[tuple[float, str]]:
    """What becomes due when, if somebody looks exactly when they should, and at least each `step`."""
    happened, moment = [], SENT
    while moment < day(days):
        moment = min(lifetimes.next_look(request, moment), moment + timedelta(days=step))
        due = lifetimes.due(request, moment)
        marks = {"news": "told_at", "question": "asked_at", "last_warning": "warned_at", "end": "gone_silent_at"}
        if due:
            happened.append((round((moment - SENT).total_seconds() / 86400, 2), due))
            request = replace(request, **{marks[due]: moment})
        if due == "end":
            break
    return happened


def test_somebody_who_never_says_a_word_is_written_to_and_ends_on_day_ninety() -> None:
    assert whole_life(somebody_who_waits(), 200) == [
        (14, "news"), (21, "question"), (35, "news"), (49, "news"), (63, "news"), (76, "last_warning"), (90, "end"),
    ]  # fmt: skip


def test_the_pace_is_theirs_and_the_question_and_the_warning_come_all_the_same() -> None:
    assert whole_life(somebody_who_waits(pace="never"), 200) == [(21, "question"), (76, "last_warning"), (90, "end")]
    monthly = whole_life(somebody_who_waits(pace="month"), 200)
    assert monthly == [(21, "question"), (51, "news"), (76, "last_warning"), (90, "end")]


def test_after_a_jump_of_months_one_thing_is_due_and_nothing_ends_unsaid() -> None:
    silent = somebody_who_waits()
    assert lifetimes.due(silent, day(200)) == "last_warning"
    warned = replace(silent, warned_at=day(200))
    assert lifetimes.due(warned, day(200)) is None
    assert lifetimes.ends_at(warned, day(200)) == day(214)
    assert lifetimes.due(warned, day(213.9)) is None
    assert lifetimes.due(warned, day(214)) == "end"


def test_the_day_that_the_page_names_is_there_from_the_first_day() -> None:
    for today in range(76):
        assert lifetimes.ends_at(somebody_who_waits(), day(today)) == day(90)


def test_a_sign_of_life_begins_the_ninety_days_anew_and_the_button_gives_thirty_more() -> None:
    opened = somebody_who_waits(silent_since=day(21), asked_at=day(20))
    assert lifetimes.ends_at(opened, day(21)) == day(111)
    assert lifetimes.may_be_kept_longer(opened, day(21))
    kept = replace(opened, silent_since=day(21) + lifetimes.KEPT_LONGER)
    assert lifetimes.ends_at(kept, day(21)) == day(141)
    assert not lifetimes.may_be_kept_longer(kept, day(21.5))
    assert [when for when, what in whole_life(kept, 400) if what == "question"] == [21 + 30 + 21]


@pytest.mark.parametrize("last", [OfferMade, MatchMade])
def test_nothing_is_due_and_nothing_ends_while_somebody_is_asked_or_with_them(last: type) -> None:
    history = (an_event(OfferMade, 1, day(1)), *([an_event(MatchMade, 2, day(2))] if last is MatchMade else []))
    request = somebody_who_waits(history=history)
    for today in (14, 21, 76, 90, 91, 200, 2000):
        assert lifetimes.due(request, day(today)) is None
        assert day(today) < lifetimes.next_look(request, day(today)) <= day(today + 7)


def test_silence_counts_anew_from_the_end_of_an_offer() -> None:
    history = (an_event(OfferMade, 1, day(80)), an_event(OfferDeclined, 2, day(85)))
    request = somebody_who_waits(history=history, warned_at=day(76))
    assert lifetimes.due(request, day(90)) is None
    assert lifetimes.ends_at(request, day(90)) == day(85 + 90)


def test_who_waited_does_not_wait_anew_after_a_no_but_after_a_pair() -> None:
    asked = somebody_who_waits(history=(an_event(OfferMade, 1, day(3)), an_event(OfferDeclined, 2, day(5))))
    assert lifetimes.waiting_since(asked) == SENT
    after_a_pair = (an_event(OfferMade, 1, day(3)), an_event(MatchMade, 2, day(5)), an_event(MatchEnded, 3, day(150)))
    ended = somebody_who_waits(history=after_a_pair)
    assert lifetimes.waiting_since(ended) == day(150)
    assert lifetimes.ends_at(ended, day(151)) == day(240)
    again = somebody_who_waits(history=(*after_a_pair, an_event(MatchEndingUndone, 4, day(151))))
    assert not lifetimes.waits(again)
    assert lifetimes.waiting_since(replace(again, history=(*again.history, an_event(MatchEnded, 5, day(300))))) == day(300)


def test_a_look_is_never_planned_for_a_moment_that_has_passed() -> None:
    for step in (0.5, 3, 40, 300):
        for request in (somebody_who_waits(), somebody_who_waits(pace="never"), somebody_who_waits(asked_at=day(500))):
            moment = SENT
            for _ in range(12):
                moment += timedelta(days=step)
                due = lifetimes.due(request, moment)
                marks = {"news": "told_at", "question": "asked_at", "last_warning": "warned_at", "end": "gone_silent_at"}
                request = replace(request, **({marks[due]: moment} if due else {}))
                assert lifetimes.next_look(request, moment) > moment
