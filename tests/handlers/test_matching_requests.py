"""From a request to an offer, on a real database."""

import threading
from typing import Any

import pytest

from services.matching.handlers.broker_events import apply_choice, start_request
from services.matching.handlers.coordinator import write_profile
from shared import tokens, vault
from shared.contracts import (
    ChoiceMade,
    CoordinatorNeeded,
    OfferDeclined,
    OfferMade,
    PractitionerChanged,
    RequestSubmitted,
    RequestWaiting,
    SuggestionsMade,
    TeamContactShared,
)
from shared.messages import Event
from shared.mongo import Db
from shared.service import Service
from shared.vault import load_vault
from tests.handlers.matching_steps import add_practitioners, answer, assign, document, only, places_of, profiled, submit, types_of
from tests.people import a_profile, a_request_submitted


def test_the_chosen_practitioner_is_asked_and_a_place_is_held(matching: Service) -> None:
    add_practitioners(matching, "juniper", places=2)
    made = only(OfferMade, submit(matching, "juniper"))
    assert (made.practitioner_id, made.version, len(made.code)) == ("juniper", 1, 2)
    assert places_of(matching, "juniper") == (1, 1)


def test_the_links_of_an_offer_travel_encrypted_for_notify(matching: Service, keys: Any) -> None:
    add_practitioners(matching, "juniper")
    encrypted = only(OfferMade, submit(matching, "juniper")).encrypted
    key = load_vault(keys, "notify").unwrap(encrypted.wrap, "juniper")
    links = vault.decrypt_fields(key, "juniper", encrypted.fields)
    for link in (links["link"], links["short_link"]):
        start, token = link.rsplit("/", 1)
        assert start == "https://kt.example/o"
        assert tokens.find(matching.db, token, "offer")
    with pytest.raises(vault.DecryptionError):
        matching.vault.unwrap(encrypted.wrap, "juniper")


def test_the_last_place_is_said_to_be_gone(matching: Service) -> None:
    add_practitioners(matching, "juniper", places=1)
    assert only(PractitionerChanged, submit(matching, "juniper")).state == "full"


def test_a_request_for_someone_resting_goes_on_to_the_next_choice(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="resting")
    add_practitioners(matching, "kai")
    assert only(OfferMade, submit(matching, "juniper", "kai")).practitioner_id == "kai"


@pytest.mark.parametrize(
    ("if_not", "events"),
    [("ask_me", [RequestWaiting]), ("wait", [RequestWaiting]), ("suggest", [SuggestionsMade])],
)
def test_what_happens_then_is_what_they_said(matching: Service, if_not: str, events: list[type[Event]]) -> None:
    add_practitioners(matching, "juniper", state="resting")
    add_practitioners(matching, "kai")
    assert types_of(submit(matching, ("juniper", if_not))) == events


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"choices": [("juniper", "next_choice"), "kai"]}, "next_choice"),
        ({"choices": [("juniper", "next_choice")]}, "ask_me"),
        ({"choices": [("juniper", "ask_me"), "kai"]}, "ask_me"),
        ({"choices": [("juniper", "suggest")]}, "suggest"),
        ({"choices": [("juniper", "wait")]}, "ask_me"),
        ({"choices": [], "mode": "anyone"}, "next_choice"),
    ],
)
def test_what_an_offer_says_of_a_no_is_what_follows_it(matching: Service, asked: dict[str, Any], said: str) -> None:
    add_practitioners(matching, "juniper", "kai")
    choices = asked.pop("choices")
    made = only(OfferMade, submit(matching, *choices, **asked))
    declined = only(OfferDeclined, answer(matching, made.offer_id, "not_this_time"))
    assert (made.if_not, declined.then) == (said, said)


