"""End, undo, end, undo, end within a minute, through all three services: the other one hears once what is so."""

import pytest

from services.intake import store
from services.intake.domain import Draft
from services.intake.handlers.supportee import EndMeetings, UndoEnd, end_meetings, undo_end
from services.matching.handlers.endings import end_by_practitioner, undo_by_practitioner
from services.matching.handlers.practitioner import AnswerOffer, answer_offer
from tests.lifetimes import ThreeServices, three

__all__ = ["three"]


def a_pair(three: ThreeServices) -> tuple[Draft, str]:
    three.practitioner(places=1)
    draft = three.ask()
    [offer] = three.matching.db.offers.find()
    three.matching.run(answer_offer, AnswerOffer(offer_id=offer["_id"], answer="yes"))
    three.deliver()
    three.notify.db.notifications.delete_many({})
    return draft, offer["_id"]


def letters(three: ThreeServices, person_id: str) -> list[str]:
    """That will leave, or have left."""
    where = {"person_id": person_id, "channel": "email", "state": {"$ne": "cancelled"}}
    return [row["template"] for row in three.notify.db.notifications.find(where)]


@pytest.mark.parametrize(("times", "told"), [(4, []), (5, ["meetings_ended"])])
def test_by_the_practitioner(three: ThreeServices, times: int, told: list[str]) -> None:
    draft, offer_id = a_pair(three)
    for number in range(times):
        assert three.matching.run(undo_by_practitioner if number % 2 else end_by_practitioner, offer_id)
        three.deliver()
    assert letters(three, draft.person_id) == told
    assert letters(three, "juniper") == []


@pytest.mark.parametrize(("times", "told"), [(4, []), (5, ["meetings_ended"])])
def test_by_the_supportee(three: ThreeServices, times: int, told: list[str]) -> None:
    draft, _ = a_pair(three)
    for number in range(times):
        request = store.request(three.intake.db, draft.request_id)
        assert request
        if number % 2:
            assert three.intake.run(undo_end, UndoEnd(request.id, request.version, "juniper"))
        else:
            assert three.intake.run(end_meetings, EndMeetings(request.id, request.version, "juniper", "wait"))
        three.deliver()
    assert letters(three, "juniper") == told
    assert letters(three, draft.person_id) == []
