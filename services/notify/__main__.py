from services.notify.delivery import deliver_notifications
from services.notify.handlers import service
from shared.bus.worker import work
from shared.settings import read_notify

settings = read_notify()
deliver_notifications(settings)
work(service, settings)
