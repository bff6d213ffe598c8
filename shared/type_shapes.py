"""Type hints as data: the one place that takes them apart. Schemas, AsyncAPI and golden examples are made from it."""

import types
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Plain:
    """str, int, bool, float, datetime or Any."""

    type: Any


@dataclass(frozen=True)
class Nullable:
    inner: "Shape"


@dataclass(frozen=True)
class OneOf:
    values: tuple[Any, ...]


@dataclass(frozen=True)
class TupleOf:
    """Any number of equal items."""

    item: "Shape"


@dataclass(frozen=True)
class MappingOf:
    """Keys are strings."""

    value: "Shape"


@dataclass(frozen=True)
class Object:
    cls: type[Any]


Shape = Plain | Nullable | OneOf | TupleOf | MappingOf | Object


@dataclass(frozen=True)
class Field:
    name: str
    shape: Shape
    required: bool


def fields_of(cls: type[Any]) -> Iterator[Field]:
    """The fields of a dataclass, in their order."""
    hints = get_type_hints(cls)
    for each in fields(cls):
        required = each.default is MISSING and each.default_factory is MISSING
        yield Field(each.name, shape_of(hints[each.name]), required)


def shape_of(hint: Any) -> Shape:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return Nullable(shape_of(next(each for each in inner if each is not types.NoneType)))
    if origin is Literal:
        return OneOf(inner)
    if origin is tuple:
        return TupleOf(shape_of(inner[0]))
    if origin is dict:
        return MappingOf(shape_of(inner[1]))
    if is_dataclass(hint) and isinstance(hint, type):
        return Object(hint)
    return Plain(getattr(hint, "__supertype__", hint))
