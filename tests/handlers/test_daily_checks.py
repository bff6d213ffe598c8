"""The daily checks, on three real databases: what was broken on purpose is repaired or becomes a task, once."""

from datetime import timedelta

import pytest

from services.intake import store
from services.intake.domain import Draft
from services.intake.handlers import daily_checks as intake_checks
from services.intake.handlers.access import NoteKeys
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.supportee import WriteNote, write_note
from services.matching.handlers.daily_checks import CHECK_OF_PLACES, MANY, check_places
from services.matching.handlers.practitioner import AnswerOffer, WriteToSupportee, answer_offer, write_to_supportee
from shared import checks
from shared.clock import now
from shared.contracts import OfferReleased, RequestsChecked
from shared.mongo import Doc
from shared.service import Service
from shared.vault import words_key
from tests.handlers.test_queries_use_indexes import most_read
from tests.intake_requests import a_stored_request
from tests.lifetimes import ThreeServices, three

__all__ = ["three"]
FOUND_OUT = timedelta(days=1.02)


def a_day_later(three: ThreeServices) -> None:
    three.until_day(three.days + 1.02)


def found(three: ThreeServices) -> dict[str, Doc]:
    return {name: dict(row) for service in three.all() for name, row in checks.findings(service.db).items()}


def open_tasks(three: ThreeServices) -> list[str]:
    return sorted(row["reason"] for row in three.matching.db.coordinator_tasks.find({"is_open": True}))


def request_in_matching(three: ThreeServices) -> Doc:
    [request] = three.matching.db.requests.find()
    return request


def asked(three: ThreeServices) -> Draft:
    """Juniper is asked; the first checks found nothing."""
    three.practitioner(places=2, offers_at_once=2)
    draft = three.ask()
    a_day_later(three)
    assert found(three) == {}
    return draft


def paired(three: ThreeServices) -> Draft:
    """Juniper said yes, and both wrote a note; the first checks found nothing."""
    three.practitioner(places=2, offers_at_once=2)
    draft = three.ask()
    [offer] = three.matching.db.offers.find()
    three.matching.run(answer_offer, AnswerOffer(offer_id=offer["_id"], answer="yes"))
    three.deliver()
    writes(three, draft, "aaaaaaaa-1")
    three.matching.run(write_to_supportee, WriteToSupportee(offer_id=offer["_id"], words="I am"))
    three.deliver()
    a_day_later(three)
    assert (found(three), open_tasks(three)) == ({}, [])
    return draft


def writes(three: ThreeServices, draft: Draft, note_id: str) -> None:
    three.intake.run(write_note, WriteNote(draft.request_id, NoteKeys(words_key(draft.key), {}), note_id, "hello", "juniper"))
    three.deliver()


def note_ids(three: ThreeServices) -> tuple[set[str], set[str]]:
    """On the request's page, and with matching."""
    [page] = three.intake.db.requests.find()
    return {note["_id"] for note in page["notes"]}, {note["_id"] for note in three.matching.db.notes.find()}


def test_where_all_is_well_a_day_has_one_event_and_nothing_else(three: ThreeServices) -> None:
    paired(three)
    for service in three.all():
        service.db.outbox.delete_many({})
    a_day_later(three)
    assert [row["type"] for service in three.all() for row in service.db.outbox.find()] == [RequestsChecked.event_type]
    assert (found(three), open_tasks(three)) == ({}, [])


def test_two_workers_do_not_check_the_same_page_twice(three: ThreeServices) -> None:
    three.run_timers()
    three.clock.write_text(str(FOUND_OUT.total_seconds()))
    name = store.CHECK_OF_REQUESTS
    assert [len(three.intake.run(intake_checks.check_requests, name)) for _ in range(2)] == [1, 0]
    assert list(intake_checks.find_due_check(three.intake.db)) == []


def test_places_that_no_offer_holds_are_free_again(three: ThreeServices) -> None:
    asked(three)
    three.matching.db.practitioners.update_one({}, {"$set": {"occupied_slots": [0, 1], "pending_codes": ["A2", "A3"]}})
    a_day_later(three)
    [offer], [practitioner] = three.matching.db.offers.find(), three.matching.db.practitioners.find()
    assert (practitioner["occupied_slots"], practitioner["pending_codes"]) == ([offer["slot"]], [offer["code"]])
    assert found(three) == {"places_without_offers": {"repaired": 1}}
    a_day_later(three)
    assert found(three) == {"places_without_offers": {"repaired": 1}}


