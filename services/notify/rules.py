"""Pure decisions: what a supportee need not be told again, and what a text that came in means. No clock, no Mongo, no I/O."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.notify.domain import Contact, is_quiet
from shared.contracts import Answer, Next, Reminder, Series
from shared.meetings import MeetingDate, next_dates


def update_name(name: str, detail: Next | Literal["place", "choice", "person", "until_a_person_writes"] | None = None) -> str:
    return f"{name}/{detail}" if detail else name


def is_implied(last_update: str, update: str) -> bool:
    """What the last update has told a supportee of the next step need not be told again by the next event."""
    return (last_update, update) in {
        ("not_this_time/wait", "waiting/place"),
        ("not_this_time/ask_me", "waiting/choice"),
        ("not_this_time/person", "someone_will_write"),
        ("not_this_time/suggest", "suggestions_ready"),
        ("request_received/person", "someone_will_write"),
        ("request_received/person", "suggestions_ready/until_a_person_writes"),
        ("someone_will_write", "suggestions_ready/until_a_person_writes"),
    }


def hear_by(moment: datetime, answer_days: int) -> datetime:
    """For whoever wrote before their request said it."""
    return moment + timedelta(days=answer_days + 1)


# Reminders of meetings

MOST_DATES = 12
BEFORE = {"day": timedelta(days=1), "hour": timedelta(hours=1)}


@dataclass(frozen=True, kw_only=True)
class DueReminder:
    """Of the meeting that is or was to be `on` that date."""

    before: Reminder
    on: str
    starts_at: datetime
    due_at: datetime


def before_quiet_hours(moment: datetime, zone: str, quiet_from: int, quiet_until: int) -> datetime:
    """`moment`, or the last quarter of an hour before the quiet hours that it falls in."""
    for quarters in range(24 * 4):
        earlier = moment - timedelta(minutes=15 * quarters)
        if not is_quiet(earlier.astimezone(ZoneInfo(zone)).hour, quiet_from, quiet_until):
            return earlier
    return moment


def reminders_of(series: Series, before: tuple[Reminder, ...], contact: Contact, since: datetime) -> list[DueReminder]:
    """Of the next dates that begin after `since`, the soonest first."""
    dates = [one for one in next_dates(series, since, MOST_DATES) if one.state != "skipped" and one.starts_at > since]
    found = [_reminder(one, each, contact) for one in dates for each in before]
    return sorted(found, key=lambda one: one.due_at)


def _reminder(one: MeetingDate, before: Reminder, contact: Contact) -> DueReminder:
    """A day before at the same hour on the receiver's clock, or an hour before; earlier where that is in their quiet hours."""
    local = one.starts_at.astimezone(ZoneInfo(contact.time_zone))
    wanted = (local - BEFORE["day"]).astimezone(UTC) if before == "day" else one.starts_at - BEFORE["hour"]
    due_at = before_quiet_hours(wanted, contact.time_zone, contact.quiet_from, contact.quiet_until)
    return DueReminder(before=before, on=one.on, starts_at=one.starts_at, due_at=due_at)


def due_reminders(found: list[DueReminder], since: datetime, moment: datetime) -> list[DueReminder]:
    """What became due since then and whose meeting has not begun: of one meeting the newest alone."""
    newest = {one.on: one for one in found if since < one.due_at <= moment < one.starts_at}
    return list(newest.values())


# Incoming texts

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "CANCEL", "ALTO", "PARAR", "BAJA", "CANCELAR"}
START = {"START", "UNSTOP", "EMPEZAR"}
HELP = {"HELP", "INFO", "AYUDA"}
ANSWERS: dict[str, Answer] = {
    "1": "yes", "YES": "yes", "SI": "yes", "SÍ": "yes", "2": "not_this_time", "NO": "not_this_time",
}  # fmt: skip
# The words after the figure are those of our own text, which people copy; anything else is not guessed at.
CODE_AND_ANSWER = re.compile(
    r"([A-Z0-9]{2,6})[\s.,:;=-]+(?:(1|YES|SI|SÍ)(?:\W+(?:YES|ACEPTO|SI|SÍ))?|(2|NO)(?:\W+(?:NOT THIS TIME|ESTA VEZ NO|NO))?)"
)


@dataclass(frozen=True)
class SmsCommand:
    """What a text means. `code` and `answer` belong to "answer"."""

    word: Literal["stop", "start", "help", "answer", "other"]
    code: str = ""
    answer: Answer = "not_this_time"


def parse_sms(text: str) -> SmsCommand:
    plain = text.strip().strip(".!¡\"' ").upper()
    if plain in STOP:
        return SmsCommand("stop")
    if plain in START:
        return SmsCommand("start")
    if plain in HELP:
        return SmsCommand("help")
    found = CODE_AND_ANSWER.fullmatch(plain)
    return SmsCommand("answer", found[1], ANSWERS[found[2] or found[3]]) if found else SmsCommand("other")


def e164(number: str) -> str:
    """One form for one number: gateways write +1555, 1555 and 001555."""
    digits = "".join(c for c in number if c.isdigit())
    return "+" + digits.removeprefix("00")
