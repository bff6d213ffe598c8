"""The commands. Each looks or acts with the rights of the service in whose container it runs.

What they print holds ids, types, counts and moments: never what a person wrote, an address or a number.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from marshmallow import ValidationError

from deploy.kitchen.context import (
    SERVICES,
    database,
    matching_code,
    print_json,
    print_table,
    service_module,
    services_here,
    settings,
)
from shared.i18n import LANGUAGES

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
SERVICE = click.argument("service", type=click.Choice(SERVICES))
REASONS = ("done_by_hand", "no_longer_needed", "invalid", "erased", "test")


class Group(click.Group):
    def invoke(self, context: click.Context) -> Any:
        """An outage is one line and exit code 1, not a traceback."""
        from pymongo.errors import PyMongoError

        from shared.bus.publisher import NotPublished
        from shared.bus.queues import BrokerError

        try:
            return super().invoke(context)
        except PyMongoError as error:
            raise click.ClickException(f"MongoDB (MONGODB_URI) does not do this: {type(error).__name__}") from None
        except (*BrokerError, NotPublished) as error:
            raise click.ClickException(f"RabbitMQ (AMQP_URL) does not do this: {type(error).__name__}") from None


@click.group(cls=Group)
def kitchen() -> None:
    """Look after Kitchen Table.

    Exit code 0: done, or all is well. 1: it failed, or something needs you. 2: the command line is wrong.
    """


@kitchen.command()
@AS_JSON
def status(as_json: bool) -> None:
    """Database, broker, queues and outbox of this container's services. Exit code 1 when something is away or given up.

    `unanswered`: requests that were published again and again, and about which matching has published nothing.
    """
    rows = [_status_of(service) for service in services_here()]
    if as_json:
        print_json(rows)
    else:
        print_table(rows)
    if any(_needs_somebody(row) for row in rows):
        raise SystemExit(1)


def _needs_somebody(row: dict[str, Any]) -> bool:
    return "away" in (row["database"], row["broker"]) or not row["workers"] or bool(row["dead"] or row["unanswered"])


def _status_of(service: str) -> dict[str, Any]:
    from pymongo.errors import PyMongoError

    from shared.bus import queues

    row: dict[str, Any] = {"service": service, "database": "away", "broker": "away"}
    row |= dict.fromkeys(("unsent", "unsent_since", "unanswered", "unassigned_since", "workers", "waiting", "retrying", "dead"))
    try:
        row |= {"database": "ok", **_unsent(service), "unanswered": _unanswered(service)}
        row["unassigned_since"] = _unassigned_since(service)
    except PyMongoError:
        row["database"] = "away"
    try:
        counts = queues.count(settings().amqp_url, service)
    except queues.BrokerError:
        return row
    return row | {"broker": "ok", **vars(counts)}


def _unsent(service: str) -> dict[str, Any]:
    from shared import outbox

    pending = outbox.pending(database(service))
    return {"unsent": pending.count, "unsent_since": pending.oldest.isoformat(timespec="seconds") if pending.oldest else None}


def _unanswered(service: str) -> int | None:
    if service != "intake":
        return None
    return int(service_module("intake", "store").count_given_up(database("intake")))


def _unassigned_since(service: str) -> str | None:
    """When the oldest trigger of the assignment job was left: minutes ago means that its runs fail."""
    if service != "matching":
        return None
    oldest = service_module("matching", "store").assignment.oldest_trigger(database("matching"))
    return oldest.created_at.isoformat(timespec="seconds") if oldest and oldest.created_at else None


# what was given up


@kitchen.group("dead-letters")
def dead_letters() -> None:
    """Messages that were given up: by a service that failed on them, or because nobody could read them."""


@dead_letters.command("list")
@click.argument("services", nargs=-1, type=click.Choice(SERVICES))
@AS_JSON
def list_dead_letters(services: Sequence[str], as_json: bool) -> None:
    """Every dead letter: its id, type and reason. Looking takes nothing away."""
    from shared.bus.dead_letters import dead_letters_of

    rows = [
        {
            "service": service,
            "event_id": one.event_id,
            "type": one.event_type,
            "published_by": one.published_by,
            "failed_at": one.failed_at,
            "attempts": one.attempts,
        }
        | {"reason": one.reason}
        for service in services or services_here()
        for one in dead_letters_of(settings().amqp_url, service)
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, "There are no dead letters.")


@dead_letters.command()
@SERVICE
@click.argument("event_id")
@AS_JSON
def show(service: str, event_id: str, as_json: bool) -> None:
    """The names and types of the fields of one dead letter: never their values."""
    from shared.bus.dead_letters import dead_letters_of, shape_of

    found = next((one for one in dead_letters_of(settings().amqp_url, service) if one.event_id == event_id), None)
    if found is None:
        raise click.ClickException("There is no such dead letter.")
    fields = shape_of(found.body)
    if as_json:
        print_json({"service": service, "event_id": event_id, "type": found.event_type, "reason": found.reason, "fields": fields})
    else:
        click.echo(f"{found.event_type}, {found.failed_at}, {found.reason}\n{json.dumps(fields, indent=2)}")


@dead_letters.command()
@SERVICE
@click.argument("event_id")
@DRY_RUN
def replay(service: str, event_id: str, dry_run: bool) -> None:
    """Send one dead letter, or `all`, to this service again under the same id. A second time changes nothing."""
    from rich.progress import track

    from shared.bus.dead_letters import replay

    chosen = None if event_id == "all" else event_id
    if dry_run:
        _say(_count_dead(service, chosen), "would be sent again")
    else:
        show = partial(track, description="Sending again", console=_console(), transient=True)
        _say(replay(settings().amqp_url, service, chosen, show), "sent again")


@dead_letters.command()
@SERVICE
@click.argument("event_id")
@click.option("--reason", type=click.Choice(REASONS), required=True, help="Written to the log.")
@DRY_RUN
def drop(service: str, event_id: str, reason: str, dry_run: bool) -> None:
    """Delete one dead letter for good."""
    from shared.bus import dead_letters

    if dry_run:
        _say(_count_dead(service, event_id), "would be dropped")
    else:
        _say(dead_letters.drop(settings().amqp_url, service, event_id, reason), "dropped")


def _console() -> Any:
    """For progress, which is not part of a command's output."""
    from rich.console import Console

    return Console(stderr=True)


