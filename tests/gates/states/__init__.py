"""Every page in every state that we know of. A stage is walked in all languages before the next one begins: what one stage
needs to be so (nobody is here yet, everybody rests) the next one changes."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.states import answering, asking, demo, desk, errors, my_page, nobody_yet, practitioners, reading, resting, status
from tests.gates.walk import Walk

STAGES = (nobody_yet, resting, reading, asking, status, answering, my_page, desk, practitioners, demo, errors)


def every_state(walks: Sequence[Walk]) -> Iterator[PageState]:
    for stage in STAGES:
        stage.prepare(walks[0].stack, [walk.language for walk in walks])
        for walk in walks:
            yield from stage.states(walk)
