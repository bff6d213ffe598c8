"""The read models of intake: the newest version wins, and each event is shown once, in whatever order they come."""

from datetime import timedelta
from itertools import permutations

import pytest

from services.intake import lifetimes, store
from services.intake.domain import AccessLink, Request
from services.intake.handlers.broker_events import HistoryEvent, add_to_history, save_directory_entry
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.supportee import ChooseNext, choose_next, delete_code_words
from services.intake.listing import ListingCache
from shared.clock import now
from shared.contracts import ChoiceMade, EncryptedFields, OfferDeclined, OfferMade, RequestWithdrawn, SuggestionsMade
from shared.mongo import Db
from shared.service import Service
from shared.tokens import digest
from tests.intake_requests import a_stored_request
from tests.people import an_entry_seen


@pytest.fixture
def request_id(intake_db: Db) -> str:
    return a_stored_request(intake_db).id


def an_offer_declined_then_suggestions(request_id: str) -> list[HistoryEvent]:
    offer = {"request_id": request_id, "offer_id": "o1", "practitioner_id": "juniper"}
    encrypted = EncryptedFields(person_id="juniper", wrap="", fields={})
    return [
        OfferMade(**offer, version=1, answer_by=now(), code="A7", encrypted=encrypted),
        OfferDeclined(**offer, version=2, then="suggest"),
        SuggestionsMade(request_id=request_id, supportee_id="p1", practitioner_ids=("kai",), version=3),
    ]


def stored(db: Db, request_id: str) -> Request:
    found = store.request(db, request_id)
    assert found
    return found


def test_an_older_entry_never_replaces_a_newer_one(intake: Service) -> None:
    for version, state in ((2, "full"), (1, "open"), (3, "resting"), (2, "full")):
        intake.run(save_directory_entry, an_entry_seen(intake, "juniper", version=version, state=state))
    assert ListingCache(intake.db, intake.vault).current().entries["juniper"].state == "resting"


def test_a_profile_is_found_by_its_address_and_stored_encrypted(intake: Service) -> None:
    intake.run(save_directory_entry, an_entry_seen(intake, "juniper"))
    found = store.entry_by_slug(intake.db, intake.vault, "juniper")
    assert found is not None
    assert found.words == "Juniper keeps bees."
    assert "bees" not in str(list(intake.db.directory.find()))


def test_one_entry_that_cannot_be_decrypted_leaves_the_others_readable(intake: Service) -> None:
    for id in ("juniper", "kai"):
        intake.run(save_directory_entry, an_entry_seen(intake, id))
    intake.db.directory.update_one({"_id": "kai"}, {"$set": {"encrypted_profile": "AQ"}})
    assert list(ListingCache(intake.db, intake.vault).current().entries) == ["juniper"]


def test_one_entry_that_cannot_be_read_leaves_the_others_readable(intake: Service) -> None:
    for id in ("juniper", "kai"):
        intake.run(save_directory_entry, an_entry_seen(intake, id))
    intake.db.directory.update_one({"_id": "kai"}, {"$unset": {"state": 1}})
    assert list(ListingCache(intake.db, intake.vault).current().entries) == ["juniper"]
    assert store.entry_by_slug(intake.db, intake.vault, "kai") is None


def test_events_in_any_order_and_twice_give_one_page(intake: Service, request_id: str) -> None:
    for order in permutations(an_offer_declined_then_suggestions(request_id)):
        intake.db.requests.update_one({"_id": request_id}, {"$set": {"history": []}})
        for event in [*order, *order]:
            intake.run(add_to_history, event)
        request = stored(intake.db, request_id)
        assert len(request.history) == 3
        assert request.status.practitioner_ids == ("kai",)
        assert request.version == 3


def test_a_choice_after_the_same_event_counts_once(intake_db: Db, request_id: str) -> None:
    kai = ChooseNext(request_id, 3, "ask", "kai")
    assert choose_next(kai, intake_db) == [ChoiceMade(request_id=request_id, next="ask", practitioner_id="kai")]
    assert choose_next(ChooseNext(request_id, 3, "wait"), intake_db) == []
    assert choose_next(ChooseNext(request_id, 4, "wait"), intake_db) == [ChoiceMade(request_id=request_id, next="wait")]


def test_leaving_is_published_once_and_takes_the_words_along(intake_db: Db, request_id: str) -> None:
    person_id = stored(intake_db, request_id).person_id
    assert withdraw_request(request_id, intake_db) == [RequestWithdrawn(request_id=request_id, person_id=person_id)]
    assert withdraw_request(request_id, intake_db) == []
    assert store.request(intake_db, request_id) is None
    assert choose_next(ChooseNext(request_id, 3, "wait"), intake_db) == []


def test_code_words_are_deleted_by_themselves_once_they_may_no_longer_be_shown(intake: Service) -> None:
    moment = now()
    old = a_stored_request(intake.db, id="r1", person_id="p1", code_words_until=moment - timedelta(seconds=1))
    new = a_stored_request(intake.db, id="r2", person_id="p2", code_words_until=moment + timedelta(minutes=30))
    [timer] = [timer for timer in intake.timers if timer.handler is delete_code_words]
    for request_id in timer.find(intake.db):
        intake.run(timer.handler, request_id)
    assert stored(intake.db, old.id).encrypted_code_words is None
    assert stored(intake.db, new.id).encrypted_code_words
    assert list(timer.find(intake.db)) == []


def test_a_request_that_ended_keeps_no_answers_and_its_links_have_an_end(intake_db: Db) -> None:
    ended = a_stored_request(intake_db)
    far = now() + timedelta(days=90)
    link = AccessLink(id=digest("t"), purpose="letter", subject_id=ended.id, person_id=ended.person_id, expires_at=far)
    store.add_link(intake_db, link)
    assert store.mark_lapsed(intake_db, ended.id)
    assert not store.mark_lapsed(intake_db, ended.id)
    assert (stored(intake_db, ended.id).encrypted_answers, stored(intake_db, ended.id).notes) == (None, ())
    [link] = intake_db.links.find()
    assert timedelta() < link["expires_at"] - now() <= lifetimes.KEPT_AFTER_THE_END
