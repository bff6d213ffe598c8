"""Who is here: a list of people, not of products."""

from urllib.parse import urlencode

from flask import Blueprint, Response, abort, request
from marshmallow import EXCLUDE, fields, validate

from services.intake import labels, rules, store
from services.intake.handlers import service
from services.intake.rules import Wish
from services.intake.web.helpers import directory_of_the_day
from shared.web.forms import Form, read
from shared.web.views import render

people = Blueprint("people", __name__)
GROUPS = ("meeting_types", "languages", "when", "help")


class WishForm(Form):
    class Meta:
        unknown = EXCLUDE

    meeting_types = fields.List(fields.String(validate=validate.OneOf(labels.MEETING_TYPES)), load_default=[])
    languages = fields.List(fields.String(validate=validate.Length(max=8)), load_default=[])
    when = fields.List(fields.String(validate=validate.OneOf(labels.WHEN)), load_default=[])
    help = fields.List(fields.String(validate=validate.OneOf(labels.HELP)), load_default=[])
    text = fields.String(validate=validate.Length(max=100), load_default="")


@people.get("/people")
def show_people() -> Response:
    everybody, wish = directory_of_the_day(), _wish()
    found = rules.matching_wish(everybody, wish)
    return render(
        "people.html",
        everybody=everybody,
        found=found,
        wish=wish,
        query=_query(wish),
        open_now=sum(entry.state == "open" for entry in found),
        instead={} if found else rules.counts_without_each_filter(everybody, wish),
        languages_here=sorted({language for entry in everybody for language in entry.languages}),
    )


@people.get("/people/<slug>")
def show_profile(slug: str) -> Response:
    entry = store.entry_by_slug(service.db, service.vault, slug)
    if entry is None:
        abort(404)
    if not rules.may_be_chosen(entry):
        return render("no_longer_here.html", status=410, entry=entry)
    return render("profile.html", entry=entry, query=_query(_wish()))


def _wish() -> Wish:
    """What the address asks for; everybody, when it cannot be read."""
    wish, errors = read(WishForm(), request.args)
    if errors:
        return Wish()
    return Wish(text=wish["text"], **{name: tuple(wish[name]) for name in GROUPS})


def _query(wish: Wish) -> str:
    """The same wish again, for links that lead back to it."""
    pairs = [(name, value) for name in GROUPS for value in getattr(wish, name)]
    return urlencode(pairs + ([("text", wish.text)] if wish.text else []))
