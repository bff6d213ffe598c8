"""One form for each question. Sentences for people are marked here and translated where they are shown."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, get_args
from zoneinfo import available_timezones

from babel import Locale
from marshmallow import ValidationError, fields, post_load, validate, validates
from werkzeug.datastructures import MultiDict

from services.intake.domain import Answers, TypedAnswers
from services.intake.rules import MOST_CHOICES, NextStep, Pace
from shared.contracts import AgeGroup, Channel, Choice, FeedbackAbout, Help, IfNot, MeetingType, Mode, Part
from shared.i18n import LANGUAGES, _
from shared.people import parse_email, parse_phone
from shared.web.forms import NOT_ANSWERS, Errors, Form, load, phone_and_error, typed_values

WHO = _("Choose who you would like to meet")
MODE = _("Choose one of these. “I am not sure” is an answer too")
NOBODY_CHOSEN = _("Choose somebody, or go back and let us suggest someone")
NAME = _("Write a name we can call you")
REACH = _('Choose at least one way to reach you, or choose "I will check the private page"')
EMAIL = _("Check the email address. It should look like name@example.org")
BOTH = _("You chose somebody whom you would also rather not meet. Change one of the two")
NO_LONGER_HERE = _("Somebody you chose no longer offers meetings here. Take them out, or choose someone else")
NAME_TO_FIND = _("Write a name to look for")
ZONE = _("Choose a time zone from the list")
OTHER_LANGUAGE = _("Write which language you would like to speak")
TOO_LONG = {
    80: _("This is longer than 80 characters. Shorten it a little, everything is still here"),
    500: _("This is longer than 500 characters. Shorten it a little, everything is still here"),
    4000: _("This is longer than 4,000 characters. Shorten it a little, everything is still here"),
}
MOST_FOR_SOMEONE = 500
SAFELY = ("only_news", "on_their_word", "ask_words", "texts_safe")
UNKNOWN = _("We could not read this part. Choose again")
READER = _("Choose who reads it")
NO_LONGER_WITH = _("They are no longer with your request. Choose the coordinators, or go back")
THEN = _("Choose what happens then")
NOTE = _("Write your note first")
FOR_SOMEONE = _("Write a few words, or give them the address of this site and nothing else")
FEEDBACK = _("Answer one of the two questions")
SIX_FIGURES = _("This code is not right, or its ten minutes are over. You can try five times, and ask for another")
DRAWN = _("Write a little about what draws you here")
ADDRESS = _("Write the email address that you gave us, or the phone number with + and the code of its country")
NOBODY_READS_IT = _("No coordinator can read a note of yours: each of them is among the people you would rather not meet.")
CODE = _("We cannot find these words. Look at how they are written, and in which order")


def one_of(literal: Any, **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(get_args(literal), error=UNKNOWN), **more)


def many_of(literal: Any) -> fields.List[Any]:
    return fields.List(one_of(literal), load_default=[])


def short_id() -> fields.String:
    return fields.String(validate=validate.Length(max=80))


def text(longest: int, **more: Any) -> fields.String:
    return fields.String(validate=_no_longer_than(longest), load_default="", **more)


class AddressField(fields.String):
    """In the form in which addresses are compared."""

    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        try:
            return parse_email(super()._deserialize(*args, **kwargs)).lower()
        except ValueError:
            raise ValidationError(EMAIL) from None


def _no_longer_than(characters: int) -> validate.Length:
    return validate.Length(max=characters, error=TOO_LONG[characters])


class Question(Form):
    """`zone`: the person's time zone; a number without a country code is read as people there write it. `countries`: those whose
    numbers are texted; none: all are."""

    def __init__(self, zone: str = "", countries: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.zone, self.countries = zone, countries


class Who(Question):
    mode = one_of(Mode, load_default="")
    avoid = fields.List(short_id(), load_default=[])
    avoid_words = text(500)
    find = text(80)
    find_avoid = text(80)
    # One row of the page is one step: `choice` and `if_not` at the same place belong together.
    choice = fields.List(short_id(), load_default=[], validate=validate.Length(max=MOST_CHOICES, error=UNKNOWN))
    if_not = many_of(IfNot)

    @post_load
    def rank_choices(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        choices = ranked_choices(data["mode"], data.pop("choice"), data.pop("if_not"))
        if not data["mode"] or (data["mode"] == "chosen" and not choices):
            raise ValidationError(NOBODY_CHOSEN if data["mode"] else MODE, "mode")
        if {choice.practitioner_id for choice in choices} & set(data["avoid"]):
            raise ValidationError(BOTH, "avoid")
        avoid_words = _with_line(data["avoid_words"], data.pop("find_avoid"))
        del data["find"]
        return {**data, "choices": choices, "avoid_words": avoid_words}


def _with_line(text: str, line: str) -> str:
    """A name they looked for and ticked nobody for is not lost: a person reads it."""
    return text if line.strip() in text else f"{text}\n{line.strip()}".strip()


class Name(Question):
    name = fields.String(
        required=True,
        validate=[_no_longer_than(80), validate.Regexp(r"\s*\S", error=NAME)],
        error_messages={"required": NAME},
    )
    pronouns = text(80)


class WhatWouldHelp(Question):
    help = many_of(Help)
    words = text(4000)


class Reach(Question):
    reach = fields.List(fields.String(validate=validate.OneOf(["email", "text", "page"], error=UNKNOWN)), load_default=[])
    email = text(500)
    phone = text(80)
    no_name = fields.String(validate=validate.OneOf(["yes"]), load_default="")
    greet_as = text(80)
    safely = fields.List(fields.String(validate=validate.OneOf(SAFELY, error=UNKNOWN)), load_default=[])
    quiet_from = fields.Integer(load_default=21, validate=validate.Range(0, 23, error=UNKNOWN))
    quiet_until = fields.Integer(load_default=9, validate=validate.Range(0, 23, error=UNKNOWN))
    before_we_write = text(500)
    pace = one_of(Pace, load_default="two_weeks")

    @post_load
    def normalize_addresses(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """In one form; empty where they do not want to be reached."""
        email = email_or_nothing(data["email"]) if "email" in data["reach"] else ""
        phone, phone_error = self._phone_of(data)
        wrong = {} if data["reach"] else {"reach": [REACH]}
        if "email" in data["reach"] and not email:
            wrong["email"] = [EMAIL]
        if phone_error:
            wrong["phone"] = [phone_error]
        if wrong:
            raise ValidationError(wrong)
        channels = [channel for channel in get_args(Channel) if channel in data["reach"]]
        return {**data, "channels": channels, "email_address": email, "phone_number": phone}

    def _phone_of(self, data: dict[str, Any]) -> tuple[str, str]:
        """The number, and what is wrong with it; both empty where they want no texts."""
        if "text" not in data["reach"]:
            return "", ""
        return phone_and_error(data["phone"], self.zone, self.countries)


class Meeting(Question):
    meeting_types = many_of(MeetingType)
    parts = many_of(Part)
    time_zone = fields.String(load_default="", validate=validate.OneOf(["", *available_timezones()], error=ZONE))
    access = text(500)


class SpokenLanguage(Question):
    language = fields.String(validate=validate.OneOf([*LANGUAGES, "both", "other"], error=UNKNOWN), load_default="")
    language_other = text(80)

    @post_load
    def code_languages(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["language"] == "other" and not data["language_other"].strip():
            raise ValidationError(OTHER_LANGUAGE, "language_other")
        return {**data, "languages": language_codes(data["language"], data["language_other"])}


class AnythingElse(Question):
    age_group = fields.String(validate=validate.OneOf(["", *get_args(AgeGroup)], error=UNKNOWN), load_default="")
    anything = text(4000)


QUESTIONS: dict[int, type[Question]] = {
    1: Who,
    2: Name,
    3: WhatWouldHelp,
    4: Reach,
    5: Meeting,
    6: SpokenLanguage,
    7: AnythingElse,
}


@lru_cache(maxsize=128)
def form_of(question: int, zone: str = "", countries: tuple[str, ...] = ()) -> Question:
    """Kept: to make a schema costs more than to load answers with it."""
    return QUESTIONS[question](zone, countries)


BUTTONS = {"go", "then", "form"}


def typed_in(question: int, sent: "MultiDict[str, str]") -> TypedAnswers:
    """What was typed, as it was typed, so that the page can show it again."""
    return typed_values(form_of(question), sent, leave_out=NOT_ANSWERS | BUTTONS)


def blank(question: int) -> TypedAnswers:
    known = form_of(question).fields.items()
    return {name: [] if isinstance(field, fields.List) else "" for name, field in known}


def read(question: int, typed: TypedAnswers, time_zone: str, countries: tuple[str, ...] = ()) -> tuple[dict[str, Any], Errors]:
    """(answers, {}), or ({}, field -> sentence). A field that no page of ours has raises UnknownField."""
    form = form_of(question, time_zone, countries)
    if set(typed) - set(form.fields):
        raise UnknownField
    return load(form, typed)


CHOSEN_ALREADY = frozenset(("quiet_from", "quiet_until", "time_zone", "language", "pace"))
"""What a page says before anybody has answered."""


def says_something(typed: Mapping[int, TypedAnswers]) -> bool:
    given = ((name, value) for answers in typed.values() for name, value in answers.items())
    return any(bool(value.strip() if isinstance(value, str) else value) for name, value in given if name not in CHOSEN_ALREADY)


def time_zone_of(typed: Mapping[int, TypedAnswers], collective: str) -> str:
    """The person's own time zone, once they said it."""
    return str(typed.get(5, {}).get("time_zone") or collective)


