"""Ways in without code words: the link of an e-mail, a link or a code that was asked for, a link from a coordinator.

None of them brings the person's own key: they open the state, the notes, and everything that can be done there. Their own copy of
their answers opens with the code words alone. What opens the notes is wrapped by matching (`way_in.granted`).
"""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from services.intake import store
from services.intake.domain import AccessLink, Request
from services.intake.handlers.access import RequestAccess
from services.intake.handlers.service import service
from shared import sessions, vault
from shared.clock import now
from shared.contracts import ContactConfirmed, SignInRequested, WayIn, WayInGranted
from shared.messages import Event
from shared.mongo import Db
from shared.sessions import NewSession
from shared.tokens import digest, new_token

ASKED_FOR_LASTS, CODE_LASTS = timedelta(days=1), timedelta(minutes=10)
NEXT_LETTER_ENDS_IT = timedelta(days=1)
MOST_TRIES, MOST_WAYS_AT_ONCE, MOST_REQUESTS_LOOKED_AT = 5, 3, 5
FOR_ONE_DEVICE: tuple[WayIn, ...] = ("asked_for", "coordinator")


@service.on(WayInGranted)
def open_way_in(event: WayInGranted, db: Db) -> list[Event]:
    """A letter's link ends the one before it, a day later: what is on its way by text may come after it."""
    request = store.request(db, event.request_id)
    if request is None:
        return []
    if event.kind == "letter":
        store.shorten_letter_links(db, request.person_id, now() + NEXT_LETTER_ENDS_IT)
    link = AccessLink(
        id=event.link_id,
        purpose=event.kind,
        subject_id=request.id,
        person_id=request.person_id,
        expires_at=event.expires_at,
        note_wraps={one.match_id or "words": one.wrap for one in event.note_keys},
    )
    store.grant_link(db, link)
    return []


@dataclass(frozen=True, repr=False)
class SendLink:
    """To this address, in its normalized form."""

    email: str


def send_link(command: SendLink, db: Db) -> list[Event]:
    """For each request that may be opened so. The same work whether somebody here has that address or not, up to the moment when
    something must be written."""
    found: list[Request | None] = [*_may_be_opened(db, "email", command.email)]
    return [event for request in found or [None] for event in _send_link_to(request, db)]


def _send_link_to(request: Request | None, db: Db) -> list[Event]:
    token = new_token()
    person_id = request.person_id if request else str(uuid.uuid4())
    asked = _asked(person_id, {"link": f"{service.public_url}/s/in/{token}"}, token, ASKED_FOR_LASTS, request)
    if request is None or not asked.link_id or not asked.expires_at:
        return []
    if store.count_ways_in(db, person_id, now()) >= MOST_WAYS_AT_ONCE:
        return []
    link = AccessLink(
        id=asked.link_id, purpose="asked_for", subject_id=request.id, person_id=person_id, expires_at=asked.expires_at
    )
    store.grant_link(db, link)
    return [asked]


@dataclass(frozen=True, repr=False)
class SendCode:
    """`session`: of the browser that asks, which alone may type the code."""

    phone: str
    session: NewSession


def ask_for_code() -> NewSession:
    return sessions.new_session("texted", str(uuid.uuid4()), lasts=CODE_LASTS)


def send_code(command: SendCode, db: Db) -> list[Event]:
    """A code that nobody gets is written down for a number that nobody here has: it is the same work, and the same page."""
    safe = (request for request in _may_be_opened(db, "phone", command.phone) if request.texts_are_safe)
    request = next((one for one in safe if store.count_ways_in(db, one.person_id, now()) < MOST_WAYS_AT_ONCE), None)
    person_id = request.person_id if request else command.session.session.person_id
    code, cookie = f"{secrets.randbelow(10**6):06}", command.session.cookie
    asked = _asked(person_id, {"code": code}, cookie, CODE_LASTS, request)
    assert asked.link_id
    assert asked.expires_at
    sessions.save(db, command.session)
    link = AccessLink(
        id=asked.link_id,
        purpose="texted",
        subject_id=request.id if request else person_id,
        person_id=person_id,
        expires_at=asked.expires_at,
        code=_code_digest(asked.link_id, code),
    )
    store.grant_link(db, link)
    return [asked] if request else []


def _may_be_opened(db: Db, channel: str, address: str) -> list[Request]:
    """The newest first. Whoever asked for their code words to be asked for is let in by nothing else."""
    found = store.requests_at(db, channel, service.vault.blind_index(channel, address.casefold()), MOST_REQUESTS_LOOKED_AT)
    return [request for request in found if not request.asks_for_words]


def _asked(person_id: str, told: dict[str, str], token: str, lasts: timedelta, request: Request | None) -> SignInRequested:
    return SignInRequested(
        person_id=person_id,
        request_id=request.id if request else None,
        encrypted=service.vault.encrypt_for("notify", person_id, told),
        link_id=digest(token),
        expires_at=now() + lasts,
        secret=service.vault.encrypt_for("matching", person_id, {"secret": vault.link_secret(token)}),
    )


@dataclass(frozen=True, repr=False)
class PressLink:
    """`device`: the random mark of this browser."""

    token: str
    device: str


def press_link(command: PressLink, db: Db) -> list[Event]:
    """The first browser that presses is the one it opens for. Who comes by the link of our e-mail while their request is held
    shows that the address is theirs."""
    store.bind_link(db, digest(command.token), FOR_ONE_DEVICE, digest(command.device))
    link = store.link(db, digest(command.token))
    if link is None or link.purpose != "letter" or not store.mark_confirmed(db, link.subject_id):
        return []
    return [ContactConfirmed(person_id=link.person_id, request_id=link.subject_id)]


def by_link(command: PressLink) -> RequestAccess | None:
    link = store.link(service.db, digest(command.token))
    if link is None or link.purpose == "texted" or store.request(service.db, link.subject_id) is None:
        return None
    if link.purpose in FOR_ONE_DEVICE and link.device != digest(command.device):
        return None
    return _access(link, command.token)


@dataclass(frozen=True, repr=False)
class TypeCode:
    cookie: str
    code: str


def count_try(command: TypeCode, db: Db) -> list[Event]:
    store.count_try(db, digest(command.cookie))
    return []


def by_code(command: TypeCode) -> RequestAccess | None:
    """After `count_try`: tries that come at the same time are all counted before one of them is looked at."""
    link = store.link(service.db, digest(command.cookie))
    if link is None or link.purpose != "texted" or link.tries > MOST_TRIES or not link.code:
        return None
    right = hmac.compare_digest(link.code, _code_digest(link.id, command.code))
    return _access(link, command.cookie) if right and store.request(service.db, link.subject_id) else None


def use_up_code(command: TypeCode, db: Db) -> list[Event]:
    store.delete_link(db, digest(command.cookie))
    sessions.delete(db, command.cookie)
    return []


def _access(link: AccessLink, token: str) -> RequestAccess:
    secret = vault.link_secret(token)
    keys = {id: vault.unwrap_under(secret, link.person_id, wrap) for id, wrap in link.note_wraps.items()}
    return RequestAccess(link.person_id, link.subject_id, None, keys)


def _code_digest(link_id: str, code: str) -> str:
    key = vault.derive_key(service.vault.secret, "texted-code")
    return hmac.digest(key, f"{link_id}/{''.join(filter(str.isdigit, code))}".encode(), "sha256").hex()
