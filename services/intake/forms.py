"""One schema for each question. Sentences for people are marked here and translated where they are shown."""

from collections.abc import Mapping
from typing import Any, get_args
from zoneinfo import available_timezones

import phonenumbers
from babel import Locale
from email_validator import EmailNotValidError, validate_email
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from services.intake.rules import MOST_CHOICES
from services.intake.zones import region_of
from shared.contracts import AgeGroup, Choice, Help, IfNot, MeetingType, Mode, Part
from shared.i18n import LANGUAGES, _

WHO = _('Choose who you would like to meet, or choose "suggest someone"')
NAME = _("Write a name we can call you")
REACH = _('Choose at least one way to reach you, or choose "I will check the private page"')
EMAIL = _("Check the email address. It should look like name@example.org")
PHONE = _("Check the phone number. Include the country code if it is not a US number")
BOTH = _("You chose somebody whom you would also rather not meet. Change one of the two")
ZONE = _("Choose a time zone from the list")
OTHER_LANGUAGE = _("Write which language you would like to speak")
TOO_LONG = {
    80: _("This is longer than 80 characters. Shorten it a little, everything is still here"),
    500: _("This is longer than 500 characters. Shorten it a little, everything is still here"),
    4000: _("This is longer than 4,000 characters. Shorten it a little, everything is still here"),
}
UNKNOWN = _("We could not read this part. Choose again")
NOTE = _("Write your note first")
ADDRESS = _("Write the email address or the phone number that you gave us")
CODE = _("We cannot find that code. Codes have six words, like river cedar button lamp otter moss. A person can help.")


def one_of(kind: Any, **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(get_args(kind), error=UNKNOWN), **more)


def short_id() -> fields.String:
    return fields.String(validate=validate.Length(max=80))


def many_of(kind: Any) -> fields.List[Any]:
    return fields.List(one_of(kind), load_default=[])


def text(longest: int, **more: Any) -> fields.String:
    return fields.String(load_default="", validate=validate.Length(max=longest, error=TOO_LONG[longest]), **more)


class Question(Schema):
    """Nothing typed may reach a log through an exception."""

    class Meta:
        unknown = RAISE

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
        error.data = None


class Who(Question):
    mode = one_of(Mode, load_default="")
    avoid = fields.List(short_id(), load_default=[])
    avoid_words = text(500)
    # One row of the page is one step: `choice` and `if_not` at the same place belong together.
    choice = fields.List(short_id(), load_default=[], validate=validate.Length(max=MOST_CHOICES))
    if_not = many_of(IfNot)

    @validates_schema
    def somebody_or_a_way(self, data: dict[str, Any], **_: Any) -> None:
        chosen = set(data["choice"]) - {""}
        if not data["mode"] or (data["mode"] == "chosen" and not chosen):
            raise ValidationError(WHO, "mode")
        if data["mode"] == "chosen" and chosen & set(data["avoid"]):
            raise ValidationError(BOTH, "avoid")


class Name(Question):
    name = text(80)
    pronouns = text(80)

    @validates_schema
    def something_to_call_them(self, data: dict[str, Any], **_: Any) -> None:
        if not data["name"].strip():
            raise ValidationError(NAME, "name")


class WhatWouldHelp(Question):
    help = many_of(Help)
    words = text(4000)


class Reach(Question):
    zone = ""
    reach = fields.List(fields.String(validate=validate.OneOf(["email", "text", "page"], error=UNKNOWN)), load_default=[])
    email = text(500)
    phone = text(80)
    no_name = fields.String(validate=validate.OneOf(["yes"]), load_default="")
    quiet_from = fields.Integer(load_default=21, validate=validate.Range(0, 23, error=UNKNOWN))
    quiet_until = fields.Integer(load_default=9, validate=validate.Range(0, 23, error=UNKNOWN))
    before_we_write = text(500)

    @validates_schema
    def a_way_that_works(self, data: dict[str, Any], **_: Any) -> None:
        wrong = {}
        if not data["reach"]:
            wrong["reach"] = [REACH]
        if "email" in data["reach"] and not clean_email(data["email"]):
            wrong["email"] = [EMAIL]
        if "text" in data["reach"] and not clean_phone(data["phone"], self.zone):
            wrong["phone"] = [PHONE]
        if wrong:
            raise ValidationError(wrong)