def _count_dead(service: str, event_id: str | None) -> int:
    from shared.bus.dead_letters import dead_letters_of

    return sum(event_id in (None, one.event_id) for one in dead_letters_of(settings().amqp_url, service))


def _say(count: int, done: str) -> None:
    if not count:
        raise click.ClickException("There is no such dead letter.")
    click.echo(f"{count} {done}")


# what was written and must be published


@kitchen.group()
def outbox() -> None:
    """Events that a service wrote, and whether the broker has confirmed them."""


@outbox.command()
@click.argument("services", nargs=-1, type=click.Choice(SERVICES))
@AS_JSON
def pending(services: Sequence[str], as_json: bool) -> None:
    """Events that the broker has not confirmed yet: how many, and since when the oldest waits."""
    rows = [{"service": service, **_unsent(service)} for service in services or services_here()]
    if as_json:
        print_json(rows)
    else:
        print_table(rows)


@outbox.command()
@SERVICE
@click.option("--since", type=click.DateTime(), help="Only events written at or after this moment (UTC).")
@click.option("--subject", "subjects", multiple=True, help="Only events about this id; may be given again.")
@DRY_RUN
def reemit(service: str, since: datetime | None, subjects: Sequence[str], dry_run: bool) -> None:
    """Publish sent events again, under their own ids: after a broker lost its data. Who handled one before ignores it."""
    from shared import outbox

    chosen: dict[str, Any] = {"since": since.replace(tzinfo=UTC) if since else None, "subjects": subjects or None}
    if dry_run:
        click.echo(f"{outbox.count_sent(database(service), **chosen)} would be published again")
    else:
        with _console().status("Writing"):
            count = outbox.reemit(database(service), **chosen)
        click.echo(f"{count} are published again by the relay of a {service} worker")


