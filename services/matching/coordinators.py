"""Who may sign in as a coordinator: what `kitchen coordinators` does."""

from services.matching import store
from services.matching.forms import normalize_email
from services.matching.handlers import service, sign_in
from services.matching.handlers.sign_in import AddCoordinator, coordinator_name
from shared.i18n import LANGUAGES
from shared.service import Service


def coordinator_from(name: str, email: str, language: str = LANGUAGES[0], into: Service = service) -> AddCoordinator:
    """Raises ValidationError for a wrong address."""
    return AddCoordinator(name=name, email=normalize_email(email), language=language, time_zone=into.programme.time_zone)


def add_coordinator(name: str, email: str, language: str = LANGUAGES[0], into: Service = service) -> None:
    """Make a coordinator, or bring the one with this address up to date. Raises ValidationError for a wrong address."""
    into.run(sign_in.add_coordinator, coordinator_from(name, email, language, into))


def everyone(of: Service = service) -> list[dict[str, str]]:
    """Without their addresses."""
    return [{"id": one.id, "name": coordinator_name(one)} for one in store.coordinators.everyone(of.db)]
