"""Many requests to or from one place, or sent faster than a person types: they wait for a coordinator, and nobody else does.

Through the website, the handlers of all three services and a real MongoDB.
"""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.intake.web import make_app
from services.matching.coordinators import add_coordinator
from services.matching.handlers.coordinator import AskPractitioner, WriteToSupportee, ask_practitioner, write_to_supportee
from services.matching.handlers.floods import carry_out_decision, find_decided
from services.notify.handlers.contacts import record_contact
from shared import sweeper
from shared.clock import now
from shared.contracts import EncryptedFields, NotificationFailed
from shared.documents import from_document
from shared.mongo import Doc
from shared.programme import Floods
from shared.service import Service
from shared.web.limits import limiter
from tests.handlers.matching_steps import Clock, add_practitioners, document, open_tasks, places_of
from tests.pages.intake_site import post
from tests.pages.matching_site import press, signed_in
from tests.receivers import wren
from tests.three_services import Services
from tests.web_settings import settings_for_pages

FLOODS = Floods(hours=6, from_one_place=5, to_one_practitioner=8, for_one_address=2, seconds_to_type=3600)
THERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"


@dataclass
class House:
    """The website and what stands behind it."""

    site: Flask
    services: Services
    clock: Clock
    keys: Path

    def limit(self, **limits: int) -> None:
        self.services.intake.programme = replace(self.services.intake.programme, floods=replace(FLOODS, **limits))

    def write(self, address: str, *, email: str = "", phone: str = "", choice: str = "juniper", **more: str) -> FlaskClient:
        """All seven questions, from this address."""
        visitor = self.site.test_client()
        visitor.environ_base["REMOTE_ADDR"] = address
        mode = more.pop("mode", "chosen")
        post(visitor, "/ask/1", mode=mode, **({"choice": [choice], "if_not": ["ask_me"]} if mode == "chosen" else {}))
        reach = [way for way, given in (("email", email), ("text", phone)) if given] or ["page"]
        numbers = {"email": email, "phone": phone, "quiet_from": "0", "quiet_until": "0"}
        answers = ({"name": "Wren"}, {"words": "mornings"}, {"reach": reach, **numbers, **more}, {"time_zone": "UTC"}, {}, {})
        for question, answer in enumerate(answers, 2):
            post(visitor, f"/ask/{question}", **answer)
        return visitor

    def ask(self, address: str, *, patiently: bool = False, typed_at: str = "", **answers: str) -> FlaskClient:
        """`typed_at`: from where the questions were answered, if not from where Send is pressed."""
        visitor = self.write(typed_at or address, **answers)
        visitor.environ_base["REMOTE_ADDR"] = address
        if patiently:
            self.clock.advance(hours=1, seconds=1)
        assert post(visitor, "/ask/check").headers["Location"] == "/ask/sent"
        self.services.deliver()
        return visitor

    def requests(self) -> list[Doc]:
        """As matching has them, in the order in which they came."""
        return list(self.services.matching.db.requests.find().sort("submitted_at", 1))

    def offered(self) -> list[str]:
        """Requests about which somebody is asked."""
        return [row["request_id"] for row in self.services.matching.db.offers.find({"is_open": True})]

    def held(self) -> list[str]:
        return [row["_id"] for row in self.requests() if row.get("flood") == "held"]

    def told(self, request_id: str) -> list[tuple[str, str]]:
        rows = self.services.notify.db.notifications.find({"request_id": request_id, "offer_id": {"$exists": False}})
        return sorted((row["template"], row["channel"]) for row in rows)

    def coordinator(self) -> FlaskClient:
        if not self.services.matching.db.coordinators.count_documents({}):
            add_coordinator("Ro", "ro@example.org", into=self.services.matching)
        return signed_in(self.services.matching, self.keys, "coordinator", "ro@example.org")

    def carry_out(self) -> None:
        """What the timer does."""
        for request_id in find_decided(self.services.matching.db):
            self.services.matching.run(carry_out_decision, request_id)
        self.services.deliver()


