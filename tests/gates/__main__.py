"""python -m tests.gates: every page in every state, through every check. FULL=1: every theme at every width, in both languages.
UPDATE=1: keep the pictures as they are now. PICTURES=0: compare none.
WALKED=1: the states of the run before, for a change that was seen and is meant, and for whoever works on the checks."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from deploy.servers.processes import CannotStart
from shared.i18n import LANGUAGES
from tests.browser import a_browser
from tests.gates import letters, looking, page_state, report, routes
from tests.gates.checks import html, structure
from tests.gates.page_state import PageState
from tests.gates.product import a_running_product
from tests.gates.states import every_state
from tests.gates.visitor import Noticed
from tests.gates.walk import Walk

times: dict[str, float] = {}


def main() -> int:
    full, update, walks = (os.environ.get(name, "") not in ("", "0") for name in ("FULL", "UPDATE", "WALKED"))
    jar = html.ensure()
    noticed = Noticed()
    with timed("walking and looking"):
        walked = page_state.load(report.FOLDER) if walks else walk(noticed)
        looked = list(looking.look_at_all(chain(letters.every_letter(), walked), full=full))
    states = [state for state, _ in looked]
    with timed("the HTML checker"):
        wrong_html = [(str(state), problem) for state, problem in html.check(states, jar)]
    with timed("the contact sheets"):
        report.write_contact_sheets(looked)
    if update:
        refresh([] if noticed.problems else states, looked)
    findings = [("the walk", problem) for problem in noticed.problems] + twice(states) + wrong_html
    findings += [(str(state), problem) for state, seen in looked for problem in seen.problems]
    findings += [(str(state), problem) for state, problem in structure.check_titles(states)]
    if os.environ.get("PICTURES") != "0":
        findings += report.compare_pictures(looked)
        findings += [(file.stem, f"a picture of it is kept, and it is no more: {report.KEEP}") for file in report.gone(states)]
    report.say(findings, times, len(states))
    return 1 if findings else 0


def walk(noticed: Noticed) -> Iterator[PageState]:
    """What is not about one state is known at the end."""
    walked: list[PageState] = []
    with timed("of which the walk"), a_browser() as browser, a_running_product() as stack:
        for state in every_state([Walk(stack, browser, language, noticed) for language in LANGUAGES]):
            walked.append(state)
            yield state
        noticed.problems += routes.not_walked(routes.readable(stack), noticed.read)
        elsewhere = noticed.hosts - {stack.url.split("/")[2]}
        noticed.problems += [f"another host was asked: {host}" for host in sorted(elsewhere)]
    page_state.save(walked, report.FOLDER)


def twice(states: list[PageState]) -> list[report.Finding]:
    counted = Counter((state.language, state.file_name) for state in states)
    return [(name, "two states have this name") for (_, name), count in counted.items() if count > 1]


def refresh(states: list[PageState], looked: list[tuple[PageState, looking.Seen]]) -> None:
    """`states`: all there are; none when that is not known."""
    for file in report.gone(states) if states else []:
        file.unlink()
    print(f"{report.keep_pictures(looked)} pictures are new")


@contextmanager
def timed(what: str) -> Iterator[None]:
    print(f"{what} ...", flush=True)
    begun = time.monotonic()
    yield
    times[what] = time.monotonic() - begun


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotStart as why:
        sys.exit(str(why))
