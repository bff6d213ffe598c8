"""What matching does with events of other services: a supportee's from intake, texts and failed notifications from notify."""

from collections.abc import Collection

from services.matching import store
from services.matching.domain import Note, Offer, Request
from services.matching.handlers import answers, names
from services.matching.handlers.beginning import begin_request
from services.matching.handlers.erasure import erase_request
from services.matching.handlers.floods import end_request, hold_in_flood
from services.matching.handlers.links import issue_links
from services.matching.handlers.notes import can_be_read, current_conversation
from services.matching.handlers.offers import end_match, release_open_offer, settle_ends
from services.matching.handlers.requests import (
    find_request,
    step_after_ranking,
    step_for_choice,
    take_step,
    wait_for,
)
from services.matching.handlers.service import service
from services.matching.handlers.tasks import add_task, call_coordinators, close_flood_task, hand_to_coordinators
from services.matching.handlers.team import is_hidden_from, only_reader
from shared.clock import now
from shared.contracts import (
    ChoiceMade,
    EncryptedFields,
    NoteAnswered,
    NoteForwarded,
    NoteUnreadable,
    NotificationFailed,
    ReplyOutcome,
    ReplyProcessed,
    ReplyReceived,
    RequestExtended,
    RequestGoneSilent,
    RequestSubmitted,
    RequestWithdrawn,
    WordsErased,
)
from shared.messages import Event
from shared.mongo import Db


@service.on(RequestSubmitted, prefetch=store.keys_of_submitted)
def start_request(event: RequestSubmitted, db: Db) -> list[Event]:
    if store.requests.find(db, event.request_id):
        return []
    request = Request.submitted(event)
    request.person_index = names.person_index(event.supportee_id, event.person_index)
    if "avoid_words" in event.encrypted.fields or request.avoid:
        request.avoid_index = names.avoided_by(request)
    events = hold_in_flood(request, db) if event.held else begin_request(request, db)
    store.requests.save(db, request)
    return events


@service.on(ChoiceMade)
def apply_choice(event: ChoiceMade, db: Db) -> list[Event]:
    """On their page the supportee chose what happens next."""
    request = find_request(event.request_id, db)
    if request.is_over or request.held_until or request.flood:
        return []
    open_offer = store.offers.find_open(db, request.id)
    if event.next == "person":
        escalate = call_coordinators if open_offer else hand_to_coordinators
        events = escalate(request, "reach_out", db)
    elif event.next == "wait":
        events = [] if open_offer else take_step(request, wait_for(request, event.practitioner_id, db), db)
    elif open_offer and open_offer.practitioner_id == event.practitioner_id:
        events = []
    else:
        events = _ask_another(request, event.practitioner_id, db)
    if events:
        events += settle_ends(request, db, by="practitioner")
        store.requests.save(db, request)
    return events


@service.on(RequestWithdrawn)
def withdraw_request(event: RequestWithdrawn, db: Db) -> list[Event]:
    """All that they said goes too. When this overtakes the request itself, that is refused when it comes."""
    request = store.requests.find(db, event.request_id)
    if request is None:
        store.requests.save(db, Request.withdrawn(event.request_id, event.person_id or event.request_id, now()))
        return [WordsErased(request_id=event.request_id)]
    if request.state == "withdrawn":
        return []
    match, was_in_flood = store.offers.find_live_match(db, request.id), request.flood is not None
    events = release_open_offer(request, "withdrawn", db) + settle_ends(request, db)
    events += end_match(match, "supportee", "over", request, db) if match else []
    events += erase_request(request, db)
    store.requests.save(db, request)
    if was_in_flood:
        close_flood_task(db)
    return events


@service.on(RequestExtended)
def extend_request(event: RequestExtended, db: Db) -> list[Event]:
    request = find_request(event.request_id, db)
    request.extend(event.extended_at)
    store.requests.save(db, request)
    return []


@service.on(RequestGoneSilent)
def end_silent_request(event: RequestGoneSilent, db: Db) -> list[Event]:
    """Only here is it known for certain that nobody is asked and nobody said yes: intake may not have heard of it yet."""
    request = find_request(event.request_id, db)
    if not request.may_lapse(event.silent_since):
        return []
    was_in_flood, events = request.flood is not None, end_request(request, db)
    store.requests.save(db, request)
    if was_in_flood:
        close_flood_task(db)
    return events


