"""Who is here: a list of people, not of products."""

from urllib.parse import urlencode

from flask import Blueprint, Response, abort, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from services.intake import labels, rules, store
from services.intake.handlers import service
from services.intake.rules import Wish
from services.intake.web.here import everyone_today, page

people = Blueprint("people", __name__)


class WishForm(Schema):
    class Meta:
        unknown = EXCLUDE

    meeting_types = fields.List(fields.String(validate=validate.OneOf(labels.MEETING_TYPES)), load_default=[])
    languages = fields.List(fields.String(validate=validate.Length(max=8)), load_default=[])
    when = fields.List(fields.String(validate=validate.OneOf(labels.WHEN)), load_default=[])
    help = fields.List(fields.String(validate=validate.OneOf(labels.HELP)), load_default=[])
    text = fields.String(validate=validate.Length(max=100), load_default="")


@people.get("/people")
def show_people() -> Response:
    everybody, wish = everyone_today(), _wish()
    found = rules.matching_wish(everybody, wish)
    return page(
        "people.html", everybody=everybody, found=found, wish=wish, query=_query(wish),
        open_now=sum(entry.state == "open" for entry in found), instead={} if found else rules.without_one(everybody, wish),
        spoken_here=sorted({language for entry in everybody for language in entry.languages}),
    )  # fmt: skip


@people.get("/people/<slug>")
def show_profile(slug: str) -> Response:
    entry = store.entry_by_slug(service.db, service.vault, slug)
    if entry is None:
        abort(404)
    if not rules.may_be_chosen(entry):
        return page("no_longer_here.html", status=410, entry=entry)
    return page("profile.html", entry=entry, query=_query(_wish()))


def _wish() -> Wish:
    sent = {name: request.args.getlist(name) for name in ("meeting_types", "languages", "when", "help") if name in request.args}
    try:
        wish = WishForm().load({**sent, "text": request.args.get("text", "")})
    except ValidationError:
        return Wish()
    groups = {name: tuple(wish[name]) for name in ("meeting_types", "languages", "when", "help")}
    return Wish(text=wish["text"], **groups)


def _query(wish: Wish) -> str:
    """The same wish again, for links that lead back to it."""
    pairs = [(name, value) for name in ("meeting_types", "languages", "when", "help") for value in getattr(wish, name)]
    return urlencode(pairs + ([("text", wish.text)] if wish.text else []))
