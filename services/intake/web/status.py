"""Where a request stands, for whoever has its code words or its link."""

import uuid

from flask import Blueprint, Response, abort, request
from marshmallow import ValidationError, fields, validate

from services.intake import codes, forms, rules, store
from services.intake.encryption import address_index, decrypt_draft, encrypt_note, own_answers, own_notes
from services.intake.handlers import (
    LinkAsked,
    NextChosen,
    choose_what_happens_next,
    forget_code_words,
    send_link,
    service,
    withdraw_request,
    write_back,
)
from services.intake.web.here import everyone, hold_draft, let_in, page, see, service_secret
from services.intake.web.telling import Telling, telling
from shared import vault
from shared.contracts import EncryptedFields
from shared.mongo import Doc
from shared.tokens import digest, new_token
from shared.web import sessions
from shared.web.limits import limiter
from shared.web.sessions import Session

status = Blueprint("status", __name__)


# The way in


@status.get("/s")
def show_status() -> Response:
    _, row = _here()
    if row is None:
        return page("status/find.html", typed="")
    mine, told = _readable(), _told(row)
    notes = own_notes(row, mine[0]) if mine else []
    reader = rules.who_reads_a_note(told["told"].standing, notes)
    return page("status/now.html", **told, can_read=mine is not None, notes=notes, reader=reader)


@status.get("/ask/return")
def show_return() -> Response:
    return page("ask/return.html", typed="")


@status.post("/s")
@limiter.limit("10 per 10 minutes")
def find_by_code() -> Response:
    return _in_by_code("status/find.html")


@status.post("/ask/return")
@limiter.limit("10 per 10 minutes")
def come_back_by_code() -> Response:
    return _in_by_code("ask/return.html")


def _in_by_code(again: str) -> Response:
    typed = request.form.get("code", "")
    stretched = codes.stretch(typed, service_secret())
    code = store.code(service.db, stretched.id)
    answer = _in_with(code, stretched.secret) if code else None
    return answer or page(again, {"code": forms.CODE}, typed=typed)


def _in_with(code: Doc, secret: str) -> Response | None:
    person_id = code["person_id"]
    key = vault.unwrap_under(secret, person_id, code["wrap"])
    sent = store.request_of(service.db, person_id)
    if sent:
        return let_in(see("/s"), person_id, sent["_id"], key)
    row = store.draft(service.db, person_id)
    return hold_draft(see("/ask/check"), decrypt_draft(row, key)) if row else None


@status.post("/s/link")
@limiter.limit("10 per 10 minutes")
def ask_for_link() -> Response:
    """The same page and the same work, whether somebody here has that address or not."""
    typed = request.form.get("address", "")
    email, phone = forms.clean_email(typed), forms.clean_phone(typed, service.programme.time_zone)
    if not email and not phone:
        return page("status/find.html", {"address": forms.ADDRESS}, typed="", address=typed)
    kind, address = ("email", email) if email else ("phone", phone)
    row = store.newest_request_at(service.db, kind, address_index(service.vault, kind, address))
    service.run(send_link, _a_link_for(row), once=f"link {_form_id()}")
    return see("/s/link-sent")


def _a_link_for(row: Doc | None) -> LinkAsked:
    person_id, token, key = row["person_id"] if row else str(uuid.uuid4()), new_token(), vault.new_key()
    fields = vault.encrypt_fields(key, person_id, {"link": f"{service.public_url}/s/in/{token}"})
    return LinkAsked(
        row, digest(token), EncryptedFields(person_id=person_id, wrap=service.vault.wrap(key, person_id, "notify"), fields=fields)
    )


def _form_id() -> str:
    try:
        return str(uuid.UUID(request.form.get("form_id", "")))
    except ValueError:
        abort(400)


@status.get("/s/link-sent")
def show_link_sent() -> Response:
    return page("status/link_sent.html")


@status.get("/s/in/<token>")
def show_way_in(token: str) -> Response:
    """The same page for every link, good or not: machines open links first, and nothing is used up by looking."""
    return page("status/in.html")


@status.post("/s/in/<token>")
@limiter.limit("60 per 10 minutes")
def come_in_by_link(token: str) -> Response:
    link = store.link(service.db, token)
    if link is None:
        abort(410)
    key = vault.unwrap_under(token, link["person_id"], link["wrap"]) if "wrap" in link else None
    return let_in(see("/s"), link["person_id"], link["subject_id"], key)


@status.post("/s/out")
def go_out() -> Response:
    return sessions.end(see("/"), service.db, "supportee")


# What they can do there


