"""What several pages of matching use."""

from collections.abc import Mapping, Sequence
from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from flask import Flask, request
from flask_babel import gettext

from services.matching import labels
from services.matching.domain import Request
from services.matching.handlers import service
from shared.contracts import TeamRole
from shared.messages import Event
from shared.service import Handler, M
from shared.web import meetings
from shared.web.locale import language
from shared.web.views import form_key


def add_to(app: Flask) -> None:
    app.context_processor(lambda: {"labels": labels, "flash_message": _flash_message()})
    meetings.add_to(app)
    app.add_template_filter(in_words)
    app.add_template_filter(known_as)
    app.add_template_filter(how_it_stands)
    app.add_template_global(day_names)
    app.add_template_global(zones)


def run(handler: Handler[M], command: M, role: TeamRole, person_id: str) -> list[Event]:
    """Run the command of the form that was sent. The same person sending the same form of the same page again changes nothing."""
    return service.run(handler, command, idempotency_key=form_key(f"{role}/{person_id}"))


def place_in_list() -> dict[str, str]:
    """Where in a long list this page begins or ends: the id of the item before it or after it, as the address says."""
    return {name: request.args[name] for name in ("after", "before") if name in request.args}


def in_words(codes: Sequence[str], called: Mapping[str, str]) -> str:
    return ", ".join(gettext(called[code]) for code in codes if code in called)


def known_as(practitioner_id: str, names: Mapping[str, str]) -> str:
    return names.get(practitioner_id) or gettext("somebody who is not here")


def how_it_stands(support_request: Request) -> str:
    ended = labels.ENDED_BY_A_COORDINATOR if support_request.ended_by_coordinator else ""
    return str(gettext(ended or labels.REQUEST_STATES[support_request.state]))


def day_names() -> list[str]:
    names = Locale(language()).days["stand-alone"]["wide"]
    return [str(names[day]).capitalize() for day in range(7)]


@cache
def zones() -> list[tuple[str, str]]:
    """(zone, place) to choose from."""
    known = sorted(
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right", "SystemV"))
    )
    return [(zone, zone.replace("_", " ")) for zone in known]


def _flash_message() -> str:
    """The sentence for what was just done, by a code in the address: never a value."""
    message = labels.FLASH_MESSAGES.get(request.args.get("done", ""))
    return gettext(message) if message else ""
