"""Who may sit at the coordinators' desk: what `kitchen coordinators` does."""

from services.matching import store
from services.matching.forms import one_form_of_email
from services.matching.handlers import service
from services.matching.handlers.signing_in import CoordinatorEntry, coordinator_name, welcome_coordinator
from shared.i18n import LANGUAGES
from shared.service import Service


def coordinator_entry(name: str, email: str, language: str = LANGUAGES[0], into: Service = service) -> CoordinatorEntry:
    """Raises ValidationError for a wrong address."""
    return CoordinatorEntry(name=name, email=one_form_of_email(email), language=language, time_zone=into.programme.time_zone)


def add_coordinator(name: str, email: str, language: str = LANGUAGES[0], into: Service = service) -> None:
    """Make a coordinator, or bring the one with this address up to date. Raises ValidationError for a wrong address."""
    into.run(welcome_coordinator, coordinator_entry(name, email, language, into))


def everyone(of: Service = service) -> list[dict[str, str]]:
    """Without their addresses."""
    return [{"id": id, "name": coordinator_name(row)} for id, row in store.coordinators(of.db).items()]
