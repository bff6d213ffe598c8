"""What each collection of notify is searched by."""

from pymongo import ASCENDING, IndexModel


def _where_it_exists(field: str) -> IndexModel:
    """Not where it is text: no query would use that, as MongoDB does not conclude a value's type from the value."""
    return IndexModel(field, name=f"{field}_where_it_exists", partialFilterExpression={field: {"$exists": True}})


_COORDINATORS = IndexModel("role", name="coordinators", partialFilterExpression={"role": "coordinator"})
INDEXES = {
    "contacts": [_where_it_exists("request_id"), _COORDINATORS, _where_it_exists("phone_hash")],
    "notifications": [
        IndexModel([("channel", ASCENDING), ("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$exists": True}}),
        _where_it_exists("offer_id"),
        IndexModel("person_id"),
    ],
    "offers": [IndexModel([("practitioner_id", ASCENDING), ("code", ASCENDING)])],
    "meetings": [IndexModel("request_id"), _where_it_exists("next_look_at")],
    "rooms": [
        _where_it_exists("next_at"),
        _where_it_exists("match_id"),
        _where_it_exists("request_id"),
        IndexModel([("state", ASCENDING), ("since", ASCENDING)]),
    ],
    "desk_calls": [],
    "digests": [],
    "phone_numbers": [],
    "first_emails": [],
    "request_updates": [],
}
