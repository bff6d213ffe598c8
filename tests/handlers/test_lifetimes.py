"""Lifetimes follow the matter, not the day of sending: on three real databases, with a clock that moves."""

from datetime import timedelta

import pytest

from services.intake import lifetimes, store
from services.intake.domain import Draft
from services.intake.handlers import access
from services.intake.handlers.access import NoteKeys
from services.intake.handlers.supportee import ChoosePace, WriteNote, choose_pace, keep_longer, record_sign_of_life, write_note
from services.intake.handlers.timers import look_after_waiting
from services.matching import store as matching_store
from services.matching.handlers.practitioner import AnswerOffer, WriteToSupportee, answer_offer, write_to_supportee
from services.matching.handlers.reading import view_offer
from shared.clock import now
from shared.contracts import RequestGoneSilent
from shared.vault import words_key
from tests.handlers.test_queries_use_indexes import most_read
from tests.intake_requests import a_stored_request
from tests.lifetimes import ThreeServices, three

__all__ = ["three"]


def opened_by_words(draft: Draft) -> bool:
    assert draft.code_words
    return isinstance(access.by_code_words(draft.code_words.words), access.RequestAccess)


def state_of(services: ThreeServices, draft: Draft) -> str:
    request = store.request(services.intake.db, draft.request_id)
    assert request
    return request.status.state


def a_pair(three: ThreeServices) -> tuple[Draft, str]:
    three.practitioner(places=1)
    draft = three.ask()
    [offer] = three.matching.db.offers.find()
    three.matching.run(answer_offer, AnswerOffer(offer_id=offer["_id"], answer="yes"))
    three.deliver()
    return draft, offer["_id"]


@pytest.mark.parametrize("days", [91, 200])
def test_a_pair_opens_its_pages_and_writes_to_each_other_long_after_ninety_days(three: ThreeServices, days: int) -> None:
    draft, offer_id = a_pair(three)
    three.until_day(days)
    three.until_day(days + 30)
    assert state_of(three, draft) == "matched"
    assert opened_by_words(draft)
    three.intake.run(
        write_note, WriteNote(draft.request_id, NoteKeys(words_key(draft.key), {}), "n1", "are you there", "juniper")
    )
    three.deliver()
    offer = matching_store.offers.find(three.matching.db, offer_id)
    assert offer
    view = view_offer(offer, three.matching.db)
    assert [note.words for note in view.notes] == ["are you there"]
    three.matching.run(write_to_supportee, WriteToSupportee(offer_id=offer_id, words="I am"))
    three.deliver()
    request = store.request(three.intake.db, draft.request_id)
    assert request
    assert [note.words for note in access.own_notes(request, NoteKeys(words_key(draft.key), {}))] == ["are you there", "I am"]
    assert [row["occupied_slots"] for row in three.matching.db.practitioners.find()] == [[0]]
    assert not {"still_waiting", "still_looking", "request_ending", "request_ended"} & set(three.told(draft.request_id))


def test_somebody_who_waits_in_silence_is_told_at_21_76_and_90_and_then_it_ends_everywhere(three: ThreeServices) -> None:
    draft, days = three.ask(), {}
    for day in three.day_by_day(13, 14, 15, 20, 21, 22, 34, 35, 48, 49, 62, 63, 75, 76, 77, 89, 90, 91):
        told = three.told(draft.request_id)
        days.update(dict.fromkeys(set(told) - set(days), day))
    assert days["still_waiting"] == 14
    assert {name: days.get(name) for name in ("still_looking", "request_ending", "request_ended")} == {
        "still_looking": 21, "request_ending": 76, "request_ended": 90,
    }  # fmt: skip
    assert told.count("still_waiting") == 4
    assert state_of(three, draft) == "lapsed"
    request = store.request(three.intake.db, draft.request_id)
    assert request
    assert request.encrypted_answers is None
    [known] = three.matching.db.requests.find()
    assert (known["state"], known.get("encrypted"), known.get("queue")) == ("lapsed", None, None)
    assert three.matching.db.coordinator_tasks.count_documents({"is_open": True}) == 0
    three.practitioner(places=1)
    assert three.matching.db.offers.count_documents({}) == 0
    assert not matching_store.requests.anybody_waits(three.matching.db)
    told = three.told(draft.request_id)
    three.until_day(130)
    assert three.told(draft.request_id) == told


