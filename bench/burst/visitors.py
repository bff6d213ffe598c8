"""python -m bench.burst.visitors URL < addresses: for each address a practitioner with one place, and a visitor about to press
Send for them. Prints a JSON object for each (a load.Visitor).

The first visitor goes through the pages. The others get what those pages left behind, written by the same handlers, with a
person, keys, a practitioner and an address of their own; the slow hash of code words is not made for them.
"""

import json
import sys
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from flask import Response

from bench.burst.load import Visitor, supportee_of
from bench.form import FormClient, FormOnPage
from deploy.servers.processes import wait_until
from services.intake import store
from services.intake.domain import CodeWords, Draft
from services.intake.handlers import service as intake
from services.intake.handlers.supportee import new_draft, save_draft
from services.intake.web import make_app
from services.intake.web.helpers import start_draft_session
from services.matching.handlers import service as matching
from services.matching.handlers.profiles import PractitionerProfile
from services.matching.people import import_profiles
from services.notify.handlers import service as notify
from shared import vault
from shared.clock import now
from shared.mongo import Rows
from shared.settings import read_core
from shared.tokens import digest, new_token

IMPORTED_AT_ONCE = 100
DRAFT_COOKIE = "draft"
TIME_TO_TYPE = timedelta(minutes=5)


@dataclass(frozen=True)
class Guest:
    """A practitioner."""

    id: str
    address: str

    @property
    def slug(self) -> str:
        return f"guest-{self.id[:18]}"


def main(url: str, addresses: Sequence[str]) -> None:
    for service in (intake, matching, notify):
        service.start(read_core())
    guests = [Guest(str(uuid.uuid4()), address) for address in addresses]
    bring_in(guests)
    others = Others(through_the_pages(url, guests[0]), guests[0])
    with ThreadPoolExecutor(4) as pool:
        for visitor in pool.map(others.visitor, guests, range(len(guests))):
            print(json.dumps(asdict(visitor)))


def bring_in(guests: Sequence[Guest]) -> None:
    for first in range(0, len(guests), IMPORTED_AT_ONCE):
        import_profiles([profile_of(guest) for guest in guests[first : first + IMPORTED_AT_ONCE]])
    wait_until(partial(all_are_in, intake.db.directory, guests), "The directory", seconds=300)
    wait_until(partial(all_are_in, notify.db.contacts, guests), "Their contacts", seconds=300)


def all_are_in(rows: Rows, guests: Sequence[Guest]) -> bool:
    return rows.count_documents({"_id": {"$in": [guest.id for guest in guests]}}) == len(guests)


def profile_of(guest: Guest) -> PractitionerProfile:
    """Where it is early afternoon now."""
    return PractitionerProfile(
        practitioner_id=guest.id,
        name=guest.slug.replace("-", " ", 1),
        email=guest.address,
        words="Here for a measurement.",
        languages=("en",),
        places=1,
        state="open",
        time_zone=f"Etc/GMT{datetime.now(UTC).hour - 13:+d}",
    )


def through_the_pages(url: str, guest: Guest) -> FormClient:
    client = FormClient(url)
    client.open(f"/ask/1?with={guest.slug}")
    answers: list[dict[str, str | list[str]]] = [
        {"mode": "chosen"}, {"name": "Sam"}, {"words": "Somebody to talk to on Sundays."},
        {"reach": ["email"], "email": supportee_of(guest.address)}, {}, {"language": "en"}, {},
    ]  # fmt: skip
    for answer in answers:
        client.send(**answer)
    if not client.url.endswith("/ask/check"):
        raise SystemExit(f"the form stopped at {client.url}")
    return client


class Others:
    """Visitors like the first one, whose draft is still there."""

    def __init__(self, client: FormClient, first: Guest) -> None:
        self._app, self._first = make_app(), first
        self._cookies, self._fields = client.cookies, FormOnPage(client.page).fields
        self._typed = _typed_by(self._cookies[DRAFT_COOKIE])

    def visitor(self, guest: Guest, number: int) -> Visitor:
        draft = self._draft_for(guest)
        intake.run(save_draft, draft)
        cookies = {**self._cookies, DRAFT_COOKIE: self._begin_session(draft)}
        headers = f"Cookie: {'; '.join(f'{name}={value}' for name, value in cookies.items())}\r\n"
        headers += f"X-Forwarded-For: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}\r\n"
        fields = [(name, draft.request_id if name == "request_id" else value) for name, value in self._fields]
        return Visitor(guest.address, headers, urlencode(fields))

    def _draft_for(self, guest: Guest) -> Draft:
        typed = self._typed.replace(self._first.id, guest.id)
        typed = typed.replace(supportee_of(self._first.address), supportee_of(guest.address))
        draft = new_draft()
        wrap = vault.wrap_under(new_token(), draft.person_id, draft.key)
        words = CodeWords(words="one two three", id=digest(draft.person_id), wrap=wrap)
        return replace(draft, typed=dict(json.loads(typed)), code_words=words, begun_at=now() - TIME_TO_TYPE)

    def _begin_session(self, draft: Draft) -> str:
        """Their cookie."""
        with self._app.app_context():
            response = start_draft_session(Response(), draft)
        return SimpleCookie(response.headers["Set-Cookie"])[DRAFT_COOKIE].value


def _typed_by(cookie: str) -> str:
    """The answers of whoever has this cookie: JSON, questions with what was typed."""
    session = intake.db.sessions.find_one({"_id": digest(cookie)})
    assert session
    draft = store.draft(intake.db, session["person_id"], vault.unwrap_under(cookie, session["person_id"], session["wrap"]))
    assert draft
    return json.dumps(list(draft.typed.items()))


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.read().split())
