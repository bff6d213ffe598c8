"""The read models of intake: the newest version wins, and each fact is kept once, in whatever order they come."""

from itertools import permutations

import pytest

from services.intake import store
from services.intake.handlers import (
    NextChosen,
    choose_what_happens_next,
    keep_directory_entry,
    show_not_this_time,
    show_suggestions,
    show_who_is_asked,
    withdraw_request,
)
from services.intake.rules import standing
from shared.clock import now
from shared.contracts import ChoiceMade, EncryptedFields, OfferDeclined, OfferMade, RequestWithdrawn, SuggestionsMade
from shared.mongo import Db
from shared.service import Service
from tests.people import MONDAY, an_entry_seen


@pytest.fixture
def request_id(intake_db: Db) -> str:
    row = {
        "_id": "r1",
        "person_id": "p1",
        "sent_at": MONDAY,
        "happened": [],
        "chosen": None,
        "withdrawn_at": None,
        "encrypted": {},
    }
    intake_db.requests.insert_one(row)
    return "r1"


def the_facts(request_id: str) -> list[tuple[object, object]]:
    offer = {"request_id": request_id, "offer_id": "o1", "practitioner_id": "juniper"}
    encrypted = EncryptedFields(person_id="juniper", wrap="", fields={})
    return [
        (show_who_is_asked, OfferMade(**offer, version=1, answer_by=now(), code="A7", encrypted=encrypted)),
        (show_not_this_time, OfferDeclined(**offer, version=2, then="suggest")),
        (show_suggestions, SuggestionsMade(request_id=request_id, supportee_id="p1", practitioner_ids=("kai",), version=3)),
    ]


def test_an_older_entry_never_replaces_a_newer_one(intake: Service) -> None:
    for version, state in ((2, "full"), (1, "open"), (3, "resting"), (2, "full")):
        intake.run(keep_directory_entry, an_entry_seen(intake, "juniper", version=version, state=state))
    assert store.entries(intake.db, intake.vault)["juniper"].state == "resting"


def test_a_profile_is_found_by_its_address_and_lies_sealed(intake: Service) -> None:
    intake.run(keep_directory_entry, an_entry_seen(intake, "juniper"))
    found = store.entry_by_slug(intake.db, intake.vault, "juniper")
    assert found is not None
    assert found.words == "Juniper keeps bees."
    assert "bees" not in str(list(intake.db.directory.find()))


def test_one_entry_that_does_not_open_leaves_the_others_readable(intake: Service) -> None:
    for id in ("juniper", "kai"):
        intake.run(keep_directory_entry, an_entry_seen(intake, id))
    intake.db.directory.update_one({"_id": "kai"}, {"$set": {"encrypted_profile": "AQ"}})
    assert list(store.entries(intake.db, intake.vault)) == ["juniper"]


def test_facts_in_any_order_and_twice_give_one_page(intake: Service, request_id: str) -> None:
    for order in permutations(the_facts(request_id)):
        intake.db.requests.update_one({"_id": request_id}, {"$set": {"happened": []}})
        for handler, said in [*order, *order]:
            intake.run(handler, said)  # type: ignore[arg-type]
        row = store.request(intake.db, request_id)
        assert row is not None
        assert len(row["happened"]) == 3
        assert standing(row["happened"]).practitioner_ids == ("kai",)


def test_an_answer_to_the_same_news_counts_once(intake_db: Db, request_id: str) -> None:
    kai = NextChosen(request_id, 3, "ask", "kai")
    assert choose_what_happens_next(kai, intake_db) == [ChoiceMade(request_id=request_id, next="ask", practitioner_id="kai")]
    assert choose_what_happens_next(NextChosen(request_id, 3, "wait"), intake_db) == []
    assert choose_what_happens_next(NextChosen(request_id, 4, "wait"), intake_db) == [
        ChoiceMade(request_id=request_id, next="wait")
    ]


def test_leaving_is_said_once_and_takes_the_words_along(intake_db: Db, request_id: str) -> None:
    assert withdraw_request(request_id, intake_db) == [RequestWithdrawn(request_id=request_id)]
    assert withdraw_request(request_id, intake_db) == []
    assert "encrypted" not in (store.request(intake_db, request_id) or {})
    assert choose_what_happens_next(NextChosen(request_id, 3, "wait"), intake_db) == []
