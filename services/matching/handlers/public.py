"""What everybody may know of a practitioner, said again whenever it changes."""

from typing import Any

from services.matching import store
from shared.contracts import PractitionerChanged
from shared.messages import Event
from shared.mongo import Db, Doc


def changed(row: Doc, db: Db) -> list[Event]:
    """The news, if what is shown of this practitioner's state differs from what was said last."""
    return [] if row["shown"] == _shown(row) else [say_entry(row, db)]


def say_entry(row: Doc, db: Db) -> PractitionerChanged:
    row["shown"], row["version"] = _shown(row), row["version"] + 1
    store.set_practitioner(db, row["_id"], {"shown": row["shown"], "version": row["version"]})
    return PractitionerChanged(
        practitioner_id=row["_id"], version=row["version"], state=store.shown(row), resting_until=row["resting_until"],
        languages=tuple(row["languages"]), meeting_types=tuple(row["meeting_types"]), parts=tuple(row["parts"]), help=tuple(row["help"]),
        encrypted_profile=row["profile"],
    )  # fmt: skip


def _shown(row: Doc) -> list[Any]:
    return [store.shown(row), row["resting_until"]]
