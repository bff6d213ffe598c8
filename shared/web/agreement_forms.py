"""What two people write into their agreement, the same on both sides; and what somebody writes into a plan of their own."""

from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, pre_load, validate

from shared.i18n import _
from shared.labels import AGREEMENT, LOOK_BACK, PLAN
from shared.web.forms import Form

LONGEST = 4000
LONG = _("This is longer than 4,000 characters. Shorten it a little, everything is still here")
EMPTY = _("Write something, or delete it")
NOTHING_SAID = _("Write something, or choose “Not now”")


def _sections(codes: Collection[str]) -> dict[str, fields.Field[Any]]:
    return {code: fields.String(load_default="", validate=validate.Length(max=LONGEST, error=LONG)) for code in codes}


class SectionsForm(Form):
    """Texts under headings, of which at least one is there."""

    headings: Mapping[str, str] = {}
    empty = EMPTY

    @pre_load
    def count_a_line_break_once(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value.replace("\r\n", "\n") if isinstance(value, str) else value for name, value in data.items()}

    @post_load
    def gather(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        sections = {code: data[code] for code in self.headings if data[code]}
        if not sections:
            raise ValidationError(self.empty, next(iter(self.headings)))
        return {"sections": sections, **{name: value for name, value in data.items() if name not in self.headings}}


class AgreementForm(SectionsForm.from_dict(_sections(AGREEMENT))):  # type: ignore[misc]
    """`base`: the number of what they had before them; `after`: the id of what they wrote themselves since."""

    headings = AGREEMENT
    base = fields.Integer(required=True)
    after = fields.String(load_default="", validate=validate.Length(max=80))


class PlanForm(SectionsForm.from_dict(_sections(PLAN))):  # type: ignore[misc]
    """`after`: the id of what they had before them."""

    headings = PLAN
    after = fields.String(load_default="", validate=validate.Length(max=80))


class YesForm(Form):
    number = fields.Integer(required=True)


class LookBackForm(SectionsForm.from_dict(_sections(LOOK_BACK))):  # type: ignore[misc]
    headings = LOOK_BACK
    empty = NOTHING_SAID
