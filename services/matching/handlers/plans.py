"""A supportee's plan for hard days, as long as they show it to the practitioner whom they meet."""

import json
from collections.abc import Mapping

from services.matching import store
from services.matching.domain import Match, Request
from services.matching.handlers.keys import open_keys
from services.matching.handlers.service import service
from shared import vault
from shared.contracts import PlanShown
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

FIELD = "plan"


@service.on(PlanShown)
def keep_plan(event: PlanShown, db: Db) -> list[Event]:
    """Nothing is sent: their practitioner's page shows it."""
    match = store.offers.match(db, event.match_id)
    if match and match.request_id == event.request_id and match.show_plan(event.encrypted, event.change):
        store.offers.save_match(db, match)
    return []


def plan_of(match: Match, request: Request) -> Mapping[str, str]:
    """Heading -> words; empty where they show none."""
    key = open_keys(request, [match]).get(match.id) if match.plan and not match.ended_at else None
    try:
        found = json.loads(vault.decrypt(key, match.supportee_id, FIELD, match.plan)) if key and match.plan else {}
    except DecryptionError:
        return {}
    return {str(heading): str(words) for heading, words in found.items()}
