"""Each service's private key against everything that the three databases hold after a whole journey."""

from pathlib import Path

import pytest

from services.intake.handlers.access import own_answers, own_notes
from services.matching.handlers import practitioner, reading
from shared import vault
from shared.service import Service
from tests.whole_journey import (
    AFTER,
    BACK,
    PAIR,
    QUESTION,
    REPLY,
    TYPED,
    WORDS,
    Journey,
    contents_opened_by,
    opened_wraps,
    walk,
)


@pytest.fixture
def journey(intake: Service, matching: Service, notify: Service) -> Journey:
    return walk(intake, matching, notify)


def test_who_opens_which_wrap_in_the_three_databases(journey: Journey, keys: Path) -> None:
    own, words = journey.draft.key, vault.words_key(journey.draft.key)
    match_id = journey.request().status.match_id
    assert match_id
    purposes = {own: "own", words: "words", vault.contact_key(own): "contact", vault.pair_key(words, match_id): "pair"}
    table = {(one.where, one.by, purposes.get(one.key, "one event's")) for one in opened_wraps(journey, keys)}
    assert table == {
        ("intake.outbox", "matching", "words"),
        ("intake.outbox", "notify", "contact"),
        ("intake.outbox", "notify", "one event's"),  # the first e-mail's link, and one that was asked for
        ("intake.outbox", "matching", "one event's"),  # under what that link's note keys are wrapped
        ("notify.outbox", "matching", "one event's"),  # the same of the links of later e-mails
        ("matching.requests", "matching", "words"),
        ("matching.matches", "matching", "pair"),
        ("matching.outbox", "notify", "one event's"),  # links and contacts of the team
        ("matching.practitioners", "notify", "one event's"),  # a practitioner's address, kept to be sent on
        ("notify.contacts", "notify", "contact"),
        ("notify.contacts", "notify", "one event's"),  # the team's
        ("notify.notifications", "notify", "one event's"),  # links of one notification
    }


def test_the_key_of_matching_opens_words_and_notes_and_no_address(journey: Journey, keys: Path) -> None:
    opened = contents_opened_by(journey, {one.key for one in opened_wraps(journey, keys) if one.by == "matching"})
    assert opened == WORDS | {QUESTION, REPLY} | PAIR


def test_the_key_of_notify_opens_addresses_and_no_word(journey: Journey, keys: Path) -> None:
    opened = contents_opened_by(journey, {one.key for one in opened_wraps(journey, keys) if one.by == "notify"})
    links = {text for text in opened if text.startswith("https://kt.example/")}
    assert opened - links == {"sentinel@people.example", "+12025550187", "SENTINEL name"}  # known_as: how a letter greets


def test_neither_opens_the_own_copy_that_its_person_opens(journey: Journey, keys: Path) -> None:
    assert journey.draft.key not in {one.key for one in opened_wraps(journey, keys)}
    assert own_answers(journey.request(), journey.draft.key) == TYPED
    assert [note.words for note in own_notes(journey.request(), journey.note_keys)] == [QUESTION, REPLY, AFTER, BACK]


def test_what_belongs_to_the_pair_outlives_the_words(journey: Journey, keys: Path) -> None:
    """The words' wrap goes: the two still know each other's name and read their notes, and nothing else opens any more."""
    matching = journey.services.matching
    matching.db.requests.update_one({"_id": journey.draft.request_id}, {"$unset": {"encrypted": 1}})
    journey.services.intake.db.outbox.delete_many({})
    opened = contents_opened_by(journey, {one.key for one in opened_wraps(journey, keys) if one.by == "matching"})
    assert opened == PAIR
    [row] = matching.db.offers.find({"request_id": journey.draft.request_id})
    offer = reading.offer_of(row["_id"], "juniper", matching.db)
    assert offer
    view = reading.view_offer(offer, matching.db)
    assert view.words == {"name": "SENTINEL name", "pronouns": "SENTINEL pronouns", "access": "SENTINEL access"}
    assert [note.words for note in view.notes] == [AFTER, BACK]
    me = reading.view_practitioner("juniper", matching.db)
    assert me
    assert [one.name for one in me.matched] == ["SENTINEL name"]


def test_both_can_still_write_when_the_words_are_gone(journey: Journey) -> None:
    matching = journey.services.matching
    matching.db.requests.update_one({"_id": journey.draft.request_id}, {"$unset": {"encrypted": 1}})
    [row] = matching.db.offers.find({"request_id": journey.draft.request_id})
    matching.run(practitioner.write_to_supportee, practitioner.WriteToSupportee(offer_id=row["_id"], words="SENTINEL later"))
    journey.services.deliver()
    journey.writes("n3", "SENTINEL thanks")
    offer = reading.offer_of(row["_id"], "juniper", matching.db)
    assert offer
    assert [note.words for note in reading.view_offer(offer, matching.db).notes][-2:] == ["SENTINEL later", "SENTINEL thanks"]
    assert [note.words for note in own_notes(journey.request(), journey.note_keys)][-2:] == ["SENTINEL later", "SENTINEL thanks"]
