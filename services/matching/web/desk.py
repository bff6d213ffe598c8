"""/c: what needs a coordinator and why, by the time it is due; and every request by its state. What somebody wrote is shown only
after an opening that is in the audit."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from services.matching import forms, labels
from services.matching.domain import RequestState
from services.matching.handlers import coordinator as actions
from services.matching.handlers import desk as desk_reading
from services.matching.handlers import reading, service, way_in
from services.matching.handlers.floods import DecideAll, DecideOne, decide_all, decide_one
from services.matching.handlers.team import ShowOnPages, show_on_pages
from services.matching.handlers.way_in import LetIn
from services.matching.web.auth import current_person, login_page, require_role
from services.matching.web.helpers import place_in_list, run
from shared.clock import now
from shared.contracts import OfferMade
from shared.programme import placeholders
from shared.service import Handler, M
from shared.tokens import new_token
from shared.web import kept
from shared.web.errors import error_page
from shared.web.forms import Errors, Form, read
from shared.web.kept import NotSent, kept_as_typed, must_reach
from shared.web.views import redirect_after_post, render

desk = Blueprint("desk", __name__)
Typed = dict[str, Any]
LISTED: tuple[RequestState, ...] = ("asking", "received", "waiting", "reaching_out", "matched", "withdrawn", "lapsed")
CHANGES = {"take": actions.take_task, "done": actions.resolve_task, "undo": actions.reopen_task}


@desk.get("/c")
def show_desk() -> Response:
    if current_person("coordinator") is None:
        return login_page("coordinator")
    you, done = current_person("coordinator"), request.args.get("task", "")
    view = desk_reading.view_desk(service.db, **place_in_list(), you=you)
    return render(
        "desk.html",
        view=view,
        place=place_in_list(),
        at=now(),
        just_done=done,
        you=you,
        unwritten=placeholders(service.programme),
    )


@desk.post("/c/shown")
def change_shown() -> Response:
    you = require_role("coordinator")
    is_shown = request.form.get("shown") == "yes"
    run(show_on_pages, ShowOnPages(coordinator_id=you, is_shown=is_shown), "coordinator", you)
    return redirect_after_post(f"/c?done={'shown' if is_shown else 'not_shown'}")


@desk.get("/c/texts")
def show_unwritten_texts() -> Response:
    require_role("coordinator")
    return render("texts.html", unwritten=placeholders(service.programme))


@desk.get("/c/requests")
def show_requests() -> Response:
    return _show_requests()


@desk.post("/c/requests/find")
def find_request() -> Response:
    you = require_role("coordinator")
    typed, errors = read(forms.FindRequestForm(), request.form)
    found = None if errors else desk_reading.find_by_number(service.db, typed["number"], you)
    return (
        redirect_after_post(f"/c/requests/{found.id}") if found else _show_requests(errors or {"number": labels.NO_SUCH_REQUEST})
    )


def _show_requests(errors: Errors | None = None) -> Response:
    state = next((known for known in LISTED if known == request.args.get("state")), LISTED[0])
    page = desk_reading.list_requests(service.db, state, **place_in_list(), you=require_role("coordinator"))
    return render("requests.html", errors, page=page, state=state, states=LISTED, typed=request.form)


@desk.post("/c/requests/<request_id>/open")
def open_request(request_id: str) -> Response:
    coordinator_id = require_role("coordinator")
    if reading.find_request(request_id, service.db, coordinator_id) is None:
        return error_page(404)
    command = actions.OpenRequest(coordinator_id=coordinator_id, request_id=request_id)
    run(actions.record_opening, command, "coordinator", coordinator_id)
    return redirect_after_post(f"/c/requests/{request_id}")


@desk.get("/c/requests/<request_id>")
def show_request(request_id: str) -> Response:
    return _show(request_id)


@desk.post("/c/requests/<request_id>/ask")
def ask_practitioner(request_id: str) -> Response:
    def command(coordinator_id: str, typed: Typed) -> actions.AskPractitioner:
        return actions.AskPractitioner(
            coordinator_id=coordinator_id, request_id=request_id, practitioner_id=typed["practitioner"]
        )

    return _act(request_id, forms.PickOneForm(), "asked", actions.ask_practitioner, command)


@desk.post("/c/requests/<request_id>/suggest")
def suggest_practitioners(request_id: str) -> Response:
    def command(coordinator_id: str, typed: Typed) -> actions.SuggestPractitioners:
        return actions.SuggestPractitioners(
            coordinator_id=coordinator_id, request_id=request_id, practitioner_ids=tuple(typed["people"])
        )

    return _act(request_id, forms.PickPeopleForm(), "suggested", actions.suggest_practitioners, command)


@desk.post("/c/requests/<request_id>/write")
def write_to_supportee(request_id: str) -> Response:
    def command(coordinator_id: str, typed: Typed) -> actions.WriteToSupportee:
        return actions.WriteToSupportee(coordinator_id=coordinator_id, request_id=request_id, words=typed["words"])

    return _act(request_id, forms.NoteForm(), "wrote", must_reach(actions.write_to_supportee), command)


@desk.post("/c/requests/<request_id>/reach-out")
def reach_out(request_id: str) -> Response:
    def command(coordinator_id: str, _: Typed) -> actions.ReachOut:
        return actions.ReachOut(coordinator_id=coordinator_id, request_id=request_id)

    return _act(request_id, Form(), "reaching", actions.reach_out, command)


@desk.post("/c/requests/<request_id>/<any(released, held_back):action>")
def release_contact(request_id: str, action: str) -> Response:
    def command(coordinator_id: str, _: Typed) -> actions.ReleaseContact:
        return actions.ReleaseContact(coordinator_id=coordinator_id, request_id=request_id, on_their_word=action == "held_back")

    return _act(request_id, Form(), action, actions.release_contact, command)


@desk.post("/c/requests/<request_id>/goes_on")
def let_go_on(request_id: str) -> Response:
    def command(coordinator_id: str, _: Typed) -> actions.GoOn:
        return actions.GoOn(coordinator_id=coordinator_id, request_id=request_id)

    return _act(request_id, Form(), "goes_on", actions.let_go_on, command)


@desk.post("/c/requests/<request_id>/<any(may_be_asked, left_out):action>")
def say_what_they_said(request_id: str, action: str) -> Response:
    """Nothing may follow at once, where the practitioner is not free or somebody else writes to them."""
    coordinator_id = require_role("coordinator")
    found = reading.find_request(request_id, service.db, coordinator_id)
    if found is None:
        return error_page(404)
    may_be_asked = action == "may_be_asked"
    command = actions.SayWhatTheySaid(coordinator_id=coordinator_id, request_id=request_id, may_be_asked=may_be_asked)
    possible = found.to_check and reading.is_opened_by(coordinator_id, request_id, service.db)
    run(actions.say_what_they_said, command, "coordinator", coordinator_id)
    return redirect_after_post(f"/c/requests/{request_id}?done={action if possible else 'not_possible'}")


@desk.get("/c/held")
def show_flood() -> Response:
    """What came with many others, or faster than a person types."""
    you = require_role("coordinator")
    view = desk_reading.view_flood(service.db, **place_in_list(), you=you)
    return render("held.html", view=view, at=now())


@desk.post("/c/held/<any(all_go_on, all_end):done>")
def decide_about_all(done: str) -> Response:
    coordinator_id = require_role("coordinator")
    typed, errors = read(forms.UntilForm(), request.form)
    if errors:
        return redirect_after_post("/c/held")
    command = DecideAll(coordinator_id=coordinator_id, goes_on=done == "all_go_on", until=typed["until"])
    run(decide_all, command, "coordinator", coordinator_id)
    return redirect_after_post(f"/c/held?done={done}")


@desk.post("/c/requests/<request_id>/<any(one_goes_on, one_ends):done>")
def decide_about_one(request_id: str, done: str) -> Response:
    coordinator_id = require_role("coordinator")
    if reading.find_request(request_id, service.db, coordinator_id) is None:
        return error_page(404)
    command = DecideOne(coordinator_id=coordinator_id, request_id=request_id, goes_on=done == "one_goes_on")
    events = run(decide_one, command, "coordinator", coordinator_id)
    place = "/c/held" if "list" in request.form else f"/c/requests/{request_id}"
    return redirect_after_post(f"{place}?done={done if events else 'not_possible'}")


@desk.post("/c/tasks/<task_id>/<any(take, done, undo):action>")
def change_task(task_id: str, action: str) -> Response:
    coordinator_id = require_role("coordinator")
    if not desk_reading.may_see_task(service.db, task_id, coordinator_id):
        return error_page(404)
    command = actions.ChangeTask(coordinator_id=coordinator_id, task_id=task_id)
    run(CHANGES[action], command, "coordinator", coordinator_id)
    done = {"done": {"take": "taken", "done": "resolved", "undo": "reopened"}[action]}
    query = urlencode({**place_in_list(), **done, **({"task": task_id} if action == "done" else {})})
    return redirect_after_post(f"/c?{query}")


def _act(request_id: str, form: Form, done: str, handler: Handler[M], command: Callable[[str, Typed], M]) -> Response:
    """The form's answers become the command for `handler`, from the coordinator who is signed in."""
    coordinator_id = require_role("coordinator")
    if reading.find_request(request_id, service.db, coordinator_id) is None:
        return error_page(404)
    typed, errors = read(form, request.form)
    if errors:
        return _show(request_id, errors)
    try:
        events = run(handler, command(coordinator_id, typed), "coordinator", coordinator_id)
    except NotSent:
        return kept_as_typed(kept.ENDED, lambda: redirect_after_post(f"/c/requests/{request_id}?done=not_possible"))
    if done == "asked" and events and not any(isinstance(event, OfferMade) for event in events):
        done = "talk_first"
    return redirect_after_post(f"/c/requests/{request_id}?done={done if events else 'not_possible'}")


