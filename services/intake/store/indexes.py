"""What each collection of intake is searched by."""

from pymongo import IndexModel

from services.intake.store.unanswered import MOST_REEMISSIONS, UNANSWERED
from shared import tokens


def _where_it_exists(field: str) -> IndexModel:
    return IndexModel(field, partialFilterExpression={field: {"$exists": True}})


_CHANGES = IndexModel([(name, 1) for name in ("changed_at", "_id", "state", "version")])  # answers without reading an entry
INDEXES = {
    "requests": [
        IndexModel("person_id", unique=True),
        _where_it_exists("email_index"),
        _where_it_exists("phone_index"),
        _where_it_exists("code_words_until"),
        IndexModel("reconciled_at", partialFilterExpression=UNANSWERED),
        IndexModel("reemissions", name="given_up", partialFilterExpression={"reemissions": {"$gte": MOST_REEMISSIONS}}),
        _where_it_exists("next_look_at"),
    ],
    "agreements": [IndexModel("request_id")],
    "look_backs": [IndexModel("request_id")],
    "meetings": [IndexModel("request_id")],
    "drafts": [],
    "team": [],
    "erasures": [IndexModel("at", name="open", partialFilterExpression={"open": True})],
    "directory": [_where_it_exists("slug_index"), IndexModel("state"), IndexModel([("state", 1), ("_id", 1)]), _CHANGES],
    "links": tokens.INDEXES,
    "sessions": tokens.INDEXES,
}
