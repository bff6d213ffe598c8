"""Somebody would like to become a practitioner. Nothing of it is kept here: it is encrypted for matching and goes there."""

import uuid
from dataclasses import dataclass

from services.intake.handlers.service import service
from shared.contracts import ApplicationSent
from shared.messages import Event
from shared.mongo import Db


@dataclass(frozen=True, kw_only=True, repr=False)
class Apply:
    """`email` in the form in which addresses are compared. `languages`: codes."""

    email: str
    name: str
    languages: tuple[str, ...]
    words: str
    access: str
    times: str
    language: str


def apply(command: Apply, db: Db) -> list[Event]:
    application_id = str(uuid.uuid4())
    answers = {name: getattr(command, name) for name in ("email", "name", "words", "access", "times")}
    written = {name: text for name, text in answers.items() if text} | {"languages": " ".join(command.languages)}
    encrypted = service.vault.encrypt_for("matching", application_id, written)
    return [ApplicationSent(application_id=application_id, language=command.language, encrypted=encrypted)]
