"""The website as its visitors use it: Chromium without JavaScript."""

import itertools
from collections.abc import Sequence

from playwright.sync_api import Browser, Page

from tests.journeys.stack import soon

Choice = str | tuple[str, str]
PLACES = itertools.count(1)


class Website:
    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self.url = browser, url
        self.asked_with: list[str] = []

    def visitor(self) -> Page:
        """Somebody new, with a browser and a place of their own: what one place may do is limited."""
        place = {"X-Forwarded-For": f"192.0.2.{next(PLACES)}"}
        context = self._browser.new_context(
            java_script_enabled=False, base_url=self.url, locale="en-US", extra_http_headers=place
        )
        return context.new_page()

    def ask(self, *choices: Choice, mode: str = "", name: str = "Wren", email: str = "", phone: str = "") -> "Supportee":
        someone = self.write(*choices, mode=mode, name=name, email=email, phone=phone)
        someone.send()
        return someone

    def write(
        self, *choices: Choice, mode: str = "", name: str = "Wren", email: str = "", phone: str = "", words: str = ""
    ) -> "Supportee":
        """All seven questions, up to the check page."""
        someone = Supportee(self.visitor())
        someone.choose(choices, mode or "chosen")
        someone.fill_in({"name": name})
        someone.fill_in({"words": words or "I would like company on hard mornings"})
        someone.say_how_to_reach(email, phone)
        self.asked_with += [email] if email else []
        for _ in (5, 6, 7):
            someone.go_on()
        return someone


class Supportee:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.code_words = ""

    def choose(self, choices: Sequence[Choice], mode: str) -> None:
        """A name alone: the next of them is asked, and they themselves after the last."""
        self.page.goto("/ask")
        self.page.locator(f"[name=mode][value={mode}]").check()
        if mode == "chosen":
            self.go_on()
        named = [(choice, "next_choice") if isinstance(choice, str) else choice for choice in choices]
        for row, (who, _) in enumerate(named):
            if row == 1:
                self.page.get_by_role("button", name="Name a second choice").click()
            self._find(who)
            self.page.get_by_role("button", name=f"Choose {who}").click()
        self._say_what_then([if_not for _, if_not in named])
        self.go_on()

    def _say_what_then(self, rules: Sequence[str]) -> None:
        if len(rules) == 1 and rules != ["next_choice"]:
            self.page.locator(f"[name=if_not][value={rules[0]}]").check()
        for row, rule in enumerate(rules[:-1]):
            self.page.locator("select[name=if_not]").nth(row).select_option(rule)

    def _find(self, who: str) -> None:
        """The directory is told by events: look until the person is found."""

        def look() -> bool:
            self.page.locator("[name=find]").fill(who)
            self.page.locator("[name=go][value=find]").click()
            return self.page.get_by_role("button", name=f"Choose {who}").count() > 0

        soon(look, f"{who} among those found")

    def fill_in(self, values: dict[str, str]) -> None:
        for name, value in values.items():
            self.page.locator(f"[name={name}]").fill(value)
        self.go_on()

    def say_how_to_reach(self, email: str, phone: str) -> None:
        for way, value in (("email", email), ("text", phone)):
            if value:
                self.page.locator(f"[name=reach][value={way}]").check()
                self.page.locator(f"[name={'email' if way == 'email' else 'phone'}]").fill(value)
        if not email and not phone:
            self.page.locator("[name=reach][value=page]").check()
        self.go_on()

    def go_on(self) -> None:
        self.page.get_by_role("button", name="Continue").click()

    def send(self) -> None:
        self.page.get_by_role("button", name="Send my request").click()
        self.code_words = " ".join(self.page.locator(".words li").all_inner_texts())
        self.page.get_by_role("button", name="I have kept them").click()

    def status(self, says: str) -> str:
        """Look at the page until its heading says this."""

        seen: list[str] = []

        def look() -> str | None:
            self.page.goto("/s")
            seen[:] = [self.page.locator("h1").inner_text()]
            return seen[0] if says in seen[0] else None

        return soon(look, lambda: f"a page that says {says!r} (it says {seen})")

    def come_back(self) -> None:
        """Days later, with nothing but the code words."""
        self.page.goto("/s")
        self.page.locator("[name=code]").fill(self.code_words)
        self.page.get_by_role("main").get_by_role("button").first.click()

    def pick(self, name: str) -> None:
        self.page.get_by_role("button", name=f"Ask {name}").click()

    def write_back(self, words: str) -> None:
        self.page.goto("/s/write")
        self.page.locator("[name=words]").fill(words)
        self.page.get_by_role("button", name="Send it").click()

    def leave(self) -> None:
        self.page.goto("/s/leave")
        self.page.get_by_role("main").get_by_role("button").first.click()


class Practitioner:
    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, link: str) -> "Practitioner":
        self.page.goto(link)
        self.page.get_by_role("main").get_by_role("button").first.click()
        return self

    def answer(self, value: str) -> str:
        self.page.locator(f"[name=answer][value={value}]").check()
        self.page.get_by_role("main").get_by_role("button").last.click()
        return self.page.locator("h1").inner_text()
