"""The pages of a plan for hard days: to write, to print, to show and to take back."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers import service as intake_service
from services.intake.handlers.way_in import SendLink, send_link
from shared import vault
from shared.contracts import SignInRequested
from shared.service import Service
from tests.pages import intake_site
from tests.pages.intake_site import ask_for, post, published
from tests.pages.matching_site import press
from tests.pages.test_agreements import Two, hidden_fields, shown, two

__all__ = ["two"]


def writes(wren: FlaskClient, **typed: str) -> int:
    return press(wren, "/s/plan/write", "/s/plan/write", **typed).status_code


def test_it_is_written_shown_changed_and_taken_back(two: Two) -> None:
    assert "In your own words, for yourself" in shown(two.wren, "/s/plan")
    assert writes(two.wren, signs="I stop answering.", helps="Music.\nA walk.") == 303
    words = shown(two.wren, "/s/plan")
    assert "What I notice when it gets hard I stop answering." in words
    assert "What does not help" not in words
    assert "Only you. You can show it to Juniper." in words
    assert two.juniper.get("/o/plan").location == "/o"
    press(two.wren, "/s/plan", "/s/plan/show")
    two.deliver()
    assert "You and Juniper." in shown(two.wren, "/s/plan")
    assert "What they wrote for hard days" in shown(two.juniper, "/o")
    assert "I stop answering." in shown(two.juniper, "/o/plan")
    writes(two.wren, signs="I answer at once.")
    assert "Juniper still reads what you showed before" in shown(two.wren, "/s/plan")
    assert "I stop answering." in shown(two.juniper, "/o/plan")
    press(two.wren, "/s/plan", "/s/plan/take-back")
    two.deliver()
    assert two.juniper.get("/o/plan").location == "/o"
    assert "for hard days" not in shown(two.juniper, "/o")


def test_wrong_words_are_said_beside_the_field(two: Two) -> None:
    empty = press(two.wren, "/s/plan/write", "/s/plan/write", helps="  ")
    assert (empty.status_code, empty.text.count("Write something, or delete it")) == (422, 2)
    long = press(two.wren, "/s/plan/write", "/s/plan/write", people="x" * 4001)
    assert (long.status_code, long.text.count("This is longer than 4,000 characters.")) == (422, 2)
    assert "x" * 4001 in long.text


def test_html_is_shown_as_text(two: Two) -> None:
    writes(two.wren, helps="<b>tea</b>")
    press(two.wren, "/s/plan", "/s/plan/show")
    two.deliver()
    for visitor, page in ((two.wren, "/s/plan"), (two.juniper, "/o/plan")):
        assert "&lt;b&gt;tea&lt;/b&gt;" in visitor.get(page).text


def test_two_windows_lose_nothing_and_a_double_press_writes_once(two: Two) -> None:
    drawn = hidden_fields(two.wren.get("/s/plan/write").text, "/s/plan/write")
    assert [two.wren.post("/s/plan/write", data={**drawn, "helps": "Tea."}).status_code for _ in range(2)] == [303, 303]
    writes(two.wren, helps="Music.")
    old = {**drawn, "form_id": "00000000-0000-4000-8000-000000000000", "helps": "Bread."}
    answered = two.wren.post("/s/plan/write", data=old)
    assert answered.status_code == 409
    assert ">Bread.</textarea>" in answered.text
    assert "Music." in answered.text


def test_it_is_deleted_after_being_asked(two: Two) -> None:
    assert two.wren.get("/s/plan/delete").location == "/s/plan"
    writes(two.wren, helps="Tea.")
    assert "It goes at once and cannot be brought back." in shown(two.wren, "/s/plan/delete")
    press(two.wren, "/s/plan/delete", "/s/plan/delete")
    assert "Tea." not in shown(two.wren, "/s/plan")


def test_a_link_in_an_e_mail_does_not_open_it(intake: Service, keys: Path) -> None:
    """Only code words bring the key that it is under."""
    wren = intake_site.make_site(intake, keys).test_client()
    ask_for(wren, "juniper", reach="email", email="wren@example.org")
    post(wren, "/ask/check")
    assert writes(wren, helps="Tea.") == 303
    intake_service.run(send_link, SendLink("wren@example.org"))
    [asked] = published(intake, "sign_in.requested.v1")
    assert isinstance(asked, SignInRequested)
    key = vault.load_vault(keys, "notify").unwrap(asked.encrypted.wrap, asked.person_id)
    link = vault.decrypt_fields(key, asked.person_id, asked.encrypted.fields)["link"]
    other = intake_site.make_site(intake, keys).test_client()
    press(other, "/" + link.split("/", 3)[3])
    words = shown(other, "/s/plan")
    assert "Your code words open it." in words
    assert "Tea." not in words
    assert other.get("/s/plan/write").location == "/s/plan"


@pytest.mark.parametrize("page", ["/s/plan", "/s/plan/write", "/s/plan/delete"])
def test_nobody_else_is_let_in(two: Two, intake: Service, keys: Path, page: str) -> None:
    writes(two.wren, helps="Tea.")
    assert intake_site.make_site(intake, keys).test_client().get(page).location == "/s"
    assert two.juniper.get(page).status_code == 404
