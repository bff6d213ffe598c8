"""After Send everything can be corrected: each question alone, prefilled, and everybody who knows it hears of it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import add_to_history
from services.intake.handlers.way_in import SendCode, ask_for_code, send_code
from shared import vault
from shared.clock import now
from shared.contracts import ContactShared, EncryptedFields, MatchMade, OfferMade, RequestChanged, SignInRequested
from shared.service import Service
from shared.vault import load_vault
from tests.pages.intake_site import ask_for, make_site, post, published


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        yield client


@pytest.fixture
def sent(visitor: FlaskClient) -> None:
    ask_for(visitor, "juniper", reach=["email", "text"], email="wrong@example.org", phone="202 555 0100", pace="two_weeks")
    post(visitor, "/ask/check")


def contact(intake: Service, keys: Path, version: int) -> dict[str, str]:
    [shared] = [event for event in published(intake, "contact.shared.v1") if event.version == version]
    assert isinstance(shared, ContactShared)
    return load_vault(keys, "notify").decrypt_fields(shared.encrypted)


def words(event: RequestChanged, keys: Path) -> dict[str, str]:
    return load_vault(keys, "matching").decrypt_fields(event.encrypted)


def reach(**more: Any) -> dict[str, Any]:
    usual = {"reach": ["email", "text"], "email": "wrong@example.org", "phone": "202 555 0100", "pace": "two_weeks"}
    return {**usual, "quiet_from": "21", "quiet_until": "9", **more}


@pytest.mark.usefixtures("sent")
def test_what_was_written_leads_to_each_question_but_whom_they_chose(visitor: FlaskClient) -> None:
    assert "Read or change what I wrote" in visitor.get("/s").text
    html = visitor.get("/s/answers").text
    for question in range(1, 8):
        assert f'href="/s/change/{question}"' in html
    assert 'Change<span class="vh"> Who you would like to meet' not in html
    assert "Whom would you like to meet" not in visitor.get("/s/change/1").text
    assert visitor.get("/s/change/8").status_code == 404


@pytest.mark.usefixtures("sent")
def test_a_question_is_prefilled_and_offers_to_save(visitor: FlaskClient) -> None:
    html = visitor.get("/s/change/4").text
    assert 'value="wrong@example.org"' in html
    assert ">Save<" in html
    assert "Save and come back later" not in html
    assert "Question 4 of 7" not in html


@pytest.mark.usefixtures("sent")
def test_a_wrong_number_is_repaired_without_starting_again(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    assert contact(intake, keys, 1)["phone"] == "+12025550100"
    assert post(visitor, "/s/change/4", **reach(phone="202 555 0199")).headers["Location"] == "/s/answers?done=saved"
    assert contact(intake, keys, 2)["phone"] == "+12025550199"
    html = visitor.get("/s/answers?done=saved").text
    assert "Saved." in html
    assert "+1 202 555 0199 (United States)" in html
    row = intake.db.requests.find_one()
    assert row
    assert row["phone_index"] == intake.vault.blind_index("phone", "+12025550199")


@pytest.mark.usefixtures("sent")
def test_the_links_that_went_to_a_wrong_address_open_nothing_any_more(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    first = published(intake, "contact.shared.v1")[0].first_link
    old = load_vault(keys, "notify").decrypt_fields(first)["link"].split("/", 3)[3]
    stranger = visitor.application.test_client()
    assert post(stranger, f"/{old}").headers["Location"] == "/s"
    assert stranger.get("/s/write/coordinators").status_code == 200
    post(visitor, "/s/change/4", **reach(email="right@example.org"))
    assert post(stranger, f"/{old}").status_code == 410
    assert stranger.get("/s/write/coordinators").status_code == 303, "whom the link let in is let in no more"
    assert visitor.get("/s/answers").status_code == 200
    assert published(intake, "contact.shared.v1")[1].first_link is None


@pytest.mark.parametrize("corrected", [{"phone": "202 555 0199", "safely": ["texts_safe"]}, {"safely": []}])
def test_a_code_that_went_to_a_wrong_number_opens_nothing_any_more(
    visitor: FlaskClient, intake: Service, corrected: dict[str, Any]
) -> None:
    ask_for(visitor, "juniper", **reach(safely=["texts_safe"]))
    post(visitor, "/ask/check")
    browser = ask_for_code()
    [asked] = intake.run(send_code, SendCode("+12025550100", browser))
    assert isinstance(asked, SignInRequested)
    assert intake.db.links.count_documents({"purpose": "texted"}) == 1
    post(visitor, "/s/change/4", **reach(**corrected))
    assert intake.db.links.count_documents({"purpose": "texted"}) == 0
    assert visitor.get("/s/answers").status_code == 200


@pytest.mark.usefixtures("sent")
def test_what_has_nothing_to_do_with_an_address_leaves_ways_in_open(visitor: FlaskClient, intake: Service) -> None:
    post(visitor, "/s/change/4", **reach(pace="month"))
    post(visitor, "/s/change/2", name="Robin")
    assert intake.db.links.count_documents({"purpose": "letter"}) == 1


@pytest.mark.usefixtures("sent")
def test_a_form_sent_twice_changes_once(visitor: FlaskClient, intake: Service) -> None:
    for _ in range(2):
        post(visitor, "/s/change/4", **reach(phone="202 555 0199"))
    assert len(published(intake, "contact.shared.v1")) == 2


@pytest.mark.usefixtures("sent")
def test_each_correction_counts_for_both(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    post(visitor, "/s/change/2", name="Robin", pronouns="she")
    post(visitor, "/s/change/3", words="company on hard evenings", help=["listening"])
    first, second = published(intake, "request.changed.v1")
    assert [first.change, second.change] == [1, 2]
    assert words(first, keys)["name"] == "Robin"
    assert (words(second, keys)["name"], words(second, keys)["words"]) == ("Robin", "company on hard evenings")
    assert second.help == ("listening",)
    assert contact(intake, keys, 2)["known_as"] == "Robin"
    assert len(published(intake, "contact.shared.v1")) == 2


@pytest.mark.usefixtures("sent")
def test_times_and_zone_are_corrected(visitor: FlaskClient, intake: Service) -> None:
    post(visitor, "/s/change/5", time_zone="America/Chicago", parts=["weekday_evening"], meeting_types=["phone"])
    [changed] = published(intake, "request.changed.v1")
    assert (changed.time_zone, changed.parts, changed.meeting_types) == ("America/Chicago", ("weekday_evening",), ("phone",))
    assert published(intake, "contact.shared.v1")[-1].time_zone == "America/Chicago"


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("question", "fields", "says"),
    [(2, {"name": " "}, "Write a name we can call you"), (4, {"reach": []}, "Choose at least one way to reach you")],
)
def test_errors_stand_beside_the_field_and_nothing_changes(
    visitor: FlaskClient, intake: Service, question: int, fields: dict[str, Any], says: str
) -> None:
    answer = post(visitor, f"/s/change/{question}", **fields)
    assert (answer.status_code, says in answer.text) == (422, True)
    assert published(intake, "request.changed.v1") == []


@pytest.mark.usefixtures("sent")
def test_nothing_typed_is_stored_in_clear(visitor: FlaskClient, intake: Service) -> None:
    post(visitor, "/s/change/4", **reach(email="sentinel@example.org", phone="202 555 0177"))
    post(visitor, "/s/change/3", words="a sentinel sentence")
    stored = str([list(intake.db[name].find()) for name in intake.db.list_collection_names()])
    for typed in ("sentinel", "2025550177"):
        assert typed not in stored


@pytest.mark.usefixtures("sent")
def test_after_leaving_nothing_can_be_changed(visitor: FlaskClient, intake: Service) -> None:
    token = visitor.get("/s/change/2")
    assert token.status_code == 200
    post(visitor, "/s/leave")
    assert visitor.get("/s/change/2").headers["Location"] == "/s"
    post(visitor, "/s/change/2", at="/s", name="Robin")
    assert published(intake, "request.changed.v1") == []


def asked(intake: Service, since: timedelta) -> None:
    [submitted] = published(intake, "request.submitted.v1")
    nothing = EncryptedFields(person_id="juniper", wrap="", fields={})
    made = OfferMade(
        offer_id="o1", request_id=submitted.request_id, practitioner_id="juniper", version=1, code="A7", encrypted=nothing,
        answer_by=now() + timedelta(days=5) - since,
    )  # fmt: skip
    intake.run(add_to_history, made)
    intake.db.requests.update_many({}, {"$set": {"history.0.at": now() - since}})


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(("days", "offered"), [(1, False), (3, True)])
def test_after_half_of_the_time_to_answer_somebody_else_can_be_asked(
    visitor: FlaskClient, intake: Service, days: int, offered: bool
) -> None:
    asked(intake, timedelta(days=days))
    assert ("Ask someone else instead" in visitor.get("/s").text) == offered
    if not offered:
        assert visitor.get("/s/someone-else").headers["Location"] == "/s"
    else:
        html = visitor.get("/s/someone-else").text
        assert 'value="kai"' in html
        assert 'value="juniper"' not in html
    post(visitor, "/s/next", at="/s", next="ask", version="1", practitioner_id="kai")
    assert len(published(intake, "choice.made.v1")) == int(offered)


@pytest.mark.usefixtures("sent")
def test_after_meetings_that_end_matching_gets_the_words_again(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    [submitted] = published(intake, "request.submitted.v1")
    about = {"request_id": submitted.request_id, "supportee_id": submitted.supportee_id}
    made = MatchMade(**about, match_id="m1", offer_id="o1", practitioner_id="juniper", version=2)
    intake.run(add_to_history, made)
    post(visitor, "/s/end", then="someone_else", version="2")
    [again] = published(intake, "request.changed.v1")
    assert words(again, keys)["words"] == "company on hard mornings"
    opens = vault.load_vault(keys, "matching").unwrap(again.encrypted.wrap, submitted.supportee_id)
    assert opens == vault.load_vault(keys, "matching").unwrap(submitted.encrypted.wrap, submitted.supportee_id)


@pytest.mark.usefixtures("sent")
def test_what_is_written_anew_before_we_write_is_read_first_and_what_was_read_is_not_read_again(
    visitor: FlaskClient, intake: Service
) -> None:
    post(visitor, "/s/change/4", **reach(before_we_write="Somebody reads my phone"))
    [changed] = published(intake, "request.changed.v1")
    assert (changed.read_first, published(intake, "contact.shared.v1")[-1].read_first) == (True, True)
    row = intake.db.requests.find_one()
    assert row
    assert row["unread"] is True
    post(visitor, "/s/change/4", **reach(before_we_write="Somebody reads my phone", phone="202 555 0199"))
    again = published(intake, "request.changed.v1")[-1]
    assert (again.change, again.read_first, published(intake, "contact.shared.v1")[-1].read_first) == (2, False, False)
