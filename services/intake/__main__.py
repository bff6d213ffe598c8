from services.intake.handlers import service
from shared.bus.worker import work
from shared.settings import read_core

work(service, read_core())
