"""Every page in every state that we know of. A stage is walked in all languages before the next one begins: what one stage
needs to be so (nobody is here yet, everybody rests) the next one changes."""

import traceback
from collections.abc import Iterator, Sequence
from types import ModuleType

from playwright.sync_api import Error
from requests import RequestException

from tests.gates.page_state import PageState
from tests.gates.states import (
    after_a_week,
    after_some_meetings,
    after_the_end,
    answering,
    asking,
    demo,
    desk,
    errors,
    feedback,
    for_someone,
    joining,
    long_silence,
    my_page,
    my_profile,
    nobody_yet,
    practitioners,
    reading,
    resting,
    status,
    together,
    ways_in,
)
from tests.gates.walk import Walk

ON_ONE_DAY = (
    nobody_yet,
    resting,
    reading,
    asking,
    status,
    ways_in,
    answering,
    together,
    my_page,
    desk,
    practitioners,
    my_profile,
    joining,
    demo,
    feedback,
    for_someone,
    errors,
)
STAGES = (*ON_ONE_DAY, after_a_week, long_silence, after_some_meetings, after_the_end)


def every_state(walks: Sequence[Walk]) -> Iterator[PageState]:
    for stage in STAGES:
        stage.prepare(walks[0].stack, [walk.language for walk in walks])
        for walk in walks:
            yield from _as_far_as_it_goes(stage, walk)


def _as_far_as_it_goes(stage: ModuleType, walk: Walk) -> Iterator[PageState]:
    """A page that is not as the walk expects is one more finding: the other pages are looked at all the same."""
    try:
        yield from stage.states(walk)
    except (AssertionError, Error, RequestException) as why:
        here = [frame for frame in traceback.extract_tb(why.__traceback__) if frame.filename == stage.__file__][-1]
        says = " ".join(str(why).split())[:300]
        walk.noticed.problems.append(f"{walk.language} {stage.__name__}, line {here.lineno}: the walk does not go on: {says}")
