"""What people write to matching, checked: on pages and in an imported file."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, get_args
from zoneinfo import ZoneInfo, available_timezones

from marshmallow import ValidationError, fields, post_load, validate, validates_schema
from werkzeug.datastructures import MultiDict

from services.matching.domain import Hours
from services.matching.handlers.profiles import PractitionerProfile
from services.matching.rules import MOST_SUGGESTIONS
from shared.clock import now
from shared.contracts import AgeGroup, Channel, Help, MeetingType, Part, PractitionerState
from shared.i18n import LANGUAGES, _
from shared.people import parse_email
from shared.web.forms import UNKNOWN_FIELD, Form, phone_and_error

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HELP_OFFERED = [help for help in get_args(Help) if help != "lived_it"]
"""That they have lived it themselves a practitioner says by what they have lived."""
STATES: tuple[PractitionerState, ...] = ("open", "full", "resting", "stepped_back")
EMAIL = _("Check the email address. It should look like name@example.org")
LONG = _("Shorten this a little. Everything you wrote is still here")
DATE = _("Write the date as year, month and day, or choose it")
PAST = _("Choose a day that is still to come, or leave it empty")
HOURS = _("Check the hours. Each row has a day, and an end after its start")
ANSWER = _("Choose an answer")
NUMBER = _("Write a number that makes sense here")
ZONE = _("Choose a time zone from the list")
NAME = _("Write a name")
WHO = _("Write an email address or a name")
REQUEST_NUMBER = _("Write the number of the request, as it stands on its page")
NOTE = _("Write your note first")
QUESTION = _("Write what you would like to ask first")
CHANNEL = _("Choose at least one way to be written to")
BOTH = _("To change how we reach them, write the email address and the phone number again")


def _text(longest: int) -> fields.String:
    return fields.String(validate=validate.Length(max=longest, error=LONG), load_default="")


def _many(allowed: Sequence[str]) -> fields.List[Any]:
    return fields.List(fields.String(validate=validate.OneOf(allowed, error=UNKNOWN_FIELD)), load_default=list)


def _one(allowed: Sequence[str], message: str = UNKNOWN_FIELD, *, default: str | None = None) -> fields.String:
    return fields.String(validate=validate.OneOf(allowed, error=message), load_default=default)


def _required_one(allowed: Sequence[str], message: str = UNKNOWN_FIELD) -> fields.String:
    return fields.String(validate=validate.OneOf(allowed, error=message), error_messages={"required": message}, required=True)


def _codes() -> fields.List[Any]:
    """Of a list of the programme's."""
    return fields.List(fields.String(validate=validate.Regexp(r"^[A-Za-z0-9_-]{1,40}$", error=UNKNOWN_FIELD)), load_default=list)


def _number(least: int, most: int) -> fields.Integer:
    return fields.Integer(validate=validate.Range(least, most, error=NUMBER), load_default=1, error_messages={"invalid": NUMBER})


def _hour(default: int) -> fields.Integer:
    return fields.Integer(
        validate=validate.Range(0, 23, error=UNKNOWN_FIELD), load_default=default, error_messages={"invalid": UNKNOWN_FIELD}
    )


def _day() -> fields.Date:
    return fields.Date(load_default=None, error_messages={"invalid": DATE})


class Email(fields.String):
    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        return normalize_email(super()._deserialize(*args, **kwargs))


class UntilForm(Form):
    """`until`: when the page was drawn."""

    until = fields.AwareDateTime(format="iso", required=True)


def normalize_email(address: str) -> str:
    """The form in which addresses are compared and looked up. Raises ValidationError."""
    try:
        return parse_email(address).lower()
    except ValueError:
        raise ValidationError(EMAIL) from None


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


def hours_as_text(hours: Hours) -> tuple[str, str, str]:
    """Day, start and end as they stand in the form."""
    return DAYS[hours.day], _time_of_day(hours.start), _time_of_day(hours.end)


