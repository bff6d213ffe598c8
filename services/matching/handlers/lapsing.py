"""No answer is an answer too: one nudge in the middle, and then the next step by itself."""

from collections.abc import Iterable

from services.matching import rules, store
from services.matching.handlers.asking import next_step, take_step
from services.matching.handlers.offering import encrypted_links, give_place_back, next_version
from services.matching.handlers.service import service
from services.matching.handlers.waiting import offer_free_places
from shared.clock import now
from shared.contracts import OfferExpired, OfferReminded
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 10


def find_offers_to_nudge(db: Db) -> Iterable[str]:
    return store.ids_of_offers_to_nudge(db, now())


@service.every(SECONDS_BETWEEN_LOOKS, find_offers_to_nudge)
def nudge_once(offer_id: str, db: Db) -> list[Event]:
    offer, moment = store.offer(db, offer_id), now()
    if offer is None or offer["answer_by"] <= moment:
        return []
    practitioner = store.practitioner(db, offer["practitioner_id"])
    if practitioner is None or not rules.is_waking(moment, practitioner["time_zone"]):
        return []  # it stays due and goes out in the morning
    if store.mark_nudged(db, offer_id, moment) is None:
        return []
    return [
        OfferReminded(
            offer_id=offer_id, request_id=offer["request_id"], practitioner_id=offer["practitioner_id"],
            answer_by=offer["answer_by"], code=offer["code"], encrypted=encrypted_links(offer, db),
        )
    ]  # fmt: skip


def find_offers_past_their_time(db: Db) -> Iterable[str]:
    return store.ids_of_offers_past_their_time(db, now())


@service.every(SECONDS_BETWEEN_LOOKS, find_offers_past_their_time)
def let_offer_lapse(offer_id: str, db: Db) -> list[Event]:
    offer, moment = store.offer(db, offer_id), now()
    if offer is None or offer["answer_by"] > moment or store.end_offer(db, offer_id, "lapsed", moment) is None:
        return []
    row = store.request(db, offer["request_id"])
    freed = give_place_back(offer, db)
    if row is None:
        return freed
    row["asked"].append(offer["practitioner_id"])
    step, version = next_step(row, db), next_version(row)
    lapsed = OfferExpired(
        offer_id=offer_id, request_id=row["_id"], practitioner_id=offer["practitioner_id"], version=version,
        then=rules.TOLD_AS[step.do],
    )  # fmt: skip
    store.settle_needs(db, row["_id"], moment, only="asks_first")
    news = take_step(row, step, db)
    store.keep_request(db, row)
    return [lapsed, *freed, *news, *offer_free_places(offer["practitioner_id"], db)]
