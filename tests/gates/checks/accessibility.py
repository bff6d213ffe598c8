"""axe, with every rule in one theme, and with the rules about colour in others: themes change colours alone."""

from collections.abc import Iterator, Sequence
from typing import Any

from tests.gates.page_state import PageState
from tests.gates.viewer import AXE, Viewer

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
# What an e-mail program puts around a letter, it puts there.
NOT_OF_LETTERS = {"region", "landmark-one-main", "page-has-heading-one"}
RUN = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"], iframes: false})
  .then(found => found.violations.map(one => [one.id, one.nodes[0].target.join(" "), one.nodes.length]))"""


def check(viewer: Viewer, state: PageState, themes: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Of the page that is shown."""
    page = viewer.page
    page.evaluate(AXE)
    for width in widths:
        viewer.set_width(width)
        for theme in themes:
            viewer.set_theme(theme)
            found: Any = page.evaluate(RUN, RULES if theme == themes[0] else COLOURS)
            for rule, where, count in found:
                if state.kind != "letter" or rule not in NOT_OF_LETTERS:
                    yield f"axe {rule} ({count} times, first {where}), {theme}, {width} px"
