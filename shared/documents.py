"""Typed objects <-> documents of a store. The dataclass is the document's shape.

A field is stored under its name, `id` as `_id`, a tuple as a list, a nested dataclass as a subdocument. None is left out, and so
is a field with the metadata {"transient": True}. A document may carry further values, which indexes need and nobody reads back.
"""

import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.logs import get_logger
from shared.mongo import Doc, Rows
from shared.transaction import require_match

T = TypeVar("T")
log = get_logger("documents")
Convert = Callable[[Any], Any]


class Versioned(Protocol):
    """`version` grows with every change; `stored_version` is the one that was read or written last, None before that."""

    id: str
    version: int
    stored_version: int | None


SCALARS = (bool, int, str, datetime)
"""What is checked when it is read: something else would fail later, far from the document that holds it."""


def to_document(item: Any, derived: Mapping[str, Any] | None = None) -> Doc:
    stored = {"_id" if name == "id" else name: _plain(getattr(item, name)) for name, _ in _fields_of(type(item))}
    return {name: value for name, value in {**stored, **(derived or {})}.items() if value is not None}


def from_document(cls: type[T], document: Mapping[str, Any]) -> T:
    known = {}
    for name, convert in _fields_of(cls):
        key = "_id" if name == "id" else name
        if key in document:
            known[name] = convert(document[key])
    item = cls(**known)
    versioned: Any = item
    if hasattr(item, "stored_version"):
        versioned.stored_version = versioned.version
    return item


def save(rows: Rows, *changed: Versioned, derived: Sequence[str] = ()) -> None:
    """Insert what is new, replace the rest at the version that was read. Raises StaleObject when one is at another version."""
    for item in changed:
        document = to_document(item, {name: getattr(item, name) for name in derived})
        if item.stored_version is None:
            rows.insert_one(document)
        else:
            require_match(rows.replace_one({"_id": item.id, "version": item.stored_version}, document))
        item.stored_version = item.version


def load_all(cls: type[T], documents: Iterable[Mapping[str, Any]]) -> list[T]:
    return list(load_each(cls, documents))


def load_each(cls: type[T], documents: Iterable[Mapping[str, Any]]) -> Iterator[T]:
    """Those that can be read. Another is logged by its id and left out, so that it stops nothing for everybody else."""
    for document in documents:
        try:
            item = from_document(cls, document)
        except (TypeError, ValueError, AttributeError):
            where = {"document_id": document.get("_id"), "document": cls.__name__}
            log.error("a document cannot be read and is left out", extra=where, exc_info=True)
        else:
            yield item


def load_one(cls: type[T], document: Mapping[str, Any] | None) -> T | None:
    return None if document is None else from_document(cls, document)


def _fields_of(cls: Any) -> list[tuple[str, Convert]]:
    if cls not in _FIELDS:
        hints = get_type_hints(cls)
        _FIELDS[cls] = [(f.name, _reader(hints[f.name])) for f in fields(cls) if not f.metadata.get("transient")]
    return _FIELDS[cls]


_FIELDS: dict[Any, list[tuple[str, Convert]]] = {}


def _reader(hint: Any) -> Convert:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _reader(next(option for option in inner if option is not types.NoneType))
    if origin is tuple:
        read = _reader(inner[0])
        return lambda values: tuple(read(value) for value in values)
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda document: from_document(hint, document)
    return _checked(hint) if hint in SCALARS else lambda value: value


def _checked(scalar: type) -> Convert:
    def read(value: Any) -> Any:
        if isinstance(value, scalar):
            return value
        raise TypeError(f"not a {scalar.__name__}")

    return read


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return to_document(value)
    return value
