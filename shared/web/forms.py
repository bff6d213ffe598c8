"""What people type, checked with marshmallow. Messages are sentences of the catalogue, translated where they are shown."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict

from shared.i18n import _
from shared.people import CannotText, countries_in_words, parse_phone

UNKNOWN_FIELD = _("Choose from what is offered here")
PHONE = _("Check the phone number. Begin with + and the code of its country")
PHONE_FROM = _("Check the phone number. We text numbers from %(countries)s. Begin with + and the code of the country")
CANNOT_TEXT = _("We cannot send texts to this number. Another number works, or another way to reach you")
CANNOT_TEXT_FROM = _("We text numbers from %(countries)s, and not this one. Another number works, or another way to reach you")
NOT_ANSWERS = frozenset({"csrf_token", "form_id"})
Typed = dict[str, str | list[str]]
Errors = dict[str, str]


class Form(Schema):
    """A field that is not declared is an error. What somebody typed never reaches a log through an exception."""

    error_messages: dict[str, str] = {"unknown": UNKNOWN_FIELD}  # noqa: RUF012  marshmallow declares it so

    class Meta:
        unknown = RAISE

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
        error.data = None


def load(form: Schema, values: Mapping[str, Any]) -> tuple[dict[str, Any], Errors]:
    """(answers, {}), or ({}, field -> its first message)."""
    try:
        return dict(form.load(values)), {}
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        return {}, {name: _first(message) for name, message in messages.items()}


def read(form: Schema, sent: "MultiDict[str, str]") -> tuple[dict[str, Any], Errors]:
    """`load` what a browser sent. Surrounding spaces go, and an empty field counts as not given."""
    typed = typed_values(form, MultiDict((name, value.strip()) for name, value in sent.items(multi=True) if value.strip()))
    return load(form, typed)


def typed_values(form: Schema, sent: "MultiDict[str, str]", leave_out: Collection[str] = NOT_ANSWERS) -> Typed:
    """The values as they were typed: a list for a list field, else the first value."""
    return {
        name: values if isinstance(form.fields.get(name), fields.List) else values[0]
        for name, values in sent.lists()
        if name not in leave_out
    }


def phone_and_error(typed: str, time_zone: str, countries: Collection[str]) -> tuple[str, str]:
    """The number in E.164, or what is wrong with it. `countries`: those whose numbers are texted; none: all are."""
    try:
        return parse_phone(typed, time_zone, countries), ""
    except CannotText:
        return "", CANNOT_TEXT_FROM if countries else CANNOT_TEXT
    except ValueError:
        return "", PHONE_FROM if countries else PHONE


def in_words(message: str, translate: Callable[[str], str], language: str, countries: Collection[str]) -> str:
    """A message in the reader's language, with the countries that the programme texts where it names them."""
    says = translate(message)
    return says % {"countries": countries_in_words(countries, language)} if "%(countries)s" in message else says


def _first(message: Any) -> str:
    while isinstance(message, dict | list):
        message = next(iter(message.values())) if isinstance(message, dict) else message[0]
    return str(message)
