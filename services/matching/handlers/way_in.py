"""Ways in for a supportee: matching wraps what opens their notes for a link, whoever made it. Their own copy opens with none."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.matching import store
from services.matching.domain import Request
from services.matching.handlers.coordinator import audit
from services.matching.handlers.keys import open_keys
from services.matching.handlers.requests import find_request
from services.matching.handlers.service import service
from shared import tokens, vault
from shared.clock import now
from shared.contracts import EncryptedFields, LetterLinkMade, SignInRequested, WayIn, WayInGranted, WrappedNoteKey
from shared.messages import Event
from shared.mongo import Db

LINK_LASTS = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, repr=False)
class LetIn:
    """`token`: of the link that the coordinator hands on; never stored."""

    coordinator_id: str
    request_id: str
    token: str


@service.on(LetterLinkMade)
def grant_letter(event: LetterLinkMade, db: Db) -> list[Event]:
    request = find_request(event.request_id, db)
    return _granted(request, event.link_id, "letter", event.expires_at, _opened(event.secret), db)


@service.on(SignInRequested)
def grant_asked_for(event: SignInRequested, db: Db) -> list[Event]:
    if not (event.request_id and event.link_id and event.expires_at and event.secret):
        return []
    request = find_request(event.request_id, db)
    kind: WayIn = "texted" if "code" in event.encrypted.fields else "asked_for"
    return _granted(request, event.link_id, kind, event.expires_at, _opened(event.secret), db)


def let_in(command: LetIn, db: Db) -> list[Event]:
    """[] when the request has ended."""
    request = store.requests.find(db, command.request_id)
    if request is None:
        return []
    secret, link_id = vault.link_secret(command.token), tokens.digest(command.token)
    granted = _granted(request, link_id, "coordinator", now() + LINK_LASTS, secret, db)
    if granted:
        audit(command.coordinator_id, "let_in", request.id, db)
    return granted


def _granted(request: Request, link_id: str, kind: WayIn, expires_at: datetime, secret: str, db: Db) -> list[Event]:
    if request.state == "withdrawn":
        return []
    keys = open_keys(request, store.offers.matches_about(db, request.id))
    needed = {None: keys[None]} if None in keys else keys  # the words' key makes those of the matches
    wraps = [WrappedNoteKey(match_id=id, wrap=vault.wrap_under(secret, request.supportee_id, key)) for id, key in needed.items()]
    return [WayInGranted(request_id=request.id, link_id=link_id, kind=kind, expires_at=expires_at, note_keys=tuple(wraps))]


def _opened(secret: EncryptedFields) -> str:
    return service.vault.decrypt_fields(secret)["secret"]