@pytest.fixture
def house(
    intake: Service, matching: Service, notify: Service, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    services, before = Services(intake, matching, notify), intake.programme
    add_practitioners(matching, "juniper", places=12, offers_at_once=12)
    services.deliver()
    site = make_app(settings_for_pages(keys))
    limiter.reset()
    made = House(site, services, Clock(tmp_path / "clock", monkeypatch), keys)
    made.limit()
    yield made
    intake.programme = before
    limiter.reset()


def test_forty_requests_in_a_minute_keep_the_way_free_for_the_next_person(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(40):
        # One place may not write so many drafts at all (test_floods_of_drafts.py), so these are written from several.
        email, phone = f"somebody{number % 38}@flood.example", "+12025550133" if number % 2 else ""
        house.ask(THERE, typed_at=f"192.0.2.{number}", email=email, phone=phone)
    assert len(house.held()) == 40
    assert house.offered() == []
    assert places_of(house.services.matching, "juniper") == (0, 0)
    assert open_tasks(house.services.matching) == ["flood"]

    house.ask(ELSEWHERE, patiently=True, email="sol@people.example")
    real = house.requests()[-1]["_id"]
    assert house.offered() == [real]
    assert places_of(house.services.matching, "juniper") == (1, 1)
    assert house.told(real) == [("request_received", "email")]
    assert open_tasks(house.services.matching) == ["flood"]

    letters = [house.told(request_id) for request_id in house.held()]
    assert letters == [[("request_received", "email")]] * 38 + [[]] * 2  # the last two wrote addresses that have had theirs
    said = capfd.readouterr()
    rows = "\n".join(str(row) for _, row in house.services.rows())
    for address in (THERE, ELSEWHERE):
        assert address not in rows
        assert address not in said.out + said.err


def test_one_place_may_send_some_requests_and_then_others_wait_while_neighbours_go_on(house: House) -> None:
    house.limit(seconds_to_type=0, to_one_practitioner=0)
    for _ in range(7):
        house.ask("2001:db8:1:1::7")
    assert len(house.held()) == 2
    house.ask("2001:db8:1:1::8")  # of the same household
    house.ask("2001:db8:1:2::8")  # of another
    assert [row.get("flood") for row in house.requests()] == [None] * 5 + ["held"] * 3 + [None]
    house.clock.advance(hours=7)
    house.ask("2001:db8:1:1::7")
    assert house.requests()[-1].get("flood") is None


def test_pressing_send_again_counts_nothing_anew(house: House) -> None:
    house.limit(seconds_to_type=0, from_one_place=1)
    visitor = house.write(THERE)
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get("/ask/check").text)
    assert token
    for _ in range(3):
        assert visitor.post("/ask/check", data={"csrf_token": token[1]}).headers["Location"] == "/ask/sent"
    house.services.deliver()
    assert house.held() == []


def test_one_address_is_written_for_twice_and_one_practitioner_is_asked_for_eight_times(house: House) -> None:
    house.limit(seconds_to_type=0, to_one_practitioner=3)
    for number in range(3):
        house.ask(f"192.0.2.{number}", email="sol@people.example")
    assert [row.get("flood") for row in house.requests()] == [None, None, "held"]
    house.ask("192.0.2.8")
    house.ask("192.0.2.9")
    assert [row.get("flood") for row in house.requests()] == [
        None,
        None,
        "held",
        None,
        "held",
    ]  # what is held takes nobody's turn
    house.ask("192.0.2.10", mode="suggest")
    assert house.requests()[-1].get("flood") is None


def test_whoever_fills_in_what_nobody_sees_waits_too(house: House) -> None:
    house.limit(seconds_to_type=0)
    visitor = house.write(THERE)
    assert post(visitor, "/ask/check", website="https://spam.example").status_code == 200
    assert post(visitor, "/ask/check", website="https://spam.example", pressed="1").headers["Location"] == "/ask/sent"
    house.services.deliver()
    assert len(house.held()) == 1


def test_their_page_says_calmly_that_a_person_reads_it_first(house: House) -> None:
    visitor = house.ask(THERE, email="sol@people.example")
    says = "A person reads it first. Until then nobody is asked, and you do not need to do anything."
    assert says in visitor.get("/ask/sent").text
    assert "We ask" not in visitor.get("/ask/sent").text
    assert says in visitor.get("/s").text
    assert "Your request is here" in visitor.get("/s").text
    assert says.split(".")[0] in visitor.get("/s?lang=en").text
    assert "Primero lo lee una persona." in visitor.get("/s?lang=es").text


def test_a_coordinator_lets_one_go_on_and_it_goes_its_usual_way(house: House) -> None:
    visitor = house.ask(THERE, email="sol@people.example", phone="+12025550133")
    house.ask(THERE)
    first, other = house.held()
    desk = house.coordinator()
    assert "Many requests at once" in desk.get("/c").text
    assert "2 requests" in desk.get("/c").text
    assert press(desk, "/c/held", f"/c/requests/{first}/one_goes_on").headers["Location"] == "/c/held?done=one_goes_on"
    house.services.deliver()
    assert house.offered() == [first]
    assert house.held() == [other]
    assert "We have asked" in visitor.get("/s").text
    assert house.told(first) == [("request_received", "email")]
    command = WriteToSupportee(coordinator_id="ro", request_id=first, words="Hello")
    house.services.matching.run(write_to_supportee, command)
    house.services.deliver()
    assert ("note", "email") in house.told(first)
    assert ("note", "text") in house.told(first)
    assert open_tasks(house.services.matching) == ["flood"]
    press(desk, "/c/held", f"/c/requests/{other}/one_goes_on")
    assert open_tasks(house.services.matching) == []


def test_until_then_coordinators_ask_nobody_about_it_and_nothing_but_the_letter_goes(house: House) -> None:
    house.ask(THERE, email="sol@people.example", phone="+12025550133", before_we_write="Not at night, please.")
    house.ask(THERE, email="kit@people.example", phone="+12025550134")
    private, plain = house.held()
    asked = AskPractitioner(coordinator_id="ro", request_id=plain, practitioner_id="juniper")
    assert house.services.matching.run(ask_practitioner, asked) == []
    for request_id in (private, plain):
        note = WriteToSupportee(coordinator_id="ro", request_id=request_id, words="Hello")
        house.services.matching.run(write_to_supportee, note)
    house.services.deliver()
    assert (house.told(private), house.told(plain)) == ([], [("request_received", "email")])
    assert open_tasks(house.services.matching) == ["flood"]
    press(house.coordinator(), "/c/held", f"/c/requests/{private}/one_goes_on")
    house.services.deliver()
    assert house.told(private) == []  # what they want us to know is still to be read
    assert sorted(open_tasks(house.services.matching)) == ["flood", "read_first"]


def test_who_comes_by_the_link_of_the_letter_is_written_to_from_then_on(house: House) -> None:
    house.ask(THERE, email="sol@people.example")
    [request_id] = house.held()
    link = house.services.intake.db.links.find_one({"purpose": "letter", "subject_id": request_id})
    assert link
    letter = house.services.notify.db.notifications.find_one({"request_id": request_id})
    assert letter
    told = house.services.notify.vault.decrypt_fields(_encrypted(letter))
    path = "/" + told["link"].split("/", 3)[3]
    reader = house.site.test_client()
    reader.get(path)
    house.services.deliver()
    assert document(house.services.notify, "contacts", link["person_id"])["unconfirmed"] is True  # to look is not to press
    assert post(reader, path).status_code == 303
    house.services.deliver()
    assert document(house.services.notify, "contacts", link["person_id"])["unconfirmed"] is False
    note = WriteToSupportee(coordinator_id="ro", request_id=request_id, words="Hello")
    house.services.matching.run(write_to_supportee, note)
    house.services.deliver()
    assert ("note", "email") in house.told(request_id)
    assert house.held() == [request_id]
    before = house.services.intake.db.outbox.count_documents({"type": "contact.confirmed.v1"})
    post(reader, path)
    assert house.services.intake.db.outbox.count_documents({"type": "contact.confirmed.v1"}) == before == 1


def test_a_letter_that_comes_back_is_nobodys_task_while_the_request_is_held(house: House) -> None:
    house.ask(THERE, email="nobody@people.example")
    [row] = house.requests()
    failed = NotificationFailed(person_id=row["supportee_id"], request_id=row["_id"], template="request_received")
    handler = house.services.matching.handlers[NotificationFailed]
    house.services.matching.run(handler, failed)
    assert open_tasks(house.services.matching) == ["flood"]


def test_a_coordinator_ends_the_others_and_what_is_kept_of_them_goes_in_time(house: House) -> None:
    visitors = [house.ask(THERE, email=f"somebody{number}@flood.example") for number in range(4)]
    desk = house.coordinator()
    drawn = desk.get("/c/held").text
    house.clock.advance(minutes=1)
    house.ask(THERE)  # after the page was drawn
    fields = dict(re.findall(r'name="(csrf_token|form_id|until)" value="([^"]+)"', drawn))
    assert desk.post("/c/held/all_end", data=fields).headers["Location"] == "/c/held?done=all_end"
    house.carry_out()
    assert len(house.held()) == 1
    assert house.offered() == []
    ended = [row for row in house.requests() if row["state"] == "lapsed"]
    assert len(ended) == 4
    assert not any("encrypted" in row for row in ended)
    assert "A coordinator ended it." in visitors[0].get("/s").text
    assert "We did not hear from you" not in visitors[0].get("/s").text
    listed = desk.get("/c/requests?state=lapsed").text
    assert "A coordinator ended this request" in listed
    assert "after a long silence" not in listed
    assert "<h1>A coordinator ended this request</h1>" in desk.get(f"/c/requests/{ended[0]['_id']}").text
    assert all(house.told(row["_id"]) == [("request_received", "email")] for row in ended)
    assert open_tasks(house.services.matching) == ["flood"]

    house.clock.advance(days=15)
    for service in house.services.all():
        for overdue in sweeper.find_overdue(service.db, service.name, now(), {}):
            service.run(sweeper.delete_overdue, overdue)
    gone = {row["_id"] for row in ended} | {row["supportee_id"] for row in ended}
    left = {name for name, row in house.services.rows() if gone & {row["_id"], row.get("person_id"), row.get("request_id")}}
    assert left <= {"matching.audit", "notify.request_updates"}  # that it ended: nothing late brings it back


def test_all_may_go_on_and_what_comes_later_is_a_task_again(house: House) -> None:
    for _ in range(3):
        house.ask(THERE)
    desk = house.coordinator()
    assert press(desk, "/c/held", "/c/held/all_go_on").headers["Location"] == "/c/held?done=all_go_on"
    house.carry_out()
    assert len(house.offered()) == 3
    assert open_tasks(house.services.matching) == []
    assert "No request waits here" in desk.get("/c/held").text
    house.clock.advance(days=1)
    house.ask(THERE)
    assert open_tasks(house.services.matching) == ["flood"]
    [task] = house.services.matching.db.coordinator_tasks.find({"reason": "flood"})
    assert now() - task["since"] < timedelta(hours=1)


def test_what_is_left_is_not_with_a_coordinator_from_whom_it_is_hidden(house: House) -> None:
    matching = house.services.matching
    add_coordinator("Zed", "zed@example.org", into=matching)
    house.ask(THERE)
    house.ask(THERE)
    visitor = house.write(THERE)
    post(visitor, "/ask/1", mode="chosen", choice=["juniper"], if_not=["ask_me"], avoid_words="Zed")
    assert post(visitor, "/ask/check").location == "/ask/sent"
    house.services.deliver()
    assert len(house.held()) == 3
    desk = signed_in(matching, house.keys, "coordinator", "zed@example.org")
    press(desk, "/c", "/c/tasks/flood/take")
    assert "holder" in document(matching, "coordinator_tasks", "flood")
    press(desk, "/c/held", "/c/held/all_go_on")
    house.carry_out()
    [left] = house.held()
    assert document(matching, "requests", left)["avoid_index"]
    task = document(matching, "coordinator_tasks", "flood")
    assert task["is_open"]
    assert "holder" not in task


def test_whoever_leaves_closes_a_task_about_nobody(house: House) -> None:
    visitor = house.ask(THERE)
    assert post(visitor, "/s/leave").status_code == 303
    house.services.deliver()
    assert open_tasks(house.services.matching) == []


def test_letters_that_come_at_the_same_time_to_one_address_are_one(notify: Service) -> None:
    contacts = [wren(notify, f"p{number}", request_id=f"r{number}", held=True) for number in range(6)]
    threads = [threading.Thread(target=notify.run, args=(record_contact, contact)) for contact in contacts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert notify.db.notifications.count_documents({}) == 1
    assert notify.db.first_emails.count_documents({}) == 1


def _encrypted(row: Doc) -> EncryptedFields:
    return from_document(EncryptedFields, row["encrypted"])
