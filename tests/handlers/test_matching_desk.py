"""Coordinators: what they may do, what is written down of it, and how they and practitioners sign in."""

from typing import Any

import pytest

from services.matching.handlers.desk import (
    NeedTaken,
    PeoplePicked,
    PractitionerPicked,
    RequestOpened,
    ask_for_them,
    note_who_opened,
    say_someone_reaches_out,
    settle,
    suggest_to_them,
    those_who_may_be_asked,
)
from services.matching.handlers.entries import EmailInUse, profile_of, write_entries, write_entry
from services.matching.handlers.signing_in import (
    CoordinatorEntry,
    SignInWish,
    send_sign_in_link,
    use_sign_in_link,
    welcome_coordinator,
)
from shared import tokens, vault
from shared.contracts import ContactShared, CoordinatorNeeded, OfferMade, PractitionerChanged, SignInRequested, SuggestionsMade
from shared.service import Service
from shared.vault import load_vault
from tests.handlers.matching_steps import ask, kinds, only, open_offer, the, there_are
from tests.people import NEW_YORK, an_entry


def deeds(matching: Service) -> list[str]:
    return [row["what"] for row in matching.db.audit.find().sort("at", 1)]


def open_needs(matching: Service) -> list[str]:
    return [row["why"] for row in matching.db.needs.find({"open": True})]


def test_every_opening_of_a_request_is_written_down(matching: Service) -> None:
    ask(matching)
    for _ in range(2):
        matching.run(note_who_opened, RequestOpened(coordinator_id="ro", request_id="r1"))
    assert deeds(matching) == ["opened", "opened"]


def test_a_coordinator_asks_a_practitioner_and_the_desk_is_clear(matching: Service) -> None:
    there_are(matching, "ana")
    ask(matching, mode="reach_out")
    assert those_who_may_be_asked(the(matching, "requests", "r1"), matching.db) == ["ana"]
    picked = PractitionerPicked(coordinator_id="ro", request_id="r1", practitioner_id="ana")
    assert only(OfferMade, matching.run(ask_for_them, picked)).practitioner_id == "ana"
    assert (open_needs(matching), deeds(matching)) == ([], ["asked"])
    assert matching.run(ask_for_them, picked) == []


def test_nobody_is_asked_again_while_they_are_being_asked(matching: Service) -> None:
    there_are(matching, "ana", places=3, offers_at_once=3)
    ask(matching, "ana")
    assert those_who_may_be_asked(the(matching, "requests", "r1"), matching.db) == []
    picked = PractitionerPicked(coordinator_id="ro", request_id="r1", practitioner_id="ana")
    assert matching.run(ask_for_them, picked) == []


def test_hard_limits_stand_at_the_desk_too(matching: Service) -> None:
    there_are(matching, "ana", languages=("en",))
    ask(matching, mode="anyone", languages=("es",))
    picked = PractitionerPicked(coordinator_id="ro", request_id="r1", practitioner_id="ana")
    assert matching.run(ask_for_them, picked) == []


def test_a_coordinator_suggests_people_to_choose_from(matching: Service) -> None:
    there_are(matching, "ana", "kai")
    ask(matching, ("nobody", "ask_me"))
    picked = PeoplePicked(coordinator_id="ro", request_id="r1", practitioner_ids=("kai", "ana", "nobody"))
    assert only(SuggestionsMade, matching.run(suggest_to_them, picked)).practitioner_ids == ("kai", "ana")


def test_nothing_is_suggested_while_somebody_is_asked(matching: Service) -> None:
    there_are(matching, "ana", "kai")
    ask(matching, "ana")
    picked = PeoplePicked(coordinator_id="ro", request_id="r1", practitioner_ids=("kai",))
    assert matching.run(suggest_to_them, picked) == []
    assert open_offer(matching)


def test_that_somebody_reaches_out_stays_on_the_desk_until_it_is_done(matching: Service) -> None:
    ask(matching, ("nobody", "ask_me"))
    said = matching.run(say_someone_reaches_out, RequestOpened(coordinator_id="ro", request_id="r1"))
    assert only(CoordinatorNeeded, said).reaching_out
    assert only(CoordinatorNeeded, said).taken
    need = matching.db.needs.find_one({"open": True})
    assert need
    assert need["holder"] == "ro"
    matching.run(settle, NeedTaken(coordinator_id="ro", need_id=need["_id"]))
    assert open_needs(matching) == []


@pytest.mark.parametrize("role", ["practitioner", "coordinator"])
def test_a_sign_in_link_works_until_it_is_used(matching: Service, keys: Any, role: Any) -> None:
    there_are(matching, "ana")
    matching.run(welcome_coordinator, CoordinatorEntry(name="Ro", email="ana@example.org", time_zone=NEW_YORK))
    asked = only(SignInRequested, matching.run(send_sign_in_link, SignInWish(email="ana@example.org", role=role)))
    key = load_vault(keys, "notify").unwrap(asked.encrypted.wrap, asked.person_id)
    token = vault.decrypt_fields(key, asked.person_id, asked.encrypted.fields)["link"].rsplit("/", 1)[1]
    link = tokens.find(matching.db, token, f"sign_in_{role}")
    assert link
    assert link.person_id == asked.person_id
    matching.run(use_sign_in_link, token)
    assert tokens.find(matching.db, token, f"sign_in_{role}") is None


def test_an_address_nobody_has_gets_no_letter(matching: Service) -> None:
    assert matching.run(send_sign_in_link, SignInWish(email="who@example.org", role="coordinator")) == []


def test_nobody_can_flood_another_with_links(matching: Service) -> None:
    there_are(matching, "ana")
    sent = [matching.run(send_sign_in_link, SignInWish(email="ana@example.org", role="practitioner")) for _ in range(7)]
    assert sum(map(bool, sent)) == 5


def test_a_new_entry_is_told_to_everybody(matching: Service) -> None:
    news = matching.run(write_entry, an_entry("juniper", words="I knit.", languages=("en", "es")))
    assert kinds(news) == [ContactShared, PractitionerChanged]
    said = only(PractitionerChanged, news)
    assert (said.version, said.state, said.languages) == (1, "open", ("en", "es"))
    assert profile_of(the(matching, "practitioners", "juniper"))["slug"] == "juniper"


def test_an_edit_without_an_address_keeps_the_contact(matching: Service) -> None:
    there_are(matching, "juniper")
    assert kinds(matching.run(write_entry, an_entry("juniper", email=None, words="New"))) == [PractitionerChanged]
    moved = matching.run(write_entry, an_entry("juniper", email=None, time_zone="Europe/Berlin"))
    contact = only(ContactShared, moved)
    assert (contact.version, contact.time_zone, "email" in contact.encrypted.fields) == (2, "Europe/Berlin", True)


def test_two_people_of_one_name_have_two_addresses_on_the_site(matching: Service) -> None:
    matching.run(write_entries, [an_entry("a", name="José"), an_entry("b", name="Jose")])
    assert sorted(profile_of(the(matching, "practitioners", id))["slug"] for id in "ab") == ["jose", "jose-2"]


def test_one_address_belongs_to_one_practitioner(matching: Service) -> None:
    there_are(matching, "ana", "kai")
    with pytest.raises(EmailInUse):
        matching.run(write_entry, an_entry("kai", email="ana@example.org"))


def test_whoever_is_imported_again_is_known_by_their_address(matching: Service) -> None:
    there_are(matching, "juniper")
    matching.run(write_entries, [an_entry(practitioner_id=None, name="Juniper", email="juniper@example.org", places=4)])
    assert [row["places"] for row in matching.db.practitioners.find()] == [4]
