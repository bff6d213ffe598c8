"""What practitioners and coordinators may read, decrypted for them. Nothing here changes anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.matching import rules, store
from services.matching.domain import (
    Agreement,
    Application,
    AuditEntry,
    Match,
    Meetings,
    Note,
    Offer,
    OwnChange,
    Practitioner,
    Request,
)
from services.matching.handlers import names
from services.matching.handlers.agreements import AgreementView, view_agreement
from services.matching.handlers.answers import may_change_to_yes
from services.matching.handlers.coordinator import OPENING_LASTS
from services.matching.handlers.endings import yes_is_new
from services.matching.handlers.keys import fields_of, open_keys
from services.matching.handlers.look_backs import LookBackView, view_look_back
from services.matching.handlers.meetings import meetings_of, phone_of, place_of
from services.matching.handlers.own_list import has_space, label_of, may_be_listed
from services.matching.handlers.plans import plan_of
from services.matching.handlers.profiles import name_of, public_profile
from services.matching.handlers.service import service
from services.matching.handlers.sign_in import coordinator_name
from services.matching.store.pages import Page
from shared import tokens, vault
from shared.calendars import Dates
from shared.clock import now
from shared.contracts import PractitionerState
from shared.mongo import Db
from shared.vault import DecryptionError

FOR_PRACTITIONERS = ("name", "pronouns", "words", "access", "anything", "language_other")
FOR_COORDINATORS = (*FOR_PRACTITIONERS, "before_we_write", "avoid_words")
MOST_AVAILABLE = 30
CHANGES_SHOWN = timedelta(days=30)


@dataclass(frozen=True, kw_only=True, repr=False)
class NoteView:
    """Both ids None: the supportee wrote it."""

    words: str
    at: datetime
    practitioner_id: str | None
    coordinator_id: str | None
    shared_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class OfferView:
    """What the practitioner of this offer reads. `words`: field -> what the supportee wrote; empty once they took it back.
    `time_zone` is the practitioner's. `request` None: it is no longer theirs to read. `yes_is_new`: a coordinator is told when
    they end their meetings. `may_undo`: they may take back that they did. `on_hold`: the supportee takes a pause.
    `may_list`: they may put this person on their own list, `is_listed`: they did. `meetings`: when the two meet, `place`:
    where, `phone`: their number, once both said yes to calls. `agreement`: what they agree on, or did.
    `plan`: what they show of their plan for hard days, heading -> words. `look_back`: how it stands with
    the two questions."""

    offer: Offer
    request: Request | None
    words: dict[str, str]
    notes: list[NoteView]
    time_zone: str
    days_left: int
    may_change: bool
    yes_is_new: bool = False
    may_undo: bool = False
    on_hold: bool = False
    may_list: bool = False
    is_listed: bool = False
    meetings: Meetings | None = None
    place: str = ""
    phone: str | None = None
    agreement: Agreement | None = None
    plan: Mapping[str, str] = field(default_factory=dict)
    look_back: LookBackView | None = None

    @property
    def shared_at(self) -> datetime | None:
        """Since when coordinators may read the newest notes that they may read."""
        return max((note.shared_at for note in self.notes if note.shared_at), default=None)

    @property
    def has_unshared_notes(self) -> bool:
        return any(note.shared_at is None for note in self.notes)

    @property
    def name(self) -> str:
        return self.words.get("name", "")

    @property
    def known_as(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True, repr=False)
class MatchedView:
    """`undo_until`: they ended their meetings, and may take that back until then."""

    offer_id: str
    name: str
    since: datetime
    undo_until: datetime | None = None
    on_hold: bool = False
    meetings: Meetings | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class ListedView:
    """`label`: what they call it; empty for a person whom they did not name."""

    id: str
    label: str
    at: datetime
    is_name: bool


@dataclass(frozen=True, kw_only=True, repr=False)
class PractitionerView:
    """A practitioner's own page. `own_list`: about whom they are not asked. `may_list`: there is space for more. `agreed_before`:
    (offer, name) of those whom they do not meet any more, and with whom they agreed on something that is still kept."""

    practitioner: Practitioner
    name: str
    open_offers: list[Offer]
    matched: list[MatchedView]
    own_list: list[ListedView]
    may_list: bool
    agreed_before: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, repr=False)
class RequestView:
    """A request as a coordinator reads it after opening it. `practitioners` and `coordinators`: id -> name. `available`: whom
    they may ask now, as (id, name), best first, MOST_AVAILABLE of them. `asked_now`: whom the open offer is to. `only_for`: the
    other coordinators to whom they wrote something that nobody else reads."""

    words: dict[str, str]
    notes: list[NoteView]
    offers: list[Offer]
    audit: list[AuditEntry]
    available: list[tuple[str, str]]
    asked_now: str | None
    practitioners: dict[str, str]
    coordinators: dict[str, str]
    only_for: list[str]
    most_available: int = MOST_AVAILABLE


@dataclass(frozen=True, kw_only=True, repr=False)
class ListedPractitioner:
    """`changed_at`: when they last changed something on their own page, if lately."""

    practitioner: Practitioner
    name: str
    changed_at: datetime | None = None


def offer_behind_link(token: str, db: Db) -> Offer | None:
    link = tokens.find(db, token, "offer")
    return store.offers.find(db, link.subject_id) if link else None


def offer_of(offer_id: str, practitioner_id: str, db: Db) -> Offer | None:
    offer = store.offers.find(db, offer_id)
    return offer if offer and offer.practitioner_id == practitioner_id else None


def time_zone_of(practitioner_id: str, db: Db) -> str:
    practitioner = store.practitioners.find(db, practitioner_id)
    return practitioner.time_zone if practitioner else service.programme.time_zone


def view_offer(offer: Offer, db: Db) -> OfferView:
    practitioner = store.practitioners.find(db, offer.practitioner_id)
    time_zone = practitioner.time_zone if practitioner else service.programme.time_zone
    theirs = offer.state not in ("released", "expired", "ended")
    known = store.requests.find(db, offer.request_id)
    request = known if theirs else None
    match = store.offers.find_live_match(db, offer.request_id) if offer.state == "accepted" else None
    is_listed = bool(known and practitioner and rules.is_on_own_list(known, practitioner))
    found = meetings_of(match, request, practitioner, db) if match and request and not match.on_hold else None
    may_change = bool(request and practitioner and practitioner.has_room and may_change_to_yes(offer, request))
    return OfferView(
        offer=offer,
        request=request,
        words=fields_of(request, match, FOR_PRACTITIONERS) if request else {},
        notes=_notes(request, db, offer.practitioner_id) if request else [],
        time_zone=time_zone,
        days_left=rules.days_left_to_answer(offer.answer_by, now(), time_zone),
        may_change=may_change and not is_listed,
        is_listed=is_listed,
        may_list=bool(known and practitioner and may_be_listed(known, practitioner)),
        on_hold=bool(match and match.on_hold),
        yes_is_new=bool(match and yes_is_new(match, now())),
        may_undo=offer.may_be_undone_by("practitioner", now()),
        meetings=found,
        place=place_of(found, request, match) if found and request and match else "",
        phone=phone_of(found, request, match) if found and request and match else None,
        agreement=agreement_of_offer(offer, db),
        plan=plan_of(match, request) if match and request else {},
        look_back=view_look_back(match, request, db) if match and request and not match.on_hold else None,
    )


def view_agreement_of(offer: Offer, db: Db) -> AgreementView | None:
    """Also when their meetings ended, as long as it is kept; None when nothing opens it."""
    match = store.offers.find_match(db, offer.id)
    request = store.requests.find(db, offer.request_id) if match else None
    if match is None or request is None or (match.ended_at and agreement_of_offer(offer, db) is None):
        return None
    return view_agreement(match, request, db, fields_of(request, match, ("name",)).get("name", ""))


def agreement_of_offer(offer: Offer, db: Db) -> Agreement | None:
    """What stands there."""
    match = store.offers.find_match(db, offer.id) if offer.state in ("accepted", "ended") else None
    found = store.agreements.find(db, match.id) if match else None
    return found if found and found.newest else None


def view_practitioner(practitioner_id: str, db: Db) -> PractitionerView | None:
    practitioner = store.practitioners.find(db, practitioner_id)
    if practitioner is None:
        return None
    offers = store.offers.held_by(db, practitioner_id)
    theirs = [one for one in offers if one.state == "accepted" or one.may_be_undone_by("practitioner", now())]
    requests = store.requests.find_many(db, [offer.request_id for offer in theirs])
    matches = store.offers.find_matches(db, [offer.id for offer in theirs]) if theirs else {}
    times = store.meetings.find_many(db, [match.id for match in matches.values()])
    return PractitionerView(
        practitioner=practitioner,
        name=name_of(practitioner),
        open_offers=[offer for offer in offers if offer.is_open],
        matched=[_matched(offer, requests.get(offer.request_id), matches.get(offer.id), times) for offer in theirs],
        own_list=[
            ListedView(id=entry.id, label=label_of(entry), at=entry.at, is_name=bool(entry.name_index))
            for entry in practitioner.own_list
        ],
        may_list=has_space(practitioner),
        agreed_before=_agreed_before(practitioner_id, db),
    )


def _agreed_before(practitioner_id: str, db: Db) -> list[tuple[str, str]]:
    over = store.agreements.over_with(db, practitioner_id)
    requests = store.requests.find_many(db, [one.request_id for one in over]) if over else {}
    matches = {one.id: store.offers.match(db, one.id) for one in over}
    known = [(one.offer_id, requests.get(one.request_id), matches[one.id]) for one in over]
    return [(offer_id, fields_of(request, match, ("name",)).get("name", "")) for offer_id, request, match in known if request]


def dates_of(practitioner_id: str, db: Db) -> list[Dates]:
    """For their calendar: with everybody whom they meet."""
    return [_dates(each) for each in store.meetings.of_practitioner(db, practitioner_id)]


def _dates(each: Meetings) -> Dates:
    cancelled_from = each.ended_at or (now() if each.on_hold else None)
    return Dates(series=each.series, former=each.former, version=each.version, cancelled_from=cancelled_from)


def find_request(request_id: str, db: Db, coordinator_id: str) -> Request | None:
    """None, too, when it is hidden from this coordinator: its writer named somebody of that name whom they would never meet."""
    request = store.requests.find(db, request_id)
    hidden = request and not set(request.avoid_index).isdisjoint(names.of_coordinator(coordinator_id, db))
    return None if hidden else request


def is_opened_by(coordinator_id: str, request_id: str, db: Db) -> bool:
    """Whether this coordinator opened it lately, with an entry in the audit."""
    return store.tasks.was_opened_since(db, coordinator_id, request_id, now() - OPENING_LASTS)


def view_request(request: Request, db: Db, you: str) -> RequestView:
    offers, open_offer = store.offers.about(db, request.id), store.offers.find_open(db, request.id)
    asked_now = open_offer.practitioner_id if open_offer else None
    able = [one for one in available_for(request, db) if one.id != asked_now]
    notes, audit = _notes(request, db, coordinator_id=you), store.tasks.audit_about(db, request.id)
    only_for = {note.to_coordinator_id for note in store.notes.about(db, request.id)} - {you, None}
    named = {choice.practitioner_id for choice in request.choices} | {offer.practitioner_id for offer in offers}
    wrote = {note.practitioner_id for note in notes if note.practitioner_id}
    acted = {entry.coordinator_id for entry in audit} | {note.coordinator_id for note in notes} | only_for
    return RequestView(
        words=fields_of(request, store.offers.find_live_match(db, request.id), FOR_COORDINATORS),
        notes=notes,
        offers=offers,
        audit=audit,
        available=[(one.id, name_of(one)) for one in able[:MOST_AVAILABLE]],
        asked_now=asked_now,
        practitioners=_practitioners(named | wrote, db),
        coordinators=_coordinators([id for id in acted if id], db),
        only_for=sorted(id for id in only_for if id),
    )


def available_for(request: Request, db: Db) -> list[Practitioner]:
    if request.is_over:
        return []
    return rules.rank_candidates(request, store.practitioners.with_room_who_may_suit(db, request), now().date())


def list_practitioners(db: Db, state: PractitionerState, after: str = "", before: str = "") -> Page[ListedPractitioner]:
    """Those in this state: the page after or before the one with this id; without one the first."""
    page = store.practitioners.page_of(db, state, after, before)
    return page.of(_listed)


def _listed(one: Practitioner) -> ListedPractitioner:
    changes = own_changes_of(one)
    return ListedPractitioner(practitioner=one, name=name_of(one), changed_at=changes[0].at if changes else None)


def own_changes_of(practitioner: Practitioner) -> list[OwnChange]:
    """What they lately changed on their own page, the newest first."""
    lately = [one for one in practitioner.own_changes if one.at > now() - CHANGES_SHOWN]
    return sorted(lately, key=lambda one: one.at, reverse=True)


def find_practitioner(practitioner_id: str, db: Db) -> Practitioner | None:
    return store.practitioners.find(db, practitioner_id)


def find_application(application_id: str, db: Db) -> Application | None:
    return store.applications.find(db, application_id)


def list_applications(db: Db) -> list[tuple[Application, str]]:
    """With their names; those who wait for a coordinator first, then whoever has waited longest."""
    came = sorted(store.applications.those_who_came(db), key=lambda one: not one.waits_for_coordinators)
    return [(one, service.vault.decrypt_fields(one.encrypted).get("name", "")) for one in came]


def coordinator_named(coordinator_id: str, db: Db) -> str:
    return _coordinators([coordinator_id], db).get(coordinator_id, "")


def profile_of(practitioner: Practitioner) -> dict[str, str]:
    return public_profile(practitioner)


def _notes(request: Request, db: Db, practitioner_id: str | None = None, *, coordinator_id: str | None = None) -> list[NoteView]:
    """Oldest first. With a practitioner: only what is between the two. For a coordinator: not that, unless one of them let them
    read it, and not what is for another coordinator alone."""
    written = store.notes.about(db, request.id, practitioner_id)
    notes = [note for note in written if coordinator_id is None or note.may_be_read_by(coordinator_id)]
    keys = open_keys(request, store.offers.matches_about(db, request.id)) if notes else {}
    try:
        return [_note(note, keys[note.match_id], request.supportee_id) for note in notes if note.match_id in keys]
    except DecryptionError:
        return []


def _note(note: Note, key: bytes, supportee_id: str) -> NoteView:
    return NoteView(
        words=vault.decrypt(key, supportee_id, vault.note_field(note.id), note.encrypted),
        at=note.at,
        practitioner_id=note.practitioner_id,
        coordinator_id=note.coordinator_id,
        shared_at=note.shared_at,
    )


def _matched(offer: Offer, request: Request | None, match: Match | None, times: Mapping[str, Meetings]) -> MatchedView:
    words = fields_of(request, match, ("name",)) if request else {}
    since = match.made_at if match else offer.made_at
    return MatchedView(
        offer_id=offer.id,
        name=words.get("name", ""),
        since=since,
        undo_until=offer.undo_until,
        on_hold=bool(match and match.on_hold),
        meetings=times.get(match.id) if match else None,
    )


def _practitioners(ids: Iterable[str], db: Db) -> dict[str, str]:
    return {one.id: name_of(one) for one in store.practitioners.find_many(db, ids).values()}


def _coordinators(ids: Iterable[str], db: Db) -> dict[str, str]:
    return {one.id: coordinator_name(one) for one in store.coordinators.find_many(db, ids)}
