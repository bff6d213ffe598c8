"""Every query of notify, by name, one module for each collection; documents become values of the domain here and nowhere else. A
field is stored under its name, `id` (of a contact `person_id`) as `_id`, None is left out (shared/documents.py)."""

from services.notify.store.contacts import *
from services.notify.store.delivery import *
from services.notify.store.desk_calls import *
from services.notify.store.digests import *
from services.notify.store.first_emails import *
from services.notify.store.indexes import *
from services.notify.store.keys import *
from services.notify.store.match_news import *
from services.notify.store.meetings import *
from services.notify.store.notifications import *
from services.notify.store.offers import *
from services.notify.store.phone_numbers import *
from services.notify.store.request_updates import *
from services.notify.store.rooms import *