@service.on(NoteAnswered)
def forward_note(event: NoteAnswered, db: Db) -> list[Event]:
    """To the practitioner they talk with, unless they chose the coordinators."""
    request = find_request(event.request_id, db)
    if not can_be_read(request, event.match_id, db) or store.notes.find(db, event.note_id):
        return []
    offer = None if event.to == "coordinators" else current_conversation(request, db)
    note = Note(
        id=event.note_id,
        request_id=request.id,
        encrypted=event.encrypted,
        at=now(),
        to_practitioner_id=offer.practitioner_id if offer else None,
        to_coordinator_id=None if offer else only_reader(event.coordinator_id, db),
        match_id=event.match_id,
    )
    store.notes.add(db, note)
    if offer:
        store.tasks.resolve(db, request.id, now(), only=["asks_first"])
        return [_forwarded(offer, note.id, db)]
    if is_hidden_from(request, note.to_coordinator_id, db):
        return [NoteUnreadable(request_id=request.id, note_id=note.id)]
    events = call_coordinators(request, "wrote", db, holder=note.to_coordinator_id)
    if events:
        store.requests.save(db, request)
    return events


@service.on(NotificationFailed)
def record_failed_notification(event: NotificationFailed, db: Db) -> list[Event]:
    """A notification to a coordinator that fails only becomes a task: to notify them of it would fail again, for ever."""
    request = store.requests.find(db, event.request_id) if event.request_id else None
    if request and (request.has_ended or request.flood):
        return []  # addresses of a flood are often nobody's, and none of it is anybody's task
    if request is None or store.coordinators.find(db, event.person_id):
        if store.tasks.find_open_about_person(db, event.person_id) is None:
            add_task("not_delivered", db, person_id=event.person_id)
        return []
    events = call_coordinators(request, "not_delivered", db, person_id=event.person_id)
    if events:
        store.requests.save(db, request)
    return events


@service.on(ReplyReceived)
def answer_by_text(event: ReplyReceived, db: Db) -> list[Event]:
    """A change of mind after a yes is not done by a text: a coordinator helps, and their page ends meetings in one step."""
    offer = store.offers.find(db, event.offer_id)
    if offer is None or offer.practitioner_id != event.practitioner_id:
        return [_processed(event, "too_late")]
    before = offer.state
    events = answers.accept(offer, db) if event.answer == "yes" else answers.decline(offer, db)
    outcome = event.answer if events else _outcome_when_unchanged(before, event)
    if outcome == "already_yes":
        events = _tell_of_change_of_mind(offer, db)
    elif outcome == "yes" and not events:
        store.tasks.resolve(db, offer.request_id, now(), only=["yes_taken_back"])
    return [*events, _processed(event, outcome, issue_links(offer, db) if outcome in WITH_LINK else None)]


def _ask_another(request: Request, practitioner_id: str | None, db: Db) -> list[Event]:
    events = release_open_offer(request, "chose_another", db)
    step = step_for_choice(request, practitioner_id, db) if practitioner_id else step_after_ranking(request, db)
    return events + take_step(request, step, db)


def _forwarded(offer: Offer, note_id: str, db: Db) -> NoteForwarded:
    return NoteForwarded(
        offer_id=offer.id, note_id=note_id, practitioner_id=offer.practitioner_id, encrypted=issue_links(offer, db)
    )


def _outcome_when_unchanged(state: str, event: ReplyReceived) -> ReplyOutcome:
    """The same answer a second time is no mistake of theirs; another one finds that the first stands."""
    if state == "accepted":
        return "yes" if event.answer == "yes" else "already_yes"
    if state == "declined":
        return "not_this_time" if event.answer == "not_this_time" else "already_not_this_time"
    return "too_late"


WITH_LINK: Collection[ReplyOutcome] = ("yes", "not_this_time", "already_yes")


def _tell_of_change_of_mind(offer: Offer, db: Db) -> list[Event]:
    request = find_request(offer.request_id, db)
    events = call_coordinators(request, "yes_taken_back", db, person_id=offer.practitioner_id)
    if events:
        store.requests.save(db, request)
    return events


def _processed(event: ReplyReceived, outcome: ReplyOutcome, links: EncryptedFields | None = None) -> ReplyProcessed:
    return ReplyProcessed(
        offer_id=event.offer_id,
        practitioner_id=event.practitioner_id,
        reply_id=event.reply_id,
        outcome=outcome,
        encrypted=links,
    )
