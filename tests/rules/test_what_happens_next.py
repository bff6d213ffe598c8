"""The choice comes first; what may happen then is what the supportee said."""

from datetime import date, timedelta

import pytest

from services.matching.domain import Practitioner
from services.matching.rules import Step, ask_anyone, next_choice, rank_candidates, suggest
from tests.people import MONDAY, a_practitioner, a_request

TODAY = date(2026, 11, 23)


def people(*practitioners: Practitioner) -> dict[str, Practitioner]:
    return {p.id: p for p in practitioners}


def test_the_chosen_practitioner_is_asked_first() -> None:
    assert next_choice(a_request("kai", "ana"), people(a_practitioner("kai"), a_practitioner("ana")), 0, TODAY) == Step(
        "ask", ("kai",), 0
    )


def test_the_next_choice_is_asked_when_they_said_so() -> None:
    known = people(a_practitioner("kai", state="resting"), a_practitioner("ana"))
    assert next_choice(a_request("kai", "ana"), known, 0, TODAY) == Step("ask", ("ana",), 1)


@pytest.mark.parametrize(
    ("if_not", "step"), [("ask_me", Step("ask_me")), ("suggest", Step("suggest")), ("wait", Step("wait", ("kai",), 0))]
)
def test_each_step_has_its_own_consent(if_not: str, step: Step) -> None:
    known = people(a_practitioner("kai", places=1, taken=1), a_practitioner("ana"))
    assert next_choice(a_request(("kai", if_not), "ana"), known, 0, TODAY) == step


def test_when_the_choices_run_out_they_are_asked() -> None:
    assert next_choice(a_request("kai"), people(a_practitioner("kai", state="full")), 0, TODAY) == Step("ask_me")


def test_a_practitioner_nobody_knows_cannot_be_asked() -> None:
    assert next_choice(a_request("gone", "ana"), people(a_practitioner("ana")), 0, TODAY) == Step("ask", ("ana",), 1)


@pytest.mark.parametrize("never", [{"state": "stepped_back"}, {"languages": ("es",)}, {"id": "kai"}])
def test_nobody_waits_for_a_person_whom_waiting_does_not_bring(never: dict[str, str]) -> None:
    request = a_request(("kai", "wait"), languages=("en",), asked=("kai",) if never == {"id": "kai"} else ())
    assert next_choice(request, people(a_practitioner(**{"id": "kai", **never})), 0, TODAY) == Step("ask_me")


def test_two_or_three_are_suggested() -> None:
    everyone = [a_practitioner(name) for name in ("ana", "kai", "mo", "ro", "sol")]
    assert len(suggest(a_request(), everyone, everyone, TODAY).practitioner_ids) == 3
    assert suggest(a_request(), everyone[:1], everyone[:1], TODAY).practitioner_ids == ("ana",)


def test_only_those_who_are_free_now_are_suggested() -> None:
    everyone = [a_practitioner("ana", pending_codes=("A2",), places=2), a_practitioner("kai")]
    assert suggest(a_request(), everyone, everyone, TODAY) == Step("suggest", ("kai",))


def test_when_all_who_suit_are_full_the_request_waits() -> None:
    assert ask_anyone(a_request(mode="anyone"), [], [a_practitioner(state="full")], TODAY) == Step("wait")


def test_when_nobody_suits_that_is_said_plainly() -> None:
    speaks_english = [a_practitioner(languages=("en",))]
    assert ask_anyone(a_request(languages=("es",)), speaks_english, speaks_english, TODAY) == Step("nobody_suits")


def test_what_they_said_matters_comes_before_all_else() -> None:
    listens = a_practitioner("listens", help=("listening",), last_asked_at=MONDAY)
    fills_forms = a_practitioner("forms", help=("forms",))
    assert rank_candidates(a_request(help=("listening",)), [fills_forms, listens], TODAY)[0] is listens


def test_someone_who_has_lived_it_too_comes_first_only_for_who_ticked_that() -> None:
    long_ago = a_practitioner("kai", last_asked_at=MONDAY - timedelta(days=9))
    lived = a_practitioner("juniper", has_lived_it=True, last_asked_at=MONDAY)
    assert rank_candidates(a_request(help=("lived_it",)), [long_ago, lived], TODAY) == [lived, long_ago]
    assert rank_candidates(a_request(help=("listening",)), [long_ago, lived], TODAY) == [long_ago, lived]


def test_then_whoever_was_asked_longest_ago() -> None:
    lately, long_ago = a_practitioner("a", last_asked_at=MONDAY), a_practitioner("b", last_asked_at=MONDAY - timedelta(days=9))
    assert rank_candidates(a_request(), [lately, long_ago], TODAY) == [long_ago, lately]


def test_then_a_shuffle_that_holds_for_a_day_and_a_request() -> None:
    everyone = [a_practitioner(f"p{n}") for n in range(8)]

    def order(day: date, id: str = "r1") -> list[str]:
        return [p.id for p in rank_candidates(a_request(id=id), everyone, day)]

    assert order(TODAY) == order(TODAY)
    assert len({tuple(order(TODAY + timedelta(days=n))) for n in range(5)}) == 5
    assert order(TODAY) != order(TODAY, id="r2")
