"""Coordinators: what they may do, what is written down of it, and how they and practitioners sign in."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.matching.handlers.coordinator import (
    AskPractitioner,
    ChangeTask,
    OpenRequest,
    ReachOut,
    SuggestPractitioners,
    ask_practitioner,
    reach_out,
    record_opening,
    resolve_task,
    suggest_practitioners,
    write_profile,
    write_profiles,
)
from services.matching.handlers.profiles import EmailInUse, public_profile
from services.matching.handlers.reading import find_practitioner, find_request, view_request
from services.matching.handlers.sign_in import AddCoordinator, RequestSignIn, add_coordinator, send_sign_in_link, use_sign_in_link
from shared import tokens, vault
from shared.contracts import (
    CoordinatorNeeded,
    OfferMade,
    PractitionerChanged,
    SuggestionsMade,
    TeamContactShared,
    TeamSignInRequested,
)
from shared.service import Service
from shared.vault import load_vault
from tests.handlers.matching_steps import add_practitioners, only, open_offer, open_tasks, submit, types_of
from tests.people import NEW_YORK, a_profile


def audit(matching: Service) -> list[str]:
    return [row["action"] for row in matching.db.audit.find().sort("at", 1)]


def available(matching: Service) -> list[str]:
    request = find_request("r1", matching.db, "ro")
    assert request
    return [id for id, _ in view_request(request, matching.db, "ro").available]


def slug_of(matching: Service, id: str) -> str:
    practitioner = find_practitioner(id, matching.db)
    assert practitioner
    return public_profile(practitioner)["slug"]


def test_every_opening_of_a_request_is_written_down(matching: Service) -> None:
    submit(matching)
    for _ in range(2):
        matching.run(record_opening, OpenRequest(coordinator_id="ro", request_id="r1"))
    assert audit(matching) == ["opened", "opened"]


def test_a_coordinator_asks_a_practitioner_and_the_desk_is_clear(matching: Service) -> None:
    add_practitioners(matching, "ana")
    submit(matching, mode="reach_out")
    assert available(matching) == ["ana"]
    picked = AskPractitioner(coordinator_id="ro", request_id="r1", practitioner_id="ana")
    assert only(OfferMade, matching.run(ask_practitioner, picked)).practitioner_id == "ana"
    assert (open_tasks(matching), audit(matching)) == ([], ["asked"])
    assert matching.run(ask_practitioner, picked) == []


def test_nobody_is_asked_again_while_they_are_being_asked(matching: Service) -> None:
    add_practitioners(matching, "ana", places=3, offers_at_once=3)
    submit(matching, "ana")
    assert available(matching) == []
    picked = AskPractitioner(coordinator_id="ro", request_id="r1", practitioner_id="ana")
    assert matching.run(ask_practitioner, picked) == []


def test_hard_limits_stand_at_the_desk_too(matching: Service) -> None:
    add_practitioners(matching, "ana", languages=("en",))
    submit(matching, mode="anyone", languages=("es",))
    picked = AskPractitioner(coordinator_id="ro", request_id="r1", practitioner_id="ana")
    assert matching.run(ask_practitioner, picked) == []


def test_a_coordinator_suggests_people_to_choose_from(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    submit(matching, ("nobody", "ask_me"))
    picked = SuggestPractitioners(coordinator_id="ro", request_id="r1", practitioner_ids=("kai", "ana", "nobody"))
    assert only(SuggestionsMade, matching.run(suggest_practitioners, picked)).practitioner_ids == ("kai", "ana")


def test_nothing_is_suggested_while_somebody_is_asked(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    submit(matching, "ana")
    picked = SuggestPractitioners(coordinator_id="ro", request_id="r1", practitioner_ids=("kai",))
    assert matching.run(suggest_practitioners, picked) == []
    assert open_offer(matching)


def test_that_somebody_reaches_out_stays_on_the_desk_until_it_is_done(matching: Service) -> None:
    submit(matching, ("nobody", "ask_me"))
    events = matching.run(reach_out, ReachOut(coordinator_id="ro", request_id="r1"))
    assert only(CoordinatorNeeded, events).reaching_out
    assert only(CoordinatorNeeded, events).taken
    need = matching.db.coordinator_tasks.find_one({"is_open": True})
    assert need
    assert need["holder"] == "ro"
    matching.run(resolve_task, ChangeTask(coordinator_id="ro", task_id=need["_id"]))
    assert open_tasks(matching) == []


@pytest.mark.parametrize("role", ["practitioner", "coordinator"])
def test_a_sign_in_link_works_until_it_is_used(matching: Service, keys: Any, role: Any) -> None:
    add_practitioners(matching, "ana")
    matching.run(add_coordinator, AddCoordinator(name="Ro", email="ana@example.org", time_zone=NEW_YORK))
    asked = only(TeamSignInRequested, matching.run(send_sign_in_link, RequestSignIn(email="ana@example.org", role=role)))
    key = load_vault(keys, "notify").unwrap(asked.encrypted.wrap, asked.person_id)
    token = vault.decrypt_fields(key, asked.person_id, asked.encrypted.fields)["link"].rsplit("/", 1)[1]
    link = tokens.find(matching.db, token, f"sign_in_{role}")
    assert link
    assert link.person_id == asked.person_id
    matching.run(use_sign_in_link, token)
    assert tokens.find(matching.db, token, f"sign_in_{role}") is None


def test_an_address_nobody_has_gets_no_letter(matching: Service) -> None:
    assert matching.run(send_sign_in_link, RequestSignIn(email="who@example.org", role="coordinator")) == []


def test_nobody_can_flood_another_with_links(matching: Service) -> None:
    add_practitioners(matching, "ana")
    sent = [matching.run(send_sign_in_link, RequestSignIn(email="ana@example.org", role="practitioner")) for _ in range(7)]
    assert sum(map(bool, sent)) == 5


def test_a_new_practitioner_is_published_with_their_contact(matching: Service) -> None:
    events = matching.run(write_profile, a_profile("juniper", words="I knit.", languages=("en", "es")))
    assert types_of(events) == [TeamContactShared, PractitionerChanged]
    changed = only(PractitionerChanged, events)
    assert (changed.version, changed.state, changed.languages) == (1, "open", ("en", "es"))
    assert slug_of(matching, "juniper") == "juniper"


def test_an_edit_without_an_address_keeps_the_contact(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    assert types_of(matching.run(write_profile, a_profile("juniper", email=None, words="New"))) == [PractitionerChanged]
    moved = matching.run(write_profile, a_profile("juniper", email=None, time_zone="Europe/Berlin"))
    contact = only(TeamContactShared, moved)
    assert (contact.version, contact.time_zone, "email" in contact.encrypted.fields) == (2, "Europe/Berlin", True)


def test_two_people_of_one_name_have_two_addresses_on_the_site(matching: Service) -> None:
    matching.run(write_profiles, [a_profile("a", name="José"), a_profile("b", name="Jose")])
    assert sorted(slug_of(matching, id) for id in "ab") == ["jose", "jose-2"]


def test_one_address_belongs_to_one_practitioner(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    with pytest.raises(EmailInUse):
        matching.run(write_profile, a_profile("kai", email="ana@example.org"))


def test_somebody_new_cannot_have_an_address_that_is_in_use(matching: Service) -> None:
    add_practitioners(matching, "ana")
    with pytest.raises(EmailInUse):
        matching.run(write_profile, a_profile("sol", email="ana@example.org"))


def test_of_two_who_are_written_down_with_one_address_at_once_one_is_told_that_it_is_in_use(matching: Service) -> None:
    ready = threading.Barrier(6)

    def save(number: int) -> str:
        ready.wait()
        try:
            matching.run(write_profile, a_profile(f"p{number}", name="Ana", email="ana@example.org"))
        except EmailInUse:
            return "in use"
        return "saved"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(save, range(6))) == ["in use"] * 5 + ["saved"]


def test_whoever_is_imported_again_is_known_by_their_address(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    matching.run(write_profiles, [a_profile(practitioner_id=None, name="Juniper", email="juniper@example.org", places=4)])
    assert [row["places"] for row in matching.db.practitioners.find()] == [4]
