"""The walk through the running product: who is there, and a visitor of the walk's language."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from playwright.sync_api import Browser

from bench.form import FormClient
from deploy.local.mail_sink import ReceivedEmail
from tests.gates.visitor import Noticed, Visitor
from tests.journeys.stack import Stack, address, link_in, soon

# The same day in every run, so that every date on a page is: a Monday at noon in New York, and always still to come.
TODAY = datetime(2035, 1, 15, 17, 0, tzinfo=UTC)
PLACES = count(1)
HOME_ZONE = "America/New_York"
LONG_NAME = "Maximiliana-Bartholomea-Konstantinopolitanischedudelsackpfeifenmachergesellin-Xyz"[:80]
NAMES_OF_ALL_KINDS = {"long": LONG_NAME, "chinese": "李雷", "arabic": "محمد"}


@dataclass
class Walk:
    stack: Stack
    browser: Browser
    language: str
    noticed: Noticed = field(default_factory=Noticed)
    signed_in: dict[str, Visitor] = field(default_factory=dict)

    @property
    def practitioner(self) -> str:
        return f"Paz {self.language.title()}"

    @property
    def another(self) -> str:
        return f"Alba {self.language.title()}"

    @property
    def coordinator(self) -> str:
        return f"Ro {self.language.title()}"

    def visitor(self) -> Visitor:
        return Visitor(self.browser, self.stack.url, self.language, self.noticed)

    def link_to(self, name: str, about: str, after: int = 0) -> str:
        """In their newest e-mail with these words; `after`: of those that come after so many."""

        def newest() -> ReceivedEmail | None:
            return next((one for one in reversed(self.stack.emails_to(name)[after:]) if about in one.text), None)

        return link_in(soon(newest, f"an e-mail: {about}").text)

    def signed_in_as(self, name: str, door: str) -> Visitor:
        """Signs in when they are not, or no longer."""
        known = self.signed_in.get(name)
        if known and not known.go(f"/{door}").see("main [name=email]").count():
            return known
        visitor = self.visitor().go(f"/{door}")
        before = len(self.stack.emails_to(name))
        visitor.fill(email=address(name))
        visitor.press()
        visitor.go(self.link_to(name, f"/{door}/in/", after=before))
        visitor.press()
        self.signed_in[name] = visitor
        return visitor.go(f"/{door}")


def ask(url: str, language: str, name: str, how: str, *, place: str = "", **reach: str) -> str:
    """A request, sent in a second: its code words. `how`: with=juniper, mode=suggest. Without `reach` it is reached on its page
    alone, without `place` it comes from one of its own."""
    someone = FormClient(url, source=place or f"127.0.1.{next(PLACES)}")
    someone.open(f"/help?lang={language}")
    someone.open(f"/ask/1?{how}")
    for typed in ({}, {"name": name}, {"words": WORDS[language]}, {"reach": "page", **reach}, {}, {}, {}, {}):
        someone.send(**typed)
    assert "/ask/sent" in someone.url, f"{name}'s request is not sent: {someone.url}"
    words = re.search(r'<ol class="words".*?</ol>', someone.page, re.S)
    assert words
    return " ".join(re.findall(r"<li>(.*?)</li>", words[0]))


WORDS = {"en": "Company on hard mornings.\nNo advice.", "es": "Compañía en las mañanas difíciles.\nSin consejos."}


def slug_of(name: str) -> str:
    """As it stands in the address of their page."""
    return name.lower().replace(" ", "-")
