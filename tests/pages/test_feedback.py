"""What was good and what should change: from nobody that we know, read by coordinators once three people have written."""

from datetime import UTC, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.matching.handlers.feedback import record_feedback
from shared import sweeper
from shared.clock import now
from shared.contracts import FeedbackGiven
from shared.service import Service
from tests.pages.intake_site import ask_for, make_site, post, published

GOOD = "She listened <and> waited"


@pytest.fixture
def someone(intake: Service, keys: Path) -> FlaskClient:
    return make_site(intake, keys).test_client()


def write(someone: FlaskClient, intake: Service, matching: Service, **typed: str) -> None:
    before = len(published(intake, FeedbackGiven.event_type))
    assert post(someone, "/feedback", **typed).location == "/feedback/thanks"
    for event in published(intake, FeedbackGiven.event_type)[before:]:
        matching.run(record_feedback, event)


def test_coordinators_read_it_once_three_have_written(
    someone: FlaskClient, intake: Service, matching: Service, ro: FlaskClient
) -> None:
    for number in range(2):
        write(someone, intake, matching, good=f"{GOOD} {number}")
        html = ro.get("/c/feedback").text
        assert "Nothing to read yet" in html
        assert "She listened" not in html
    write(someone, intake, matching, change="Fewer questions")
    html = ro.get("/c/feedback").text
    assert "She listened &lt;and&gt; waited 0" in html
    assert "She listened &lt;and&gt; waited 1" in html
    assert "Fewer questions" in html


def test_one_more_is_not_shown_alone(someone: FlaskClient, intake: Service, matching: Service, ro: FlaskClient) -> None:
    for number in range(3):
        write(someone, intake, matching, good=f"early {number}")
    for number in range(2):
        write(someone, intake, matching, good=f"late {number}")
        assert "late" not in ro.get("/c/feedback").text
    write(someone, intake, matching, good="late 2")
    html = ro.get("/c/feedback").text
    assert all(f"late {number}" in html for number in range(3))
    assert html.index("late") < html.index("early")


def test_what_is_said_of_the_site_counts_by_itself(
    someone: FlaskClient, intake: Service, matching: Service, ro: FlaskClient
) -> None:
    for about in ("programme", "programme", "site", "site"):
        write(someone, intake, matching, about=about, good=f"of the {about}")
    assert "of the" not in ro.get("/c/feedback").text + ro.get("/c/feedback?state=site").text
    write(someone, intake, matching, about="site", good="of the site")
    assert "of the" not in ro.get("/c/feedback").text
    assert "of the site" in ro.get("/c/feedback?state=site").text


def test_nothing_joins_it_to_a_request(someone: FlaskClient, intake: Service, matching: Service) -> None:
    """Somebody who has a request, in the same browser."""
    ask_for(someone, "juniper")
    post(someone, "/ask/check")
    write(someone, intake, matching, good=GOOD)
    [event] = published(intake, FeedbackGiven.event_type)
    [row] = matching.db.feedback.find()
    assert set(row) == {"_id", "about", "week", "encrypted", "is_shown"}
    assert row["week"].replace(tzinfo=UTC).weekday() == 0
    assert (row["week"].hour, row["week"].minute) == (0, 0)
    known = str([list(intake.db[name].find()) for name in ("requests", "sessions", "links")])
    assert event.feedback_id not in known
    assert GOOD not in str(list(intake.db.outbox.find())) + str(row)


def test_a_coordinator_alone_reads_it(someone: FlaskClient, juniper: FlaskClient) -> None:
    assert someone.get("/c/feedback").status_code == 404
    assert juniper.get("/c/feedback").status_code in (303, 403, 404)


def test_an_empty_form_says_so_and_a_long_one_keeps_what_was_typed(someone: FlaskClient) -> None:
    assert "Answer one of the two questions" in post(someone, "/feedback", good="  ").text
    long = post(someone, "/feedback", change="x" * 4001)
    assert long.status_code == 422
    assert "x" * 4001 in long.text


def test_the_same_form_twice_is_one_answer(someone: FlaskClient, intake: Service) -> None:
    form_id = "5a0c6f7e-0f0b-4a55-9d0c-1f3e5a7b9c11"
    for _ in range(2):
        post(someone, "/feedback", form_id=form_id, good=GOOD)
    assert len(published(intake, FeedbackGiven.event_type)) == 1


def test_it_is_the_same_when_the_event_comes_twice(someone: FlaskClient, intake: Service, matching: Service) -> None:
    post(someone, "/feedback", good=GOOD)
    [event] = published(intake, FeedbackGiven.event_type)
    for _ in range(3):
        record_feedback(event, matching.db)
    assert matching.db.feedback.count_documents({}) == 1
    assert matching.db.feedback.count_documents({"is_shown": True}) == 0


def test_it_is_erased_as_the_page_says(someone: FlaskClient, intake: Service, matching: Service) -> None:
    assert "erased after 180 days" in someone.get("/feedback").text
    write(someone, intake, matching, good=GOOD)
    matching.db.feedback.update_one({}, {"$set": {"week": now() - timedelta(days=181)}})
    for overdue in sweeper.find_overdue(matching.db, "matching", now(), {}):
        matching.run(sweeper.delete_overdue, overdue)
    assert matching.db.feedback.count_documents({}) == 0
