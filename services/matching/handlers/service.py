"""The service itself, in a module of its own so that each handler can register with it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from services.matching import store
from shared.service import Service
from shared.settings import Settings

DOCUMENTS_TO_TRY = 20


class MatchingService(Service):
    """`offers_rooms`: two people can have a room at the collective's video provider, which notify makes."""

    def __init__(self) -> None:
        super().__init__("matching", indexes=store.INDEXES)

        self.offers_rooms = False

    def start(self, settings: Settings) -> Service:
        self.offers_rooms = bool(settings.zoom_account_id)
        return super().start(settings)

    def newest_encrypted(self) -> Mapping[str, Sequence[Callable[[], object]]]:
        words = [one.encrypted for one in store.requests.newest(self.db, DOCUMENTS_TO_TRY) if one.encrypted]
        people = store.practitioners.newest(self.db, DOCUMENTS_TO_TRY)
        return {
            "requests": [partial(self.vault.unwrap, one.wrap, one.person_id) for one in words],
            "practitioners": [partial(self.vault.decrypt_profile, one.id, one.encrypted_profile) for one in people],
        }


service = MatchingService()
