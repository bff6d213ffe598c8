from services.notify.handlers import service
from services.notify.sending import send_letters
from shared.bus.worker import work
from shared.settings import read_notify

settings = read_notify()
send_letters(settings)
work(service, settings)
