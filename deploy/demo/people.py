"""Who lives in the demo. Run before its processes start: makes queues and indexes, and brings everybody in."""

import importlib
import re
import tomllib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from shared.clock import now
from shared.settings import read_core

FILE = Path(__file__).parent / "people.toml"


@cache
def people() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(FILE.read_text())


def address_of(person: dict[str, Any]) -> str:
    return f"{re.sub('[^a-z]+', '.', person['name'].lower())}@demo.example"


def names_by_address() -> dict[str, str]:
    """Names for the inbox and the phone, by e-mail address and by number."""
    everyone = [*people()["practitioner"], *people()["coordinator"]]
    addresses = {address_of(person): str(person["name"]) for person in everyone}
    return addresses | {person["phone"]: person["name"] for person in everyone if "phone" in person}


def prepare() -> None:
    """Queues and indexes of every service. Leaves the services started in this process."""
    from shared.bus import topology

    settings = read_core()
    services = [importlib.import_module(f"services.{name}.handlers").service for name in ("intake", "matching", "notify")]
    topology.declare(settings.amqp_url, {service.name: topology.subscriptions_of(service) for service in services})
    for service in services:
        service.start(settings).make_indexes()


def bring_in() -> str:
    """Nobody when somebody is there already, so that what was changed since stays changed."""
    from services.matching.handlers import service
    from services.matching.handlers.coordinator import write_profiles
    from services.matching.handlers.sign_in import AddCoordinator, add_coordinator

    if service.db.practitioners.find_one({}, {"_id": 1}):
        return "Everybody is still here"
    for one in people()["coordinator"]:
        service.run(add_coordinator, AddCoordinator(name=one["name"], email=address_of(one), time_zone=one["time_zone"]))
    service.run(write_profiles, [_entry(one) for one in people()["practitioner"]], idempotency_key="demo/people")
    return f"{len(people()['practitioner'])} practitioners and a coordinator came in"


def _entry(person: dict[str, Any]) -> Any:
    from services.matching.domain import Hours
    from services.matching.handlers.profiles import PractitionerProfile

    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in person.items()}
    given["hours"] = tuple(
        Hours(day=row["day"], start=_minutes(row["start"]), end=_minutes(row["end"])) for row in person.get("hours", [])
    )
    days = given.pop("rests_days", 0)
    return PractitionerProfile(email=address_of(person), resting_until=now() + timedelta(days=days) if days else None, **given)


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


if __name__ == "__main__":
    prepare()
    print(bring_in(), flush=True)
