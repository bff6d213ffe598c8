"""What matching does with a correction: whoever reads the request reads what stands now, in whatever order corrections come."""

from typing import Any

import pytest

from services.matching import store
from services.matching.handlers.broker_events import withdraw_request
from services.matching.handlers.corrections import correct_request
from services.matching.handlers.reading import view_offer
from shared.clock import now
from shared.contracts import CoordinatorNeeded, OfferMade, RequestChanged, RequestWithdrawn
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, answer, assign, document, only, open_offer, open_tasks, submit
from tests.people import NEW_YORK, a_request_submitted


def correct(matching: Service, change: int, words: str = "company on hard evenings", **facts: Any) -> list[Event]:
    encrypted = a_request_submitted(matching, words={"words": words, "name": "Robin"}).encrypted
    event = RequestChanged(request_id="r1", change=change, encrypted=encrypted, **{"time_zone": NEW_YORK, **facts})
    return matching.run(correct_request, event)


def read_by_practitioner(matching: Service, offer_id: str) -> dict[str, str]:
    offer = store.offers.find(matching.db, offer_id)
    assert offer
    return view_offer(offer, matching.db).words


def test_whoever_is_asked_reads_the_corrected_words(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    correct(matching, 1)
    assert read_by_practitioner(matching, open_offer(matching))["words"] == "company on hard evenings"


def test_the_newest_correction_holds_in_whatever_order_they_come(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    correct(matching, 2, "the second")
    correct(matching, 1, "the first")
    assert read_by_practitioner(matching, open_offer(matching))["words"] == "the second"


def test_a_corrected_name_reaches_whoever_they_meet_after_the_words_are_gone(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    answer(matching, offer_id, "yes")
    correct(matching, 1)
    matching.db.requests.update_one({"_id": "r1"}, {"$unset": {"encrypted": 1}})
    assert read_by_practitioner(matching, offer_id)["name"] == "Robin"


def test_who_waits_is_looked_at_again_with_other_limits(matching: Service) -> None:
    add_practitioners(matching, "juniper", languages=("es",))
    submit(matching, mode="anyone", languages=("en",))
    assert assign(matching) == []
    correct(matching, 1, languages=("es",))
    assert only(OfferMade, assign(matching)).practitioner_id == "juniper"


def test_after_leaving_no_words_come_back(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    assert correct(matching, 1) == []
    assert "encrypted" not in document(matching, "requests", "r1")


def test_what_must_be_read_first_comes_to_the_desk(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    assert only(CoordinatorNeeded, correct(matching, 1, read_first=True)).reason == "read_first"
    assert open_tasks(matching) == ["read_first"]


HUSBAND = {"words": "company", "before_we_write": "My husband reads this mailbox"}


def correct_before(matching: Service, change: int, *, read_first: bool, words: dict[str, str] | None = None) -> list[Event]:
    encrypted = a_request_submitted(matching, words=HUSBAND if words is None else words).encrypted
    event = RequestChanged(request_id="r1", change=change, encrypted=encrypted, time_zone=NEW_YORK, read_first=read_first)
    return matching.run(correct_request, event)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_what_must_be_read_first_comes_to_the_desk_in_whatever_order(matching: Service, order: tuple[int, int]) -> None:
    """The second correction is about something else, and the words stand in it."""
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    events = [event for change in order for event in correct_before(matching, change, read_first=change == 1)]
    assert only(CoordinatorNeeded, events).reason == "read_first"
    assert open_tasks(matching) == ["read_first"]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_what_was_taken_back_is_not_to_be_read_in_whatever_order(matching: Service, order: tuple[int, int]) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    for change in order:
        correct_before(matching, change, read_first=change == 1, words=HUSBAND if change == 1 else {"words": "company"})
    assert open_tasks(matching) == []


def test_older_words_that_come_late_are_not_read_after_newer_ones(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    correct_before(matching, 2, read_first=True)
    matching.db.coordinator_tasks.update_many({}, {"$set": {"is_open": False, "resolved_at": now()}})
    assert correct_before(matching, 1, read_first=True) == []
    assert open_tasks(matching) == []
