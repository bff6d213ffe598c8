"""Where a command runs: which services' code is in this image, their settings, and how answers are printed."""

import json
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from shared.mongo import Db, connect
from shared.settings import Settings, read_core

SERVICES = ("intake", "matching", "notify")


def services_here() -> list[str]:
    """An image holds the code of one service; a developer's machine that of all."""
    return [service for service in SERVICES if find_spec(f"services.{service}")]


def check_service(service: str) -> None:
    """Raises ClickException when this container is another service's."""
    if service not in services_here():
        raise click.ClickException(f"Not from here: docker compose run --rm {service}-worker kitchen ...")


def matching_code(module: str) -> tuple[Any, Any]:
    """Matching's service object and its `module`."""
    return service_module("matching", "handlers").service, service_module("matching", module)


def service_module(service: str, module: str) -> Any:
    check_service(service)
    return import_module(f"services.{service}.{module}")


@cache
def settings() -> Settings:
    """Ends the command with the names of the settings that are missing or wrong."""
    return read_core()


@cache
def database(service: str) -> Db:
    check_service(service)
    return connect(settings().mongodb_uri, service)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, default=str))


def print_table(rows: list[dict[str, Any]], nothing: str = "") -> None:
    if not rows:
        click.echo(nothing)
        return
    lines = [[column.replace("_", " ") for column in rows[0]], *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else str(value)
