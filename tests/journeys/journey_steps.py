"""Every page there is, in one language: yields each page in each of its states, to be checked."""

from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserContext, Page

from tests.journeys.stack import Stack, address, link_in, soon

Seen = tuple[str, Page]
PRESS = "main form button:not([name]), main form button[name='']"


class JourneySteps:
    def __init__(self, stack: Stack, browser: Browser, language: str) -> None:
        self.stack, self._browser, self.language = stack, browser, language
        self.hosts: set[str] = set()
        self.name, self.another = f"Paz {language.title()}", f"Alba {language.title()}"
        self._supportee: Page

    def every_page(self) -> Iterator[Seen]:
        self.stack.welcome(self.another, language=self.language)
        self.stack.welcome(self.name, places=9, offers_at_once=9, words="I listen.", language=self.language)
        self.stack.welcome_coordinator(f"ro {self.language}")
        yield from self._reading()
        yield from self._asking()
        yield from self._finding_again()
        yield from self._answering()
        yield from self._my_own_page()
        yield from self._at_the_desk()
        yield from self._the_demo()

    def _visitor(self) -> Page:
        # JavaScript only for the checker: our own pages need none.
        context: BrowserContext = self._browser.new_context(
            base_url=self.stack.url, bypass_csp=True, reduced_motion="reduce", locale=f"{self.language}-US"
        )
        context.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        page = context.new_page()
        page.goto(f"/help?lang={self.language}")
        return page

    def _each(self, page: Page, *paths: str) -> Iterator[Seen]:
        for path in paths:
            page.goto(path)
            yield path, page

    def _press(self, page: Page) -> None:
        page.locator(PRESS).first.click()

    def _reading(self) -> Iterator[Seen]:
        page = self._visitor()
        yield from self._each(
            page, "/", "/expect", "/people", "/people?text=nobody-says-this", "/comfort", "/keep", "/help", "/away"
        )
        yield from self._each(page, "/nothing-here", "/people/nobody-is-called-this")
        soon(
            lambda: page.goto("/people") and page.locator(".card h2 a, .card h3 a", has_text=self.name).count(),
            "the new practitioner",
        )
        page.locator(".card a", has_text=self.name).first.click()
        yield "a practitioner's page", page

    def _asking(self) -> Iterator[Seen]:
        page = self._visitor()
        page.goto("/ask")
        self._press(page)
        yield "question 1, nothing chosen", page
        page.locator("[name=mode][value=chosen]").check()
        self._press(page)
        yield "question 1, whom", page
        self._press(page)
        yield "question 1, nobody found yet", page
        yield from self._finding_people(page)
        self._press(page)
        yield "question 2", page
        self._press(page)
        yield "question 2, no name", page
        page.locator("[name=name]").fill("Wren")
        self._press(page)
        yield "question 3", page
        page.locator("[name=words]").fill("Company on hard mornings")
        page.locator("[name=go][value=save]").click()
        yield "saved, with code words", page
        yield from self._each(page, "/ask/return", "/ask/erase", "/ask/4")
        self._press(page)
        yield "question 4, no way chosen", page
        page.locator("[name=reach][value=email]").check()
        page.locator("[name=email]").fill(address(f"wren {self.language}"))
        for question in (5, 6, 7):
            self._press(page)
            yield f"question {question}", page
        self._press(page)
        yield "check", page
        self._press(page)
        yield "sent", page
        self._press(page)
        page.wait_for_url("**/s")
        soon(lambda: page.goto("/s") and self.name in page.locator("h1").inner_text(), "who is asked, on the status page")
        yield "status", page
        yield from self._each(page, "/s/answers", "/s/someone-else", "/s/leave", "/s/write")
        self._press(page)
        yield "a note without words", page
        self._supportee = page

    def _finding_people(self, page: Page) -> Iterator[Seen]:
        self._find(page, "find", "")
        yield "question 1, no name to look for", page
        self._find(page, "find", "nobody is called this")
        yield "question 1, nobody found", page
        self._find(page, "find", "a")
        yield "question 1, some found", page
        for name in (self.another, self.name):
            self._find(page, "find", name)
            page.locator("[name=go][value^='add/']", has_text=name).click()
            if name == self.another:
                yield "question 1, one chosen", page
                page.locator("[name=go][value=more]").click()
        yield "question 1, two chosen", page
        page.locator("[name=go][value^='up/']").click()
        page.locator("[name=go][value^='drop/']").last.click()
        page.locator("details summary").click()
        self._find(page, "find_avoid", "a")
        yield "question 1, one chosen, others found to be avoided", page
        page.locator("[name=find_avoid]").fill("")

    def _find(self, page: Page, field: str, name: str) -> None:
        page.locator(f"[name={field}]").fill(name)
        page.locator(f"[name=go][value={field}]").click()

    def _finding_again(self) -> Iterator[Seen]:
        page = self._visitor()
        yield from self._each(page, "/s", "/s/link-sent", "/s/in/not-a-link", "/ask/erased")
        page.goto("/s")
        page.locator("[name=code]").fill("river cedar button lamp otter moss")
        self._press(page)
        yield "a code that is not there", page

    def _answering(self) -> Iterator[Seen]:
        page = self._visitor()
        page.goto(link_in(self.stack.email_to(self.name, "/o/").text))
        yield "offer, before it is read", page
        self._press(page)
        yield "offer", page
        page.locator("[name=answer][value=ask_first]").check()
        page.locator("main form button").last.click()
        yield "offer, nothing asked", page
        page.locator("[name=answer][value=ask_first]").check()
        page.locator("[name=question]").fill("Is text all right at first?")
        page.locator("main form button").last.click()
        yield "offer, a question asked", page
        yield from self._writing_back()
        page.goto("/o")
        page.locator("[name=answer][value=yes]").check()
        page.locator("main form button").last.click()
        yield "offer, yes", page
        yield from self._each(page, "/o/not-a-link")

    def _writing_back(self) -> Iterator[Seen]:
        page = self._supportee
        soon(lambda: page.goto("/s") and page.locator("#notes").count(), "the note on the status page")
        yield "status, with a note", page
        page.goto("/s/write")
        page.locator("[name=words]").fill("Text is good.")
        self._press(page)
        yield "status, answered", page

    def _my_own_page(self) -> Iterator[Seen]:
        yield from self._sign_in("me", self.name)

    def _at_the_desk(self) -> Iterator[Seen]:
        someone = self._visitor()
        someone.goto("/ask?mode=reach_out")
        self._press(someone)
        someone.locator("[name=name]").fill("Robin")
        self._press(someone)
        self._press(someone)
        someone.locator("[name=reach][value=page]").check()
        for _ in range(6):
            self._press(someone)
        coordinator = f"ro {self.language}"
        self.stack.email_to(coordinator, "/c")
        for state, page in self._sign_in("c", coordinator):
            yield state, page
        page.locator("form[action$='/take'] button").first.click()
        yield "the desk, a task taken", page
        page.locator("main a[href^='/c/requests/']").first.click()
        yield "a request, not opened", page
        page.locator("form[action$='/open'] button").first.click()
        yield "a request, opened", page
        page.locator("form[action$='/done'] button").first.click()
        yield "the desk, a task done", page
        yield from self._each(page, "/c/requests?state=asking", "/c/people", "/c/people/new")
        page.locator("main form button").last.click()
        yield "a practitioner without a name", page

    def _sign_in(self, door: str, name: str) -> Iterator[Seen]:
        page = self._visitor()
        page.goto(f"/{door}")
        yield f"/{door}, signed out", page
        page.locator("[name=email]").fill(address(name))
        page.locator("main form button").last.click()
        yield f"/{door}, a link is on its way", page
        page.goto(link_in(self.stack.email_to(name, f"/{door}/in/").text))
        yield f"/{door}, the link", page
        self._press(page)
        yield f"/{door}", page

    def _the_demo(self) -> Iterator[Seen]:
        page = self._visitor()
        yield from self._each(page, "/demo/", "/demo/inbox", "/demo/phone", "/demo/clock")
        page.goto("/demo/inbox")
        page.locator("main a[href^='/demo/inbox/']").first.click()
        yield "an e-mail in the demo", page
