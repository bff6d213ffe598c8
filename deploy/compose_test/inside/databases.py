"""Runs inside a service's container, with that service's own user: which databases open?"""

import json
import sys
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure

UNAUTHORIZED = 13
server = MongoClient[dict[str, object]](Path("/run/kitchen/mongodb_uri").read_text(), serverSelectionTimeoutMS=5000)


def look(name: str) -> str:
    try:
        server[name]["requests"].find_one()
        server[name]["visits"].delete_one({"_id": "nobody"})
    except OperationFailure as error:
        return "Unauthorized" if error.code == UNAUTHORIZED else str(error.code)
    return "open"


print(json.dumps({name: look(name) for name in sys.argv[1:]}))