def read_all(
    typed: Mapping[int, TypedAnswers], collective: str, countries: tuple[str, ...] = ()
) -> tuple[Answers, None] | tuple[None, int]:
    """Every answer, or the first question that must still be looked at. `collective`: its time zone. `countries`: those whose
    numbers are texted."""
    time_zone = time_zone_of(typed, collective)
    given: dict[str, Any] = {}
    for question in QUESTIONS:
        answers, errors = read(question, typed.get(question, {}), time_zone, countries)
        if errors:
            return None, question
        given |= answers
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return Answers(**{**given, **lists, "age_group": given["age_group"] or None, "time_zone": time_zone}), None


def ranked_choices(mode: str, practitioner_ids: list[str], if_not: list[IfNot]) -> tuple[Choice, ...]:
    """Whom they chose, in their order; a person named twice keeps the first place."""
    if mode != "chosen":
        return ()
    choices: dict[str, Choice] = {}
    without_a_rule: list[IfNot] = ["ask_me"] * MOST_CHOICES
    for practitioner_id, then in zip(practitioner_ids, if_not + without_a_rule, strict=False):
        if practitioner_id:
            choices.setdefault(practitioner_id, Choice(practitioner_id=practitioner_id, if_not=then))
    return tuple(choices.values())


class UnknownField(ValueError):
    """Something was sent that no page of ours has."""


