"""What the receivers see, and the clock. These pages exist in the demo only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from deploy.local.mail_sink import Accepted, MailSink, ReceivedEmail, newest_emails, read_email
from deploy.local.sms_gateway import Phones, Text, codes_in
from shared import clock
from shared.web.headers import CSP

pages = Blueprint("demo", __name__, template_folder="templates", static_folder="static", static_url_path="/demo/static")
GUESTS = "@journey.example", "+1500"
T = TypeVar("T", ReceivedEmail, Text)

# An e-mail's HTML brings its own styles; it may run nothing, load nothing, and is framed by the inbox alone.
SANDBOX = "allow-top-navigation-by-user-activation"
CSP_OF_AN_EMAIL = f"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox {SANDBOX}"


@dataclass(frozen=True)
class Demo:
    """`accepted` is the log that mail server and phones write. `names` are people's names by e-mail address and by number."""

    mail: MailSink
    phones: Phones
    accepted: Sequence[Accepted]
    clock_file: Path | None
    names: Mapping[str, str]


def demo() -> Demo:
    here: Demo = current_app.extensions["demo"]
    return here


@pages.get("/demo/")
def welcome() -> str:
    return render_template("demo/welcome.html")


@pages.get("/demo/inbox")
def inbox() -> str:
    people = _by_person(newest_emails(demo().mail.folder))
    return render_template("demo/inbox.html", people=people, who=_chosen(people))


@pages.get("/demo/inbox/<id>")
def show_email(id: str) -> Response:
    shown = read_email(demo().mail.folder, id) or abort(404)
    page = Response(render_template("demo/email.html", email=shown, name=_name(shown.to)))
    page.headers["Content-Security-Policy"] = f"{CSP}; frame-src 'self'"
    return page


@pages.get("/demo/inbox/<id>/html")
def email_html(id: str) -> Response:
    shown = read_email(demo().mail.folder, id) or abort(404)
    page = Response(shown.html.replace("<head>", '<head><base target="_top">', 1))
    page.headers["Content-Security-Policy"] = CSP_OF_AN_EMAIL
    return page


@pages.get("/demo/phone")
def phone() -> str:
    people = _by_person(reversed(demo().phones.texts()))
    who = _chosen(people)
    texts = list(reversed(people.get(who, [])))
    asked = next((text.words for text in reversed(texts) if text.direction == "in" and codes_in(text.words)), "")
    return render_template("demo/phone.html", people=people, who=who, texts=texts, answers=codes_in(asked))


@pages.post("/demo/phone")
def reply() -> AnyResponse:
    number, words = request.form.get("who", ""), request.form.get("answer") or request.form.get("words", "")
    if number and words.strip() and not demo().phones.reply(number, words.strip()):
        return Response(render_template("demo/not_taken.html"), 503)
    return redirect(f"/demo/phone?who={number.replace('+', '%2B')}", 303)


@pages.get("/demo/clock")
def the_clock() -> str:
    return render_template("demo/clock.html", now=clock.now(), moved=_moved_days(), can_move=demo().clock_file is not None)


@pages.post("/demo/clock")
def move_the_clock() -> AnyResponse:
    file, days = demo().clock_file, request.form.get("days", type=float)
    if file is None or days is None or not 0 < days <= 30:
        abort(400)
    beside = file.with_suffix(".new")
    beside.write_text(str((_moved_days() + days) * 86400))
    beside.replace(file)
    return redirect("/demo/clock", 303)


@pages.get("/demo/api/accepted")
def what_was_accepted() -> Response:
    """For `make journey`: who was sent what and when, and how far the clock was moved (seconds)."""
    accepted = demo().accepted
    begin = min(request.args.get("after", 0, int), len(accepted))
    rows = accepted[begin:]
    return jsonify({"next": begin + len(rows), "moved": _moved_days() * 86400, "accepted": rows})


@pages.get("/cgi-bin/sendsms")
def sendsms() -> tuple[str, int]:
    return demo().phones.accept(request.args)


@pages.app_context_processor
def _shown_as() -> dict[str, object]:
    return {"name_of": _name, "when": lambda text: datetime.fromisoformat(text.at)}


def _name(address: str) -> str:
    return demo().names.get(address.lower(), address)


def _by_person(things: Iterable[T]) -> dict[str, list[T]]:
    """The person who heard last comes first. The guests of a measurement are many and nobody, so they are left out."""
    people: dict[str, list[T]] = {}
    for thing in things:
        address = thing.to if isinstance(thing, ReceivedEmail) else thing.number
        if not (address.endswith(GUESTS[0]) or address.startswith(GUESTS[1])):
            people.setdefault(address, []).append(thing)
    return people


def _chosen(people: Mapping[str, object]) -> str:
    wished = request.args.get("who", "")
    return wished if wished in people else next(iter(people), "")


def _moved_days() -> float:
    file = demo().clock_file
    return float(file.read_text() or 0) / 86400 if file and file.exists() else 0.0
