"""Pure decisions: what a supportee need not be told again, and what a text that came in means. No clock, no Mongo, no I/O."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.contracts import Answer, Next


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


def hear_by(moment: datetime, answer_days: int) -> datetime:
    """Whoever is asked has until the end of their day, wherever that is."""
    return moment + timedelta(days=answer_days + 1)


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
