"""The service itself, in a module of its own so that each handler can register with it."""

from services.matching.store import INDEXES
from shared.service import Service

service = Service("matching", indexes=INDEXES)
