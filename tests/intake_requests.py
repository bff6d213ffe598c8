"""Requests as intake stores them, for tests: say only what the test is about, the rest is ordinary."""

from datetime import timedelta
from typing import Any

from services.intake import store
from services.intake.domain import Request
from shared.clock import now
from shared.mongo import Db


def a_stored_request(db: Db, **what: Any) -> Request:
    usual = {
        "id": "r1",
        "person_id": "p1",
        "mode": "suggest",
        "choices": (),
        "language": "en",
        "time_zone": "America/New_York",
        "sent_at": now(),
        "silent_since": now(),
        "encrypted_answers": "AQ",
        "encrypted_code_words": "AQ",
        "code_words_until": now() + timedelta(minutes=30),
    }
    request = Request(**{**usual, **what})
    store.add_request(db, request)
    return request