# who left


@kitchen.group()
def erasures() -> None:
    """The ledger of who left: ids and moments. Save it apart from the copies, and replay it after one was brought back."""


@erasures.command()
def save() -> None:
    """Print the ledger, one line for each request that ended by leaving, as JSON."""
    module = _ledger()
    for request_id, at in module.ledger():
        click.echo(json.dumps({"request_id": request_id, "at": at.isoformat()}))


@erasures.command("replay")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@DRY_RUN
def replay_erasures(file: Path, dry_run: bool) -> None:
    """Erase everybody in this saved ledger once more, in all services, before the pages serve again."""
    module = _ledger()
    try:
        ids = [str(json.loads(line)["request_id"]) for line in file.read_text().splitlines() if line.strip()]
    except (ValueError, KeyError, TypeError):
        raise click.UsageError("FILE is no ledger that `kitchen erasures save` printed") from None
    again = module.unknown_here(ids)
    if dry_run:
        click.echo(f"{len(again)} of {len(ids)} would leave again")
        return
    for request_id in again:
        module.service.run(module.erase_again, request_id)
    click.echo(f"{len(again)} of {len(ids)} leave again; `kitchen_late_erasures` counts those that are not erased everywhere")


def _ledger() -> Any:
    module = service_module("intake", "handlers.erased_before")
    module.service.start(settings())
    return module


# who is here


@kitchen.group()
def people() -> None:
    """Practitioners."""


@people.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@DRY_RUN
def import_people(file: Path, dry_run: bool) -> None:
    """Bring practitioners in from a CSV file (`-`: standard input) whose first row names the columns: all of them or none.

    Whoever is there already, by their e-mail address, is brought up to date.
    """
    from rich.progress import track

    matching, module = matching_code("people")
    matching.start(settings())
    rows = module.read_file(Path("/dev/stdin") if str(file) == "-" else file)
    console = _console()
    checked, programme = track(rows, "Checking", console=console, transient=True), matching.programme
    entries, problems = module.check(checked, programme.time_zone, programme.text_countries, programme.listed)
    for row, column, reason in problems:
        click.echo(f"row {row}, {column}: {reason}", err=True)
    if problems:
        raise click.ClickException(f"Nobody was brought in. Columns are: {', '.join(module.COLUMNS)}")
    if not dry_run:
        with console.status("Writing"):
            matching.make_indexes()
            module.import_profiles(entries)
    click.echo(f"{len(entries)} practitioners {'would come' if dry_run else 'are'} in")


@kitchen.group()
def coordinators() -> None:
    """Who may sit at the coordinators' desk."""


@coordinators.command("list")
@AS_JSON
def list_coordinators(as_json: bool) -> None:
    """Everybody who may sign in at /c, without their addresses."""
    matching, module = matching_code("coordinators")
    matching.start(settings())
    rows = module.everyone()
    if as_json:
        print_json(rows)
    else:
        print_table(rows, "There is no coordinator yet: kitchen coordinators add")


@coordinators.command()
@click.option("--name", prompt="What do people call them")
@click.option("--email", prompt="E-mail address")
@click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True, help="Of their e-mails.")
@DRY_RUN
def add(name: str, email: str, language: str, dry_run: bool) -> None:
    """Let somebody sign in at /c, by a link in an e-mail; or change the name of whoever has this address."""
    matching, module = matching_code("coordinators")
    matching.start(settings())
    try:
        module.coordinator_from(name, email, language)
    except (ValidationError, ValueError):
        raise click.UsageError("--email is no e-mail address") from None
    if not dry_run:
        matching.make_indexes()
        module.add_coordinator(name, email, language)
    click.echo(f"They {'could' if dry_run else 'can'} sign in at {matching.public_url}/c")
