"""Every e-mail that is shipped, as a page: its HTML in both languages."""

from collections.abc import Iterator

from tests.gates.page_state import PageState
from tests.pages.test_notification_templates import EVERY_EMAIL, an_email


def every_letter() -> Iterator[PageState]:
    for name, role, language, more in EVERY_EMAIL:
        which = ", ".join([role, *more.values()])
        html = an_email(name, role, language, more, known_as="Wren").html
        yield PageState(f"letter {name}/{which}", language, f"http://letters.example/{name}", html, "letter")