def test_the_button_and_opening_the_page_keep_it(three: ThreeServices) -> None:
    draft = three.ask()
    three.until_day(21.1)
    assert three.told(draft.request_id)[-1] == "still_looking"
    three.intake.run(keep_longer, draft.request_id)
    three.until_day(91)
    assert state_of(three, draft) != "lapsed"
    assert "request_ending" not in three.told(draft.request_id)
    three.intake.run(record_sign_of_life, draft.request_id)
    three.until_day(91 + 76.1)
    assert three.told(draft.request_id)[-1] == "request_ending"
    three.until_day(91 + 91)
    assert state_of(three, draft) == "lapsed"


def test_after_a_jump_of_months_one_letter_comes_and_nothing_has_ended(three: ThreeServices) -> None:
    draft = three.ask()
    before = three.told(draft.request_id)
    three.until_day(200)
    three.run_timers()
    assert three.told(draft.request_id) == [*before, "request_ending"]
    assert opened_by_words(draft)
    three.until_day(213)
    assert state_of(three, draft) != "lapsed"
    three.until_day(214.1)
    assert state_of(three, draft) == "lapsed"


def test_nobody_who_is_asked_about_ends_even_when_intake_has_not_heard_of_it(three: ThreeServices) -> None:
    draft = three.ask()
    three.until_day(76.1)
    three.clock.write_text(str(timedelta(days=90.2).total_seconds()))
    three.practitioner(heard=False)
    assert state_of(three, draft) == "waiting"
    [silent] = three.intake.run(look_after_waiting, draft.request_id)
    assert isinstance(silent, RequestGoneSilent)
    three.deliver()
    assert [row["state"] for row in three.matching.db.requests.find()] == ["asking"]
    assert state_of(three, draft) == "asking"
    assert "request_ended" not in three.told(draft.request_id)


def test_a_sign_of_life_overtakes_the_end_while_the_broker_is_away(three: ThreeServices) -> None:
    draft = three.ask()
    three.until_day(76.1)
    three.clock.write_text(str(timedelta(days=90.2).total_seconds()))
    three.intake.run(look_after_waiting, draft.request_id)
    [silent] = three.intake.db.outbox.find({"type": "request.gone_silent.v1"})
    three.published.add(silent["_id"])
    three.intake.run(record_sign_of_life, draft.request_id)
    three.deliver()
    three.published.remove(silent["_id"])
    three.deliver()
    assert state_of(three, draft) == "waiting"
    assert three.matching.db.requests.count_documents({"state": "lapsed"}) == 0


def test_a_new_pace_counts_from_the_moment_it_was_chosen(three: ThreeServices) -> None:
    draft = three.ask(q4={"reach": ["email"], "email": "zephyrine@people.example", "pace": "never"})
    three.until_day(20)
    assert "still_waiting" not in three.told(draft.request_id)
    three.intake.run(choose_pace, ChoosePace(draft.request_id, "two_weeks"))
    three.run_timers()
    assert "still_waiting" not in three.told(draft.request_id)
    three.until_day(22)
    three.until_day(37)
    assert three.told(draft.request_id)[-2:] == ["still_looking", "still_waiting"]


def test_who_looks_for_themselves_gets_no_letter_and_ends_on_the_day_that_the_page_named(three: ThreeServices) -> None:
    draft = three.ask(q4={"reach": ["page"]})
    request = store.request(three.intake.db, draft.request_id)
    assert request
    named = lifetimes.ends_at(request, now())
    assert named == request.sent_at + timedelta(days=90)
    for _ in three.day_by_day(1, 21, 40, 76, 89):
        assert state_of(three, draft) == "waiting"
    three.until_day(90.05)
    assert state_of(three, draft) == "lapsed"
    assert three.told(draft.request_id) == []


def test_two_workers_that_look_at_once_write_once(three: ThreeServices) -> None:
    draft = three.ask()
    three.clock.write_text(str(timedelta(days=21.1).total_seconds()))
    assert len(three.intake.run(look_after_waiting, draft.request_id)) == 1
    assert three.intake.run(look_after_waiting, draft.request_id) == []


def test_among_twenty_thousand_requests_only_those_that_are_due_are_read(three: ThreeServices) -> None:
    db = three.intake.db
    one = a_stored_request(db, next_look_at=now() - timedelta(minutes=1))
    template = db.requests.find_one({"_id": one.id})
    assert template
    later = now() + timedelta(days=1)
    rows = [{**template, "_id": f"x{n}", "person_id": f"x{n}", "next_look_at": later} for n in range(20_000)]
    db.requests.insert_many(rows)
    assert store.requests_to_look_at(db) == [one.id]
    assert most_read(db, store.requests_to_look_at) <= 2