def test_after_a_suggested_person_others_are_suggested(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai")
    suggested = only(SuggestionsMade, submit(matching))
    chosen = ChoiceMade(request_id="r1", next="ask", practitioner_id=suggested.practitioner_ids[0])
    made = only(OfferMade, matching.run(apply_choice, chosen))
    assert (made.if_not, only(OfferDeclined, answer(matching, made.offer_id, "not_this_time")).then) == ("suggest", "suggest")


def test_an_unknown_practitioner_cannot_be_asked(matching: Service) -> None:
    assert only(RequestWaiting, submit(matching, "nobody")).waiting_for == "choice"


def test_two_or_three_people_are_suggested(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai", "mo", "ro")
    assert len(only(SuggestionsMade, submit(matching)).practitioner_ids) == 3


def test_anyone_who_is_free_is_asked_at_once(matching: Service) -> None:
    add_practitioners(matching, "ana")
    assert only(OfferMade, submit(matching, mode="anyone")).practitioner_id == "ana"


def test_whoever_is_not_sure_gets_names_and_a_person(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    events = submit(matching, mode="reach_out")
    assert types_of(events) == [CoordinatorNeeded, SuggestionsMade]
    assert only(CoordinatorNeeded, events).reaching_out
    row = document(matching, "requests", "r1")
    assert (row["state"], sorted(row["suggested"]), row["version"]) == ("waiting", ["ana", "kai"], 2)


def test_when_nobody_suits_the_request_waits_and_a_person_looks(matching: Service) -> None:
    add_practitioners(matching, "ana", languages=("en",))
    events = submit(matching, mode="anyone", languages=("es",))
    assert types_of(events) == [RequestWaiting, CoordinatorNeeded]
    assert only(CoordinatorNeeded, events).reason == "nobody_suits"
    assert not only(CoordinatorNeeded, events).reaching_out


def test_when_all_are_full_nobody_needs_to_look(matching: Service) -> None:
    add_practitioners(matching, "ana", state="full")
    assert types_of(submit(matching, mode="anyone")) == [RequestWaiting]


def test_the_same_request_told_twice_is_one(matching: Service) -> None:
    add_practitioners(matching, "juniper", places=3, offers_at_once=3)
    event = a_request_submitted(matching, "juniper")
    assert matching.run(start_request, event)
    assert matching.run(start_request, event) == []


def test_a_practitioners_address_is_kept_for_notify_alone(matching: Service, matching_db: Db) -> None:
    contact = only(TeamContactShared, matching.run(write_profile, a_profile("juniper", phone="+15550100")))
    assert (contact.role, contact.channels, sorted(contact.encrypted.fields)) == (
        "practitioner", ("email", "text"), ["email", "known_as", "link", "phone"],
    )  # fmt: skip
    assert "juniper@example.org" not in str(list(matching_db.practitioners.find()))


def test_the_next_offer_of_a_practitioner_has_another_code(matching: Service) -> None:
    add_practitioners(matching, "juniper", places=3, offers_at_once=3)
    codes = [only(OfferMade, submit(matching, "juniper", id=id)).code for id in ("r1", "r2", "r3")]
    assert len(set(codes)) == 3
    assert document(matching, "practitioners", "juniper")["pending_codes"] == codes


def test_whoever_chose_somebody_with_room_costs_reads_by_id_alone(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai")
    assign(matching)
    with profiled(matching) as operations:
        assert OfferMade in types_of(submit(matching, ("juniper", "next_choice"), ("kai", "wait")))
    read = [operation for operation in operations if operation["op"] == "query"]
    assert {operation["ns"].partition(".")[2] for operation in read} == {"requests", "practitioners", "assignment_triggers"}
    assert all(list(operation["command"]["filter"]) == ["_id"] for operation in read)


def test_forty_people_at_once_never_share_three_places(matching: Service) -> None:
    add_practitioners(matching, "juniper", places=3, offers_at_once=3)
    requests = [a_request_submitted(matching, ("juniper", "wait"), id=f"r{n}") for n in range(40)]
    ready, events = threading.Barrier(len(requests)), list[list[Event]]()

    def run(event: RequestSubmitted) -> None:
        ready.wait()
        events.append(matching.run(start_request, event, idempotency_key=event.request_id))

    threads = [threading.Thread(target=run, args=(event,)) for event in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    published = [event for one in events for event in one]
    assert sum(isinstance(event, OfferMade) for event in published) == 3
    assert sum(isinstance(event, RequestWaiting) for event in published) == 37
    assert matching.db.offers.count_documents({"is_open": True}) == 3
    row = document(matching, "practitioners", "juniper")
    assert (len(row["pending_codes"]), sorted(row["occupied_slots"])) == (3, [0, 1, 2])
