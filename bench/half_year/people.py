"""Those who ask, those who sit with them, and who looks after it: what each of them happens to do in a week."""

import csv
import io
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from bench.half_year.meetings import meet
from bench.half_year.pages import Browser, Page, PageForm
from bench.half_year.world import World
from deploy.local.stack import ROOT

LINK = re.compile(r"https?://\S+")
CODE_WORDS = re.compile(r'<ol class="words"[^>]*>(.*?)</ol>', re.S)
ANSWER = re.compile(r"\b([A-Z]{1,2}\d{1,2}) [12]\b")
MODES = ("chosen", "chosen", "suggest", "anyone", "reach_out")
SIGN_OUT = ("/s/out", "/me/sign-out", "/c/sign-out")
RARE = ("/leave", "/end", "/step-back")
MOST_QUESTIONS = 20


@dataclass
class Supportee:
    """`tells`: the channels by which they are told. `asked_at` None: not yet."""

    number: int
    world: World
    browser: Browser
    random: Random
    asked_at: datetime | None = None
    request_id: str = ""
    code_words: str = ""
    keeps_words: bool = True
    tells: tuple[str, ...] = ()
    looked_at: datetime | None = None

    @property
    def email(self) -> str:
        return f"sam{self.number}@half-year.example"

    @property
    def phone(self) -> str:
        return f"+1202555{self.number:04}"

    def ask(self, slug: str) -> None:
        """`slug`: of whom they would choose, who may have stepped back or taken another name."""
        mode = self.random.choice(MODES)
        if mode == "chosen" and not any("with=" in link for link in self.browser.open(f"/people/{slug}").links):
            mode = "suggest"
        self.tells = self.random.choice([("email",), ("email",), ("email", "text"), ("text",), ("page",)])
        self.keeps_words = self.random.random() < 0.8
        page = self.browser.open(f"/ask/1?with={slug}" if mode == "chosen" else f"/ask?mode={mode}")
        for _ in range(MOST_QUESTIONS):
            if "/ask/sent" in page.path:
                break
            page = self._answer(page, mode)
        found = CODE_WORDS.search(page.html)
        if not found:
            raise RuntimeError(f"the form stopped at {page.path}")
        self.code_words = " ".join(re.findall(r"<li[^>]*>\s*([^<]+?)\s*</li>", found[1]))
        self.asked_at = self.looked_at = self.world.now()

    def _answer(self, page: Page, mode: str) -> Page:
        form = page.forms[-1]
        if "request_id" in form.fields:
            self.request_id = form.fields["request_id"].chosen[0]
        given = {
            "mode": mode, "name": f"Sam {self.number}", "reach": self.tells, "email": self.email, "phone": self.phone,
            "words": "Evenings are long.", "avoid_words": "", "before_we_write": "", "anything": "", "access": "",
            "language": "en",
        }  # fmt: skip
        return self.browser.press(page, form, self.random, _go_on(form), **{k: v for k, v in given.items() if k in form.fields})

    def live(self) -> None:
        """Most weeks most people do nothing here."""
        if self.asked_at is None or self.random.random() < 0.55:
            return
        if self.random.random() < 0.15:
            self.browser.forget()
        page = self._come_in()
        if page is None:
            return
        self.looked_at = self.world.now()
        if self.random.random() < 0.6:
            wander(self.browser, page, self.random, "/s")
        if self.random.random() < 0.5:
            meet(self.browser, self.browser.open("/s"), self.random, self.world.now())

    def _come_in(self) -> Page | None:
        page = self.browser.open("/s")
        if page.form(with_field="code") is None:
            return page
        if self.keeps_words:
            form = page.form(with_field="code")
            assert form
            page = self.browser.press(page, form, self.random, code=self.code_words)
            return page if page.form(with_field="code") is None else self._come_in_by_email()
        return self._come_in_by_email()

    def _come_in_by_email(self) -> Page | None:
        for email in reversed(self.world.emails_to(self.email)[-3:]):
            found = LINK.search(email.text)
            page = self.browser.open(found[0]) if found else None
            if page and page.forms and page.path != "/s":
                page = self.browser.press(page, page.forms[-1], self.random)
                if page.form(with_field="code") is None:
                    return page
        return None


