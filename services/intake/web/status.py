"""Where a request stands, for whoever has its code words or its link."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, request

from services.intake import forms, lifetimes, rules, store
from services.intake.domain import Draft, LookBack, Meetings, Note, Request
from services.intake.handlers import access, service
from services.intake.handlers.access import NoteKeys, RequestAccess
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.look_backs import view_look_back
from services.intake.handlers.meetings import place_of
from services.intake.handlers.supportee import (
    ChooseNext,
    ChoosePace,
    ShareNotes,
    WriteNote,
    allow_writing,
    allow_writing_unread,
    choose_next,
    choose_pace,
    delete_code_words,
    keep_longer,
    record_sign_of_life,
    release_notes,
    share_notes,
    write_note,
)
from services.intake.rules import Entry
from services.intake.web.helpers import entries_by_id, listing, start_draft_session, start_supportee_session
from services.intake.web.status_presenter import StatusView, present_status
from services.intake.web.words_again import send_words_again
from shared.clock import now
from shared.web import kept, sessions
from shared.web.forms import Errors, read
from shared.web.kept import NotSent, kept_as_typed, must_reach
from shared.web.limits import limit_failures, limiter
from shared.web.views import form_id, redirect_after_post, render, run_form

status = Blueprint("status", __name__)
A_MOMENT = timedelta(minutes=1)
WRONG_GUESSES = "60 per 10 minutes"


# The way in


@status.get("/s")
def show_status() -> Response:
    sent, key = current_request()
    if sent is None:
        return render("status/find.html", typed="")
    keys = current_note_keys()
    notes = access.own_notes(sent, keys)
    context: dict[str, Any] = {
        "can_read": key is not None,
        "can_write": keys.of(sent.status.match_id) is not None,
        "locked": len(notes) < len(sent.notes),
        "notes": notes,
        "reader": _note_reader(sent, notes),
        "openings": access.own_openings(sent, keys),
        "team": store.team(service.db, service.vault) if any(note.coordinator_id for note in notes) else {},
        "unread_by": sent.unread_by(now()),
        "place": _place(sent, keys),
        "agreement": store.agreement_of(service.db, sent.status.match_id) if sent.status.match_id else None,
        "look_back": view_look_back(_look_back(sent), sent.person_id, keys).stands if sent.status.state == "matched" else "",
        "earlier_agreement": any(one.ended_at and one.newest for one in store.agreements_about(service.db, sent.id)),
    }
    return status_page("status/now.html", sent, **context)


def _look_back(sent: Request) -> LookBack | None:
    return store.look_back_of(service.db, sent.status.match_id) if sent.status.match_id else None


def _place(sent: Request, keys: NoteKeys) -> str:
    found = _meeting_times(sent)
    return place_of(found, sent.person_id, keys) if found else ""


@status.get("/ask/return")
def show_return() -> Response:
    return render("ask/return.html", typed="")


@status.post("/s")
@limit_failures(WRONG_GUESSES)
def find_by_code_words() -> Response:
    return _open_by_code_words("status/find.html")


@status.post("/ask/return")
@limit_failures(WRONG_GUESSES)
def come_back_by_code_words() -> Response:
    return _open_by_code_words("ask/return.html")


def _open_by_code_words(template: str) -> Response:
    typed = request.form.get("code", "")
    found = access.by_code_words(typed)
    if found is None:
        return render(template, {"code": forms.CODE}, typed=typed)
    if isinstance(found, Draft):
        return start_draft_session(redirect_after_post("/ask/go-on"), found)
    service.run(record_sign_of_life, found.request_id)
    return start_supportee_session(redirect_after_post("/s"), found)


@status.post("/s/out")
def sign_out() -> Response:
    return sessions.end(redirect_after_post("/"), service.db, "supportee")


# What they can do there


@status.post("/s/words-kept")
def code_words_are_kept() -> Response:
    sent, session = current_request()[0], sessions.current(service.db, "supportee")
    if sent is None or session is None:
        return redirect_after_post("/s")
    service.run(delete_code_words, session.subject_id)
    if "own_device" not in request.form:
        return redirect_after_post("/s")
    found = RequestAccess(session.person_id, session.subject_id, session.key, session.note_keys)
    return start_supportee_session(sessions.end(redirect_after_post("/s"), service.db, "supportee"), found)


@status.get("/s/answers")
def show_own_answers() -> Response:
    sent, key = current_request()
    answers, _ = forms.read_all(access.own_answers(sent, key), service.programme.time_zone) if sent and key else (None, None)
    if answers is None:
        return redirect_after_post("/s")
    known = entries_by_id([*(choice.practitioner_id for choice in answers.choices), *answers.avoid])
    return render("status/answers.html", answers=answers, known=known)


@status.get("/s/write")
def show_write() -> Response:
    return _write_page("practitioner")


@status.get("/s/write/coordinators")
def show_write_to_coordinators() -> Response:
    sent, _ = current_request()
    return redirect_after_post("/s") if sent and sent.has_no_reader else _write_page("coordinators")


@status.post("/s/write")
@limiter.limit("60 per 10 minutes")
def send_note() -> Response:
    sent, keys = current_request()[0], current_note_keys()
    if sent is None or sent.ended_at or keys.of(sent.status.match_id) is None:
        return nobody_gets_it(sent)
    team = _who_may_read(sent)
    note, errors = read(forms.NoteForm(team), request.form)
    if errors:
        return _write_page("", errors)
    reader = _note_reader(sent, access.own_notes(sent, keys)) if note["to"] == "practitioner" else None
    if note["to"] == "practitioner" and reader is None:
        return _write_page("", {"to": forms.NO_LONGER_WITH})
    if note["to"] != "practitioner" and sent.has_no_reader:
        return _write_page("", {"words": forms.NOBODY_READS_IT})
    only_for = note["to"] if note["to"] in team else None
    try:
        run_form(service, must_reach(write_note), WriteNote(sent.id, keys, form_id(), note["words"], reader, only_for), sent.id)
    except NotSent:
        return nobody_gets_it(None)
    return redirect_after_post("/s")


@status.post("/s/write/any")
def let_any_coordinator_read() -> Response:
    sent, _ = current_request()
    if sent:
        run_form(service, release_notes, sent.id, sent.id)
    return redirect_after_post("/s")


@status.post("/s/share")
def let_coordinators_read() -> Response:
    sent, _ = current_request()
    reader = _note_reader(sent, access.own_notes(sent, current_note_keys())) if sent else None
    if sent and reader and sent.has_unshared_notes:
        run_form(service, share_notes, ShareNotes(sent.id, reader), sent.id)
    return redirect_after_post("/s")


def _who_may_read(sent: Request) -> dict[str, str]:
    """Id -> first name of the coordinators who may be chosen."""
    return {id: name for id, name in store.team(service.db, service.vault).items() if id not in sent.never_read_by}


def _write_page(to: str, errors: Errors | None = None) -> Response:
    """`to`: who reads it; empty: what the form says."""
    sent, keys = current_request()[0], current_note_keys()
    if sent is None or keys.of(sent.status.match_id) is None:
        return redirect_after_post("/s")
    notes = access.own_notes(sent, keys)
    reader, typed = _note_reader(sent, notes), request.form.get("words", "")
    context = {"notes": notes, "reader": reader, "typed": typed, "to": to or request.form.get("to", "")}
    team = _who_may_read(sent)
    return status_page("status/write.html", sent, errors, team=team, **context)


@status.get("/s/someone-else")
def show_someone_else() -> Response:
    return _someone_else_page()


@status.post("/s/someone-else")
def find_someone_else() -> Response:
    """Changes nothing: a name that somebody looks for does not stand in an address."""
    name = request.form.get("find", "").strip()
    return _someone_else_page({} if name else {"find": forms.NAME_TO_FIND}, name)


def _someone_else_page(errors: Errors | None = None, name: str = "") -> Response:
    sent, _ = current_request()
    if sent is None or "ask" not in sent.allowed_actions(now()):
        return redirect_after_post("/s")
    gone = rules.may_not_be_asked_again(sent.history)
    gone |= set(sent.status.practitioner_ids) if sent.status.state == "asking" else set()
    open_now = [entry for entry in listing().open_now if entry.id not in gone]
    many = len(open_now) > rules.ENTRIES_ON_A_PAGE
    found = rules.named_like(open_now, name) if name or not many else []
    context = {"anybody": bool(open_now), "many": many, "found": found, "name": name}
    return status_page("status/someone_else.html", sent, errors, **context)


@status.post("/s/next")
@limiter.limit("60 per 10 minutes")
def choose_what_happens_next() -> Response:
    sent, key = current_request()
    if sent is None:
        return redirect_after_post("/s")
    choice, errors = read(forms.NextForm(), request.form)
    if errors:
        abort(400)
    if choice["next"] == "ask" and not _may_be_asked(choice["practitioner_id"]):
        return _someone_else_page({"practitioner_id": forms.WHO})
    if choice["next"] in sent.allowed_actions(now()) and choice["version"] == sent.version:
        send_words_again(sent, key)
        service.run(choose_next, ChooseNext(sent.id, choice["version"], choice["next"], choice["practitioner_id"] or None))
    return redirect_after_post("/s")


def _may_be_asked(practitioner_id: str) -> bool:
    return any(rules.may_be_chosen(entry) for entry in entries_by_id([practitioner_id]).values())


@status.post("/s/keep")
def keep_my_request() -> Response:
    sent, _ = current_request()
    if sent and lifetimes.may_be_kept_longer(sent, now()):
        service.run(keep_longer, sent.id)
    return redirect_after_post("/s")


@status.post("/s/pace")
def choose_how_often_we_write() -> Response:
    sent, _ = current_request()
    choice, errors = read(forms.PaceForm(), request.form)
    if errors:
        abort(400)
    if sent and sent.ended_at is None:
        service.run(choose_pace, ChoosePace(sent.id, choice["pace"]))
    return redirect_after_post("/s")


@status.post("/s/may-write")
@limiter.limit("60 per 10 minutes")
def say_that_we_may_write() -> Response:
    sent, _ = current_request()
    if sent:
        service.run(allow_writing_unread if "without_reading" in request.form else allow_writing, sent.id)
    return redirect_after_post("/s")


@status.get("/s/leave")
def show_leave() -> Response:
    sent, _ = current_request()
    return render("status/leave.html") if sent and sent.ended_at is None else redirect_after_post("/s")


@status.post("/s/leave")
def leave_for_good() -> Response:
    sent, _ = current_request()
    if sent is None or sent.ended_at:
        return redirect_after_post("/s")
    service.run(withdraw_request, sent.id)
    return sessions.end(redirect_after_post("/s/left"), service.db, "supportee")


@status.get("/s/left")
def show_left() -> Response:
    return render("status/left.html")


def current_request() -> tuple[Request | None, bytes | None]:
    """Their request, and their key while it opens something: not after they left."""
    session = sessions.current(service.db, "supportee")
    sent = store.request(service.db, session.subject_id) if session else None
    if sent and request.method == "POST":
        _show_sign_of_life(sent)
    return sent, session.key if session and sent and sent.encrypted_answers else None


def _show_sign_of_life(sent: Request) -> None:
    if now() - sent.silent_since >= lifetimes.SIGN_OF_LIFE_RESOLUTION or sent.gone_silent_at:
        service.run(record_sign_of_life, sent.id)


def nobody_gets_it(sent: Request | None) -> Response:
    """`sent`: as it stands now, if it is still open in this browser."""
    return kept_as_typed(why_nobody_gets_it(sent), lambda: redirect_after_post("/s"))


def why_nobody_gets_it(sent: Request | None) -> str:
    if sent is None:
        return kept.NOT_OPEN_HERE
    if sent.ended_at or sent.status.match_id is None:
        return kept.ENDED
    if sent.status.state == "on_hold":
        return kept.OWN_PAUSE
    return kept.LOCKED if sent.encrypted_answers else kept.NOT_OPEN_HERE


def current_note_keys() -> NoteKeys:
    """What they were let in with, for their notes."""
    session = sessions.current(service.db, "supportee")
    return access.note_keys(session) if session else NoteKeys(None, {})


def status_page(template: str, sent: Request, errors: Errors | None = None, **context: Any) -> Response:
    known, times = _entries_named_in(sent), _meeting_times(sent)
    view: StatusView = present_status(sent, known, service.programme, times)
    heard = bool(times and times.heard_at and now() - times.heard_at < A_MOMENT)
    return render(template, errors, sent=sent, view=view, known=known, version=sent.version, heard=heard, **context)


def _meeting_times(sent: Request) -> Meetings | None:
    stands = sent.status
    return store.meetings_of(service.db, stands.match_id) if stands.state == "matched" and stands.match_id else None


def _entries_named_in(sent: Request) -> dict[str, Entry]:
    in_history = {practitioner_id for event in sent.history for practitioner_id in event.practitioner_ids}
    chosen = {sent.choice.practitioner_id} if sent.choice and sent.choice.practitioner_id else set()
    return entries_by_id(in_history | chosen | set(sent.choices))


def _note_reader(sent: Request, notes: list[Note]) -> str | None:
    return rules.note_reader(sent.status, {note.author for note in notes})
