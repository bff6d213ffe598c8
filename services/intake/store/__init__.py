"""Every query of intake, by name, one module for each matter. Documents become objects of domain.py here and nowhere else: a
field is stored under its name, `id` as `_id`, None is left out (shared/documents.py). What only its owner may read is encrypted
under the owner's key."""

from services.intake.store.agreements import *
from services.intake.store.calendars import *
from services.intake.store.corrections import *
from services.intake.store.daily_checks import *
from services.intake.store.directory import *
from services.intake.store.drafts import *
from services.intake.store.erasures import *
from services.intake.store.indexes import *
from services.intake.store.invitations import *
from services.intake.store.links import *
from services.intake.store.look_backs import *
from services.intake.store.meetings import *
from services.intake.store.notes import *
from services.intake.store.plans import *
from services.intake.store.requests import *
from services.intake.store.team import *
from services.intake.store.unanswered import *
from services.intake.store.waiting import *
