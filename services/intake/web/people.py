"""Who is here: a list of people, not of products."""

from urllib.parse import urlencode

from flask import Blueprint, Response, abort, request
from marshmallow import EXCLUDE, fields, validate

from services.intake import labels, rules, store
from services.intake.handlers import service
from services.intake.rules import Wish
from services.intake.web.helpers import listing
from shared.clock import now
from shared.web.forms import Form, read
from shared.web.locale import language
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
    here, wish = listing(), _wish()
    found = rules.matching_wish(here.in_daily_order(now().date(), language()), wish)
    page = rules.page_of(found, _page())
    return render(
        "people.html",
        page=page,
        asked=_asked(wish, page.number),
        previous=_asked(wish, page.number - 1),
        following=_asked(wish, page.number + 1),
        found=len(found),
        anybody=bool(here.everybody),
        wish=wish,
        narrowed=wish != Wish(),
        open_now=sum(entry.state == "open" for entry in found),
        instead={} if found else rules.counts_without_each_filter(here.everybody, wish),
        languages_here=here.languages,
        by_language=bool(found) and rules.speaks(found[0], language()) and not rules.speaks(found[-1], language()),
    )


@people.get("/people/<slug>")
def show_profile(slug: str) -> Response:
    entry = store.entry_by_slug(service.db, service.vault, slug)
    if entry is None:
        abort(404)
    if not rules.may_be_chosen(entry):
        return render("no_longer_here.html", status=410, entry=entry)
    return render("profile.html", entry=entry, asked=_asked(_wish(), _page()))


def _wish() -> Wish:
    """What the address asks for; everybody, when it cannot be read."""
    wish, errors = read(WishForm(), request.args)
    if errors:
        return Wish()
    return Wish(text=wish["text"], **{name: tuple(wish[name]) for name in GROUPS})


def _page() -> int:
    return request.args.get("page", 1, int)


def _asked(wish: Wish, page: int) -> str:
    """What an address ends with that leads to this page of what the wish finds."""
    asked = _pairs(wish) + ([("page", page)] if page > 1 else [])
    return f"?{urlencode(asked)}" if asked else ""


def _pairs(wish: Wish) -> list[tuple[str, str | int]]:
    pairs: list[tuple[str, str | int]] = [(name, value) for name in GROUPS for value in getattr(wish, name)]
    return pairs + ([("text", wish.text)] if wish.text else [])
