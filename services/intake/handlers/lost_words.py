"""Code words that got lost, or that somebody else has, open nothing any more: what only they opened
goes with them."""

from dataclasses import dataclass

from services.intake import store
from services.intake.handlers.plan import delete_plan
from shared import sessions
from shared.messages import Event
from shared.mongo import Db
from shared.sessions import NewSession


@dataclass(frozen=True, repr=False)
class StopCodeWords:
    """`session`: of the browser that asks. Every other one is let in no more: somebody may have used the words there."""

    request_id: str
    session: NewSession


def stop_code_words(command: StopCodeWords, db: Db) -> list[Event]:
    """Only while they can ask for another way in, by themselves."""
    request = store.request(db, command.request_id)
    if request is None or request.ended_at or not request.may_come_in(by_words_or_link=False):
        return []
    store.delete_codes(db, request.person_id)
    store.delete_own_copy(db, request.id)
    news = delete_plan(request.id, db)
    sessions.end_all(db, request.person_id)
    sessions.save(db, command.session)
    return news
