"""What every object that changes has in common: a version, and transitions that check where they start from."""

from dataclasses import dataclass, field
from typing import Any


class InvalidTransition(Exception):
    """The object is not in a state that this change may start from."""


def check(allowed: bool, change: str, state: str) -> None:
    if not allowed:
        raise InvalidTransition(f"{change} from {state}")


def transient(default: Any) -> Any:
    """A field of the object in memory that is never stored."""
    return field(default=default, compare=False, repr=False, metadata={"transient": True})


@dataclass(kw_only=True)
class Versioned:
    """`version` grows with every change. `stored_version` is the one that the store read or wrote last; None: not stored yet."""

    id: str
    version: int = 0
    stored_version: int | None = transient(None)
