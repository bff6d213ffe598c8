"""The pages of two questions after some meetings, on both sides."""

from datetime import timedelta

import pytest

from services.matching.handlers.look_backs import open_look_back
from services.matching.store import meetings
from shared.clock import now
from shared.meetings import anchored_at
from tests.pages.matching_site import press
from tests.pages.test_agreements import Two, shown, two

__all__ = ["two"]
PAGES = ("/s/look-back", "/o/look-back")


@pytest.fixture
def asked(two: Two) -> Two:
    """They have met for four weeks."""
    matching = two.services.matching
    [row] = matching.db.meetings.find()
    found = meetings.find(matching.db, row["_id"])
    assert found
    found.series = anchored_at(now() - timedelta(days=22), "UTC", id="s1", weekly=True)
    found.version += 1
    meetings.save(matching.db, found)
    matching.run(open_look_back, found.id)
    two.deliver()
    return two


def test_before_they_are_asked_there_is_no_page(two: Two) -> None:
    assert (two.wren.get(PAGES[0]).location, two.juniper.get(PAGES[1]).location) == ("/s", "/o")
    assert "look back" not in (shown(two.wren, "/s") + shown(two.juniper, "/o")).lower()


def test_both_are_asked_answer_and_read_both(asked: Two) -> None:
    assert "Look back, if you like" in asked.wren.get("/s").text
    assert "Look back, if you like" in asked.juniper.get("/o").text
    before = shown(asked.juniper, "/o")
    press(asked.wren, PAGES[0], PAGES[0], good="Tea & <quiet>.", change="")
    asked.deliver()
    assert "Once Juniper has answered too" in shown(asked.wren, PAGES[0])
    assert "Tea" not in asked.juniper.get(PAGES[1]).text
    assert shown(asked.juniper, "/o") == before
    press(asked.juniper, PAGES[1], PAGES[1], change="More walks.")
    asked.deliver()
    for visitor, page in ((asked.wren, PAGES[0]), (asked.juniper, PAGES[1])):
        html = visitor.get(page).text
        assert "Tea &amp; &lt;quiet&gt;." in html
        assert "More walks." in html


def test_nothing_written_and_too_much_are_said_beside_the_field(asked: Two) -> None:
    for visitor, page in ((asked.wren, PAGES[0]), (asked.juniper, PAGES[1])):
        empty = press(visitor, page, page, good=" ")
        assert (empty.status_code, empty.text.count("Write something, or choose “Not now”")) == (422, 2)
        long = press(visitor, page, page, good="x" * 4001)
        assert (long.status_code, long.text.count("This is longer than 4,000 characters.")) == (422, 2)


def test_not_now_is_one_press_and_not_asked_again(asked: Two) -> None:
    for visitor, home, page in ((asked.wren, "/s", PAGES[0]), (asked.juniper, "/o", PAGES[1])):
        press(visitor, home, f"{page}/not-now")
        asked.deliver()
        assert "Look back, if you like" not in visitor.get(home).text
        assert visitor.get(page).status_code == 200