def email_or_nothing(typed: str) -> str:
    try:
        return parse_email(typed)
    except ValueError:
        return ""


def phone_or_nothing(typed: str, time_zone: str) -> str:
    try:
        return parse_phone(typed, time_zone)
    except ValueError:
        return ""


def language_codes(language: str, other: str) -> tuple[str, ...]:
    """Codes for matching. A language that we do not know by name stays "und": then a person reads what they wrote."""
    if language == "other":
        return (_code_of(other.strip().casefold()),)
    return LANGUAGES if language == "both" else (language,) if language else ()


def _code_of(name: str) -> str:
    for catalogue in LANGUAGES:
        for code, known in Locale(catalogue).languages.items():
            if known.casefold() == name and len(code) <= 3:
                return str(code)
    return "und"


class NoteForm(Form):
    """Who reads it is not said where there is only one answer. `team`: the coordinators who may be chosen, by id."""

    to = fields.String(load_default="coordinators")
    words = fields.String(required=True, validate=_no_longer_than(4000), error_messages={"required": NOTE})

    def __init__(self, team: Collection[str] = ()) -> None:
        super().__init__()
        self._readers = {"practitioner", "coordinators", *team}

    @validates("to")
    def reader_is_here(self, to: str, **_: Any) -> None:
        if to not in self._readers:
            raise ValidationError(READER)


class EndForm(Form):
    version = fields.Integer(required=True)
    then = fields.String(
        required=True, validate=validate.OneOf(["someone_else", "wait"], error=THEN), error_messages={"required": THEN}
    )


class PaceForm(Form):
    pace = one_of(Pace, required=True)


class NextForm(Form):
    version = fields.Integer(required=True)
    next = one_of(NextStep, required=True)
    practitioner_id = fields.String(load_default="", validate=validate.Length(max=80))


class ForSomeoneForm(Form):
    """What is written down for somebody else. Short: it has to fit into a link."""

    name = text(80)
    words = fields.String(required=True, validate=_no_longer_than(MOST_FOR_SOMEONE), error_messages={"required": FOR_SOMEONE})


class FeedbackForm(Form):
    about = one_of(FeedbackAbout, load_default="programme")
    good = text(4000)
    change = text(4000)

    @post_load
    def says_something(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if not data["good"] and not data["change"]:
            raise ValidationError(FEEDBACK, "good")
        return data


class JoinForm(Form):
    """Who would like to become a practitioner."""

    name = fields.String(required=True, validate=_no_longer_than(80), error_messages={"required": NAME})
    email = AddressField(required=True, error_messages={"required": EMAIL})
    languages = fields.List(fields.String(validate=validate.OneOf(LANGUAGES, error=UNKNOWN)), load_default=[])
    words = fields.String(required=True, validate=_no_longer_than(4000), error_messages={"required": DRAWN})
    access = text(500)
    times = text(500)
