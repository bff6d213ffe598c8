"""Pure decisions: who is told what, by which way, and when. No clock, no Mongo, no I/O."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts import Answer, Channel, EncryptedFields, Next, Role

LETTERS_LIVE = timedelta(hours=72)
GAPS_BETWEEN_TRIES = [
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
]
LONGEST_GAP = timedelta(hours=4)


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How a person wants to be told. Their addresses stay encrypted until the moment of sending."""

    person_id: str
    role: Role
    request_id: str | None
    channels: tuple[Channel, ...]
    language: str
    time_zone: str
    quiet_from: int
    quiet_until: int
    encrypted: EncryptedFields
    phone: str | None = None  # keyed hash


@dataclass(frozen=True)
class Kind:
    """What is special about a letter. `good_for`: later than that it helps nobody and is not sent."""

    by: tuple[Channel, ...] = ("email", "text")
    good_for: timedelta = LETTERS_LIVE
    answers: bool = False  # answers a text that its receiver has just sent: goes at once, whatever the hour
    desk_hears: bool = True  # when it reaches nobody, a coordinator should know


ANSWER = Kind(by=("text",), good_for=timedelta(hours=1), answers=True, desk_hears=False)
KINDS: dict[str, Kind] = {
    "offer": Kind(),
    "nudge": Kind(desk_hears=False),
    "offer_gone": Kind(desk_hears=False),
    "request_received": Kind(),
    "said_yes": Kind(),
    "not_this_time": Kind(),
    "suggestions_ready": Kind(),
    "waiting": Kind(),
    "asked_after_waiting": Kind(),
    "someone_will_write": Kind(),
    "reach_out": Kind(desk_hears=False),
    "note": Kind(),
    "note_for_you": Kind(desk_hears=False),
    "sign_in": Kind(good_for=timedelta(minutes=30), desk_hears=False),
    "answer_noted": ANSWER,
    "answer_already_yes": ANSWER,
    "answer_already_not_this_time": ANSWER,
    "answer_too_late": ANSWER,
    "not_understood": ANSWER,
    "texts_stopped": ANSWER,
    "texts_started": ANSWER,
    "help": ANSWER,
}


def letter_id(cause: str, letter: str, person_id: str, channel: Channel) -> str:
    """The same fact told to the same person by the same way is one letter, however often the fact is heard."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{cause}/{letter}/{person_id}/{channel}"))


def ways_to_tell(contact: Contact, letter: str) -> tuple[Channel, ...]:
    """The ways this person asked for, of those that fit the letter and that we hold an address for. Often none: then silence."""
    kind = KINDS[letter]
    ways = tuple(way for way in kind.by if _has_address(contact, way) and (way in contact.channels or kind.answers))
    if letter == "sign_in":  # a link that opens someone's page travels by one way only, and never by text to a supportee
        return ways[:1] if contact.role != "supportee" else tuple(way for way in ways if way == "email")
    return ways


def _has_address(contact: Contact, way: Channel) -> bool:
    return {"email": "email", "text": "phone"}[way] in contact.encrypted.fields


def stale_at(letter: str, made_at: datetime, answer_by: datetime | None) -> datetime:
    end = made_at + KINDS[letter].good_for
    return min(end, answer_by) if answer_by and letter in ("offer", "nudge") else end


def when_awake(moment: datetime, zone: str, quiet_from: int, quiet_until: int) -> datetime:
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


def when_to_send(moment: datetime, channel: Channel, letter: str, contact: Contact) -> datetime:
    if channel == "email" or KINDS[letter].answers:
        return moment
    return when_awake(moment, contact.time_zone, contact.quiet_from, contact.quiet_until)


def next_try(made_at: datetime, tries: int, moment: datetime) -> datetime | None:
    """When a letter that could not be sent now is tried again; None when it was tried for long enough."""
    gap = GAPS_BETWEEN_TRIES[tries - 1] if 0 < tries <= len(GAPS_BETWEEN_TRIES) else LONGEST_GAP
    again = moment + gap
    return again if again < made_at + LETTERS_LIVE else None


def may_repeat(channel: Channel, letter: str, tries: int) -> bool:
    """A letter whose sender died half way may have arrived. Mail carries the same Message-ID, so a second one is harmless;
    a text is repeated once, an answer to a text not at all."""
    if channel == "email":
        return tries <= 3
    return tries <= 1 and not KINDS[letter].answers


def already_said(before: str, now: str) -> bool:
    """What a supportee's last letter has told them of what happens next need not be told again by the next fact."""
    return (before, now) in {
        ("not_this_time/wait", "waiting/place"),
        ("not_this_time/ask_me", "waiting/choice"),
        ("not_this_time/person", "someone_will_write"),
        ("not_this_time/suggest", "suggestions_ready"),
    }


def what_is_said(letter: str, detail: Next | Literal["place", "choice"] | None = None) -> str:
    return f"{letter}/{detail}" if detail else letter


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
class Said:
    """What a text means."""

    word: Literal["stop", "start", "help", "answer", "other"]
    code: str = ""
    answer: Answer = "not_this_time"


def understand(text: str) -> Said:
    plain = text.strip().strip(".!¡\"' ").upper()
    if plain in STOP:
        return Said("stop")
    if plain in START:
        return Said("start")
    if plain in HELP:
        return Said("help")
    found = CODE_AND_ANSWER.fullmatch(plain)
    return Said("answer", found[1], ANSWERS[found[2] or found[3]]) if found else Said("other")


def e164(number: str) -> str:
    """One form for one number: gateways write +1555, 1555 and 001555."""
    digits = "".join(c for c in number if c.isdigit())
    return "+" + digits.removeprefix("00")


# What became of a letter

State = Literal["waiting", "sending", "accepted", "delivered", "failed", "gave_up", "dropped"]
UNSENT: tuple[State, ...] = ("waiting", "sending")
HOPEFUL: tuple[State, ...] = ("waiting", "sending", "accepted", "delivered")


@dataclass(frozen=True)
class Outcome:
    """`away`: nobody could be reached at all, which says nothing about this letter. `later`: this letter was put off."""

    result: Literal["accepted", "later", "refused", "away"]
    reason: str = ""


def state_after_receipt(state: State, told: Literal["delivered", "failed"]) -> State:
    """Receipts come late, twice and in any order; a letter's state only moves forward."""
    if state in ("sending", "accepted", "waiting"):
        return told
    return state
