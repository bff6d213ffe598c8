"""What people write to matching, checked: on pages and in an imported file. Nothing unknown is let in."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, get_args
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema
from werkzeug.datastructures import MultiDict

from services.matching.handlers.entries import PractitionerEntry
from services.matching.rules import MOST_SUGGESTIONS, Hours
from shared.clock import now
from shared.contracts import AgeGroup, Help, MeetingType, Part
from shared.i18n import LANGUAGES, _

NOT_MEANT = {"csrf_token", "form_id"}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STATES = ("open", "full", "resting", "stepped_back")
EMAIL = _("Check the email address. It should look like name@example.org")
PHONE = _("Check the phone number. Include the country code if it is not a US number")
LONG = _("Shorten this a little. Everything you wrote is still here")
DATE = _("Write the date as year, month and day, or choose it")
PAST = _("Choose a day that is still to come, or leave it empty")
HOURS = _("Check the hours. Each row has a day, and an end after its start")
ANSWER = _("Choose an answer")
UNKNOWN = _("Choose from what is offered here")
NUMBER = _("Write a number that makes sense here")
ZONE = _("Choose a time zone from the list")
NAME = _("Write a name")


class Form(Schema):
    class Meta:
        unknown = RAISE

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
        error.data = None  # what somebody typed must never reach a log through an exception


def read(form: Form, sent: MultiDict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was meant, or what to say about each field. Empty means: not given."""
    raw: dict[str, Any] = {}
    for name in sent:
        values = [value.strip() for value in sent.getlist(name) if value.strip()]
        if name not in NOT_MEANT and values:
            raw[name] = values if isinstance(form.fields.get(name), fields.List) else values[0]
    return load(form, raw)


def load(form: Form, raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        return dict(form.load(raw)), {}
    except ValidationError as error:
        return {}, {name: _first(says) for name, says in dict(error.messages).items()}  # type: ignore[arg-type]


def _first(says: Any) -> str:
    while not isinstance(says, str):
        says = next(iter(says.values())) if isinstance(says, dict) else says[0]
    return UNKNOWN if says == "Unknown field." else says


def _text(longest: int, **more: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=longest, error=LONG), **({"load_default": ""} | more))


def _many(allowed: Sequence[str]) -> fields.List[Any]:
    return fields.List(fields.String(validate=validate.OneOf(allowed, error=UNKNOWN)), load_default=list)


def _one(allowed: Sequence[str], says: str = UNKNOWN, **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(allowed, error=says), error_messages={"required": says}, **more)


def _number(least: int, most: int) -> fields.Integer:
    return fields.Integer(validate=validate.Range(least, most, error=NUMBER), load_default=1, error_messages={"invalid": NUMBER})


def _day() -> fields.Date:
    return fields.Date(load_default=None, error_messages={"invalid": DATE})


class Email(fields.String):
    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        return one_form_of_email(super()._deserialize(*args, **kwargs))


