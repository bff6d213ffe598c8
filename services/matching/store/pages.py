"""A long list in pages. Each is read by one index from where the page before ended: the last is as fast as the first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.documents import load_all
from shared.mongo import Doc, Rows

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    items: list[T]
    has_previous: bool
    has_next: bool

    def of(self, shown: Callable[[T], U]) -> "Page[U]":
        """The same page of what is shown of each."""
        return Page(items=[shown(item) for item in self.items], has_previous=self.has_previous, has_next=self.has_next)


def read(
    rows: Rows, cls: type[T], where: Mapping[str, str | bool], by: str, size: int, *, after: str = "", before: str = ""
) -> Page[T]:
    """`by` this field and then by id, those without the field first: the page after or before the document with this id, else the
    first. An index on the fields of `where`, `by` and `_id` belongs to it."""
    start = rows.find_one({"_id": before or after}, {by: 1}) if before or after else None
    backwards = bool(start and before)
    found = _find(rows, where, by, size + 1, start, backwards)
    if start and not found:
        return read(rows, cls, where, by, size)
    more, items = len(found) > size, load_all(cls, found[:size])
    return Page(
        items=items[::-1] if backwards else items,
        has_previous=more if backwards else bool(start),
        has_next=more or backwards,
    )


def _find(rows: Rows, where: Mapping[str, str | bool], by: str, count: int, start: Doc | None, backwards: bool) -> list[Doc]:
    found: list[Doc] = []
    direction = -1 if backwards else 1
    for beyond in _ranges(by, start, backwards) if start else [{}]:
        if len(found) < count:
            some = rows.find({**where, **beyond}).sort([(by, direction), ("_id", direction)])
            found += some.limit(count - len(found))
    return found


def _ranges(by: str, start: Doc, backwards: bool) -> list[Doc]:
    """What lies beyond `start`, as ranges of the index, one query each: one query for all would read what lies before it too."""
    value: Any = start.get(by)
    same: Doc = {by: value, "_id": {"$lt" if backwards else "$gt": start["_id"]}}
    if value is None:
        return [same] if backwards else [same, {by: {"$ne": None}}]
    return [same, {by: {"$lt": value}}, {by: None}] if backwards else [same, {by: {"$gt": value}}]
