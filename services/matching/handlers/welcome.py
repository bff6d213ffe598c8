"""How somebody becomes a practitioner: by steps of the programme's, with the word of two coordinators, at their own pace."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.matching import store
from services.matching.domain import Application, Practitioner, Said
from services.matching.handlers import profiles
from services.matching.handlers.profiles import PractitionerProfile, email_index
from services.matching.handlers.service import service
from services.matching.handlers.sign_in import RequestSignIn, send_sign_in_link
from services.matching.handlers.tasks import close_welcome_task, open_welcome_task
from shared.clock import now
from shared.contracts import ApplicationSent, TeamContactShared, WelcomeState
from shared.messages import Event
from shared.mongo import Db
from shared.welcome import WelcomeStep

SECONDS_BETWEEN_LOOKS = 300
TOLD_BEFORE = timedelta(days=14)
ENDS_BEFORE = timedelta(days=1)  # so that notify hears of it before the row is kept too long


@dataclass(frozen=True, kw_only=True)
class Talk:
    coordinator_id: str
    application_id: str


@dataclass(frozen=True, kw_only=True)
class SayYes:
    """`coordinator_id` None: the applicant says it."""

    application_id: str
    step: str
    coordinator_id: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class WriteAboutIt:
    """`coordinator_id` None: the applicant writes. `not_now`: it does not go on for now, with these words to the person."""

    application_id: str
    words: str
    coordinator_id: str | None = None
    not_now: bool = False


@service.on(ApplicationSent)
def receive_application(event: ApplicationSent, db: Db) -> list[Event]:
    """Who has a page here already gets a link to it, and nothing changes: whoever typed this address need not be its owner."""
    answers = service.vault.decrypt_fields(event.encrypted)
    index, address = email_index(answers["email"]), answers["email"]
    if store.practitioners.find_by_email(db, index) or store.applications.find_by_email(db, index):
        return send_sign_in_link(RequestSignIn(email=address, role="practitioner"), db)
    id, moment = event.application_id, now()
    told = {"email": address, "link": f"{service.public_url}/me", "known_as": answers.get("name", "")}
    kept = {name: text for name, text in answers.items() if name != "email"}
    application = Application(
        id=id,
        email_index=index,
        contact=service.vault.encrypt_for("notify", id, told),
        encrypted=service.vault.encrypt_for("matching", id, kept),
        language=event.language,
        sent_at=moment,
        moved_at=moment,
    )
    events = application.received()
    store.applications.save(db, application)
    open_welcome_task(db)
    return [_contact_of(application), *events]


def talk(command: Talk, db: Db) -> list[Event]:
    application = store.applications.find(db, command.application_id)
    if application is None or application.state not in ("applied", "not_now"):
        return []
    return _saved(application, application.talk(now()), db)


def say_yes(command: SayYes, db: Db) -> list[Event]:
    """[] when it was said already, or is not theirs to say."""
    application, step = store.applications.find(db, command.application_id), _step(command.step)
    if application is None or step is None or not application.may_say_yes(step, command.coordinator_id):
        return []
    return _saved(application, application.say_yes(step, command.coordinator_id, now(), service.programme.welcome), db)


def write_about_it(command: WriteAboutIt, db: Db) -> list[Event]:
    application = store.applications.find(db, command.application_id)
    if application is None:
        return []
    said_id = str(uuid.uuid4())
    encrypted = service.vault.encrypt_for("matching", application.id, {_field(said_id): command.words})
    said = Said(id=said_id, by=command.coordinator_id, at=now(), encrypted=encrypted)
    events = _saved(application, application.write(said, not_now=command.not_now), db)
    if said.by is None:
        open_welcome_task(db)
    return events


def take_back(application_id: str, db: Db) -> list[Event]:
    """In one step, by the applicant: nothing of it stays."""
    return _ended(application_id, "stepped_back", db)


def begin(application_id: str, db: Db) -> list[Event]:
    """They are a practitioner from now on, open to one person, and write their page themselves."""
    application = store.applications.find(db, application_id)
    if application is None or application.state != "welcomed":
        return []
    answers = answers_of(application)
    ended = application.end("open")
    store.applications.delete(db, application.id)
    practitioner = Practitioner(
        id=application.id, email_index=application.email_index, contact=application.contact, contact_version=1
    )
    store.practitioners.save(db, practitioner)
    profile = PractitionerProfile(
        practitioner_id=application.id,
        name=answers["name"],
        languages=tuple(answers.get("languages", "").split()),
        time_zone=service.programme.time_zone,
        language=application.language,
    )
    return [*ended, *profiles.write(profile, db, "words")]


def find_those_to_tell(db: Db) -> Iterable[str]:
    return store.applications.ids_untouched_since(db, now() - _kept() + TOLD_BEFORE, told=False)


@service.every(SECONDS_BETWEEN_LOOKS, find_those_to_tell)
def tell_that_it_ends(application_id: str, db: Db) -> list[Event]:
    application = store.applications.find(db, application_id)
    if application is None or application.told_at or application.moved_at > now() - _kept() + TOLD_BEFORE:
        return []
    events = application.tell(now())
    store.applications.save(db, application)
    return [*events]


def find_those_that_end(db: Db) -> Iterable[str]:
    """Only those who were told long enough ago."""
    return store.applications.ids_untouched_since(db, now() - _kept(), told=True)


@service.every(SECONDS_BETWEEN_LOOKS, find_those_that_end)
def end_what_nobody_continues(application_id: str, db: Db) -> list[Event]:
    application = store.applications.find(db, application_id)
    if application is None or application.moved_at > now() - _kept():
        return []
    return _ended(application_id, "ended", db)


def answers_of(application: Application) -> dict[str, str]:
    return service.vault.decrypt_fields(application.encrypted)


def words_of(said: Said) -> str:
    return service.vault.decrypt_fields(said.encrypted)[_field(said.id)]


def ends_at(application: Application) -> datetime:
    """When nothing happens until then."""
    return application.moved_at + _kept()


def _ended(application_id: str, state: WelcomeState, db: Db) -> list[Event]:
    application = store.applications.find(db, application_id)
    if application is None:
        return []
    store.applications.delete(db, application.id)
    store.applications.close_doors(db, application.id)
    close_welcome_task(db)
    return [*application.end(state)]


def _saved(application: Application, events: Iterable[Event], db: Db) -> list[Event]:
    store.applications.save(db, application)
    close_welcome_task(db)
    return [*events]


def _step(key: str) -> WelcomeStep | None:
    return next((step for step in service.programme.welcome if step.key == key), None)


def _kept() -> timedelta:
    return timedelta(days=service.programme.days_kept("application")) - ENDS_BEFORE


def _field(said_id: str) -> str:
    return f"said/{said_id}"


def _contact_of(application: Application) -> TeamContactShared:
    return TeamContactShared(
        person_id=application.id,
        role="practitioner",
        version=1,
        channels=("email",),
        language=application.language,
        time_zone=service.programme.time_zone,
        encrypted=application.contact,
    )