def test_a_place_that_is_not_taken_though_an_offer_holds_it_is_taken(three: ThreeServices) -> None:
    asked(three)
    three.matching.db.practitioners.update_one({}, {"$set": {"occupied_slots": [], "pending_codes": []}})
    a_day_later(three)
    assert [row["occupied_slots"] for row in three.matching.db.practitioners.find()] == [[0]]


def test_an_open_offer_of_a_request_that_does_not_ask_is_let_go_and_its_practitioner_told(three: ThreeServices) -> None:
    asked(three)
    three.matching.db.requests.update_one({}, {"$set": {"state": "waiting", "waiting_for": "choice"}})
    a_day_later(three)
    assert len(three.events(OfferReleased.event_type)) == 1
    [page] = three.intake.db.requests.find()
    assert max(page["history"], key=lambda event: event["version"])["event_type"] != OfferReleased.event_type
    assert [row["state"] for row in three.matching.db.offers.find()] == ["released"]
    assert [row["occupied_slots"] for row in three.matching.db.practitioners.find()] == [[]]


@pytest.mark.parametrize("request_is", ["gone", "withdrawn"])
def test_a_place_held_for_a_request_that_is_not_there_is_free(three: ThreeServices, request_is: str) -> None:
    draft = paired(three)
    if request_is == "gone":
        three.matching.db.requests.delete_many({})
        three.intake.db.requests.delete_many({})
    else:
        three.matching.db.requests.update_one({}, {"$set": {"state": "withdrawn", "ended_at": now()}})
    a_day_later(three)
    assert [row["occupied_slots"] for row in three.matching.db.practitioners.find()] == [[]]
    assert three.matching.db.offers.count_documents({}) == 0
    assert found(three)["held_for_nobody"] == {"repaired": 1}
    assert store.request(three.intake.db, draft.request_id) is None


def test_who_is_asked_about_by_nobody_is_asked_about_again(three: ThreeServices) -> None:
    asked(three)
    three.matching.db.offers.delete_many({})
    three.matching.db.practitioners.update_one({}, {"$set": {"occupied_slots": [], "pending_codes": []}})
    a_day_later(three)
    assert request_in_matching(three)["state"] == "asking"
    assert three.matching.db.offers.count_documents({"is_open": True}) == 1
    assert found(three) == {"asked_without_offer": {"repaired": 1}}
    a_day_later(three)
    assert found(three) == {"asked_without_offer": {"repaired": 1}}


def test_a_pair_whose_other_half_is_gone_comes_to_the_desk_and_the_supportee_is_told(three: ThreeServices) -> None:
    draft = paired(three)
    three.matching.db.matches.delete_many({})
    three.matching.db.offers.delete_many({})
    a_day_later(three)
    assert request_in_matching(three)["state"] == "reaching_out"
    assert open_tasks(three) == ["reach_out"]
    assert three.told(draft.request_id)[-1] == "someone_will_write"
    assert [row["occupied_slots"] for row in three.matching.db.practitioners.find()] == [[]]
    a_day_later(three)
    assert open_tasks(three) == ["reach_out"]


@pytest.mark.parametrize("lost", ["matches", "offers"])
def test_half_of_a_pair_is_no_pair_and_holds_no_place(three: ThreeServices, lost: str) -> None:
    paired(three)
    three.matching.db[lost].delete_many({})
    for _ in range(2):
        a_day_later(three)
    assert open_tasks(three) == ["reach_out"]
    assert [row["occupied_slots"] for row in three.matching.db.practitioners.find()] == [[]]
    assert three.matching.db.matches.count_documents({"ended_at": None}) == 0


def test_two_who_may_meet_all_the_same_are_a_task(three: ThreeServices) -> None:
    paired(three)
    three.matching.db.requests.update_one({}, {"$set": {"state": "waiting", "waiting_for": "choice"}})
    for _ in range(2):
        a_day_later(three)
    assert open_tasks(three) == ["out_of_step"]
    assert [row["occupied_slots"] for row in three.matching.db.practitioners.find()] == [[0]]


def test_a_request_that_nobody_decided_on_goes_on(three: ThreeServices) -> None:
    three.ask()
    a_day_later(three)
    three.matching.db.requests.update_one({}, {"$set": {"state": "received"}, "$unset": {"queue": 1, "waiting_for": 1}})
    a_day_later(three)
    assert request_in_matching(three)["state"] == "waiting"
    assert found(three) == {"undecided": {"repaired": 1}}