def one_form_of_email(address: str) -> str:
    """The form in which addresses are compared and looked up."""
    try:
        return validate_email(address.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise ValidationError(EMAIL) from None


class Phone(fields.String):
    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        try:
            number = phonenumbers.parse(super()._deserialize(*args, **kwargs), "US")
        except phonenumbers.NumberParseException:
            raise ValidationError(PHONE) from None
        if not phonenumbers.is_possible_number(number):
            raise ValidationError(PHONE)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class HoursRow(fields.Field[Hours]):
    """`tue 18:00-20:30`"""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Hours:
        found = re.fullmatch(r"([a-z]{3}) (\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", str(value).strip().lower())
        if not found or found[1] not in DAYS:
            raise ValidationError(HOURS)
        start, end = int(found[2]) * 60 + int(found[3]), int(found[4]) * 60 + int(found[5])
        if not 0 <= start < end <= 24 * 60:
            raise ValidationError(HOURS)
        return Hours(day=DAYS.index(found[1]), start=start, end=end)


def hours_as_text(row: Mapping[str, int]) -> tuple[str, str, str]:
    def clock(minutes: int) -> str:
        return f"{minutes // 60:02}:{minutes % 60:02}"

    return DAYS[row["day"]], clock(row["start"]), clock(row["end"])


class AnswerForm(Form):
    answer = _one(["yes", "ask_first", "not_this_time", "pause"], ANSWER, required=True)
    question = _text(500)
    pause_until = _day()

    @validates_schema
    def question_is_there(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("answer") == "ask_first" and not data.get("question"):
            raise ValidationError(QUESTION, "question")
        _still_to_come(data, "pause_until")


NOTE = _("Write your note first")
QUESTION = _("Write what you would like to ask first")


class NoteForm(Form):
    words = _text(2000)

    @validates_schema
    def words_are_there(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("words", "").strip():
            raise ValidationError(NOTE, "words")


class SignInForm(Form):
    email = Email(required=True, error_messages={"required": EMAIL})


class AvailabilityForm(Form):
    state = _one(STATES[:3], required=True)
    resting_until = _day()
    places = _number(0, 50)
    offers_at_once = _number(1, 10)

    @validates_schema
    def day_is_to_come(self, data: dict[str, Any], **_: Any) -> None:
        _still_to_come(data, "resting_until")


class PickOneForm(Form):
    practitioner = fields.String(required=True, error_messages={"required": _("Choose a practitioner")})


class PickPeopleForm(Form):
    people = fields.List(
        fields.String(),
        required=True,
        error_messages={"required": _("Choose one, two or three people")},
        validate=validate.Length(1, MOST_SUGGESTIONS, error=_("Choose one, two or three people")),
    )


class EntryForm(Form):
    """A practitioner, as the desk and an imported file write them."""

    name = fields.String(required=True, validate=validate.Length(1, 80, error=LONG), error_messages={"required": NAME})
    pronouns = _text(80)
    words = _text(600)
    can_sit_with = _text(300)
    first_meeting = _text(600)
    not_offered = _text(300)
    access = _text(300)
    languages = fields.List(fields.String(validate=validate.Regexp(r"^[a-z]{2,3}$", error=UNKNOWN)), load_default=list)
    meeting_types = _many(get_args(MeetingType))
    parts = _many(get_args(Part))
    hours = fields.List(HoursRow(), load_default=list)
    help = _many(get_args(Help))
    not_now = _many(get_args(Help))
    ages = _many(get_args(AgeGroup))
    places = _number(0, 50)
    offers_at_once = _number(1, 10)
    time_zone = _one(sorted(available_timezones()), ZONE, load_default=None)
    language = _one(LANGUAGES, load_default=LANGUAGES[0])
    state = _one(STATES, load_default=None)
    resting_until = _day()
    email = Email(load_default=None)
    phone = Phone(load_default=None)

    def __init__(self, *, home_zone: str, is_new: bool) -> None:
        super().__init__()
        self._home_zone, self._is_new = home_zone, is_new

    @validates_schema
    def enough_is_there(self, data: dict[str, Any], **_: Any) -> None:
        if self._is_new and not data.get("email"):
            raise ValidationError(EMAIL, "email")
        if data.get("phone") and not data.get("email"):
            raise ValidationError(BOTH, "email")
        _still_to_come(data, "resting_until")

    @post_load
    def as_they_are_kept(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        zone = data["time_zone"] or self._home_zone
        many = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
        return {**data, **many, "time_zone": zone, "resting_until": morning_of(data["resting_until"], zone)}


BOTH = _("To change how we reach them, write the email address and the phone number again")


def entry_from(data: Mapping[str, Any], practitioner_id: str | None = None) -> PractitionerEntry:
    return PractitionerEntry(practitioner_id=practitioner_id, **data)


def morning_of(day: Any, zone: str) -> datetime | None:
    """A rest until a day ends when that day begins, where the person is."""
    return datetime.combine(day, time(), ZoneInfo(zone)) if day else None


def day_of(moment: datetime | None, zone: str) -> str:
    """The same day as it stands in the form."""
    return moment.astimezone(ZoneInfo(zone)).date().isoformat() if moment else ""


def hours_rows(sent: MultiDict[str, str]) -> MultiDict[str, str]:
    """The form has a day, a start and an end in each row; a row without a day is no row."""
    rows = zip(sent.getlist("day"), sent.getlist("start"), sent.getlist("end"), strict=False)
    made = MultiDict((name, value) for name, value in sent.items(multi=True) if name not in {"day", "start", "end"})
    for day, start, end in rows:
        if day:
            made.add("hours", f"{day} {start}-{end}")
    return made


def _still_to_come(data: Mapping[str, Any], name: str) -> None:
    if data.get(name) and data[name] <= now().date():
        raise ValidationError(PAST, name)
