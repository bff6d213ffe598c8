"""Facts on their way: the base class, the schema derived from the annotations, and the CloudEvents envelope."""

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar, Union, cast, dataclass_transform, get_args, get_origin, get_type_hints

from marshmallow import EXCLUDE, Schema, ValidationError, validate
from marshmallow import fields as m

T = TypeVar("T")


class InvalidMessage(ValueError):
    """The message can never be understood: it goes to the dead queue with this reason, which names fields, never values."""


class Event:
    """A fact that crosses a border between services. Subclasses are made with @contract."""

    event_type: ClassVar[str]
    subject_field: ClassVar[str]
    published_by: ClassVar[str]

    @property
    def subject(self) -> str:
        """The id of the request, person or practitioner that this fact is about."""
        return str(getattr(self, self.subject_field))


EVENT_TYPES: dict[str, type[Event]] = {}


@dataclass_transform(kw_only_default=True, frozen_default=True)
def contract(event_type: str, *, subject: str, published_by: str) -> Callable[[type[T]], type[T]]:
    """Declare an event. `event_type`: its routing key (`noun.participle.vN`); `subject`: the field with its subject's id;
    `published_by`: the one service that may publish it; consumers refuse it from anybody else."""

    def declare(cls: type[T]) -> type[T]:
        made = cast(Any, dataclass(frozen=True, kw_only=True)(cls))
        made.event_type, made.subject_field = event_type, subject
        made.published_by = published_by
        EVENT_TYPES[event_type] = made
        return cast(type[T], made)

    return declare


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """CloudEvents 1.0, structured JSON. `subjectseq` orders the facts about one subject; absent where order has no meaning."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    subjectseq: int | None = None
    traceparent: str | None = None
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"


def make_envelope(event: Event, *, id: str, source: str, time: datetime, traceparent: str | None = None) -> Envelope:
    return Envelope(
        id=id, source=source, type=event.event_type, subject=event.subject, time=time, data=dump(event),
        subjectseq=getattr(event, "version", None), traceparent=traceparent,
    )  # fmt: skip


def to_json(envelope: Envelope) -> str:
    return json.dumps({key: value for key, value in dump(envelope).items() if value is not None}, separators=(",", ":"))


def from_json(text: str | bytes) -> Envelope:
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise InvalidMessage("not JSON") from error
    if not isinstance(raw, dict):
        raise InvalidMessage("not a JSON object")
    return load(Envelope, raw)


def parse_event(envelope: Envelope) -> Event:
    cls = EVENT_TYPES.get(envelope.type)
    if cls is None:
        raise InvalidMessage(f"unknown type {envelope.type}")
    return load(cls, envelope.data)


def load(cls: type[T], raw: Mapping[str, Any]) -> T:
    """Build a dataclass from plain JSON values. Unknown fields are left out (tolerant reader); wrong ones raise InvalidMessage."""
    try:
        return cast(T, schema_of(cls)().load(raw))
    except ValidationError as error:
        raise InvalidMessage(f"{cls.__name__}: wrong or missing {', '.join(_names_in(error.normalized_messages()))}") from error  # type: ignore[no-untyped-call]


def dump(item: Any) -> dict[str, Any]:
    return cast(dict[str, Any], schema_of(type(item))().dump(item))


def schema_of(cls: Any) -> type[Schema]:
    if cls not in _SCHEMAS:
        _SCHEMAS[cls] = _derive(cls)
    return _SCHEMAS[cls]


_SCHEMAS: dict[Any, type[Schema]] = {}


def _derive(cls: Any) -> type[Schema]:
    hints = get_type_hints(cls)
    declared = {f.name: _field(hints[f.name], _required(f)) for f in fields(cls)}

    class Derived(Schema):
        class Meta:
            unknown = EXCLUDE

        def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
            error.data = None  # a value must never reach a log through an exception

        def load(self, *args: Any, **kwargs: Any) -> Any:
            return cls(**super().load(*args, **kwargs))

    return cast(type[Schema], type(f"{cls.__name__}Schema", (Derived,), declared))


def _required(f: Any) -> bool:
    return f.default is MISSING and f.default_factory is MISSING


def _field(hint: Any, required: bool) -> m.Field[Any]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kept = [a for a in inner if a is not types.NoneType]
        field = _field(kept[0], required)
        field.allow_none = True
        return field
    if origin is Literal:
        return m.Raw(required=required, validate=validate.OneOf(inner))
    if origin is tuple:
        return _Tuple(_field(inner[0], True), required=required)
    if origin is dict:
        return m.Dict(keys=m.String(), values=_field(inner[1], True) if inner[1] is not Any else None, required=required)
    if is_dataclass(hint):
        return m.Nested(schema_of(hint), required=required)
    return _PLAIN[getattr(hint, "__supertype__", hint)](required=required)


class _Tuple(m.List[Any]):
    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(*args, **kwargs))


class _Moment(m.AwareDateTime):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=UTC, **kwargs)


_PLAIN: dict[Any, Callable[..., m.Field[Any]]] = {
    str: m.String,
    int: lambda **kw: m.Integer(strict=True, **kw),
    bool: lambda **kw: m.Boolean(truthy={True}, falsy={False}, **kw),
    float: m.Float,
    datetime: _Moment,
}


def _names_in(messages: Any, prefix: str = "") -> list[str]:
    if not isinstance(messages, dict):
        return [prefix]
    named = {_name_of(key, inner): inner for key, inner in messages.items()}
    return [name for key, inner in named.items() for name in _names_in(inner, f"{prefix}.{key}" if prefix else key)]


def _name_of(key: Any, inner: Any) -> str:
    """The key of a mapping came with the message and may be anybody's words; marshmallow says what is wrong below it."""
    return "*" if isinstance(inner, dict) and inner.keys() <= {"key", "value"} else str(key)
