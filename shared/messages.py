"""Events between services: the base class, the schema derived from the annotations, and the CloudEvents envelope."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar, cast, dataclass_transform

from marshmallow import EXCLUDE, Schema, ValidationError, validate
from marshmallow import fields as m

from shared.type_shapes import MappingOf, Nullable, Object, OneOf, Plain, Shape, TupleOf, fields_of

T = TypeVar("T")


class InvalidMessage(ValueError):
    """The message can never be understood: it goes to the dead queue with this reason, which names fields, never values."""


class Event:
    """Something that happened and that another service may want to know. Subclasses are made with @contract."""

    event_type: ClassVar[str]
    subject_field: ClassVar[str]
    published_by: ClassVar[str]

    @property
    def subject(self) -> str:
        """The id of the request, person or practitioner that this event is about."""
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
    """CloudEvents 1.0, structured JSON. `subjectseq` orders the events about one subject; absent where order has no meaning."""

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
    """Build a dataclass from plain JSON values. Unknown fields are ignored (tolerant reader); wrong ones raise InvalidMessage."""
    try:
        return cast(T, schema_of(cls).load(raw))
    except ValidationError as error:
        raise InvalidMessage(f"{cls.__name__}: wrong or missing {', '.join(_names_in(error.normalized_messages()))}") from error  # type: ignore[no-untyped-call]


def dump(item: Any) -> dict[str, Any]:
    return cast(dict[str, Any], schema_of(type(item)).dump(item))


def schema_of(cls: type[Any]) -> Schema:
    """One instance for each class: making a schema costs more than loading a message with it."""
    if cls not in _SCHEMAS:
        _SCHEMAS[cls] = _derive(cls)
    return _SCHEMAS[cls]


_SCHEMAS: dict[type[Any], Schema] = {}


def _derive(cls: type[Any]) -> Schema:
    declared = {field.name: _field(field.shape, field.required) for field in fields_of(cls)}

    class Derived(Schema):
        class Meta:
            unknown = EXCLUDE

        def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
            error.data = None  # a value must never reach a log through an exception

        def load(self, *args: Any, **kwargs: Any) -> Any:
            return cls(**super().load(*args, **kwargs))

    made = type(f"{cls.__name__}Schema", (Derived,), declared)()
    return cast(Schema, made)


def _field(shape: Shape, required: bool) -> m.Field[Any]:
    match shape:
        case Nullable(inner):
            field = _field(inner, required)
            field.allow_none = True
            return field
        case OneOf(values):
            return m.Raw(required=required, validate=validate.OneOf(values))
        case TupleOf(item):
            return _Tuple(_field(item, True), required=required)
        case MappingOf(value):
            inner_field = None if value == Plain(Any) else _field(value, True)
            return m.Dict(keys=m.String(), values=inner_field, required=required)
        case Object(cls):
            return m.Nested(schema_of(cls), required=required)
        case Plain(plain):
            return _PLAIN[plain](required=required)


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
