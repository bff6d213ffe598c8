"""Links to the page of an offer, which is also where the two who met there write to each other."""

from datetime import timedelta

from services.matching.domain import Offer
from services.matching.handlers.service import service
from shared import tokens
from shared.clock import now
from shared.contracts import EncryptedFields
from shared.mongo import Db

LINK_OUTLIVES_OFFER = timedelta(days=7)


def issue_links(offer: Offer, db: Db) -> EncryptedFields:
    """A long link for the email, a short one for the text. Both open this one offer, for a week longer than it is open."""
    long, short, person_id = tokens.new_token(), tokens.new_short_token(), offer.practitioner_id
    expires_at = max(offer.answer_by, now()) + LINK_OUTLIVES_OFFER
    tokens.issue(db, long, short, purpose="offer", subject_id=offer.id, person_id=person_id, expires_at=expires_at)
    links = {"link": f"{service.public_url}/o/{long}", "short_link": f"{service.public_url}/o/{short}"}
    return service.vault.encrypt_for("notify", person_id, links)