@status.post("/s/words-kept")
def words_are_kept() -> Response:
    held, row = _here()
    if held and row:
        service.run(forget_code_words, row["_id"])
    return see("/s")


@status.get("/s/answers")
def show_own_answers() -> Response:
    mine = _readable()
    if mine is None:
        return see("/s")
    key, row = mine
    typed = own_answers(row, key)
    answers, _ = forms.all_answers(typed, service.programme.time_zone)
    steps = forms.chosen_steps(answers)
    named = [*(step.practitioner_id for step in steps), *answers["avoid"]]
    known = store.some_entries(service.db, service.vault, named)
    return page("status/answers.html", answers=answers, steps=steps, known=known, typed=typed)


class NoteForm(forms.Question):
    csrf_token = fields.String()
    form_id = fields.UUID(required=True)
    words = forms.text(4000)


@status.get("/s/write")
def show_write() -> Response:
    return _write_page()


@status.post("/s/write")
@limiter.limit("60 per 10 minutes")
def write_a_note() -> Response:
    mine = _readable()
    if mine is None:
        return see("/s")
    key, row = mine
    try:
        said = NoteForm().load(request.form.to_dict())
    except ValidationError as error:
        if "words" not in error.messages:
            abort(400)
        return _write_page({"words": forms.TOO_LONG[4000]})
    if not said["words"].strip():
        return _write_page({"words": forms.NOTE})
    service.run(write_back, encrypt_note(row, key, said["words"].strip(), str(said["form_id"])))
    return see("/s")


def _write_page(errors: dict[str, str] | None = None) -> Response:
    mine = _readable()
    if mine is None:
        return see("/s")
    key, row = mine
    told, notes = _told(row), own_notes(row, key)
    reader = rules.who_reads_a_note(told["told"].standing, notes)
    return page("status/write.html", errors, **told, notes=notes, reader=reader, typed=request.form.get("words", ""))


class NextForm(forms.Question):
    csrf_token = fields.String()
    version = fields.Integer(required=True)
    next = fields.String(required=True, validate=validate.OneOf(["ask", "wait", "person"]))
    practitioner_id = fields.String(load_default="", validate=validate.Length(max=80))


@status.get("/s/someone-else")
def show_someone_else() -> Response:
    _, row = _here()
    if row is None or "ask" not in _standing(row).moves:
        return see("/s")
    return page("status/someone_else.html", **_told(row), open_now=_open_now())


@status.post("/s/next")
@limiter.limit("60 per 10 minutes")
def choose_next() -> Response:
    _, row = _here()
    if row is None:
        return see("/s")
    try:
        said = NextForm().load(request.form.to_dict())
    except ValidationError:
        abort(400)
    if said["next"] == "ask" and said["practitioner_id"] not in everyone():
        wrong = {"practitioner_id": forms.WHO}
        return page("status/someone_else.html", wrong, **_told(row), open_now=_open_now())
    if said["next"] in _standing(row).moves and said["version"] == rules.newest_version(row["happened"]):
        service.run(
            choose_what_happens_next, NextChosen(row["_id"], said["version"], said["next"], said["practitioner_id"] or None)
        )
    return see("/s")


@status.get("/s/leave")
def show_leave() -> Response:
    _, row = _here()
    return page("status/leave.html", **_told(row)) if row and row["withdrawn_at"] is None else see("/s")


@status.post("/s/leave")
def leave_for_good() -> Response:
    _, row = _here()
    if row:
        service.run(withdraw_request, row["_id"])
    return see("/s")


def _here() -> tuple[Session | None, Doc | None]:
    held = sessions.current(service.db, "supportee")
    return held, store.request(service.db, held.subject_id) if held else None


def _readable() -> tuple[bytes, Doc] | None:
    """Their key and their request, while they lend us the one and the other is not taken back."""
    held, row = _here()
    return (held.key, row) if held and held.key and row and "encrypted" in row else None


def _standing(row: Doc) -> rules.Standing:
    return rules.standing(row["happened"], withdrawn=row["withdrawn_at"] is not None, chosen=row["chosen"])


def _told(row: Doc) -> Doc:
    named = {who for fact in row["happened"] for who in [fact.get("practitioner_id"), *fact.get("practitioner_ids", [])] if who}
    chosen = row["chosen"] or {}
    known = store.some_entries(service.db, service.vault, [*named, *row["choices"], chosen.get("practitioner_id") or ""])
    told: Telling = telling(row, _standing(row), known, service.programme)
    return {"row": row, "told": told, "known": known, "version": rules.newest_version(row["happened"])}


def _open_now() -> list[rules.Entry]:
    return sorted((e for e in everyone().values() if e.state == "open"), key=lambda e: e.name.casefold())