@desk.post("/c/requests/<request_id>/way-in")
def let_in(request_id: str) -> Response:
    """The link is on this answer alone: it is stored nowhere."""
    coordinator_id = require_role("coordinator")
    if reading.find_request(request_id, service.db, coordinator_id) is None:
        return error_page(404)
    if not reading.is_opened_by(coordinator_id, request_id, service.db):
        return redirect_after_post(f"/c/requests/{request_id}?done=not_possible")
    command = LetIn(coordinator_id=coordinator_id, request_id=request_id, token=new_token())
    if not run(way_in.let_in, command, "coordinator", coordinator_id):
        return redirect_after_post(f"/c/requests/{request_id}?done=not_possible")
    return _show(request_id, link=f"{service.public_url}/s/in/{command.token}")


def _show(request_id: str, errors: dict[str, str] | None = None, link: str = "") -> Response:
    coordinator_id = require_role("coordinator")
    found = reading.find_request(request_id, service.db, coordinator_id)
    if found is None:
        return error_page(404)
    is_open = reading.is_opened_by(coordinator_id, request_id, service.db)
    view = reading.view_request(found, service.db, coordinator_id) if is_open else None
    return render(
        "desk_request.html",
        errors,
        support_request=found,
        view=view,
        tasks=desk_reading.tasks_about_request(service.db, request_id),
        fields=labels.REQUEST_FIELDS,
        typed=request.form,
        you=coordinator_id,
        way_in=link,
    )
