"""Two releases work on one database while one replaces the other: a field that only the newer one knows is passed over."""

from datetime import timedelta

from services.intake import store
from services.intake.domain import AccessCode, AccessLink, CodeWords, Draft, EncryptedNote
from services.intake.rules import NextChoice, StatusEvent
from shared import vault
from shared.clock import now
from shared.service import Service
from shared.tokens import digest
from tests.intake_requests import a_stored_request

LATER = now() + timedelta(days=1)


def test_a_request_with_all_that_belongs_to_it(intake: Service) -> None:
    request = a_stored_request(intake.db)
    event = StatusEvent(event_type="offer.made.v1", version=1, at=now(), practitioner_ids=("ana",))
    choice, note = NextChoice(version=1, next="wait", at=now()), EncryptedNote(id="n1", encrypted="AQ", at=now(), author="ana")
    store.add_to_history(intake.db, request.id, event)
    store.save_choice(intake.db, request.id, choice)
    store.add_note(intake.db, request.id, note)
    added = {"mood": 1, "history.0.mood": 1, "choice.mood": 1, "notes.0.mood": 1}
    intake.db.requests.update_one({"_id": request.id}, {"$set": added})
    read = store.request(intake.db, request.id)
    assert read is not None
    assert (read.id, read.history, read.choice, read.notes) == (request.id, (event,), choice, (note,))


def test_code_words_and_links(intake: Service) -> None:
    code = AccessCode(id="c1", person_id="p1", wrap="AQ", expires_at=LATER)
    link = AccessLink(id=digest("t"), purpose="letter", subject_id="r1", person_id="p1", expires_at=LATER)
    store.save_code(intake.db, code)
    store.grant_link(intake.db, link)
    intake.db.links.update_many({}, {"$set": {"mood": 1}})
    assert (store.code(intake.db, "c1"), store.link(intake.db, digest("t"))) == (code, link)


def test_a_draft(intake: Service) -> None:
    words = CodeWords(words="six", id="c1", wrap="AQ")
    draft = Draft(person_id="p1", request_id="r1", key=vault.new_key(), typed={1: {"mode": "chosen"}}, code_words=words)
    store.save_draft(intake.db, draft, LATER)
    intake.db.drafts.update_many({}, {"$set": {"mood": 1}})
    assert store.draft(intake.db, "p1", draft.key) == draft
