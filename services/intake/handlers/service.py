"""The service itself, in a module of its own so that each handler can register with it."""

from services.intake.store import INDEXES
from shared.service import Service

service = Service("intake", indexes=INDEXES)
