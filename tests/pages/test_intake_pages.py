"""Intake's pages as a visitor without JavaScript meets them."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from services.intake import store
from services.intake.code_words import WORDS_IN_A_CODE
from services.intake.domain import AccessLink
from services.intake.handlers.broker_events import add_note, add_to_history, save_directory_entry
from shared import vault
from shared.clock import now
from shared.contracts import (
    ChoiceMade,
    EncryptedFields,
    NoteWritten,
    OfferDeclined,
    OfferMade,
    RequestWithdrawn,
    SignInRequested,
    SuggestionsMade,
)
from shared.i18n import day
from shared.service import Service
from shared.tokens import digest
from tests.pages.intake_site import ask_for, code_words, make_site, post, published
from tests.people import an_entry_seen


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        yield client


PAGES = [
    "/",
    "/expect",
    "/keep",
    "/help",
    "/comfort",
    "/away",
    "/people",
    "/people?meeting_types=video&text=juniper",
    "/people?text=nobody",
    "/people?page=2",
    "/people/juniper",
    "/people/ana",
    "/ask/1",
    "/ask/1?with=juniper",
    "/ask/return",
    "/s",
    "/s/link-sent",
    "/s/in/x",
    "/ask/erased",
]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_and_a_title(visitor: FlaskClient, path: str, language: str) -> None:
    answer = visitor.get(path + ("&" if "?" in path else "?") + f"lang={language}")
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text
    assert len(re.findall(r"<h1[ >]", answer.text)) == 1
    assert re.search(r"<title>[^<]{3,}</title>", answer.text)


def test_a_request_is_sent_with_every_optional_field_empty(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    assert "Nothing has been sent yet." in visitor.get("/ask/check").text
    sent = post(visitor, "/ask/check")
    assert (sent.status_code, sent.headers["Location"], sent.headers["Cache-Control"]) == (303, "/ask/sent", "no-store")
    html = visitor.get("/ask/sent").text
    stored = intake.db.requests.find_one({}) or {}
    latest = day(stored["sent_at"] + timedelta(days=6), "America/New_York", "en")
    assert f"We ask Juniper, if your times fit together. You hear by {latest} at the latest" in html
    assert len(code_words(html).split()) == WORDS_IN_A_CODE
    assert f"Your {WORDS_IN_A_CODE} words" in html
    submitted, contact = published(intake, "request.submitted.v1")[0], published(intake, "contact.shared.v1")[0]
    assert (submitted.mode, [c.practitioner_id for c in submitted.choices], contact.channels) == ("chosen", ["juniper"], ())
    assert submitted.request_id == contact.request_id
    assert submitted.supportee_id == contact.person_id


def test_code_words_are_gone_once_the_person_kept_them(visitor: FlaskClient) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    post(visitor, "/s/words-kept", at="/ask/sent")
    again = visitor.get("/ask/sent")
    assert (again.status_code, again.headers["Location"]) == (303, "/s")


def test_a_click_twice_on_send_makes_one_request(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    html = visitor.get("/ask/check").text
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    visitor.post("/ask/check", data=form)
    first = code_words(visitor.get("/ask/sent").text)
    visitor.delete_cookie("supportee")  # the browser dropped the first answer
    assert visitor.post("/ask/check", data=form).headers["Location"] == "/ask/sent"
    assert code_words(visitor.get("/ask/sent").text) == first
    assert intake.db.requests.count_documents({}) == len(published(intake, "request.submitted.v1")) == 1


def test_nothing_that_was_typed_is_stored_in_clear(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper", reach=["email", "text"], email="rosa@example.org", phone="(212) 555-0177")
    post(visitor, "/ask/check")
    words = code_words(visitor.get("/ask/sent").text)
    everything = json.dumps([list(intake.db[name].find()) for name in intake.db.list_collection_names()], default=str)
    assert not [secret for secret in ("Wren", "hard mornings", "rosa@", "5550177", "555-0177", words) if secret in everything]


def test_matching_and_notify_can_open_only_what_is_for_them(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    ask_for(visitor, "juniper", reach=["email", "text"], email="rosa@example.org", phone="(212) 555-0177")
    post(visitor, "/ask/check")
    opened = {}
    for service, event_type in (("matching", "request.submitted.v1"), ("notify", "contact.shared.v1")):
        encrypted: EncryptedFields = published(intake, event_type)[0].encrypted
        key = vault.load_vault(keys, service).unwrap(encrypted.wrap, encrypted.person_id)
        opened[service] = vault.decrypt_fields(key, encrypted.person_id, encrypted.fields)
    first = published(intake, "contact.shared.v1")[0].first_link
    link = vault.load_vault(keys, "notify").decrypt_fields(first)["link"]
    assert opened["matching"] == {"name": "Wren", "words": "company on hard mornings"}
    assert opened["notify"] == {"email": "rosa@example.org", "phone": "+12125550177", "known_as": "Wren"}
    path = link.removeprefix(intake.public_url)
    visitor.delete_cookie("supportee")
    assert visitor.get(path).status_code == 200
    assert post(visitor, path).headers["Location"] == "/s"
    assert "opens with your code words only" in visitor.get("/s").text
    assert visitor.get("/s/answers").headers["Location"] == "/s"


def test_errors_keep_what_was_typed(visitor: FlaskClient) -> None:
    post(visitor, "/ask/1", mode="suggest")
    wrong = post(visitor, "/ask/4", reach=["email", "text"], email="rosa@", phone="12 34 ab")
    assert wrong.status_code == 422
    assert 'value="rosa@"' in wrong.text
    assert 'value="12 34 ab"' in wrong.text
    assert "<title>Error: " in wrong.text
    assert "Check the email address. It should look like name@example.org" in wrong.text
    assert 'value="12 34 ab"' in visitor.get("/ask/4").text


def test_a_field_that_is_not_ours_is_refused_and_nothing_is_stored(visitor: FlaskClient, intake: Service) -> None:
    assert post(visitor, "/ask/1", mode="suggest", **{"mode[$ne]": "1"}).status_code == 400
    assert intake.db.drafts.count_documents({}) == 0


def test_somebody_filled_up_while_writing(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    html = visitor.get("/ask/check").text
    intake.run(save_directory_entry, an_entry_seen(intake, "juniper", state="full", version=2))
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    told = visitor.post("/ask/check", data=form)
    assert told.status_code == 409
    assert "Juniper has no free place right now" in told.text
    assert intake.db.requests.count_documents({}) == 0
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', told.text))
    assert visitor.post("/ask/check", data=form).headers["Location"] == "/ask/sent"


def test_each_person_who_filled_up_is_said_once(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper", "kai")

    def send(page: str) -> TestResponse:
        return visitor.post("/ask/check", data=MultiDict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)))

    intake.run(save_directory_entry, an_entry_seen(intake, "juniper", state="full", version=2))
    juniper = send(visitor.get("/ask/check").text.replace('name="told"', 'name="unread"'))
    assert juniper.status_code == 409
    intake.run(save_directory_entry, an_entry_seen(intake, "kai", state="full", version=2))
    both = send(juniper.text)
    assert both.status_code == 409
    assert "Kai has no free place right now" in both.text
    assert send(both.text).headers["Location"] == "/ask/sent"


def test_a_field_that_nobody_sees_asks_for_a_second_press(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor)
    again = post(visitor, "/ask/check", website="https://spam.example")
    assert "press Send once more" in again.text
    assert intake.db.requests.count_documents({}) == 0
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', again.text))
    assert visitor.post("/ask/check", data=form).headers["Location"] == "/ask/sent"


def test_save_and_come_back_on_another_device(visitor: FlaskClient) -> None:
    post(visitor, "/ask/1", mode="chosen", choice=["kai"], if_not=["wait"])
    assert post(visitor, "/ask/2", name="Wren", go="save").headers["Location"] == "/ask/saved"
    words = code_words(visitor.get("/ask/saved").text)
    visitor.delete_cookie("draft")
    assert post(visitor, "/ask/return", code=words.upper().replace(" ", "-")).headers["Location"] == "/ask/go-on"
    assert visitor.get("/ask/check").headers["Location"] == "/ask/4?then=check"
    assert 'value="Wren"' in visitor.get("/ask/2").text


def test_unknown_and_erased_words_get_the_same_answer(visitor: FlaskClient) -> None:
    post(visitor, "/ask/1", mode="suggest", go="save")
    words = code_words(visitor.get("/ask/saved").text)
    post(visitor, "/ask/erase")
    answers = [
        re.sub(r'value="[^"]*"', "", post(visitor, "/s", code=typed).text)
        for typed in (words, "river cedar button lamp otter moss")
    ]
    assert answers[0] == answers[1]
    assert "We cannot find these words." in answers[0]


def test_suggestions_can_be_chosen_on_the_page_once(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor)
    post(visitor, "/ask/check")
    submitted = published(intake, "request.submitted.v1")[0]
    made = SuggestionsMade(
        request_id=submitted.request_id, supportee_id=submitted.supportee_id, practitioner_ids=("kai", "juniper"), version=1
    )
    intake.run(add_to_history, made)
    html = visitor.get("/s").text
    assert "<h1>Two people you could meet</h1>" in html
    for _ in range(2):
        post(visitor, "/s/next", at="/s", next="ask", version="1", practitioner_id="kai")
    assert published(intake, "choice.made.v1") == [ChoiceMade(request_id=submitted.request_id, next="ask", practitioner_id="kai")]
    assert "We are asking Kai" in visitor.get("/s").text


def a_note_from_juniper(intake: Service, keys: Path, words: str) -> NoteWritten:
    """As matching encrypts it: under the key that the wrap in the request carries."""
    submitted = published(intake, "request.submitted.v1")[0]
    key = vault.load_vault(keys, "matching").unwrap(submitted.encrypted.wrap, submitted.supportee_id)
    encrypted = vault.encrypt(key, submitted.supportee_id, vault.note_field("n1"), words)
    about = {"request_id": submitted.request_id, "supportee_id": submitted.supportee_id}
    return NoteWritten(**about, note_id="n1", practitioner_id="juniper", encrypted=encrypted, version=2)


def asked_juniper(visitor: FlaskClient, intake: Service) -> str:
    """Their request is with Juniper; returns its code words."""
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    facts = {
        "request_id": published(intake, "request.submitted.v1")[0].request_id,
        "offer_id": "o1",
        "practitioner_id": "juniper",
    }
    encrypted = EncryptedFields(person_id="juniper", wrap="", fields={})
    intake.run(add_to_history, OfferMade(**facts, version=1, answer_by=now(), code="A7", encrypted=encrypted))
    return code_words(visitor.get("/ask/sent").text)


def test_a_note_is_read_and_answered_on_the_status_page(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    asked_juniper(visitor, intake)
    assert "<h1>Write to the coordinators</h1>" in visitor.get("/s/write").text
    intake.run(add_note, a_note_from_juniper(intake, keys, "Is text all right?"))
    html = visitor.get("/s").text
    assert "Juniper wrote" in html
    assert "Is text all right?" in html
    assert "Who reads it?" in visitor.get("/s/write").text
    empty = post(visitor, "/s/write", words=" ")
    assert (empty.status_code, "Write your note first" in empty.text) == (422, True)
    long = post(visitor, "/s/write", words="so long " * 600)
    assert (long.status_code, "so long so long" in long.text) == (422, True)
    assert post(visitor, "/s/write", to="practitioner", words="Text is good").headers["Location"] == "/s"
    assert "Text is good" in visitor.get("/s").text
    [answer] = published(intake, "note.answered.v1")
    assert "Text is good" not in str(answer) + str(list(intake.db.requests.find()))


def test_a_note_stays_closed_for_whoever_came_without_the_key_until_the_code_words_open_it(
    visitor: FlaskClient, intake: Service, keys: Path
) -> None:
    words = asked_juniper(visitor, intake)
    intake.run(add_note, a_note_from_juniper(intake, keys, "Is text all right?"))
    row = intake.db.requests.find_one()
    assert row
    until = now() + timedelta(days=1)
    link = AccessLink(id=digest("later"), purpose="letter", subject_id=row["_id"], person_id=row["person_id"], expires_at=until)
    store.add_link(intake.db, link)
    post(visitor, "/s/in/later")
    html = visitor.get("/s").text
    assert "Somebody wrote to you." in html
    assert "Is text all right?" not in html
    assert visitor.get("/s/write").headers["Location"] == "/s"
    post(visitor, "/s", code=words)
    assert "Is text all right?" in visitor.get("/s").text


def test_the_status_page_says_who_is_asked_and_until_when(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    request_id = published(intake, "request.submitted.v1")[0].request_id
    facts = {"request_id": request_id, "offer_id": "o1", "practitioner_id": "juniper"}
    encrypted = EncryptedFields(person_id="juniper", wrap="", fields={})
    intake.run(add_to_history, OfferMade(**facts, version=1, answer_by=now(), code="A7", encrypted=encrypted))
    assert "<h1>We have asked Juniper</h1>" in visitor.get("/s").text
    intake.run(add_to_history, OfferDeclined(**facts, version=2, then="ask_me"))
    assert "Juniper cannot meet right now. What would you like?" in visitor.get("/s").text


def test_leaving_ends_the_request_and_deletes_what_was_written(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    row = intake.db.requests.find_one()
    assert row is not None
    assert post(visitor, "/s/leave").headers["Location"] == "/s/left"
    assert b"What stays, and until when" in visitor.get("/s/left").data
    assert b"Find my request" in visitor.get("/s").data
    assert intake.db.requests.count_documents({}) == 0
    assert published(intake, "request.withdrawn.v1") == [RequestWithdrawn(request_id=row["_id"], person_id=row["person_id"])]


def test_a_link_is_sent_to_a_known_address_only_and_the_page_does_not_tell(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, reach="email", email="Rosa@example.org")
    post(visitor, "/ask/check")
    visitor.delete_cookie("supportee")
    answers = [
        post(visitor, "/s/link", at="/s", address=address).headers["Location"]
        for address in ("rosa@example.org", "x@example.org")
    ]
    assert answers == ["/s/link-sent"] * 2
    assert [type(event) for event in published(intake, "sign_in.requested.v1")] == [SignInRequested]


def test_a_number_leads_to_the_same_page_whether_it_is_known_or_not(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, reach="text", phone="+12025550187", safely="texts_safe")
    post(visitor, "/ask/check")
    visitor.delete_cookie("supportee")
    pages = []
    for number in ("+1 202 555 0187", "+1 202 555 0100"):
        answer = post(visitor, "/s/link", at="/s", address=number)
        assert (answer.headers["Location"], answer.headers["Set-Cookie"].split("=")[0]) == ("/s/code", "texted")
        pages.append(re.sub(r'value="[^"]+"', "", visitor.get("/s/code").text))
    assert pages[0] == pages[1]
    assert len(published(intake, "sign_in.requested.v1")) == 1
    wrong = post(visitor, "/s/code", figures="000000")
    assert (wrong.status_code, "This code is not right" in wrong.text) == (422, True)


@pytest.mark.parametrize("own_device", [False, True])
def test_a_cookie_ends_with_the_browser_unless_this_is_their_own_device(
    visitor: FlaskClient, intake: Service, own_device: bool
) -> None:
    ask_for(visitor, "juniper")
    sent = post(visitor, "/ask/check").headers["Set-Cookie"]
    assert (sent.startswith("supportee="), "Max-Age" in sent, "Expires" in sent) == (True, False, False)
    words = code_words(visitor.get("/ask/sent").text)
    visitor.delete_cookie("supportee")
    came_in = post(visitor, "/s", code=words, **({"own_device": "yes"} if own_device else {})).headers["Set-Cookie"]
    assert ("Max-Age=2592000" in came_in) == own_device


def test_a_draft_ends_with_the_browser_and_comes_back_by_code_words(visitor: FlaskClient) -> None:
    began = post(visitor, "/ask/1", mode="suggest").headers["Set-Cookie"]
    assert (began.startswith("draft="), "Max-Age" in began, "Expires" in began) == (True, False, False)


def test_whoever_keeps_their_words_may_say_that_this_is_their_own_device(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    kept = [
        value
        for value in post(visitor, "/s/words-kept", at="/ask/sent", own_device="yes").headers.getlist("Set-Cookie")
        if "2592000" in value
    ]
    assert len(kept) == 1
    assert visitor.get("/s/answers").status_code == 200
    assert intake.db.sessions.count_documents({"role": "supportee"}) == 1


def test_a_form_is_remembered_by_its_own_id_beside_the_ids_of_messages(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    assert post(visitor, "/s/write", words="Hello", form_id="an event's id").status_code == 400
    assert post(visitor, "/s/write", words="Hello").status_code == 303
    ids = [document["_id"] for document in intake.db.inbox.find()]
    assert ids
    assert all(re.fullmatch("form/[0-9a-f]{64}|request/.*", id) for id in ids)


def test_leave_sends_away_and_clears_cookies(visitor: FlaskClient) -> None:
    answer = visitor.get("/leave")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/away")
    assert answer.headers["Clear-Site-Data"] == '"cookies", "storage"'


def test_get_changes_nothing(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper", reach="email", email="rosa@example.org")
    post(visitor, "/ask/check")
    before = json.dumps([list(intake.db[name].find()) for name in sorted(intake.db.list_collection_names())], default=str)
    for path in [*PAGES, "/s", "/s/answers", "/s/leave", "/s/someone-else", "/s/write", "/ask/sent", "/ask/check", "/leave"]:
        visitor.get(path)
        visitor.head(path)
    after = json.dumps([list(intake.db[name].find()) for name in sorted(intake.db.list_collection_names())], default=str)
    assert before == after


def test_only_wrong_code_words_are_limited(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    words = code_words(visitor.get("/ask/sent").text)
    assert [post(visitor, "/s", at="/s/in/x", code=words).status_code for _ in range(3)] == [303] * 3
    wrong = [post(visitor, "/s", at="/s/in/x", code="no such words").status_code for _ in range(61)]
    assert wrong == [422] * 60 + [429]


def test_display_preferences_are_written_on_every_page(visitor: FlaskClient) -> None:
    post(visitor, "/comfort", theme="quiet", text="larger", space="normal", font="plain")
    assert 'data-theme="quiet" data-text="larger" data-font="plain"' in visitor.get("/").text


def test_somebody_who_stepped_back_is_gone_kindly(visitor: FlaskClient, intake: Service) -> None:
    intake.run(save_directory_entry, an_entry_seen(intake, "kai", state="stepped_back", version=2))
    gone = visitor.get("/people/kai")
    assert gone.status_code == 410
    assert "Kai no longer offers meetings here" in gone.text
    assert "Kai" not in visitor.get("/people").text


def test_when_nobody_is_open_the_list_says_so_first_and_still_shows_everybody(visitor: FlaskClient, intake: Service) -> None:
    for name in ("juniper", "kai"):
        intake.run(save_directory_entry, an_entry_seen(intake, name, state="full", version=2))
    html = visitor.get("/people").text
    assert "<h1>Everyone is full or resting today</h1>" in html
    assert html.count("<h1") == 1
    assert 'href="/ask">Leave my request all the same' in html
    assert sorted(slugs(html)) == ["ana", "juniper", "kai"]


def test_empty_answers_are_folded_into_one_line_with_a_way_to_each(visitor: FlaskClient) -> None:
    ask_for(visitor, reach=["email", "text"], email="rosa@example.org", phone="(212) 555-0177")
    html = visitor.get("/ask/check").text
    shown, folded = html.split("<details>")
    assert "Not provided" not in html
    assert "<p>Email to rosa@example.org</p><p>Text message to +1 212 555 0177 (United States)</p>" in shown
    assert "<dd>New York</dd>" in shown
    assert "11 questions left open: add something" in folded
    assert len(re.findall(r'<li><a href="/ask/\d\?then=check">', folded)) == 11


def test_to_keep_and_to_end_weigh_the_same(visitor: FlaskClient) -> None:
    ask_for(visitor)
    post(visitor, "/ask/check")
    html = visitor.get("/s/leave").text
    assert re.findall(r'class="(btn[^"]*)"', html) == ["btn soft", "btn soft"]


def test_what_somebody_can_do_are_rows_beside_the_state(visitor: FlaskClient) -> None:
    ask_for(visitor)
    post(visitor, "/ask/check")
    rows = visitor.get("/s").text.split('<ul class="doors">')[1].split("</ul>")[0]
    assert len(re.findall(r"<li>(?:<a|<form)", rows)) == rows.count("<li>") > 2
    assert "btn" not in rows


@pytest.fixture
def sixty_more(intake: Service) -> None:
    """Nameless beside the three: thirty by phone, thirty by video."""
    for number in range(60):
        way = "phone" if number % 2 else "video"
        intake.run(save_directory_entry, an_entry_seen(intake, f"peer-{number}", meeting_types=(way,)))


def slugs(html: str) -> list[str]:
    return re.findall(r'<h3><a href="/people/([\w-]+)', html)


def pages_of(html: str) -> dict[str, str]:
    """previous and next, as far as they are there."""
    return {rel: unescape(url) for rel, url in re.findall(r'<a rel="(\w+)" href="([^"]+)"', html)}


@pytest.mark.usefixtures("sixty_more")
def test_the_pages_of_the_directory_show_everybody_once(visitor: FlaskClient) -> None:
    url, shown = "/people", list[str]()
    for page in (1, 2, 3):
        html = visitor.get(url).text
        assert f'<span aria-current="page">Page {page} of 3</span>' in html
        assert "63 people, 62 open to someone new" in html
        shown += slugs(html)
        url = pages_of(html).get("next", "")
    assert not url
    assert len(shown) == len(set(shown)) == 63
    assert shown[-1] == "ana"  # who rests stands last
    assert slugs(visitor.get(pages_of(html)["prev"]).text) == shown[24:48]


@pytest.mark.usefixtures("sixty_more")
def test_a_page_keeps_what_is_looked_for_and_a_profile_leads_back_to_it(visitor: FlaskClient) -> None:
    first = visitor.get("/people?meeting_types=phone&text=keeps+bees").text
    assert "30 people, 30 open to someone new" in first
    assert pages_of(first) == {"next": "/people?meeting_types=phone&text=keeps+bees&page=2"}
    second = visitor.get(pages_of(first)["next"]).text
    assert "<title>People: 30 people, page 2 of 2 - " in second
    assert pages_of(second) == {"prev": "/people?meeting_types=phone&text=keeps+bees"}
    assert f"/people/{slugs(second)[0]}?meeting_types=phone&amp;text=keeps+bees&amp;page=2" in second
    profile = visitor.get(f"/people/{slugs(second)[0]}?meeting_types=phone&text=keeps+bees&page=2").text
    assert 'href="/people?meeting_types=phone&amp;text=keeps+bees&amp;page=2"' in profile


@pytest.mark.usefixtures("sixty_more")
@pytest.mark.parametrize(("wanted", "shown"), [("4", 3), ("999999999999", 3), ("0", 1), ("-1", 1), ("second", 1), ("", 1)])
def test_a_page_that_is_not_there_shows_the_nearest(visitor: FlaskClient, wanted: str, shown: int) -> None:
    answer = visitor.get(f"/people?page={wanted}")
    assert (answer.status_code, f"Page {shown} of 3" in answer.text) == (200, True)


def test_few_people_have_one_page_and_no_links_to_others(visitor: FlaskClient) -> None:
    assert 'class="pages"' not in visitor.get("/people").text


def test_words_are_found_without_their_accents(visitor: FlaskClient, intake: Service) -> None:
    profile = {"slug": "lucia", "name": "Lucía", "words": "Camino DESPACIO y escucho, también de noche."}
    encrypted = intake.vault.encrypt_profile("lucia", json.dumps(profile))
    intake.run(save_directory_entry, an_entry_seen(intake, "lucia", encrypted_profile=encrypted))
    assert slugs(visitor.get("/people?text=tambien+despacio+LUCIA").text) == ["lucia"]


@pytest.mark.usefixtures("sixty_more")
def test_another_person_is_found_by_name_where_many_are_open(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor)
    post(visitor, "/ask/check")
    submitted = published(intake, "request.submitted.v1")[0]
    made = SuggestionsMade(
        request_id=submitted.request_id, supportee_id=submitted.supportee_id, practitioner_ids=("kai",), version=1
    )
    intake.run(add_to_history, made)
    assert "peer-7" not in visitor.get("/s/someone-else").text
    assert post(visitor, "/s/someone-else", find=" ").status_code == 422
    html = post(visitor, "/s/someone-else", find="PEER-5").text
    assert re.findall(r'name="practitioner_id" value="([\w-]+)"', html) == ["peer-5", *(f"peer-5{n}" for n in range(9))]
    assert "11 people are called something like “PEER-5”" in html
    assert post(visitor, "/s/next", at="/s", next="ask", version="1", practitioner_id="nobody").status_code == 422
    post(visitor, "/s/next", at="/s", next="ask", version="1", practitioner_id="peer-57")
    assert [choice.practitioner_id for choice in published(intake, "choice.made.v1")] == ["peer-57"]
