"""What matching does, one file for each behaviour. Importing the package registers them all with `service`."""

from services.matching.handlers import answering, asking, choosing, desk, entries, lapsing, minding, notes, signing_in, waiting
from services.matching.handlers.service import service

__all__ = [
    "answering", "asking", "choosing", "desk", "entries", "lapsing", "minding", "notes", "service", "signing_in", "waiting",
]  # fmt: skip
