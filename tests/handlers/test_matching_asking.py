"""From a request to an offer, on a real database."""

import threading
from typing import Any

import pytest

from services.matching.handlers.asking import take_the_first_step
from services.matching.handlers.entries import write_entry
from shared import tokens, vault
from shared.contracts import (
    ContactShared,
    CoordinatorNeeded,
    OfferMade,
    PractitionerChanged,
    RequestWaiting,
    SuggestionsMade,
)
from shared.messages import Event
from shared.mongo import Db
from shared.service import Service
from shared.vault import load_vault
from tests.handlers.matching_steps import ask, kinds, only, the, there_are
from tests.people import a_request_submitted, an_entry


def test_the_chosen_practitioner_is_asked_and_a_place_is_held(matching: Service) -> None:
    there_are(matching, "juniper", places=2)
    made = only(OfferMade, ask(matching, "juniper"))
    assert (made.practitioner_id, made.version, len(made.code)) == ("juniper", 1, 2)
    row = the(matching, "practitioners", "juniper")
    assert (row["taken"], row["outstanding"]) == (1, 1)


def test_the_links_of_an_offer_travel_sealed_for_notify(matching: Service, keys: Any) -> None:
    there_are(matching, "juniper")
    encrypted = only(OfferMade, ask(matching, "juniper")).encrypted
    key = load_vault(keys, "notify").unwrap(encrypted.wrap, "juniper")
    links = vault.decrypt_fields(key, "juniper", encrypted.fields)
    for link in (links["link"], links["short_link"]):
        start, token = link.rsplit("/", 1)
        assert start == "https://kt.example/o"
        assert tokens.find(matching.db, token, "offer")
    with pytest.raises(vault.DecryptionError):
        matching.vault.unwrap(encrypted.wrap, "juniper")


def test_the_last_place_is_said_to_be_gone(matching: Service) -> None:
    there_are(matching, "juniper", places=1)
    assert only(PractitionerChanged, ask(matching, "juniper")).state == "full"


def test_a_request_for_someone_resting_goes_on_to_the_next_choice(matching: Service) -> None:
    there_are(matching, "juniper", state="resting")
    there_are(matching, "kai")
    assert only(OfferMade, ask(matching, "juniper", "kai")).practitioner_id == "kai"


@pytest.mark.parametrize(
    ("if_not", "news"),
    [("ask_me", [RequestWaiting]), ("wait", [RequestWaiting]), ("suggest", [SuggestionsMade])],
)
def test_what_happens_then_is_what_they_said(matching: Service, if_not: str, news: list[type[Event]]) -> None:
    there_are(matching, "juniper", state="resting")
    there_are(matching, "kai")
    assert kinds(ask(matching, ("juniper", if_not))) == news


def test_an_unknown_practitioner_cannot_be_asked(matching: Service) -> None:
    assert only(RequestWaiting, ask(matching, "nobody")).waiting_for == "choice"


def test_two_or_three_people_are_suggested(matching: Service) -> None:
    there_are(matching, "ana", "kai", "mo", "ro")
    assert len(only(SuggestionsMade, ask(matching)).practitioner_ids) == 3


def test_anyone_who_is_free_is_asked_at_once(matching: Service) -> None:
    there_are(matching, "ana")
    assert only(OfferMade, ask(matching, mode="anyone")).practitioner_id == "ana"


def test_whoever_is_not_sure_gets_names_and_a_person(matching: Service) -> None:
    there_are(matching, "ana", "kai")
    news = ask(matching, mode="reach_out")
    assert kinds(news) == [CoordinatorNeeded, SuggestionsMade]
    assert only(CoordinatorNeeded, news).reaching_out
    row = the(matching, "requests", "r1")
    assert (row["state"], sorted(row["suggested"]), row["version"]) == ("waiting", ["ana", "kai"], 2)


def test_when_nobody_suits_the_request_waits_and_a_person_looks(matching: Service) -> None:
    there_are(matching, "ana", languages=("en",))
    news = ask(matching, mode="anyone", languages=("es",))
    assert kinds(news) == [RequestWaiting, CoordinatorNeeded]
    assert only(CoordinatorNeeded, news).reason == "nobody_suits"
    assert not only(CoordinatorNeeded, news).reaching_out


def test_when_all_are_full_nobody_needs_to_look(matching: Service) -> None:
    there_are(matching, "ana", state="full")
    assert kinds(ask(matching, mode="anyone")) == [RequestWaiting]


def test_the_same_request_told_twice_is_one(matching: Service) -> None:
    there_are(matching, "juniper", places=3, offers_at_once=3)
    said = a_request_submitted(matching, "juniper")
    assert matching.run(take_the_first_step, said)
    assert matching.run(take_the_first_step, said) == []


def test_a_practitioners_address_is_kept_for_notify_alone(matching: Service, matching_db: Db) -> None:
    contact = only(ContactShared, matching.run(write_entry, an_entry("juniper", phone="+15550100")))
    assert (contact.role, contact.channels, sorted(contact.encrypted.fields)) == (
        "practitioner", ("email", "text"), ["email", "known_as", "link", "phone"],
    )  # fmt: skip
    assert "juniper@example.org" not in str(list(matching_db.practitioners.find()))


def test_forty_people_at_once_never_share_three_places(matching: Service) -> None:
    there_are(matching, "juniper", places=3, offers_at_once=3)
    requests = [a_request_submitted(matching, ("juniper", "wait"), id=f"r{n}") for n in range(40)]
    ready, news = threading.Barrier(len(requests)), list[list[Event]]()

    def go(said: Any) -> None:
        ready.wait()
        news.append(matching.run(take_the_first_step, said, idempotency_key=said.request_id))

    threads = [threading.Thread(target=go, args=(said,)) for said in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [event for one in news for event in one]
    assert sum(isinstance(event, OfferMade) for event in said) == 3
    assert sum(isinstance(event, RequestWaiting) for event in said) == 37
    assert matching.db.offers.count_documents({"open": True}) == 3
    row = the(matching, "practitioners", "juniper")
    assert (row["taken"], row["outstanding"], sorted(row["slots"])) == (3, 3, [0, 1, 2])
