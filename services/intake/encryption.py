"""What people typed becomes facts: coded for matching, encrypted for whoever must read it, and a encrypted copy of their own.

Intake holds no private key. It can read a draft or a request only while the person lends it their key: in a cookie, by their
code words, or by the link in their letter.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from services.intake import codes, forms
from services.intake.rules import DAYS_TO_KEEP_A_REQUEST
from services.intake.store import in_days
from shared import vault
from shared.clock import now
from shared.contracts import Channel, ContactShared, EncryptedFields, RequestSubmitted
from shared.mongo import Doc
from shared.tokens import digest, new_token
from shared.vault import Vault

MINUTES_FOR_CODE_WORDS = 30


@dataclass(frozen=True, repr=False)
class Draft:
    """What one person typed so far. Its key becomes that person's data key, its request_id the request's."""

    person_id: str
    request_id: str
    key: bytes
    typed: Mapping[int, forms.Typed] = field(default_factory=dict)
    code_words: str = ""
    code_id: str = ""
    code_wrap: str = ""


def encrypt_draft(draft: Draft, days: int) -> Doc:
    inside = {"typed": draft.typed, "code_words": draft.code_words, "code_id": draft.code_id, "code_wrap": draft.code_wrap}
    return {
        "_id": draft.person_id, "request_id": draft.request_id, "expires_at": in_days(days),
        "encrypted": vault.encrypt(draft.key, draft.person_id, "draft", json.dumps(inside)),
    }  # fmt: skip


def decrypt_draft(row: Doc, key: bytes) -> Draft:
    inside = json.loads(vault.decrypt(key, row["_id"], "draft", row["encrypted"]))
    typed = {int(question): values for question, values in inside.pop("typed").items()}
    return Draft(row["_id"], row["request_id"], key, typed, **inside)


def with_code(draft: Draft, language: str, service_secret: str) -> Draft:
    """The slow part of code words happens here, long before Send."""
    if draft.code_id:
        return draft
    words = codes.new_words(language)
    stretched = codes.stretch(words, service_secret)
    wrap = vault.wrap_under(stretched.secret, draft.person_id, draft.key)
    return replace(draft, code_words=words, code_id=stretched.id, code_wrap=wrap)


@dataclass(frozen=True, repr=False)
class NewRequest:
    """Everything that Send writes, encrypted before the transaction begins."""

    row: Doc
    code: Doc
    link: Doc
    submitted: RequestSubmitted
    contact: ContactShared


def encrypt_request(draft: Draft, answers: Mapping[str, Any], holder: Vault, public_url: str, language: str) -> NewRequest:
    token = new_token()
    until = in_days(DAYS_TO_KEEP_A_REQUEST)
    return NewRequest(
        row={
            **_own_copy(draft), **_indexes(answers, holder), "mode": answers["mode"],
            "choices": [choice.practitioner_id for choice in forms.chosen_steps(answers)], "language": language,
            "time_zone": answers["time_zone"], "expires_at": until,
        },
        code={"code_id": draft.code_id, "person_id": draft.person_id, "wrap": draft.code_wrap, "expires_at": until},
        link={
            "token_digest": digest(token), "request_id": draft.request_id, "person_id": draft.person_id, "expires_at": until,
            "wrap": vault.wrap_under(token, draft.person_id, draft.key),
        },
        submitted=_submitted(draft, answers, holder),
        contact=_contact(draft, answers, holder, f"{public_url}/s/in/{token}", language),
    )  # fmt: skip


def _own_copy(draft: Draft) -> Doc:
    encrypted = vault.encrypt_fields(
        draft.key, draft.person_id, {"answers": json.dumps(draft.typed), "code_words": draft.code_words}
    )
    return {
        "_id": draft.request_id, "person_id": draft.person_id, "sent_at": now(), "encrypted": encrypted, "happened": [], "chosen": None,
        "withdrawn_at": None, "words_until": in_days(MINUTES_FOR_CODE_WORDS / (24 * 60)),
    }  # fmt: skip


def _indexes(answers: Mapping[str, Any], holder: Vault) -> Doc:
    found = {"email_index": _email(answers), "phone_index": _phone(answers)}
    return {name: address_index(holder, name.removesuffix("_index"), value) for name, value in found.items() if value}


def address_index(holder: Vault, kind: str, address: str) -> str:
    return holder.blind_index(kind, address.casefold())


def _submitted(draft: Draft, answers: Mapping[str, Any], holder: Vault) -> RequestSubmitted:
    words = {
        name: answers[name].strip()
        for name in ("name", "pronouns", "words", "avoid_words", "access", "anything", "before_we_write", "language_other")
    }
    return RequestSubmitted(
        request_id=draft.request_id, supportee_id=draft.person_id, mode=answers["mode"], choices=forms.chosen_steps(answers),
        avoid=tuple(answers["avoid"]), languages=forms.language_codes(answers["language"], answers["language_other"]),
        meeting_types=tuple(answers["meeting_types"]), parts=tuple(answers["parts"]), time_zone=answers["time_zone"], help=tuple(answers["help"]),
        age_group=answers["age_group"] or None, submitted_at=now(), encrypted=_encrypted_for("matching", draft, words, holder),
    )  # fmt: skip


def _contact(draft: Draft, answers: Mapping[str, Any], holder: Vault, link: str, language: str) -> ContactShared:
    channels: tuple[Channel, ...] = tuple(way for way in ("email", "text") if way in answers["reach"])
    known_as = "" if answers["no_name"] else answers["name"].strip()
    told = {"email": _email(answers), "phone": _phone(answers), "link": link, "known_as": known_as} if channels else {}
    return ContactShared(
        person_id=draft.person_id, request_id=draft.request_id, version=1, channels=channels, language=language,
        time_zone=answers["time_zone"], quiet_from=answers["quiet_from"], quiet_until=answers["quiet_until"],
        encrypted=_encrypted_for("notify", draft, told, holder),
    )  # fmt: skip


def _email(answers: Mapping[str, Any]) -> str:
    return forms.clean_email(answers["email"]) if "email" in answers["reach"] else ""


def _phone(answers: Mapping[str, Any]) -> str:
    return forms.clean_phone(answers["phone"], answers["zone_read_in"]) if "text" in answers["reach"] else ""


def _encrypted_for(service: str, draft: Draft, fields: Mapping[str, str], holder: Vault) -> EncryptedFields:
    wrap = holder.wrap(draft.key, draft.person_id, service)
    return EncryptedFields(person_id=draft.person_id, wrap=wrap, fields=vault.encrypt_fields(draft.key, draft.person_id, fields))


def own_answers(row: Doc, key: bytes) -> dict[int, forms.Typed]:
    typed = json.loads(vault.decrypt(key, row["person_id"], "answers", row["encrypted"]["answers"]))
    return {int(question): values for question, values in typed.items()}


def own_code_words(row: Doc, key: bytes) -> str:
    """The words, for as long as they may be shown again; then nothing."""
    until, blob = row.get("words_until"), row.get("encrypted", {}).get("code_words")
    return vault.decrypt(key, row["person_id"], "code_words", blob) if blob and until and until > now() else ""


@dataclass(frozen=True, repr=False)
class EncryptedNote:
    """What a supportee wrote to whoever they are with."""

    note_id: str
    request_id: str
    encrypted: str


def own_notes(row: Doc, key: bytes) -> list[Doc]:
    """The notes between them and others, each with its `words`, oldest first."""
    return [
        {**note, "words": vault.decrypt(key, row["person_id"], vault.note_field(note["id"]), note["encrypted"])}
        for note in sorted(row.get("notes", []), key=lambda note: note["at"])
    ]


def encrypt_note(row: Doc, key: bytes, words: str, note_id: str) -> EncryptedNote:
    return EncryptedNote(note_id, row["_id"], vault.encrypt(key, row["person_id"], vault.note_field(note_id), words))
