"""After Send everything but whom they chose can be corrected: matching and notify are told anew what they know of it."""

import json
from dataclasses import dataclass, replace
from typing import Any

from services.intake import store
from services.intake.domain import Answers, Draft, Request
from services.intake.handlers.supportee import (
    CODED_FOR_MATCHING,
    address_index,
    contact_shared,
    needs_reading,
    person_index,
    words_for_matching,
)
from shared import sessions, vault
from shared.contracts import ContactShared, RequestChanged
from shared.messages import Event
from shared.mongo import Db

QUESTIONS_ABOUT_CONTACT = (2, 4, 5)
NOT_CORRECTED = ("mode", "choices")


@dataclass(frozen=True, repr=False)
class CorrectAnswers:
    """`draft`: all that they typed, the correction in it, under their own key. `question`: the one that was answered anew.
    `before`: their answers until then."""

    draft: Draft
    question: int
    answers: Answers
    before: Answers
    language: str


def correct_answers(command: CorrectAnswers, db: Db) -> list[Event]:
    """[] when nothing changed, or the request has ended."""
    if command.answers == command.before:
        return []
    request = store.correct(db, command.draft.request_id, _correction(command))
    if request is None:
        return []
    changed = replace(request_changed(request, command.draft, command.answers), read_first=_is_to_be_read(command))
    if command.question not in QUESTIONS_ABOUT_CONTACT:
        return [changed]
    _close_ways_in(command, db)
    return [changed, _contact(command, request.contact_version)]


def _close_ways_in(command: CorrectAnswers, db: Db) -> None:
    """What was sent to an address or number that is not theirs opens nothing more, and whom it let in is let in no more."""
    answers, before, person_id = command.answers, command.before, command.draft.person_id
    all_end = answers.email_address != before.email_address or "ask_words" in answers.safely
    no_longer_safe = "texts_safe" in before.safely and "texts_safe" not in answers.safely
    if all_end:
        store.delete_links(db, person_id)
    elif no_longer_safe or answers.phone_number != before.phone_number:
        store.delete_texted_codes(db, person_id)
    else:
        return
    sessions.end_those_without_key(db, person_id)


def _contact(command: CorrectAnswers, version: int) -> ContactShared:
    """What was read or allowed before is not held again: only what is new."""
    contact, read_first, on_their_word = contact_shared(command, None), _is_to_be_read(command), _holds_until_their_word(command)
    nothing_to_read = not needs_reading(command.answers)
    return replace(contact, version=version, read_first=read_first, on_their_word=on_their_word, nothing_to_read=nothing_to_read)


def _is_to_be_read(command: CorrectAnswers) -> bool:
    said = command.answers.before_we_write.strip()
    return needs_reading(command.answers) and said != command.before.before_we_write.strip()


def _holds_until_their_word(command: CorrectAnswers) -> bool:
    return "on_their_word" in command.answers.safely and "on_their_word" not in command.before.safely


@dataclass(frozen=True, repr=False)
class SendAnswersAgain:
    draft: Draft
    answers: Answers


def send_answers_again(command: SendAnswersAgain, db: Db) -> list[Event]:
    """Matching forgets their words some days after a yes: whoever is asked next reads them again."""
    request = store.count_change(db, command.draft.request_id)
    return [request_changed(request, command.draft, command.answers)] if request else []


def request_changed(request: Request, draft: Draft, answers: Answers) -> RequestChanged:
    coded: dict[str, Any] = {name: getattr(answers, name) for name in CODED_FOR_MATCHING if name not in NOT_CORRECTED}
    return RequestChanged(
        request_id=request.id,
        change=request.changes,
        encrypted=words_for_matching(draft, answers),
        person_index=person_index(answers),
        **coded,
    )


def _correction(command: CorrectAnswers) -> store.Correction:
    draft, answers = command.draft, command.answers
    own = vault.encrypt_fields(draft.key, draft.person_id, {"answers": json.dumps(draft.typed)})
    return store.Correction(
        encrypted_answers=own["answers"],
        choices=tuple(choice.practitioner_id for choice in answers.choices),
        names_somebody=bool(answers.avoid_words.strip()),
        time_zone=answers.time_zone,
        pace=answers.pace,
        email_index=address_index("email", answers.email_address),
        phone_index=address_index("phone", answers.phone_number),
        unread=_is_to_be_read(command) or (None if needs_reading(command.answers) else False),
        on_their_word=_holds_until_their_word(command) or None,
        asks_for_words="ask_words" in answers.safely,
        texts_are_safe="texts_safe" in answers.safely,
        of_contact=command.question in QUESTIONS_ABOUT_CONTACT,
    )
