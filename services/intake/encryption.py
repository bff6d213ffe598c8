"""What people typed becomes events and stored objects: coded for matching, encrypted for whoever must read it, and an encrypted
copy of their own.

Intake holds no private key. It can read a draft or a request only with the person's data key, which comes with a visit: from
their cookie, by their code words, or by the link in their letter.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from services.intake.domain import (
    AccessCode,
    AccessLink,
    Answers,
    CodeWords,
    Draft,
    EncryptedDraft,
    EncryptedNote,
    Note,
    Request,
    TypedAnswers,
)
from shared import vault
from shared.clock import now
from shared.contracts import Channel, ContactShared, EncryptedFields, RequestSubmitted
from shared.tokens import digest
from shared.vault import Vault

FOR_MATCHING = ("name", "pronouns", "words", "avoid_words", "access", "anything", "before_we_write", "language_other")


def encrypt_draft(draft: Draft, expires_at: datetime) -> EncryptedDraft:
    content = {"typed": draft.typed, "code_words": asdict(draft.code_words) if draft.code_words else None}
    encrypted = vault.encrypt(draft.key, draft.person_id, "draft", json.dumps(content))
    return EncryptedDraft(person_id=draft.person_id, request_id=draft.request_id, encrypted=encrypted, expires_at=expires_at)


def decrypt_draft(stored: EncryptedDraft, key: bytes) -> Draft:
    content = json.loads(vault.decrypt(key, stored.person_id, "draft", stored.encrypted))
    return Draft(
        person_id=stored.person_id,
        request_id=stored.request_id,
        key=key,
        typed=_by_question(content["typed"]),
        code_words=CodeWords(**content["code_words"]) if content["code_words"] else None,
    )


def access_code(draft: Draft, code_words: CodeWords, expires_at: datetime) -> AccessCode:
    return AccessCode(id=code_words.id, person_id=draft.person_id, wrap=code_words.wrap, expires_at=expires_at)


def access_link(draft: Draft, token: str, expires_at: datetime) -> AccessLink:
    """Whoever holds the letter with this token can read what they wrote."""
    return AccessLink(
        token_digest=digest(token),
        request_id=draft.request_id,
        person_id=draft.person_id,
        expires_at=expires_at,
        wrap=vault.wrap_under(token, draft.person_id, draft.key),
    )


def encrypt_request(
    draft: Draft,
    code_words: CodeWords,
    answers: Answers,
    keys: Vault,
    *,
    language: str,
    expires_at: datetime,
    code_words_until: datetime,
) -> Request:
    own = {"answers": json.dumps(draft.typed), "code_words": code_words.words}
    encrypted = vault.encrypt_fields(draft.key, draft.person_id, own)
    return Request(
        id=draft.request_id,
        person_id=draft.person_id,
        mode=answers.mode,
        choices=tuple(choice.practitioner_id for choice in answers.choices),
        language=language,
        time_zone=answers.time_zone,
        sent_at=now(),
        expires_at=expires_at,
        encrypted_answers=encrypted["answers"],
        encrypted_code_words=encrypted["code_words"],
        code_words_until=code_words_until,
        email_index=address_index(keys, "email", answers.email_address),
        phone_index=address_index(keys, "phone", answers.phone_number),
    )


def address_index(keys: Vault, channel: str, address: str) -> str | None:
    return keys.blind_index(channel, address.casefold()) if address else None


def request_submitted(draft: Draft, answers: Answers, keys: Vault) -> RequestSubmitted:
    words = {name: getattr(answers, name).strip() for name in FOR_MATCHING}
    return RequestSubmitted(
        request_id=draft.request_id,
        supportee_id=draft.person_id,
        mode=answers.mode,
        choices=answers.choices,
        avoid=answers.avoid,
        languages=answers.languages,
        meeting_types=answers.meeting_types,
        parts=answers.parts,
        time_zone=answers.time_zone,
        help=answers.help,
        age_group=answers.age_group,
        submitted_at=now(),
        encrypted=encrypt_for("matching", draft.person_id, draft.key, words, keys),
    )


def contact_shared(draft: Draft, answers: Answers, keys: Vault, link: str, language: str) -> ContactShared:
    channels: tuple[Channel, ...] = tuple(channel for channel in ("email", "text") if channel in answers.reach)
    known_as = "" if answers.no_name else answers.name.strip()
    contact = {"email": answers.email_address, "phone": answers.phone_number, "link": link, "known_as": known_as}
    return ContactShared(
        person_id=draft.person_id,
        request_id=draft.request_id,
        version=1,
        channels=channels,
        language=language,
        time_zone=answers.time_zone,
        quiet_from=answers.quiet_from,
        quiet_until=answers.quiet_until,
        encrypted=encrypt_for("notify", draft.person_id, draft.key, contact if channels else {}, keys),
    )


def encrypt_for(receiver: str, person_id: str, key: bytes, fields: Mapping[str, str], keys: Vault) -> EncryptedFields:
    wrap = keys.wrap(key, person_id, receiver)
    return EncryptedFields(person_id=person_id, wrap=wrap, fields=vault.encrypt_fields(key, person_id, fields))


def own_answers(request: Request, key: bytes) -> dict[int, TypedAnswers]:
    """Question -> what was typed; empty once they left."""
    if not request.encrypted_answers:
        return {}
    return _by_question(json.loads(vault.decrypt(key, request.person_id, "answers", request.encrypted_answers)))


def own_code_words(request: Request, key: bytes) -> str:
    """The words, for as long as they may be shown again; then nothing."""
    until, encrypted = request.code_words_until, request.encrypted_code_words
    if not encrypted or not until or until <= now():
        return ""
    return vault.decrypt(key, request.person_id, "code_words", encrypted)


def own_notes(request: Request, key: bytes) -> list[Note]:
    """The notes between them and others, oldest first."""
    return [
        Note(id=note.id, at=note.at, author=note.author, words=_decrypt_note(request.person_id, key, note))
        for note in sorted(request.notes, key=lambda note: note.at)
    ]


def encrypt_note(request: Request, key: bytes, words: str, note_id: str) -> EncryptedNote:
    encrypted = vault.encrypt(key, request.person_id, vault.note_field(note_id), words)
    return EncryptedNote(id=note_id, encrypted=encrypted, at=now(), author="supportee")


def _decrypt_note(person_id: str, key: bytes, note: EncryptedNote) -> str:
    return vault.decrypt(key, person_id, vault.note_field(note.id), note.encrypted)


def _by_question(typed: Mapping[str, TypedAnswers]) -> dict[int, TypedAnswers]:
    return {int(question): answers for question, answers in typed.items()}