def test_a_note_of_the_supportee_that_matching_lost_comes_to_it_again(three: ThreeServices) -> None:
    paired(three)
    three.matching.db.notes.delete_one({"_id": "aaaaaaaa-1"})
    a_day_later(three)
    page, matching = note_ids(three)
    assert page == matching
    assert found(three) == {"differs": {"repaired": 1}}
    a_day_later(three)
    a_day_later(three)
    assert found(three) == {"differs": {"repaired": 1}}
    assert "differs_since" not in request_in_matching(three)


def test_a_note_that_the_page_lost_comes_to_it_again(three: ThreeServices) -> None:
    paired(three)
    three.intake.db.requests.update_one({}, {"$pull": {"notes": {"author": "juniper"}}})
    assert len(note_ids(three)[0]) == 1
    a_day_later(three)
    page, matching = note_ids(three)
    assert page == matching


def test_what_differs_for_two_days_is_one_task_and_done_when_it_agrees_again(three: ThreeServices) -> None:
    paired(three)
    lost = three.matching.db.notes.find_one({"practitioner_id": "juniper"}) or {}
    three.matching.db.notes.delete_one({"_id": lost["_id"]})
    a_day_later(three)
    assert open_tasks(three) == []
    a_day_later(three)
    a_day_later(three)
    assert open_tasks(three) == ["out_of_step"]
    assert found(three) == {"differs": {"repaired": 1, "task": 1}}
    three.matching.db.notes.insert_one(lost)
    a_day_later(three)
    assert open_tasks(three) == []


def test_a_page_that_missed_what_happened_hears_it_again(three: ThreeServices) -> None:
    asked(three)
    three.intake.db.requests.update_one({}, {"$pull": {"history": {"event_type": "offer.made.v1"}}})
    three.intake.db.requests.update_one(
        {}, {"$push": {"history": {"event_type": "request.waiting.v1", "version": 0, "at": now(), "waiting_for": "place"}}}
    )
    [made] = three.matching.db.outbox.find({"type": "offer.made.v1"})
    three.intake.db.inbox.delete_one({"_id": made["_id"]})
    three.published.discard(made["_id"])
    three.published |= {row["_id"] for row in three.matching.db.outbox.find({"_id": {"$ne": made["_id"]}})}
    a_day_later(three)
    [page] = three.intake.db.requests.find()
    assert "offer.made.v1" in {event["event_type"] for event in page["history"]}


def test_who_left_while_matching_was_brought_back_leaves_there_too(three: ThreeServices) -> None:
    draft = paired(three)
    rows = {name: list(three.matching.db[name].find()) for name in ("requests", "offers", "matches", "practitioners")}
    three.intake.run(withdraw_request, draft.request_id)
    three.deliver()
    for name, kept in rows.items():
        three.matching.db[name].delete_many({})
        three.matching.db[name].insert_many(kept)
    a_day_later(three)
    assert request_in_matching(three)["state"] == "withdrawn"
    assert [row["occupied_slots"] for row in three.matching.db.practitioners.find()] == [[]]


def test_who_left_while_intake_was_brought_back_leaves_there_again(three: ThreeServices) -> None:
    draft = asked(three)
    [page] = three.intake.db.requests.find()
    three.intake.run(withdraw_request, draft.request_id)
    three.deliver()
    three.intake.db.requests.insert_one(page)
    three.intake.db.erasures.delete_many({})
    a_day_later(three)
    assert three.intake.db.requests.count_documents({}) == 0
    assert found(three) == {"ended": {"repaired": 1}, "came_back": {"repaired": 1}}


def test_a_request_that_intake_does_not_hold_is_a_task_and_nothing_of_it_is_erased(three: ThreeServices) -> None:
    """It may be intake's copy that was brought back."""
    asked(three)
    three.intake.db.requests.delete_many({})
    a_day_later(three)
    a_day_later(three)
    assert open_tasks(three) == ["out_of_step"]
    assert request_in_matching(three)["state"] == "asking"


def test_a_request_that_matching_does_not_hold_is_a_task(three: ThreeServices) -> None:
    three.ask()
    a_day_later(three)
    three.matching.db.requests.delete_many({})
    a_day_later(three)
    a_day_later(three)
    assert open_tasks(three) == ["nobody_suits", "out_of_step"]
    assert found(three) == {"unknown_to_matching": {"task": 1}}


def test_many_requests_that_intake_does_not_hold_are_one_task(three: ThreeServices) -> None:
    three.ask()
    stored = request_in_matching(three)
    three.matching.db.requests.insert_many([{**stored, "_id": f"r{number}"} for number in range(MANY + 1)])
    a_day_later(three)
    assert open_tasks(three).count("out_of_step") == 1


