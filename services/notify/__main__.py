from services.notify.delivery import deliver_notifications
from services.notify.handlers import service
from services.notify.rooms import make_rooms
from shared.bus.worker import work
from shared.settings import read_notify

settings = read_notify()
deliver_notifications(settings)
make_rooms(settings)
work(service, settings)
