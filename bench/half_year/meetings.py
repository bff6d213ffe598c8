"""What two who said yes do about when they meet: propose, choose, skip, move, pause, go on, and give up the hour."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.half_year.pages import Browser, Page, PageForm

PLACES = ("/s/meetings", "/o/meetings")
TIMES = ("09:00", "13:30", "18:00")
LIKELY = {"choose": 6.0, "propose": 3.0, "move": 2.0}
LOUD = {"skip": 1.0, "keep": 1.0, "pause": 0.3, "resume": 3.0, "end": 0.15, "take_back": 0.3}


def meet(browser: Browser, page: Page, random: Random, moment: datetime) -> None:
    """`page`: of their own, with a way to their meetings."""
    place = next((link for link in page.links if link in PLACES), "")
    if not place:
        return
    there = browser.open(place)
    moving = [link for link in there.links if f"{place}/move" in link]
    if moving and random.random() < 0.2:
        there = browser.open(random.choice(moving))
    pressable = [(form, button) for form in there.forms for button in form.buttons]
    if pressable:
        form, button = random.choices(pressable, [_weight(form, button) for form, button in pressable])[0]
        browser.press(there, form, random, button, **_typed(form, random, moment))


def _weight(form: PageForm, button: tuple[str, str]) -> float:
    return LOUD.get(button[1], LIKELY.get(form.action.rsplit("/", 1)[-1], 1.0))


def _typed(form: PageForm, random: Random, moment: datetime) -> dict[str, Any]:
    """One or two of the hours that suit both, else a day of the next three weeks, or yesterday."""
    typed: dict[str, Any] = {}
    hours = form.fields["hour"].values if "hour" in form.fields else []
    if hours:
        typed["hour"] = random.sample(hours, min(len(hours), random.choice((1, 2))))
    elif "day" in form.fields:
        typed["day"] = str((moment + timedelta(days=random.randint(-1, 21))).date())
        typed["time"] = random.choice(TIMES)
    if "remind" in form.fields:
        typed["remind"] = random.sample(form.fields["remind"].values, random.randint(0, 2))
    if "place" in form.fields:
        typed["place"] = random.choice(("", "The bench by the river", "https://rooms.example/kt"))
    return typed
