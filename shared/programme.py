"""What a collective says of itself: names, promises, deadlines. One TOML file, read once, checked at start."""

import dataclasses
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers

from shared import labels, retention
from shared.messages import InvalidMessage, load
from shared.places import is_link
from shared.settings import is_loopback
from shared.welcome import Join, WelcomeStep, wrong_steps

PLACEHOLDER_MARKS = ("PLACEHOLDER", "TEXTO PROVISIONAL")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A phone or text line for very hard moments, with what it does about tracing calls and about the police."""

    name: str
    how: str
    hours: str
    tracing: str
    checked_on: str


@dataclass(frozen=True, kw_only=True)
class Commitments:
    """What the collective holds to, and what those who meet ask of each other."""

    we_hold_to: tuple[str, ...] = ()
    of_each_other: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the collective says in one language. `promise` is theirs to write: until `promise_is_ours`, no public start."""

    tagline: str
    promise: tuple[str, ...]
    limits: tuple[str, ...]
    lines: tuple[Line, ...] = ()
    commitments: Commitments = Commitments()
    calendar_title: str = ""  # of dates in people's own calendars; empty: words that say nothing of what it is
    kept_by_law: tuple[str, ...] = ()  # what a law makes the collective keep of somebody who left, and until when


@dataclass(frozen=True, kw_only=True)
class Floods:
    """From when on a request waits until a coordinator has looked at it. Numbers of requests within `hours`: from one place (an
    IPv4 address, a /64 network of IPv6), to one practitioner, for one e-mail address or phone number. `seconds_to_type`: from
    the first answer to Send. 0: no limit."""

    hours: int = 6
    from_one_place: int = 5
    to_one_practitioner: int = 8
    for_one_address: int = 2
    seconds_to_type: int = 10


TWO_SAY_YES = (
    WelcomeStep(
        key="two_say_yes",
        who_says_yes="two_coordinators",
        words={"en": "Two coordinators say yes", "es": "Dos personas de la coordinación dicen que sí"},
    ),
)
"""Where the programme names no steps."""


@dataclass(frozen=True, kw_only=True)
class Programme:
    name: str
    sender_name: str  # of e-mails
    write_to: str  # a mailbox that a person reads
    languages: tuple[str, ...]  # the first is the collective's own
    time_zone: str
    answer_days: int = 5  # an offer stays open
    text_countries: tuple[str, ...] = ()  # whose numbers are texted, as ISO codes; none: all
    backup_days: int = 14  # a backup is kept; 0: there are none
    floods: Floods = Floods()
    promise_is_ours: bool = False
    promise_date: str  # when the promise was last changed
    words: dict[str, Words]
    rooms_at: str = ""  # where video rooms are made, by a name that nobody can guess; empty: practitioners bring their own
    doings: dict[str, dict[str, str]] = field(default_factory=dict)  # what two people can do together: code -> language -> words
    agreement: dict[str, dict[str, str]] = field(default_factory=dict)  # other words for headings: code -> language -> words
    plan: dict[str, dict[str, str]] = field(default_factory=dict)  # the same for plans for hard days
    lived: dict[str, dict[str, str]] = field(default_factory=dict)  # what practitioners may say that they have lived: as doings
    look_back: dict[str, dict[str, str]] = field(default_factory=dict)  # the same for two questions after some meetings
    join: Join = field(default_factory=Join)
    welcome: tuple[WelcomeStep, ...] = TWO_SAY_YES
    retention: dict[str, float] = field(default_factory=dict)  # days, where they are fewer than in retention.py

    def words_in(self, language: str) -> Words:
        return self.words.get(language, self.words[self.languages[0]])

    def days_kept(self, name: str) -> float:
        days = self.retention.get(name, retention.DAYS[name])
        return int(days) if days == int(days) else days

    @property
    def listed(self) -> dict[str, tuple[str, ...]]:
        """The codes of its lists."""
        return {"doings": tuple(self.doings), "lived": tuple(self.lived)}

    def lived_in(self, code: str, language: str) -> str:
        """As `doing_in`."""
        return self.lived.get(code, {}).get(language, "")

    def doing_in(self, code: str, language: str) -> str:
        """Empty when this programme does not know it any more."""
        words = self.doings.get(code, {})
        return words.get(language, "")

    @property
    def draft_days(self) -> float:
        """What was not sent is kept."""
        return self.days_kept("draft")