def _time_of_day(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


class AnswerForm(Form):
    answer = _required_one(["yes", "ask_first", "not_this_time", "pause"], ANSWER)
    question = _text(500)
    pause_until = _day()

    @validates_schema
    def question_is_there(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("answer") == "ask_first" and not data.get("question"):
            raise ValidationError(QUESTION, "question")
        _check_still_to_come(data, "pause_until")


class NoteForm(Form):
    words = _text(2000)

    @validates_schema
    def words_are_there(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("words", "").strip():
            raise ValidationError(NOTE, "words")


class NotAgainForm(Form):
    label = _text(80)


class NotThisNameForm(Form):
    name = _text(80)

    @validates_schema
    def name_is_there(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("name", "").strip():
            raise ValidationError(NAME, "name")


class SignInForm(Form):
    email = Email(required=True, error_messages={"required": EMAIL})


class AvailabilityForm(Form):
    state = _required_one(STATES[:3])
    resting_until = _day()
    places = _number(0, 50)
    offers_at_once = _number(1, 10)

    @validates_schema
    def day_is_to_come(self, data: dict[str, Any], **_: Any) -> None:
        _check_still_to_come(data, "resting_until")


class CallForm(Form):
    person = fields.String(required=True, error_messages={"required": ANSWER})


class StepBackForm(Form):
    people = _required_one(["hand_over", "go_on"], ANSWER)


class PickOneForm(Form):
    practitioner = fields.String(required=True, error_messages={"required": _("Choose a practitioner")})


class PickPeopleForm(Form):
    people = fields.List(
        fields.String(),
        required=True,
        error_messages={"required": _("Choose one, two or three people")},
        validate=validate.Length(1, MOST_SUGGESTIONS, error=_("Choose one, two or three people")),
    )


class EmailOrPage(fields.String):
    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        written = super()._deserialize(*args, **kwargs)
        return normalize_email(written) if "@" in written else written


class FindPractitionerForm(Form):
    who = EmailOrPage(required=True, validate=validate.Length(max=254, error=LONG), error_messages={"required": WHO})


class RequestNumber(fields.String):
    """As pages show it: the beginning of the request's id. Spaces and capitals change nothing."""

    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        written = re.sub(r"\s", "", super()._deserialize(*args, **kwargs)).lower()
        if not re.fullmatch(r"[0-9a-z][0-9a-z-]{3,35}", written):
            raise ValidationError(REQUEST_NUMBER)
        return written


class FindRequestForm(Form):
    number = RequestNumber(required=True, error_messages={"required": REQUEST_NUMBER})


class ProfileForm(Form):
    """A practitioner, as a coordinator and an imported file write them. `home_zone`: for whoever gives no time zone. `countries`:
    those whose numbers are texted; none: all are. `listed`: the codes of the programme's lists `doings` and `lived`."""

    name = fields.String(required=True, validate=validate.Length(1, 80, error=LONG), error_messages={"required": NAME})
    pronouns = _text(80)
    words = _text(600)
    can_sit_with = _text(300)
    first_meeting = _text(600)
    not_offered = _text(300)
    access = _text(300)
    lived_words = _text(300)
    languages = fields.List(fields.String(validate=validate.Regexp(r"^[a-z]{2,3}$", error=UNKNOWN_FIELD)), load_default=list)
    meeting_types = _many(get_args(MeetingType))
    parts = _many(get_args(Part))
    hours = fields.List(HoursRow(), load_default=list)
    help = _many(HELP_OFFERED)
    doings = _codes()
    lived = _codes()
    not_now = _many(HELP_OFFERED)
    ages = _many(get_args(AgeGroup))
    places = _number(0, 50)
    offers_at_once = _number(1, 10)
    time_zone = _one(sorted(available_timezones()), ZONE)
    language = _one(LANGUAGES, default=LANGUAGES[0])
    state = _one(STATES)
    resting_until = _day()
    email = Email(load_default=None)
    phone = fields.String(load_default=None)

    def __init__(
        self,
        *,
        home_zone: str,
        is_new: bool,
        countries: tuple[str, ...] = (),
        only: tuple[str, ...] | None = None,
        listed: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        super().__init__(only=only)
        self._home_zone, self._is_new, self._countries, self._listed = home_zone, is_new, countries, listed or {}

    @validates_schema
    def codes_are_listed(self, data: dict[str, Any], **_: Any) -> None:
        wrong = [name for name in ("doings", "lived") if not set(data.get(name, ())) <= {*self._listed.get(name, ())}]
        if wrong:
            raise ValidationError({name: [UNKNOWN_FIELD] for name in wrong})

    @validates_schema(skip_on_field_errors=False)
    def contact_is_complete(self, data: dict[str, Any], **_: Any) -> None:
        wrong = {}
        if "email" in data and self._is_new and not data["email"]:
            wrong["email"] = EMAIL
        if data.get("phone") and "email" in data and not data["email"]:
            wrong["email"] = BOTH
        if says := self._phone_of(data)[1]:
            wrong["phone"] = says
        if wrong:
            raise ValidationError({name: [message] for name, message in wrong.items()})

    @validates_schema(skip_on_field_errors=False)
    def day_is_to_come(self, data: dict[str, Any], **_: Any) -> None:
        _check_still_to_come(data, "resting_until")

    @post_load
    def as_stored(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        zone = self._zone_of(data)
        lists = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
        resting_until = start_of_day(data.get("resting_until"), zone)
        stored = {"time_zone": zone, "resting_until": resting_until, "phone": self._phone_of(data)[0] or None}
        return {**data, **lists, **{name: value for name, value in stored.items() if name in self.fields}}

    def _phone_of(self, data: Mapping[str, Any]) -> tuple[str, str]:
        """The number, read as people write numbers where this practitioner is, and what is wrong with it."""
        return phone_and_error(data["phone"], self._zone_of(data), self._countries) if data.get("phone") else ("", "")

    def _zone_of(self, data: Mapping[str, Any]) -> str:
        return data.get("time_zone") or self._home_zone


class Daily(fields.String):
    """Whether what can wait comes in one e-mail a day."""

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        chosen = super()._deserialize(*args, **kwargs)
        if chosen not in ("single", "daily"):
            raise ValidationError(UNKNOWN_FIELD)
        return chosen == "daily"


class LettersForm(ProfileForm):
    """How a practitioner is written to, as they say it themselves."""

    channels = fields.List(
        fields.String(validate=validate.OneOf(get_args(Channel), error=UNKNOWN_FIELD)),
        required=True,
        error_messages={"required": CHANNEL},
        validate=validate.Length(min=1, error=CHANNEL),
    )
    quiet_from = _hour(21)
    quiet_until = _hour(9)
    digest = Daily(load_default=False)


def profile_from(data: Mapping[str, Any], practitioner_id: str | None = None) -> PractitionerProfile:
    return PractitionerProfile(practitioner_id=practitioner_id, **data)


def start_of_day(day: date | None, zone: str) -> datetime | None:
    """A rest until a day ends when that day begins, where the person is."""
    return datetime.combine(day, time(), ZoneInfo(zone)) if day else None


def day_of(moment: datetime | None, zone: str) -> str:
    """The same day as it stands in the form."""
    return moment.astimezone(ZoneInfo(zone)).date().isoformat() if moment else ""


def join_hours(sent: "MultiDict[str, str]") -> "MultiDict[str, str]":
    """The form has a day, a start and an end in each row; a row without a day is no row."""
    rows = zip(sent.getlist("day"), sent.getlist("start"), sent.getlist("end"), strict=False)
    apart = {"day", "start", "end", "shown"}
    joined = MultiDict((name, value) for name, value in sent.items(multi=True) if name not in apart)
    for day, start, end in rows:
        if day:
            joined.add("hours", f"{day} {start}-{end}")
    return joined


def shown_in(sent: "MultiDict[str, str]") -> dict[str, str]:
    """Field -> trace of what the page showed in it."""
    pairs = (part.partition(".") for part in sent.get("shown", "").split())
    return {name: trace for name, _, trace in pairs if trace}


def _check_still_to_come(data: Mapping[str, Any], name: str) -> None:
    if data.get(name) and data[name] <= now().date():
        raise ValidationError(PAST, name)
