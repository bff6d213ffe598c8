"""What two people write into their agreement: the same on both sides."""

from typing import Any

from marshmallow import ValidationError, fields, post_load, pre_load, validate

from shared.i18n import _
from shared.labels import AGREEMENT
from shared.web.forms import Form

LONGEST = 4000
LONG = _("This is longer than 4,000 characters. Shorten it a little, everything is still here")
EMPTY = _("Write something, or delete it")


def _section() -> fields.String:
    return fields.String(load_default="", validate=validate.Length(max=LONGEST, error=LONG))


class AgreementForm(Form.from_dict({code: _section() for code in AGREEMENT})):  # type: ignore[misc]
    """`base`: the number of what they had before them; `after`: the id of what they wrote themselves since."""

    base = fields.Integer(required=True)
    after = fields.String(load_default="", validate=validate.Length(max=80))

    @pre_load
    def count_a_line_break_once(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value.replace("\r\n", "\n") if isinstance(value, str) else value for name, value in data.items()}

    @post_load
    def gather(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        sections = {code: data[code] for code in AGREEMENT if data[code]}
        if not sections:
            raise ValidationError(EMPTY, next(iter(AGREEMENT)))
        return {"sections": sections, "base": data["base"], "after": data["after"]}


class YesForm(Form):
    number = fields.Integer(required=True)