@cache
def read_programme(path: Path) -> Programme:
    """Raises SystemExit, naming the field, when the file is missing or wrong."""
    try:
        written = tomllib.loads(path.read_text())
        for wrong in retention.wrong_settings(written.get("retention", {})):
            raise SystemExit(f"PROGRAMME_FILE {path.name}: {wrong}")
        programme = load(Programme, written)
        ZoneInfo(programme.time_zone)
        opens_on(programme)
    except (OSError, tomllib.TOMLDecodeError, InvalidMessage, KeyError, ValueError) as error:
        raise SystemExit(f"PROGRAMME_FILE {path.name}: {error}") from None
    if not 0 < programme.floods.hours <= 24:
        raise SystemExit(f"PROGRAMME_FILE {path.name}: floods.hours has to be from 1 to 24: places are known for a day at most")
    unknown = set(programme.text_countries) - phonenumbers.SUPPORTED_REGIONS
    if unknown:
        raise SystemExit(
            f"PROGRAMME_FILE {path.name}: text_countries has {', '.join(sorted(unknown))}, which is no country's code"
        )
    missing = [language for language in programme.languages if language not in programme.words]
    if missing or not programme.languages:
        raise SystemExit(f"PROGRAMME_FILE {path.name}: words are missing for {', '.join(missing) or 'every language'}")
    for wrong in wrong_steps(programme.welcome, programme.languages):
        raise SystemExit(f"PROGRAMME_FILE {path.name}: {wrong}")
    if programme.rooms_at and not is_link(programme.rooms_at):
        raise SystemExit(f"PROGRAMME_FILE {path.name}: rooms_at has to be an address that begins with https://")
    _check_lists(programme, path.name)
    _check_headings(programme, path.name)
    return programme


def _check_lists(programme: Programme, file: str) -> None:
    for name, listed in (("doings", programme.doings), ("lived", programme.lived)):
        unnamed = [code for code, words in listed.items() if not set(programme.languages) <= {*words}]
        if unnamed:
            raise SystemExit(f"PROGRAMME_FILE {file}: words are missing for the {name} {', '.join(unnamed)}")
        odd = [code for code in listed if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", code)]
        if odd:
            raise SystemExit(f"PROGRAMME_FILE {file}: a code of {name} has letters, digits, - and _ alone: {', '.join(odd)}")


def _check_headings(programme: Programme, file: str) -> None:
    languages = {*programme.languages}
    for table, headings, known in (
        ("agreement", programme.agreement, labels.AGREEMENT),
        ("plan", programme.plan, labels.PLAN),
        ("look_back", programme.look_back, labels.LOOK_BACK),
    ):
        for code, words in headings.items():
            if code not in known or not languages <= {*words}:
                raise SystemExit(
                    f"PROGRAMME_FILE {file}: {table}.{code}: one of {', '.join(known)}, with words in every language"
                )


def opens_on(programme: Programme) -> date | None:
    """Until when nobody can apply to be a practitioner. Raises ValueError when that is no day."""
    return date.fromisoformat(programme.join.opens_on) if programme.join.opens_on else None


def placeholders(programme: Programme) -> list[tuple[str, str]]:
    """(where it stands, as the file calls it; the text) of every line that the collective has still to write."""
    lines = _lines(dataclasses.asdict(programme))
    return [(where, text) for where, text in lines if any(mark in text for mark in PLACEHOLDER_MARKS)]


def _lines(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for name, inside in value.items():
            yield from _lines(inside, f"{where}.{name}" if where else str(name))
    elif isinstance(value, (list, tuple)):
        for number, inside in enumerate(value, 1):
            yield from _lines(inside, f"{where}, line {number}")


def reason_not_to_serve(programme: Programme, public_url: str) -> str | None:
    """Why this programme may not be shown at this address yet, or None. A promise that nobody wrote must not be given."""
    if is_loopback(public_url):
        return None
    unwritten = [where for where, _ in placeholders(programme)]
    if unwritten:
        return f"PROGRAMME_FILE: still a placeholder, write your own: {'; '.join(unwritten)}"
    if programme.promise_is_ours:
        return None
    return "PROGRAMME_FILE: read the promise about police and its limits again; when it is yours, promise_is_ours = true"
