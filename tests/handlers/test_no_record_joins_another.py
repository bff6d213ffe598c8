"""One person who asks, applies and becomes a practitioner is three strangers to whoever reads all rows of all databases.

Two exceptions, each for somebody's protection: a text that says STOP stops every text to that number (notify), and a coordinator
who is a practitioner too is kept out of requests of people who would never meet them (matching knows both by their address)."""

from services.intake.handlers.join import Apply, apply
from services.matching.coordinators import add_coordinator
from services.matching.handlers import welcome
from services.matching.handlers.profile_edits import EditProfile, edit_profile
from services.matching.handlers.welcome import SayYes, Talk
from shared.service import Service
from tests.three_services import Services, texts_in
from tests.whole_journey import TYPED, walk

ADDRESS, NUMBER = str(TYPED[4]["email"]), str(TYPED[4]["phone"])
STOP = {("notify.contacts", "phone_hash"), ("notify.phone_numbers", "_id")}
SHORTEST = 16
"""Codes, languages, zones and states are shorter, and many people's."""


def becomes_practitioner(services: Services) -> str:
    answers = {"name": "Quill", "words": "I sat with my brother.", "access": "", "times": ""}
    services.intake.run(apply, Apply(email=ADDRESS, languages=("en",), language="en", **answers))
    services.deliver()
    row = services.matching.db.applications.find_one()
    assert row
    id, matching = str(row["_id"]), services.matching
    matching.run(welcome.talk, Talk(application_id=id, coordinator_id="c1"))
    for step in matching.programme.welcome:
        by = {"self": (None,), "two_coordinators": ("c1", "c2")}.get(step.who_says_yes, ("c1",))
        for coordinator_id in by:
            matching.run(welcome.say_yes, SayYes(application_id=id, step=step.key, coordinator_id=coordinator_id))
    services.deliver()
    return id


def values_of(services: Services, *ids: str) -> dict[str, set[tuple[str, str]]]:
    """Each long text that stands in a row of this person, and in which fields."""
    found: dict[str, set[tuple[str, str]]] = {}
    for where, row in services.rows():
        if any(id in str(row) for id in ids):
            for field, value in row.items():
                for text in texts_in(value):
                    if len(text) >= SHORTEST:
                        found.setdefault(text, set()).add((where, field))
    return found


def test_no_two_rows_of_two_roles_of_one_person_share_a_value(intake: Service, matching: Service, notify: Service) -> None:
    journey = walk(intake, matching, notify)
    services, draft = journey.services, journey.draft
    practitioner_id = becomes_practitioner(services)
    as_applicant = values_of(services, practitioner_id)
    supportee = values_of(services, draft.request_id, draft.person_id)
    assert len(supportee) > 50
    assert len(as_applicant) > 10
    assert shared(supportee, as_applicant) == {}
    matching.run(welcome.begin, practitioner_id)
    values = {"email": ADDRESS, "phone": NUMBER}
    matching.run(edit_profile, EditProfile(practitioner_id=practitioner_id, values=values, shown={}, own="letters"))
    services.deliver()
    as_practitioner = values_of(services, practitioner_id)
    assert len(as_practitioner) > len(as_applicant)
    supportee = values_of(services, draft.request_id, draft.person_id)
    assert shared(supportee, as_practitioner) == {}
    both = supportee.keys() & as_practitioner.keys()
    assert any(supportee[text] <= STOP for text in both), "the exception is none any more"


def shared(one: dict[str, set[tuple[str, str]]], other: dict[str, set[tuple[str, str]]]) -> dict[str, set[tuple[str, str]]]:
    """What stands in rows of both, and where."""
    both = {text: one[text] | other[text] for text in one.keys() & other.keys()}
    return {text: places for text, places in both.items() if not places <= STOP and not is_of_everybody(text)}


def is_of_everybody(text: str) -> bool:
    """The names of event types and of services' addresses."""
    return text.endswith((".v1", ".v2")) or text.startswith(("/", "America/"))


def test_a_coordinator_and_a_supportee_share_nothing_either(intake: Service, matching: Service, notify: Service) -> None:
    journey = walk(intake, matching, notify)
    services, draft = journey.services, journey.draft
    add_coordinator("Quill", ADDRESS, into=matching)
    services.deliver()
    row = matching.db.coordinators.find_one(sort=[("$natural", -1)])
    assert row
    coordinator = values_of(services, str(row["_id"]))
    assert len(coordinator) > 5
    assert shared(values_of(services, draft.request_id, draft.person_id), coordinator) == {}
