"""Ways in without code words: by the link of an e-mail, or by a code in a text."""

from flask import Blueprint, Response, abort, request

from services.intake import forms
from services.intake.handlers import service, way_in
from services.intake.handlers.access import RequestAccess
from services.intake.handlers.lost_words import StopCodeWords, stop_code_words
from services.intake.handlers.supportee import record_sign_of_life
from services.intake.handlers.way_in import (
    PressLink,
    SendCode,
    SendLink,
    TypeCode,
    ask_for_code,
    count_try,
    press_link,
    send_code,
    send_link,
    use_up_code,
)
from services.intake.web.helpers import start_supportee_session, supportee_session
from services.intake.web.status import current_request
from shared.tokens import new_token
from shared.web import cookies, sessions
from shared.web.limits import limit_failures, limiter
from shared.web.views import redirect_after_post, render, run_form

ways_in = Blueprint("ways_in", __name__)
WRONG_GUESSES = "60 per 10 minutes"
DEVICE, DEVICE_SECONDS = "device", 24 * 3600


@ways_in.post("/s/link")
@limiter.limit("10 per 10 minutes")  # each may send a message
def ask_for_way_in() -> Response:
    """The same page and the same work, whether somebody here has that address or not."""
    typed = request.form.get("address", "")
    email = forms.email_or_nothing(typed)
    phone = "" if email else forms.phone_or_nothing(typed, service.programme.time_zone)
    if phone:
        begun = ask_for_code()
        run_form(service, send_code, SendCode(phone, begun))
        return sessions.set_cookie(redirect_after_post("/s/code"), begun)
    if not email:
        return render("status/find.html", {"address": forms.ADDRESS}, typed="", address=typed)
    run_form(service, send_link, SendLink(email))
    return redirect_after_post("/s/link-sent")


@ways_in.get("/s/link-sent")
def show_link_sent() -> Response:
    return render("status/link_sent.html")


@ways_in.get("/s/code")
def show_code() -> Response:
    """Whoever asked for none reads the same."""
    return render("status/code.html")


@ways_in.post("/s/code")
@limit_failures(WRONG_GUESSES)
def come_in_by_code() -> Response:
    typed = TypeCode(request.cookies.get(cookies.host_bound_name("texted"), ""), request.form.get("figures", ""))
    service.run(count_try, typed)
    found = way_in.by_code(typed)
    if found is None:
        return render("status/code.html", {"figures": forms.SIX_FIGURES})
    service.run(use_up_code, typed)
    service.run(record_sign_of_life, found.request_id)
    return start_supportee_session(redirect_after_post("/s"), found)


@ways_in.get("/s/in/<token>")
def show_link(token: str) -> Response:
    """The same page for every link, good or not: machines open links first, and nothing is used up by looking."""
    return render("status/in.html")


@ways_in.post("/s/in/<token>")
@limit_failures(WRONG_GUESSES)
def come_in_by_link(token: str) -> Response:
    name = cookies.host_bound_name(DEVICE)
    command = PressLink(token, request.cookies.get(name) or new_token())
    service.run(press_link, command)
    found = way_in.by_link(command)
    if found is None:
        abort(410)
    service.run(record_sign_of_life, found.request_id)
    response = start_supportee_session(redirect_after_post("/s"), found)
    cookies.set_cookie(response, name, command.device, seconds=DEVICE_SECONDS)
    return response


@ways_in.post("/s/words-lost")
@limiter.limit("60 per 10 minutes")
def stop_lost_words() -> Response:
    """For whoever came in by something else; with the words, their own copy would still be wanted."""
    (sent, key), session = current_request(), sessions.current(service.db, "supportee")
    if sent is None or session is None or key or sent.ended_at or not sent.may_come_in(by_words_or_link=False):
        return redirect_after_post("/s")
    begun = supportee_session(RequestAccess(session.person_id, session.subject_id, None, session.note_keys))
    service.run(stop_code_words, StopCodeWords(sent.id, begun))
    return sessions.set_cookie(redirect_after_post("/s"), begun)
