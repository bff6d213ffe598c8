"""The service itself, in a module of its own so that each behaviour can register with it."""

from services.matching import store
from shared.service import Service

service = Service("matching", indexes=store.INDEXES)
