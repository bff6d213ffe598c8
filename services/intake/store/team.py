"""Coordinators who may be chosen to read a note. {_id, version, is_shown, encrypted_profile: under the directory key}"""

import json

from shared.contracts import TeamChanged
from shared.mongo import Db
from shared.vault import DecryptionError, Vault


def save_member(db: Db, event: TeamChanged) -> None:
    """Only the newest version stays, in whatever order they arrive."""
    member = {"version": event.version, "is_shown": event.is_shown, "encrypted_profile": event.encrypted_profile}
    known = db.team.find_one({"_id": event.coordinator_id}, {"version": 1})
    if known is None or known["version"] < event.version:
        db.team.replace_one({"_id": event.coordinator_id}, member, upsert=True)


def team(db: Db, keys: Vault) -> dict[str, str]:
    """Id -> first name. A name that cannot be decrypted is left out, not the whole page."""
    found: dict[str, str] = {}
    for row in db.team.find({"is_shown": True}):
        try:
            found[row["_id"]] = str(json.loads(keys.decrypt_profile(row["_id"], row["encrypted_profile"]))["name"])
        except DecryptionError:
            continue
    return dict(sorted(found.items(), key=lambda one: one[1].casefold()))