class Meeting(Question):
    meeting_types = many_of(MeetingType)
    parts = many_of(Part)
    time_zone = fields.String(load_default="", validate=validate.OneOf(["", *available_timezones()], error=ZONE))
    access = text(500)


class Language(Question):
    language = fields.String(validate=validate.OneOf([*LANGUAGES, "both", "other"], error=UNKNOWN), load_default="")
    language_other = text(80)

    @validates_schema
    def which_other(self, data: dict[str, Any], **_: Any) -> None:
        if data["language"] == "other" and not data["language_other"].strip():
            raise ValidationError(OTHER_LANGUAGE, "language_other")


class AnythingElse(Question):
    age_group = fields.String(validate=validate.OneOf(["", *get_args(AgeGroup)], error=UNKNOWN), load_default="")
    anything = text(4000)


QUESTIONS: dict[int, type[Question]] = {
    1: Who, 2: Name, 3: WhatWouldHelp, 4: Reach, 5: Meeting, 6: Language, 7: AnythingElse,
}  # fmt: skip
BUTTONS = {"csrf_token", "go", "then", "rows"}
Typed = dict[str, str | list[str]]


def typed_in(question: int, sent: Mapping[str, list[str]]) -> Typed:
    """What was typed, as it was typed. Fields of ours that hold lists stay lists; the others are one text."""
    lists = {name for name, field in QUESTIONS[question]().fields.items() if isinstance(field, fields.List)}
    return {name: values if name in lists else values[0] for name, values in sent.items() if name not in BUTTONS and values}


def blank(question: int) -> Typed:
    known = QUESTIONS[question]().fields.items()
    return {name: [] if isinstance(field, fields.List) else "" for name, field in known}


def chosen_steps(answers: Mapping[str, Any]) -> tuple[Choice, ...]:
    """Whom they chose, in their order; a person named twice keeps the first place."""
    if answers["mode"] != "chosen":
        return ()
    steps: dict[str, Choice] = {}
    for who, if_not in zip(answers["choice"], [*answers["if_not"], *["ask_me"] * MOST_CHOICES], strict=False):
        if who:
            steps.setdefault(who, Choice(practitioner_id=who, if_not=if_not))
    return tuple(steps.values())


def read(question: int, typed: Typed, zone: str) -> tuple[dict[str, Any], dict[str, str]]:
    """(answers, {field: sentence}). A field that is not ours raises UnknownField."""
    schema = QUESTIONS[question]()
    if set(typed) - set(schema.fields):
        raise UnknownField
    if isinstance(schema, Reach):
        schema.zone = zone
    try:
        return dict(schema.load(typed)), {}
    except ValidationError as error:
        return {}, {name: _first(says) for name, says in _says(error).items()}


def all_answers(typed: Mapping[int, Typed], zone: str) -> tuple[dict[str, Any], int | None]:
    """Every answer in one, and the first question that must still be looked at. `zone`: the collective's own."""
    answers: dict[str, Any] = {"zone_read_in": zone}
    for question in QUESTIONS:
        read_now, wrong = read(question, typed.get(question, {}), zone)
        if wrong:
            return answers, question
        answers |= read_now
    return {**answers, "time_zone": answers["time_zone"] or zone}, None


class UnknownField(ValueError):
    """Something was sent that no page of ours has."""


def clean_email(typed: str) -> str:
    """The one form under which an address is stored and looked up; empty if it is none."""
    try:
        return str(validate_email(typed.strip(), check_deliverability=False).normalized)
    except EmailNotValidError:
        return ""


def clean_phone(typed: str, zone: str) -> str:
    """E.164, read as people of that time zone write numbers; empty if it is none."""
    try:
        number = phonenumbers.parse(typed, region_of(zone))
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


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


def _says(error: ValidationError) -> dict[str, Any]:
    return dict(error.normalized_messages())  # type: ignore[no-untyped-call]


def _first(says: Any) -> str:
    while isinstance(says, dict | list):
        says = next(iter(says.values())) if isinstance(says, dict) else says[0]
    return str(says)