@dataclass
class Practitioner:
    number: int
    world: World
    browser: Browser
    random: Random
    seen: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return f"Guest {self.number}"

    @property
    def slug(self) -> str:
        return f"guest-{self.number}"

    @property
    def email(self) -> str:
        return f"guest{self.number}@half-year.example"

    @property
    def phone(self) -> str:
        return f"+1202556{self.number:04}"

    def live(self) -> None:
        new = [email for email in self.world.emails_to(self.email) if email.id not in self.seen]
        self.seen |= {email.id for email in new}
        for email in new[-3:]:
            link = LINK.search(email.text)
            if link and "/o/" in link[0] and self.random.random() < 0.75:
                self._answer(link[0], email.text)
        if self.random.random() < 0.2:
            self._look_at_own_page()

    def _answer(self, link: str, text: str) -> None:
        page = self.browser.open(link)
        if not page.forms:
            return
        page = self.browser.press(page, page.forms[-1], self.random)
        form = page.form("/o", with_field="answer")
        if form is None or form.fields["answer"].type != "radio":
            meet(self.browser, page, self.random, self.world.now())
            wander(self.browser, page, self.random, "/o")
            return
        answer = self.random.choices(["yes", "not_this_time", "ask_first", "pause", ""], [50, 20, 12, 4, 14])[0]
        if answer:
            self.browser.press(
                page, form, self.random, answer=answer, question="Is text all right?" * (answer == "ask_first"), pause_until=""
            )

    def _look_at_own_page(self) -> None:
        page = sign_in(self.world, self.browser, self.random, "me", self.email)
        if page is None:
            return
        pairs = [form for form in page.forms if form.action.startswith("/me/offers/")]
        if pairs and self.random.random() < 0.5:
            pair = self.browser.press(page, self.random.choice(pairs), self.random)
            meet(self.browser, pair, self.random, self.world.now())
        else:
            wander(self.browser, page, self.random, "/me")


@dataclass
class Coordinator:
    world: World
    browser: Browser
    random: Random
    email: str = "ro@half-year.example"

    def live(self) -> None:
        """Half of what is on the desk, every week."""
        page = sign_in(self.world, self.browser, self.random, "c", self.email)
        takes = [form for form in page.forms if form.action.startswith("/c/tasks/")] if page else []
        for form in takes[:15]:
            assert page
            if self.random.random() < 0.5:
                after = self.browser.press(page, form, self.random)
                self._work(after)

    def _work(self, page: Page) -> None:
        link = next((link for link in page.links if link.startswith("/c/requests/")), None)
        if link is None:
            return
        request = self.browser.open(link)
        opens = next((form for form in request.forms if form.action.endswith("/open")), None)
        if opens:
            request = self.browser.press(request, opens, self.random)
        wander(self.browser, request, self.random, "/c/requests")
        request = self.browser.open(link)
        done = next((form for form in request.forms if form.action.endswith("/done")), None)
        if done:
            self.browser.press(request, done, self.random)


def wander(browser: Browser, page: Page, random: Random, home: str) -> None:
    """Press one thing that this page offers, or follow one of its links, or two, and press one there."""
    choices: list[PageForm | str] = [form for form in page.forms if form.action not in SIGN_OUT and form.buttons]
    choices += [link for link in page.links if link.startswith(f"{home}/")]
    if not choices:
        return
    chosen = random.choices(choices, [0.15 if _is_rare(choice) else 1.0 for choice in choices])[0]
    if isinstance(chosen, PageForm):
        browser.press(page, chosen, random, random.choice(chosen.buttons))
        return
    there = browser.open(chosen)
    further = [link for link in there.links if link.startswith(f"{chosen}/")]
    if further and random.random() < 0.6:
        there = browser.open(random.choice(further))
    pressable = [form for form in there.forms if form.action not in SIGN_OUT and form.buttons]
    if pressable:
        form = random.choice(pressable)
        browser.press(there, form, random, random.choice(form.buttons))


def _is_rare(choice: PageForm | str) -> bool:
    where = choice if isinstance(choice, str) else choice.action
    return any(rare in where for rare in RARE)


def sign_in(world: World, browser: Browser, random: Random, door: str, email: str) -> Page | None:
    page = browser.open(f"/{door}")
    form = page.form(f"/{door}/sign-in")
    if form is None:
        return page
    so_far = len(world.emails_to(email))
    browser.press(page, form, random, email=email)
    received = world.wait_for_email(email, f"/{door}/in/", so_far)
    if received is None:
        return None
    found = next(link for link in LINK.findall(received.text) if f"/{door}/in/" in link)
    page = browser.open(found)
    return browser.press(page, page.forms[-1], random) if page.forms else None


def bring_in(world: World, people: list[Practitioner], coordinator: Coordinator, random: Random) -> None:
    """By a spreadsheet and the operator's command line, as a collective would do it."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["name", "email", "phone", "languages", "places", "offers_at_once", "time_zone", "state"])
    for one in people:
        places = random.choice((1, 1, 2, 3))
        table.writerow([one.name, one.email, one.phone, random.choice(("en", "en", "en es")), places, places, world.zone, "open"])
    _kitchen(world, "people", "import", "-", given=out.getvalue())
    _kitchen(world, "coordinators", "add", "--name", "Ro", "--email", coordinator.email)


def _kitchen(world: World, *arguments: str, given: str = "") -> None:
    command = [sys.executable, "-m", "deploy.kitchen", *arguments]
    done = subprocess.run(command, input=given, env=world.stack.environment(), cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _go_on(form: PageForm) -> tuple[str, str]:
    """The button that goes on: one without a name, else the first."""
    return next((button for button in form.buttons if not button[0]), form.buttons[0])
