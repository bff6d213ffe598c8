"""Who is here: a list of people, not of products."""

from urllib.parse import urlencode

from flask import Blueprint, Response, abort, request
from marshmallow import EXCLUDE, fields, validate

from services.intake import filters, forms, labels, rules, store
from services.intake.filters import Wish
from services.intake.handlers import service
from services.intake.web.helpers import current_draft, listing
from shared.clock import now
from shared.people import zones, zones_by_region
from shared.web.forms import Form, read
from shared.web.locale import language
from shared.web.views import render

people = Blueprint("people", __name__)
GROUPS = ("meeting_types", "languages", "when", "lived", "doings", "help")


class WishForm(Form):
    class Meta:
        unknown = EXCLUDE

    meeting_types = fields.List(fields.String(validate=validate.OneOf(labels.MEETING_TYPES)), load_default=[])
    languages = fields.List(fields.String(validate=validate.Length(max=8)), load_default=[])
    when = fields.List(fields.String(validate=validate.OneOf(labels.PARTS)), load_default=[])
    lived = fields.List(fields.String(validate=validate.Length(max=40)), load_default=[])
    doings = fields.List(fields.String(validate=validate.Length(max=40)), load_default=[])
    help = fields.List(fields.String(validate=validate.OneOf(labels.HELP)), load_default=[])
    text = fields.String(validate=validate.Length(max=100), load_default="")
    zone = fields.String(validate=validate.OneOf(zones()), load_default="")


@people.get("/people")
def show_people() -> Response:
    here, wish, today = listing(), _wish(), now().date()
    found = filters.matching_wish(here.in_daily_order(today, language()), wish, today)
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
        narrowed=wish.narrows,
        open_now=sum(entry.state == "open" for entry in found),
        instead={} if found else filters.counts_without_each_filter(here.everybody, wish, today),
        languages_here=here.languages,
        regions=zones_by_region(),
        known_zones=zones(),
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
    """What the address asks for; everybody, when it cannot be read. Where it names no zone: the one they gave in the form, or the
    collective's."""
    wish, errors = read(WishForm(), request.args)
    if errors:
        return Wish(zone=_zone())
    return Wish(text=wish["text"], zone=wish["zone"] or _zone(), **{name: tuple(wish[name]) for name in GROUPS})


def _zone() -> str:
    draft = current_draft()
    return forms.time_zone_of(draft.typed if draft else {}, service.programme.time_zone)


def _page() -> int:
    return request.args.get("page", 1, int)


def _asked(wish: Wish, page: int) -> str:
    """What an address ends with that leads to this page of what the wish finds."""
    asked = _pairs(wish) + ([("page", page)] if page > 1 else [])
    return f"?{urlencode(asked)}" if asked else ""


def _pairs(wish: Wish) -> list[tuple[str, str | int]]:
    pairs: list[tuple[str, str | int]] = [(name, value) for name in GROUPS for value in getattr(wish, name)]
    named = {"text": wish.text, "zone": wish.zone if wish.when else ""}
    return pairs + [(name, value) for name, value in named.items() if value]
