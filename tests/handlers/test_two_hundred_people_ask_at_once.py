"""200 people ask at the same moment for a practitioner with three places: three are asked about, never four."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from services.matching.handlers.asking import take_the_first_step
from services.matching.handlers.entries import write_entry
from shared.contracts import OfferMade, RequestSubmitted, RequestWaiting
from shared.messages import Event
from shared.service import Service
from tests.people import a_request_submitted, an_entry

PEOPLE, PLACES, THREADS = 200, 3, 50


@pytest.mark.parametrize("time", range(20))
def test_three_are_asked_about_and_the_others_are_told_something_true(matching: Service, time: int) -> None:
    matching.run(write_entry, an_entry("juniper", places=PLACES, offers_at_once=PLACES))
    asking = [a_request_submitted(matching, ("juniper", "wait"), id=f"r{number}") for number in range(PEOPLE)]
    start = Barrier(THREADS)

    def ask(requests: list[RequestSubmitted]) -> list[list[Event]]:
        start.wait()
        return [matching.run(take_the_first_step, said, idempotency_key=said.request_id) for said in requests]

    with ThreadPoolExecutor(THREADS) as pool:
        told = [news for batch in pool.map(ask, [asking[first::THREADS] for first in range(THREADS)]) for news in batch]

    assert Counter(type(news[0]) for news in told) == {OfferMade: PLACES, RequestWaiting: PEOPLE - PLACES}
    juniper = matching.db.practitioners.find_one({"_id": "juniper"})
    assert juniper
    assert (juniper["taken"], juniper["outstanding"], sorted(juniper["slots"])) == (PLACES, PLACES, [0, 1, 2])
    assert matching.db.offers.count_documents({"open": True}) == PLACES
    assert matching.db.requests.count_documents({"state": "waiting", "waiting_with": ["juniper"]}) == PEOPLE - PLACES
