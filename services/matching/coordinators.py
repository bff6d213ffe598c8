"""python -m services.matching.coordinators add: who may sit at the desk."""

import click
from marshmallow import ValidationError

from services.matching.forms import one_form_of_email
from services.matching.handlers import service
from services.matching.handlers.signing_in import CoordinatorEntry, welcome_coordinator
from shared.i18n import LANGUAGES
from shared.service import Service
from shared.settings import read_core


def add_coordinator(name: str, email: str, language: str = LANGUAGES[0], into: Service = service) -> None:
    """Make a coordinator, or bring the one with this address up to date. Raises ValidationError for a wrong address."""
    entry = CoordinatorEntry(name=name, email=one_form_of_email(email), language=language, time_zone=into.programme.time_zone)
    into.run(welcome_coordinator, entry)


@click.group()
def main() -> None:
    """Coordinators of this collective."""


@main.command()
@click.option("--name", prompt="What do people call them")
@click.option("--email", prompt="Email address")
@click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
def add(name: str, email: str, language: str) -> None:
    """Let somebody sit at the desk: they sign in at /c by a link in a letter."""
    service.start(read_core()).make_indexes()
    try:
        add_coordinator(name, email, language)
    except ValidationError:
        raise SystemExit("That is no email address.") from None
    click.echo(f"Done. They can sign in at {service.public_url}/c")


if __name__ == "__main__":
    main()
