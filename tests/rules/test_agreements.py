"""What two people agree on: whose version stands, whose yes is missing, what a deletion takes with it."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import Agreement as Page
from services.matching.domain import Agreement
from shared.contracts import AgreementChanged, AgreementWritten
from shared.messages import Event
from shared.web.agreements import _pieces

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def agreement() -> Agreement:
    return none_yet()


def none_yet() -> Agreement:
    return Agreement(id="m1", request_id="r1", offer_id="o1", supportee_id="wren", practitioner_id="ana")


def ana_writes(agreement: Agreement, id: str, base: int | None = None) -> list[Event]:
    return agreement.write(id, agreement.number if base is None else base, f"sealed {id}", NOW)


def wren_writes(agreement: Agreement, change: int, id: str, base: int | None = None, begins: bool = False) -> list[Event]:
    known = agreement.number if base is None else base
    about: dict[str, Any] = {"request_id": "r1", "match_id": "m1", "change": change, "text_id": id, "base": known}
    return agreement.hear_text(AgreementWritten(**about, begins=begins, encrypted=f"sealed {id}"), NOW)


def ids(agreement: Agreement) -> tuple[str | None, str | None]:
    newest, before = agreement.newest, agreement.before
    return newest.id if newest else None, before.id if before else None


def test_whoever_writes_has_said_yes_and_the_other_yes_makes_it_agreed(agreement: Agreement) -> None:
    ana_writes(agreement, "a")
    assert agreement.said_yes == ("practitioner",)
    assert agreement.agree(1) == []
    [told] = agreement.hear_yes(1, 1)
    assert isinstance(told, AgreementChanged)
    assert (told.change, told.by, told.said_yes) == ("agreed", "supportee", ("practitioner", "supportee"))


def test_a_change_takes_the_yes_away_and_keeps_what_both_had_agreed_on(agreement: Agreement) -> None:
    ana_writes(agreement, "a")
    agreement.hear_yes(1, 1)
    wren_writes(agreement, 2, "b")
    assert (ids(agreement), agreement.said_yes) == (("b", "a"), ("supportee",))
    wren_writes(agreement, 3, "c")
    assert ids(agreement) == ("c", "a")
    agreement.agree(3)
    assert ids(agreement) == ("c", None)


def test_a_yes_to_a_version_that_is_not_the_newest_any_more_is_none(agreement: Agreement) -> None:
    ana_writes(agreement, "a")
    ana_writes(agreement, "b")
    assert [one.change for one in agreement.hear_yes(1, 1)] == ["unchanged"]  # type: ignore[attr-defined]
    assert agreement.said_yes == ("practitioner",)


def test_a_version_on_an_older_one_of_the_other_is_not_taken(agreement: Agreement) -> None:
    ana_writes(agreement, "a")
    wren_writes(agreement, 1, "b")
    assert ana_writes(agreement, "c", base=1) == []
    ana_writes(agreement, "d")
    [told] = wren_writes(agreement, 2, "e", base=2)
    assert isinstance(told, AgreementChanged)
    assert (told.change, told.heard, told.accepted) == ("unchanged", 2, "b")
    assert ids(agreement) == ("d", "b")


def test_a_second_version_before_the_first_was_heard_is_no_conflict_with_oneself(agreement: Agreement) -> None:
    wren_writes(agreement, 1, "a", base=0)
    wren_writes(agreement, 2, "b", base=0)
    assert ids(agreement) == ("b", None)


def test_a_deletion_by_either_takes_everything(agreement: Agreement) -> None:
    for delete in (lambda: agreement.delete(agreement.number), lambda: agreement.hear_deletion(9, agreement.number)):
        ana_writes(agreement, "a")
        assert [one.change for one in delete()] == ["deleted"]  # type: ignore[attr-defined]
        assert (ids(agreement), agreement.said_yes) == ((None, None), ())


def test_a_deletion_does_not_take_what_the_other_began_since(agreement: Agreement) -> None:
    ana_writes(agreement, "a")
    agreement.delete(1)
    ana_writes(agreement, "b")
    assert [one.change for one in agreement.hear_deletion(1, 1)] == ["unchanged"]  # type: ignore[attr-defined]
    assert ids(agreement) == ("b", None)


def test_their_own_new_one_that_is_heard_before_the_deletion_leaves_nothing_of_the_old(agreement: Agreement) -> None:
    wren_writes(agreement, 1, "a")
    agreement.agree(1)
    wren_writes(agreement, 3, "b", base=1, begins=True)
    assert agreement.hear_deletion(2, 1) == []
    assert ids(agreement) == ("b", None)


def test_after_the_end_nothing_is_written_and_it_can_still_be_deleted(agreement: Agreement) -> None:
    ana_writes(agreement, "a")
    assert [one.ended_at for one in agreement.end(NOW)] == [NOW]  # type: ignore[attr-defined]
    assert ana_writes(agreement, "b") == agreement.agree(1) == agreement.end(NOW) == []
    assert [one.change for one in wren_writes(agreement, 1, "c")] == ["unchanged"]  # type: ignore[attr-defined]
    agreement.undo_end()
    assert ana_writes(agreement, "d")
    agreement.end(NOW)
    assert agreement.delete(agreement.number)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_the_supportee_did_last_holds_in_whatever_order_it_is_heard(order: tuple[int, ...]) -> None:
    """They wrote, deleted it, and began again; the fact that is heard once the newest was is without meaning."""
    agreement = none_yet()
    did = [
        lambda: wren_writes(agreement, 1, "a", base=0, begins=True),
        lambda: agreement.hear_deletion(2, 0),
        lambda: wren_writes(agreement, 3, "b", base=0, begins=True),
    ]
    for index in order:
        did[index]()
    assert (ids(agreement), agreement.heard) == (("b", None), 3)


# Its page, as intake keeps it


steps = st.lists(st.sampled_from(["ana writes", "ana agrees", "ana deletes", "wren writes", "wren agrees", "wren deletes"]))


@given(steps, st.randoms())
def test_both_sides_show_the_same_once_everything_was_heard(done: list[str], chance: Any) -> None:
    """Facts come late and in any order on both ways; nothing that was written on what stood there is lost."""
    ours, page = none_yet(), Page(id="m1", request_id="r1")
    to_matching: list[Any] = []
    to_intake: list[AgreementChanged] = []
    for number, step in enumerate([*done, *["settle"] * 3]):
        if step.startswith("ana"):
            told = {
                "ana writes": lambda n=number: ana_writes(ours, f"a{n}"),
                "ana agrees": lambda: ours.agree(ours.number),
                "ana deletes": lambda: ours.delete(ours.number),
            }[step]()
            to_intake += told  # type: ignore[arg-type]
        elif step == "wren writes":
            base, begins = page.number, page.is_empty
            page = page.write(f"w{number}", "sealed")
            known = (page.changes, f"w{number}", base, begins)
            to_matching.append(lambda known=known: wren_writes(ours, *known))
        elif step == "wren agrees" and page.newest:
            seen = page.newest.number
            page = page.say_yes()
            to_matching.append(lambda change=page.changes, seen=seen: ours.hear_yes(change, seen))
        elif step == "wren deletes" and not page.is_empty:
            base = page.number
            page = page.delete()
            to_matching.append(lambda change=page.changes, base=base: ours.hear_deletion(change, base))
        chance.shuffle(to_matching)
        chance.shuffle(to_intake)
        while to_matching and (step == "settle" or chance.random() < 0.5):
            to_intake += to_matching.pop()()
        while to_intake and (step == "settle" or chance.random() < 0.5):
            page = page.hear(as_told(to_intake.pop()))
    assert (page.newest, page.before, page.said_yes) == (ours.newest, ours.before, ours.said_yes)
    assert not page.is_underway
    assert page.unheard is None or page.unheard.came_late
    if ours.newest is None:
        assert ours.before is None


def as_told(event: AgreementChanged) -> Page:
    known = {name: getattr(event, name) for name in ("version", "number", "newest", "before", "said_yes", "heard", "accepted")}
    return Page(id="m1", request_id="r1", ended_at=event.ended_at, **known)


def test_what_was_written_too_late_is_kept_until_it_is_written_again_deleted_or_the_other_is_agreed_to() -> None:
    page = Page(id="m1", request_id="r1").write("w1", "sealed")
    ana = none_yet()
    ana_writes(ana, "a1")
    [refused] = wren_writes(ana, 1, "w1", base=0)
    page = page.hear(as_told(refused))  # type: ignore[arg-type]
    assert page.unheard
    assert page.unheard.came_late
    assert page.say_yes().unheard is page.delete().unheard is None
    again = page.write("w2", "sealed").unheard
    assert again
    assert (again.id, again.base, again.came_late) == ("w2", 1, False)


def test_a_deletion_takes_what_was_written_on_it_too() -> None:
    page = replace(Page(id="m1", request_id="r1"), version=1, number=1).write("w1", "sealed")
    ana = none_yet()
    ana_writes(ana, "a1")
    ana.version = 5
    [deleted] = ana.delete(1)
    assert page.hear(as_told(deleted)).unheard is None  # type: ignore[arg-type]


# What changed, word by word


@given(st.text(), st.text())
def test_the_pieces_of_two_versions_are_the_versions(before: str, now: str) -> None:
    old, new = _pieces(before, now)
    assert ("".join(one.words for one in old), "".join(one.words for one in new)) == (before, now)
    unmarked = ["".join(one.words for one in side if not one.marked) for side in (old, new)]
    assert unmarked[0] == unmarked[1]


def test_only_what_one_version_alone_has_is_marked() -> None:
    old, new = _pieces("Call me first.", "Text me first.")
    assert [one.words for one in old if one.marked] == ["Call"]
    assert [one.words for one in new if one.marked] == ["Text"]
    assert [one.words for one in _pieces("Call me.", "Call me. Not early.")[1] if one.marked] == [" Not early."]
