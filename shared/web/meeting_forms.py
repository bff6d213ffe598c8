"""What two people choose and type about when and where they meet: the same on both sides."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, get_args

from marshmallow import ValidationError, fields, post_load, validate

from shared import places
from shared.contracts import MeetingsAction, MeetingType, PairMember, Reminder
from shared.i18n import _
from shared.meetings import MOST_HOURS, at, wrong_start
from shared.people import parse_phone
from shared.web.forms import PHONE, UNKNOWN_FIELD, Form

HOURS = _("Choose up to three hours, or write a day and a time")
DAY = _("Write the day as year, month and day, or choose it")
TIME = _("Write the time like 18:30")
BOTH = _("Write the day and the time")
PAST = _("Choose a time that is still to come")
FAR = _("Choose a time within the next four months")
LONG = _("Shorten this a little. Everything you wrote is still here")
WAY = _("Choose how you would like to meet")
WRONG_START = {"past": PAST, "far": FAR}
LONGEST_PLACE = 300


def _day() -> fields.Date:
    return fields.Date(load_default=None, error_messages={"invalid": DAY})


def _time() -> fields.Time:
    return fields.Time(format="%H:%M", load_default=None, error_messages={"invalid": TIME})


class WrittenTime(Form):
    """A day and a time, as the clocks of `zone` show it."""

    day = _day()
    time = _time()

    def __init__(self, zone: str, moment: datetime) -> None:
        super().__init__()
        self.zone, self.moment = zone, moment

    def written(self, data: dict[str, Any]) -> datetime | None:
        day, time = data["day"], data["time"]
        if (day is None) != (time is None):
            raise ValidationError(BOTH, "day" if day is None else "time")
        if day is None:
            return None
        start = at(day, time.hour * 60 + time.minute, self.zone)
        self.check(start, "day")
        return start

    def check(self, start: datetime, field: str) -> None:
        wrong = wrong_start(start, self.moment)
        if wrong:
            raise ValidationError(WRONG_START[wrong], field)


class MoveForm(WrittenTime):
    series_id = fields.String(required=True, validate=validate.Length(max=80))
    on = fields.String(required=True, validate=validate.Length(max=10))

    @post_load
    def move(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        start = self.written(data)
        if start is None:
            raise ValidationError(BOTH, "day")
        return {"series_id": data["series_id"], "on": data["on"], "to": start}


class ProposeForm(WrittenTime):
    """`doings`: codes that the programme knows."""

    hour = fields.List(fields.AwareDateTime(format="iso", error_messages={"invalid": UNKNOWN_FIELD}), load_default=[])
    weekly = fields.String(load_default="weekly", validate=validate.OneOf(["weekly", "once"], error=UNKNOWN_FIELD))
    keeps = fields.String(load_default="supportee", validate=validate.OneOf(get_args(PairMember), error=UNKNOWN_FIELD))
    meeting_type = fields.String(
        required=True, validate=validate.OneOf(get_args(MeetingType), error=WAY), error_messages={"required": WAY}
    )
    doing = fields.String(load_default="")

    def __init__(self, zone: str, moment: datetime, doings: Collection[str] = ()) -> None:
        super().__init__(zone, moment)
        self.doings = doings

    @post_load
    def propose(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        written = self.written(data)
        starts = sorted({*data["hour"], *([written] if written else [])})
        if not 1 <= len(starts) <= MOST_HOURS:
            raise ValidationError(HOURS, "hour")
        for start in data["hour"]:
            self.check(start, "hour")
        if data["doing"] and data["doing"] not in self.doings:
            raise ValidationError(UNKNOWN_FIELD, "doing")
        return {
            "starts": tuple(starts),
            "weekly": data["weekly"] == "weekly",
            "keeps": data["keeps"],
            "meeting_type": data["meeting_type"],
            "doing": data["doing"] or None,
        }


class ChooseForm(Form):
    proposal_id = fields.String(required=True, validate=validate.Length(max=80))
    start = fields.AwareDateTime(format="iso", required=True)


class AdjustForm(Form):
    series_id = fields.String(required=True, validate=validate.Length(max=80))
    action = fields.String(
        required=True,
        validate=validate.OneOf([one for one in get_args(MeetingsAction) if one not in ("move", "remind")], error=UNKNOWN_FIELD),
    )
    on = fields.String(load_default="", validate=validate.Length(max=10))


class RemindForm(Form):
    remind = fields.List(fields.String(validate=validate.OneOf(get_args(Reminder), error=UNKNOWN_FIELD)), load_default=[])

    @post_load
    def in_order(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"remind": tuple(one for one in get_args(Reminder) if one in data["remind"])}


class CallsForm(Form):
    """The number may stay empty: then the other one is called. A local number is read as people in `zone` write it."""

    calls = fields.String(required=True, validate=validate.OneOf(["yes", "no"], error=UNKNOWN_FIELD))
    phone = fields.String(load_default="", validate=validate.Length(max=80, error=LONG))

    def __init__(self, zone: str) -> None:
        super().__init__()
        self.zone = zone

    @post_load
    def read_number(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["calls"] == "no":
            return {"number": None}
        try:
            return {"number": parse_phone(data["phone"], self.zone) if data["phone"] else ""}
        except ValueError:
            raise ValidationError(PHONE, "phone") from None


class PlaceForm(Form):
    place = fields.String(load_default="", validate=validate.Length(max=LONGEST_PLACE, error=LONG))

    @post_load
    def check_address(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        wrong = places.wrong_place(data["place"])
        if wrong:
            raise ValidationError(wrong, "place")
        return data
