"""The service itself, in a module of its own so that each handler can register with it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from services.intake import store
from shared.service import Service

PROFILES_TO_TRY = 20


class IntakeService(Service):
    def newest_encrypted(self) -> Mapping[str, Sequence[Callable[[], object]]]:
        """Profiles alone: intake holds no key to what it encrypts itself."""
        profiles = store.newest_profiles(self.db, PROFILES_TO_TRY)
        return {"profiles": [partial(self.vault.decrypt_profile, *profile) for profile in profiles]}


service = IntakeService("intake", indexes=store.INDEXES)