def test_somebody_whose_page_nothing_opens_is_a_task(three: ThreeServices) -> None:
    asked(three)
    three.intake.db.links.delete_many({})
    three.intake.db.requests.update_one({}, {"$unset": {"email_index": 1}})
    a_day_later(three)
    a_day_later(three)
    assert open_tasks(three) == ["no_way_in"]


def test_somebody_whom_nobody_would_look_after_is_looked_after(three: ThreeServices) -> None:
    three.ask()
    three.intake.db.requests.update_one({}, {"$unset": {"next_look_at": 1}})
    a_day_later(three)
    assert [row["next_look_at"] > now() for row in three.intake.db.requests.find()] == [True]
    assert found(three) == {"never_looked_at": {"repaired": 1}}


def test_somebody_who_was_to_hear_something_two_days_ago_is_a_task(three: ThreeServices) -> None:
    three.ask()
    a_day_later(three)
    three.intake.db.requests.update_one({}, {"$set": {"next_look_at": now() - timedelta(days=2)}})
    three.clock.write_text(str(timedelta(days=three.days + 1.02).total_seconds()))
    three.intake.run(intake_checks.check_requests, store.CHECK_OF_REQUESTS)
    three.deliver()
    assert open_tasks(three) == ["nobody_suits", "out_of_step"]


@pytest.mark.parametrize("name", ["intake", "matching", "notify"])
def test_what_is_kept_too_long_is_one_task(three: ThreeServices, name: str) -> None:
    service: Service = getattr(three, name)
    a_day_later(three)
    service.db.inbox.insert_one({"_id": "old", "at": now() - timedelta(days=91)})
    three.clock.write_text(str(timedelta(days=three.days + 1.02).total_seconds()))
    [timer] = [timer for timer in service.timers if timer.handler.__name__ == "check_retention"]
    for _ in range(2):
        for item in timer.find(service.db):
            service.run(timer.handler, item)
    three.deliver()
    assert open_tasks(three) == ["kept_too_long"]


def test_what_a_check_said_of_somebody_goes_when_they_leave(three: ThreeServices) -> None:
    draft = asked(three)
    assert three.events(RequestsChecked.event_type)
    three.intake.run(withdraw_request, draft.request_id)
    assert three.events(RequestsChecked.event_type) == []
    a_day_later(three)
    a_day_later(three)
    [check] = three.events(RequestsChecked.event_type)
    assert [(one["request_id"], one["standing"], one["notes"]) for one in check["requests"]] == [(draft.request_id, "ended", [])]


def test_a_page_follows_the_last_and_a_round_begins_a_day_after_the_one_before(intake: Service) -> None:
    for number in range(intake_checks.ON_A_PAGE + 1):
        a_stored_request(intake.db, id=f"r{number:03}", person_id=f"p{number}", sent_at=now() - timedelta(hours=2))
    [first] = intake.run(intake_checks.check_requests, "requests")
    assert isinstance(first, RequestsChecked)
    assert (first.after, first.up_to, len(first.requests)) == ("", "r099", 100)
    intake.db.checks.update_one({"_id": "requests"}, {"$set": {"next_at": now()}})
    [second] = intake.run(intake_checks.check_requests, "requests")
    assert isinstance(second, RequestsChecked)
    assert (second.after, second.up_to, [one.request_id for one in second.requests]) == ("r099", "", ["r100"])
    row = intake.db.checks.find_one({"_id": "requests"}) or {}
    assert row["next_at"] == row["begun_at"] + checks.A_DAY


def test_no_check_reads_more_than_its_page(intake: Service, matching: Service) -> None:
    stored = a_stored_request(intake.db, id="r", person_id="p", sent_at=now() - timedelta(hours=2))
    [row] = intake.db.requests.find()
    intake.db.requests.insert_many([{**row, "_id": f"r{number:03}", "person_id": f"p{number}"} for number in range(400)])
    intake.db.links.insert_many([{"_id": f"c{n}", "person_id": f"p{n}", "purpose": "code_words"} for n in range(400)])
    assert stored.id == "r"
    read = most_read(intake.db, lambda _: intake.run(intake_checks.check_requests, "requests"))
    assert read <= 2 * intake_checks.ON_A_PAGE
    assert most_read(matching.db, lambda _: matching.run(check_places, CHECK_OF_PLACES)) <= 2
