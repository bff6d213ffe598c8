"""Every e-mail that is shipped, as a page: its HTML in both languages."""

from collections.abc import Iterator

from tests.gates.page_state import PageState
from tests.pages.test_notification_templates import EVERY_EMAIL, an_email


def every_letter() -> Iterator[PageState]:
    for letter, role, language, more in EVERY_EMAIL:
        which = ", ".join([role, *(value if isinstance(value, str) else name for name, value in more.items())])
        html = an_email(letter, role, language, more, known_as="Wren").html
        yield PageState(f"letter {letter}/{which}", language, f"http://letters.example/{letter}", html, "letter")
