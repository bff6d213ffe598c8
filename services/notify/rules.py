"""Pure decisions: which channels a template takes, when something is sent, what a text means. No clock, no Mongo, no I/O."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts import Answer, Channel, Next

LONGEST_DELIVERY = timedelta(hours=72)
INTERRUPTIONS_ALLOWED = {"email": 3, "text": 1}


@dataclass(frozen=True)
class NotificationTemplate:
    """What is special about a template.

    `useful_for`: later than that it helps nobody and is not sent. `reply`: answers a text that its receiver has just sent, so it
    goes at once, whatever the hour. `escalate`: when it reaches nobody, a coordinator should know.
    """

    channels: tuple[Channel, ...] = ("email", "text")
    useful_for: timedelta = LONGEST_DELIVERY
    reply: bool = False
    escalate: bool = True


REPLY = NotificationTemplate(channels=("text",), useful_for=timedelta(hours=1), reply=True, escalate=False)
TEMPLATES: dict[str, NotificationTemplate] = {
    "offer": NotificationTemplate(),
    "reminder": NotificationTemplate(escalate=False),
    "offer_gone": NotificationTemplate(escalate=False),
    "request_received": NotificationTemplate(),
    "said_yes": NotificationTemplate(),
    "not_this_time": NotificationTemplate(),
    "suggestions_ready": NotificationTemplate(),
    "waiting": NotificationTemplate(),
    "asked_after_waiting": NotificationTemplate(),
    "someone_will_write": NotificationTemplate(),
    "reach_out": NotificationTemplate(escalate=False),
    "note": NotificationTemplate(),
    "note_for_you": NotificationTemplate(escalate=False),
    "sign_in": NotificationTemplate(useful_for=timedelta(minutes=30), escalate=False),
    "answer_noted": REPLY,
    "answer_already_yes": REPLY,
    "answer_already_not_this_time": REPLY,
    "answer_too_late": REPLY,
    "not_understood": REPLY,
    "texts_stopped": REPLY,
    "texts_started": REPLY,
    "help": REPLY,
}
UNKNOWN_TEMPLATE = NotificationTemplate(channels=())


def get_template(name: str) -> NotificationTemplate:
    """A notification may outlive a release that knows its template: an unknown one has no channel, and a coordinator hears."""
    return TEMPLATES.get(name, UNKNOWN_TEMPLATE)


def notification_id(cause: str, template: str, person_id: str, channel: Channel) -> str:
    """The same cause told to the same person by the same channel is one notification, however often its event comes."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{cause}/{template}/{person_id}/{channel}"))


def expires_at(name: str, created_at: datetime, answer_by: datetime | None) -> datetime:
    end = created_at + get_template(name).useful_for
    return min(end, answer_by) if answer_by and name in ("offer", "reminder") else end


def after_quiet_hours(moment: datetime, zone: str, quiet_from: int, quiet_until: int) -> datetime:
    """`moment`, or the end of the quiet hours that it falls in. Equal hours mean: none are quiet."""
    local = moment.astimezone(ZoneInfo(zone))
    if not _is_quiet(local.hour, quiet_from, quiet_until):
        return moment
    end = datetime.combine(local.date(), time(quiet_until % 24), ZoneInfo(zone))
    if end <= local:
        end = datetime.combine(local.date() + timedelta(days=1), time(quiet_until % 24), ZoneInfo(zone))
    return end.astimezone(moment.tzinfo)


def _is_quiet(hour: int, quiet_from: int, quiet_until: int) -> bool:
    if quiet_from <= quiet_until:
        return quiet_from <= hour < quiet_until
    return hour >= quiet_from or hour < quiet_until


def may_repeat(channel: Channel, name: str, interruptions: int) -> bool:
    """Whether to send again what may have arrived. An e-mail carries the same Message-ID, so a second one is harmless; a text is
    repeated once, a reply to a text not at all."""
    return interruptions <= (0 if get_template(name).reply else INTERRUPTIONS_ALLOWED[channel])


def update_name(name: str, detail: Next | Literal["place", "choice"] | None = None) -> str:
    return f"{name}/{detail}" if detail else name


def is_implied(last_update: str, update: str) -> bool:
    """What the last update has told a supportee of the next step need not be told again by the next event."""
    return (last_update, update) in {
        ("not_this_time/wait", "waiting/place"),
        ("not_this_time/ask_me", "waiting/choice"),
        ("not_this_time/person", "someone_will_write"),
        ("not_this_time/suggest", "suggestions_ready"),
    }


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
