"""Every check on every page state, in as many processes as there are cores."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context

from PIL import Image

from tests.browser import a_steady_browser
from tests.gates import contact_sheets, pictures
from tests.gates.checks import accessibility, keyboard, layout, structure, weight, words
from tests.gates.page_state import THEMES, WIDTHS, PageState
from tests.gates.viewer import Viewer, a_viewer

MAIN_LANGUAGE = "en"
IN_ONE_PORTION, PORTIONS_A_LINE = 6, 10
Shot = tuple[int, str]


@dataclass(frozen=True)
class Plan:
    """What is done with one state. `shots`: (width, theme) of the pictures for contact sheets."""

    themes: tuple[str, ...]
    widths: tuple[int, ...]
    keyboard: bool
    mirrored: bool
    shots: tuple[Shot, ...]
    is_kept: bool


@dataclass
class Seen:
    """`pictures`: width -> as it is kept. `shots`: for the contact sheets."""

    problems: list[str] = field(default_factory=list)
    pictures: dict[int, bytes] = field(default_factory=dict)
    shots: dict[Shot, Image.Image] = field(default_factory=dict)


def plan_for(state: PageState, number: int, *, full: bool) -> Plan:
    """A sample takes another theme and another width with each state, so that every page meets some and every theme many."""
    is_main, is_letter = state.language == MAIN_LANGUAGE, state.kind in ("letter", "plain")
    if is_letter:
        shots: tuple[Shot, ...] = ((390, "light"), (390, "dark")) if is_main or full else ()
        widths = (390, 320) if full else (390,)
        return Plan(("light", "dark"), widths, full or is_main, False, shots, is_main and state.pictured)
    if full:
        every = tuple((width, theme) for width in WIDTHS for theme in THEMES)
        return Plan(THEMES, (390, 320, 1280), True, is_main, every, is_main and state.pictured)
    other = THEMES[1:][number % 3]
    shots = ((390, "light"), (1280, "light")) if is_main else ((390, "dark"),)
    return Plan(("light", other), (390,) if number % 2 else (1280,), is_main, is_main, shots, is_main and state.pictured)


def look_at_all(states: Iterable[PageState], *, full: bool) -> Iterator[tuple[PageState, Seen]]:
    """Begins with the first of them while others are still walked to."""
    portions: list[list[PageState]] = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=_open_a_window) as pool:
        begun: list[Future[list[Seen]]] = []
        for portion in _portions(states):
            first = len(portions) * IN_ONE_PORTION
            plans = [plan_for(state, number, full=full) for number, state in enumerate(portion, first)]
            begun.append(pool.submit(_look_at_some, list(zip(portion, plans, strict=True))))
            portions.append(portion)
        for number, (portion, looking) in enumerate(zip(portions, begun, strict=True)):
            yield from zip(portion, looking.result(), strict=True)
            if number % PORTIONS_A_LINE == 0:
                print(f"  {number * IN_ONE_PORTION + len(portion)} of {sum(map(len, portions))} states", flush=True)


def _portions(states: Iterable[PageState]) -> Iterator[list[PageState]]:
    some = iter(states)
    while portion := list(islice(some, IN_ONE_PORTION)):
        yield portion


_opened = ExitStack()
_windows: list[Viewer] = []


def _open_a_window() -> None:
    """Once in each process; it closes with the process."""
    _windows.append(_opened.enter_context(a_viewer(_opened.enter_context(a_steady_browser()))))


def _look_at_some(portion: Sequence[tuple[PageState, Plan]]) -> list[Seen]:
    return [look_at(_windows[0], state, plan) for state, plan in portion]


def look_at(viewer: Viewer, state: PageState, plan: Plan) -> Seen:
    seen = Seen(list(_problems(viewer, state, plan)))
    if plan.shots:
        pictures.make_the_same(viewer.show(state))
    for width, theme in plan.shots:
        _take_a_picture(viewer, state, plan, (width, theme), seen)
    return seen


def _problems(viewer: Viewer, state: PageState, plan: Plan) -> Iterator[str]:
    for check in (structure.check, weight.check, words.check):
        yield from check(state)
    viewer.show(state)
    yield from layout.check(viewer, WIDTHS)
    yield from accessibility.check(viewer, state, plan.themes, plan.widths)
    if plan.keyboard:
        yield from keyboard.check(viewer, state)
    if plan.mirrored:
        yield from layout.check_mirrored(viewer, state)


def _take_a_picture(viewer: Viewer, state: PageState, plan: Plan, shot: Shot, seen: Seen) -> None:
    width, theme = shot
    viewer.set_width(width)
    viewer.set_theme(theme)
    is_kept = plan.is_kept and theme == "light" and width in pictures.SCALE
    picture = pictures.photograph(viewer.page, exact=is_kept)
    seen.shots[shot] = contact_sheets.thumbnail(picture, width)
    if is_kept:
        seen.pictures[width] = pictures.small(picture, width)
