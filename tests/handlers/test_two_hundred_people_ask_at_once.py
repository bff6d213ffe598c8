"""200 people ask at the same moment for a practitioner with three places: three are asked about, never four."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from services.matching.handlers.broker_events import start_request
from services.matching.handlers.coordinator import write_profile
from shared.contracts import OfferMade, RequestSubmitted, RequestWaiting
from shared.messages import Event
from shared.service import Service
from tests.people import a_profile, a_request_submitted

PEOPLE, PLACES, THREADS = 200, 3, 50


@pytest.mark.parametrize("time", range(20))
def test_three_are_asked_about_and_the_others_are_told_something_true(matching: Service, time: int) -> None:
    matching.run(write_profile, a_profile("juniper", places=PLACES, offers_at_once=PLACES))
    asking = [a_request_submitted(matching, ("juniper", "wait"), id=f"r{number}") for number in range(PEOPLE)]
    start = Barrier(THREADS)

    def ask(requests: list[RequestSubmitted]) -> list[list[Event]]:
        start.wait()
        return [matching.run(start_request, event, idempotency_key=event.request_id) for event in requests]

    with ThreadPoolExecutor(THREADS) as pool:
        published = [events for batch in pool.map(ask, [asking[first::THREADS] for first in range(THREADS)]) for events in batch]

    assert Counter(type(events[0]) for events in published) == {OfferMade: PLACES, RequestWaiting: PEOPLE - PLACES}
    juniper = matching.db.practitioners.find_one({"_id": "juniper"})
    assert juniper
    assert (len(juniper["pending_codes"]), sorted(juniper["occupied_slots"])) == (PLACES, [0, 1, 2])
    assert matching.db.offers.count_documents({"is_open": True}) == PLACES
    assert matching.db.requests.count_documents({"queue": "named", "wanted": ["juniper"]}) == PEOPLE - PLACES
