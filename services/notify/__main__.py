from services.notify.handlers import service
from shared.bus.worker import work
from shared.settings import read_notify

work(service, read_notify())
