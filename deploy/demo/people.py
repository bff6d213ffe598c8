"""Who lives in the demo. Run before its processes start: makes queues and indexes, and brings everybody in."""

import re
import tomllib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from shared.clock import now

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


def bring_in() -> str:
    """As a collective would: coordinators one by one, practitioners from a spreadsheet. Nobody when somebody is there already."""
    from services.matching import coordinators
    from services.matching import people as spreadsheet
    from services.matching.handlers import service

    if service.db.practitioners.find_one({}, {"_id": 1}):
        return "Everybody is still here"
    for one in people()["coordinator"]:
        coordinators.add_coordinator(one["name"], address_of(one))
    profiles, problems = spreadsheet.check([_row(one) for one in people()["practitioner"]], service.programme.time_zone)
    assert not problems, problems
    return f"{spreadsheet.import_profiles(profiles)} practitioners and a coordinator came in"


def _row(person: dict[str, Any]) -> dict[str, str]:
    row = {name: "; ".join(value) if isinstance(value, list) else str(value) for name, value in person.items()}
    if "rests_days" in row:
        row["resting_until"] = (now() + timedelta(days=int(row.pop("rests_days")))).date().isoformat()
    return {**row, "email": address_of(person)}


if __name__ == "__main__":
    from deploy.local.prepare import prepare

    prepare()
    print(bring_in(), flush=True)
