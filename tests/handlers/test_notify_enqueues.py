"""Which notifications are enqueued on which event, and for whom."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from services.notify.delivery import give_up_texts
from services.notify.handlers.contacts import enqueue_sign_in_link, enqueue_team_sign_in_link
from services.notify.handlers.offers import (
    enqueue_match_notification,
    enqueue_not_this_time,
    enqueue_offer_expiry,
    enqueue_offer_notification,
    enqueue_offer_release,
    enqueue_offer_reminder,
)
from services.notify.handlers.outbound import BOTH, NotifyService, usable_channels
from services.notify.handlers.outcomes import GiveUp, Receipt, apply_receipt, give_up
from services.notify.handlers.replies import SmsReceived, enqueue_reply_confirmation, receive_sms
from services.notify.handlers.requests import (
    enqueue_coordinator_call,
    enqueue_suggestions,
    enqueue_waiting,
    erase_supportee,
)
from services.notify.store import DeliveryQueue, mark_uncertain
from shared.clock import now
from shared.contracts import (
    CoordinatorNeeded,
    LetterLinkMade,
    MatchMade,
    NotificationFailed,
    OfferDeclined,
    OfferExpired,
    OfferReleased,
    ReplyProcessed,
    ReplyReceived,
    RequestWaiting,
    RequestWithdrawn,
    SignInRequested,
    SuggestionsMade,
    TeamSignInRequested,
)
from shared.messages import InvalidMessage
from shared.mongo import Db
from shared.service import RetryLater, Service
from tests.delivery import notify_settings
from tests.handlers.matching_steps import Clock
from tests.receivers import (
    ANA_PHONE,
    WREN_PHONE,
    a_coordinator,
    a_reminder,
    an_offer,
    ana,
    encrypted_for_notify,
    record_contact,
    wren,
)


def enqueued(db: Db, **where: Any) -> set[tuple[str, str, str]]:
    return {(row["template"], row["person_id"], row["channel"]) for row in db.notifications.find({"state": "pending", **where})}


@pytest.fixture
def db(notify: Service) -> Db:
    """Ana, Wren and a coordinator have shared how to reach them."""
    for contact in (ana(notify), wren(notify), a_coordinator(notify)):
        record_contact(contact, notify.db)
    notify.db.notifications.delete_many({})  # that Wren's request arrived was said before the test begins
    return notify.db


def declined(version: int = 2, **fields: Any) -> OfferDeclined:
    return OfferDeclined(
        **{"offer_id": "o1", "request_id": "r1", "practitioner_id": "ana", "version": version, "then": "next_choice", **fields}
    )


def test_who_is_asked_gets_an_email_and_a_text(notify: Service, db: Db) -> None:
    assert enqueue_offer_notification(an_offer(notify), db) == []
    assert enqueued(db) == {("offer", "ana", "email"), ("offer", "ana", "text")}


def test_an_offer_heard_twice_is_one_notification_for_each_channel(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    enqueue_offer_notification(an_offer(notify), db)
    assert db.notifications.count_documents({}) == 2


def test_news_for_somebody_whose_contact_has_not_come_waits_for_it(notify: Service) -> None:
    with pytest.raises(RetryLater):
        enqueue_offer_notification(an_offer(notify), notify.db)
    with pytest.raises(RetryLater):
        enqueue_not_this_time(declined(), notify.db)


def test_who_looks_for_themselves_gets_no_notification_at_all(notify: Service) -> None:
    record_contact(wren(notify, channels=()), notify.db)
    for enqueue, event in every_event_for_wren(notify):
        enqueue(event, notify.db)
    assert enqueued(notify.db, person_id="wren") == set()


def every_event_for_wren(notify: Service) -> list[tuple[Any, Any]]:
    about: dict[str, Any] = {"request_id": "r1", "supportee_id": "wren"}
    record_contact(ana(notify), notify.db)
    return [
        (enqueue_not_this_time, declined(2)),
        (enqueue_suggestions, SuggestionsMade(practitioner_ids=("kai",), version=3, **about)),
        (enqueue_waiting, RequestWaiting(waiting_for="place", version=4, **about)),
        (enqueue_offer_notification, an_offer(notify, "o2", version=5, after_waiting=True)),
        (enqueue_coordinator_call, CoordinatorNeeded(reason="nobody_suits", reaching_out=True, version=6, **about)),
        (enqueue_match_notification, MatchMade(match_id="m1", offer_id="o2", practitioner_id="ana", version=7, **about)),
    ]


def test_each_event_about_a_request_is_told_to_the_supportee(notify: Service) -> None:
    record_contact(wren(notify, channels=("email",)), notify.db)
    for enqueue, event in every_event_for_wren(notify):
        enqueue(event, notify.db)
    told = {template for template, *_ in enqueued(notify.db, person_id="wren")}
    assert told == {
        "request_received", "not_this_time", "suggestions_ready", "waiting", "asked_after_waiting", "someone_will_write",
        "said_yes",
    }  # fmt: skip


def test_texts_to_a_supportee_that_would_say_the_same_are_one_text(notify: Service, db: Db) -> None:
    enqueue_not_this_time(declined(2), db)
    enqueue_suggestions(SuggestionsMade(request_id="r1", supportee_id="wren", practitioner_ids=("kai",), version=3), db)
    assert len(enqueued(db, person_id="wren", channel="text")) == 1
    assert len(enqueued(db, person_id="wren", channel="email")) == 2


def test_what_the_last_notification_said_of_the_next_step_is_not_said_again(notify: Service, db: Db) -> None:
    enqueue_not_this_time(declined(2, then="wait"), db)
    enqueue_waiting(RequestWaiting(request_id="r1", supportee_id="wren", waiting_for="place", version=3), db)
    assert {template for template, *_ in enqueued(db, person_id="wren")} == {"not_this_time"}


def test_suggestions_that_come_with_a_not_this_time_are_one_notification(notify: Service, db: Db) -> None:
    enqueue_not_this_time(declined(2, then="suggest"), db)
    enqueue_suggestions(SuggestionsMade(request_id="r1", supportee_id="wren", practitioner_ids=("kai",), version=3), db)
    assert {template for template, *_ in enqueued(db, person_id="wren")} == {"not_this_time"}


def test_coordinators_are_not_called_for_what_a_coordinator_does_already(notify: Service, db: Db) -> None:
    record_contact(a_coordinator(notify, "ro"), db)
    about: dict[str, Any] = {"request_id": "r1", "supportee_id": "wren", "reason": "reach_out", "reaching_out": True}
    enqueue_coordinator_call(CoordinatorNeeded(version=2, taken=True, **about), db)
    assert enqueued(db, person_id="ro") == set()
    assert {template for template, *_ in enqueued(db, person_id="wren")} == {"someone_will_write"}
    enqueue_coordinator_call(CoordinatorNeeded(version=3, **about), db)
    assert {template for template, *_ in enqueued(db, person_id="ro")} == {"reach_out"}


def test_what_is_no_longer_true_is_not_told(notify: Service, db: Db) -> None:
    enqueue_match_notification(
        MatchMade(match_id="m", offer_id="o2", request_id="r1", practitioner_id="kai", supportee_id="wren", version=5), db
    )
    enqueue_not_this_time(declined(4), db)
    assert {template for template, *_ in enqueued(db, person_id="wren")} == {"said_yes"}


def test_a_newer_contact_replaces_an_older_one_and_an_older_one_is_ignored(notify: Service) -> None:
    record_contact(ana(notify), notify.db)
    record_contact(ana(notify, version=2, channels=("email",)), notify.db)
    record_contact(ana(notify), notify.db)
    enqueue_offer_notification(an_offer(notify), notify.db)
    assert enqueued(notify.db) == {("offer", "ana", "email")}


def test_a_contact_that_skips_versions_waits_and_shuts_nobody_out(notify: Service, db: Db) -> None:
    with pytest.raises(RetryLater):
        record_contact(ana(notify, version=1_000_000, channels=()), db)
    record_contact(ana(notify, version=2, channels=("email",)), db)
    enqueue_offer_notification(an_offer(notify), db)
    assert enqueued(db) == {("offer", "ana", "email")}


def test_a_first_contact_has_version_one(notify: Service) -> None:
    with pytest.raises(RetryLater):
        record_contact(ana(notify, version=2), notify.db)


def test_intake_cannot_speak_for_a_practitioner(notify: Service, db: Db) -> None:
    stolen = encrypted_for_notify(notify.vault, "ana", email="somebody.else@example.org")
    with pytest.raises(InvalidMessage):
        record_contact(replace(wren(notify, version=2), person_id="ana", encrypted=stolen), db)
    with pytest.raises(InvalidMessage):
        record_contact(replace(a_coordinator(notify, version=2), person_id="ana", encrypted=stolen), db)
    with pytest.raises(InvalidMessage):
        record_contact(wren(notify, version=2, request_id="r2"), db)
    assert db.contacts.find_one({"_id": "ana"})["role"] == "practitioner"  # type: ignore[index]


@pytest.fixture
def without_sms(notify: NotifyService) -> Iterator[None]:
    notify.channels = ("email",)
    yield
    notify.channels = BOTH


@pytest.mark.usefixtures("without_sms")
def test_without_an_sms_gateway_nothing_is_written_to_be_texted(notify: Service, db: Db) -> None:
    assert enqueue_offer_notification(an_offer(notify), db) == []
    assert enqueued(db) == {("offer", "ana", "email")}


@pytest.mark.usefixtures("without_sms")
def test_without_an_sms_gateway_whoever_can_only_be_texted_is_somebody_for_a_coordinator(notify: Service, db: Db) -> None:
    record_contact(wren(notify, version=2, channels=("text",)), db)
    yes = MatchMade(match_id="m", offer_id="o2", request_id="r1", practitioner_id="kai", supportee_id="wren", version=5)
    assert enqueue_match_notification(yes, db) == [NotificationFailed(person_id="wren", request_id="r1", template="said_yes")]
    assert enqueued(db) == set()


@pytest.mark.usefixtures("without_sms")
def test_without_an_sms_gateway_silence_that_somebody_chose_stays_silence(notify: Service, db: Db) -> None:
    record_contact(wren(notify, version=2, channels=()), db)
    yes = MatchMade(match_id="m", offer_id="o2", request_id="r1", practitioner_id="kai", supportee_id="wren", version=5)
    assert enqueue_match_notification(yes, db) == []


def test_texts_left_over_from_a_gateway_that_is_gone_are_given_up(notify: Service, db: Db) -> None:
    record_contact(ana(notify, version=2, channels=("text",)), db)
    enqueue_offer_notification(an_offer(notify), db)
    stop = Event()
    stop.set()
    give_up_texts(db, stop)
    assert notification_by(db, "text")["state"] == "failed"
    assert db.outbox.count_documents({"type": "notification.failed.v1"}) == 1


def test_settings_say_which_channels_there_are(keys: Path) -> None:
    assert usable_channels(notify_settings(keys, sms_gateway="none")) == ("email",)
    assert usable_channels(notify_settings(keys, sms_gateway="kannel")) == ("email", "text")


def test_a_reminder_is_enqueued_while_the_offer_runs_and_not_after(notify: Service, db: Db) -> None:
    offer = an_offer(notify)
    enqueue_offer_notification(offer, db)
    enqueue_offer_reminder(a_reminder(notify, offer), db)
    assert ("reminder", "ana", "email") in enqueued(db)
    enqueue_not_this_time(declined(), db)
    enqueue_offer_reminder(a_reminder(notify, an_offer(notify)), db)
    assert enqueued(db, person_id="ana") == set()


def test_notifications_of_an_offer_that_ended_are_not_sent_any_more(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    enqueue_match_notification(
        MatchMade(match_id="m", offer_id="o1", request_id="r1", practitioner_id="ana", supportee_id="wren", version=2), db
    )
    assert enqueued(db, person_id="ana") == set()


def test_an_offer_whose_end_was_heard_first_is_never_sent(notify: Service, db: Db) -> None:
    enqueue_not_this_time(declined(), db)
    enqueue_offer_notification(an_offer(notify), db)
    assert enqueued(db, person_id="ana") == set()


def test_who_was_asked_hears_that_it_has_moved_on_and_who_was_not_yet_told_hears_nothing(notify: Service, db: Db) -> None:
    gone = OfferReleased(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, reason="withdrawn")
    enqueue_offer_notification(an_offer(notify), db)
    enqueue_offer_release(gone, db)
    assert enqueued(db) == set()
    enqueue_offer_notification(an_offer(notify, "o2"), db)
    db.notifications.update_one({"offer_id": "o2", "channel": "email"}, {"$set": {"state": "accepted"}})
    expired = OfferExpired(offer_id="o2", request_id="r1", practitioner_id="ana", version=3, then="wait")
    enqueue_offer_expiry(expired, db)
    assert {template for template, *_ in enqueued(db, person_id="ana")} == {"offer_gone"}
    assert {template for template, *_ in enqueued(db, person_id="wren")} == {"not_this_time"}


def test_every_coordinator_hears_that_a_person_is_needed(notify: Service, db: Db) -> None:
    record_contact(a_coordinator(notify, "dara"), db)
    enqueue_coordinator_call(
        CoordinatorNeeded(request_id="r1", supportee_id="wren", reason="asks_first", reaching_out=False, version=2), db
    )
    assert enqueued(db) == {("reach_out", "coco", "email"), ("reach_out", "dara", "email")}


def test_a_coordinator_whose_contact_cannot_be_read_keeps_no_other_from_hearing(notify: Service, db: Db) -> None:
    record_contact(a_coordinator(notify, "dara"), db)
    db.contacts.insert_one({"_id": "odd", "role": "coordinator", "version": 1})
    enqueue_coordinator_call(
        CoordinatorNeeded(request_id="r1", supportee_id="wren", reason="asks_first", reaching_out=False, version=2), db
    )
    assert ("reach_out", "dara", "email") in enqueued(db)


def test_after_withdrawing_nothing_more_is_sent(notify: Service, db: Db) -> None:
    enqueue_not_this_time(declined(), db)
    erase_supportee(RequestWithdrawn(request_id="r1"), db)
    assert enqueued(db) == set()


def test_a_sign_in_link_goes_by_one_channel_only(notify: Service, db: Db) -> None:
    link = encrypted_for_notify(notify.vault, "ana", link="https://kt.example/me/in/x")
    enqueue_team_sign_in_link(TeamSignInRequested(person_id="ana", encrypted=link), db)
    link = encrypted_for_notify(notify.vault, "wren", link="https://kt.example/s/in/x")
    enqueue_sign_in_link(SignInRequested(person_id="wren", encrypted=link), db)
    assert enqueued(db) == {("sign_in", "ana", "email"), ("way_in", "wren", "email")}


def test_a_code_goes_by_text_even_while_another_text_waits(notify: Service) -> None:
    record_contact(wren(notify, channels=("email", "text")), notify.db)
    code = encrypted_for_notify(notify.vault, "wren", code="123456")
    enqueue_sign_in_link(SignInRequested(person_id="wren", encrypted=code), notify.db)
    assert ("way_in_code", "wren", "text") in enqueued(notify.db)


def test_each_email_to_a_supportee_makes_a_link_of_its_own_and_no_text_does(notify: Service) -> None:
    record_contact(wren(notify, channels=("text",)), notify.db)
    waits = RequestWaiting(request_id="r1", supportee_id="wren", waiting_for="place", version=2)
    assert enqueue_waiting(waits, notify.db) == []
    record_contact(wren(notify, version=2, channels=("email", "text")), notify.db)
    [made] = enqueue_waiting(replace(waits, version=3), notify.db)
    assert isinstance(made, LetterLinkMade)
    assert made.expires_at - now() > timedelta(days=13)


def test_a_sign_in_link_is_never_texted_to_a_supportee(notify: Service) -> None:
    record_contact(wren(notify, channels=("text",)), notify.db)
    notify.db.notifications.delete_many({})
    link = encrypted_for_notify(notify.vault, "wren", link="https://kt.example/s/in/x")
    enqueue_sign_in_link(SignInRequested(person_id="wren", encrypted=link), notify.db)
    assert enqueued(notify.db) == set()


def test_nothing_of_an_address_is_stored_in_clear(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    everything = str([list(db[name].find()) for name in db.list_collection_names()])
    for secret in ("example.org", "15550177", "k7QmX2RtZ9pLw4Hd", "their-own-link"):
        assert secret not in everything


# texts that come in


def a_text(words: str, number: str = ANA_PHONE, id: str = "t1") -> SmsReceived:
    return SmsReceived(id, number, words)


def test_a_code_and_a_figure_become_an_answer(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    assert receive_sms(a_text("a7 1"), db) == [ReplyReceived(offer_id="o1", practitioner_id="ana", reply_id="t1", answer="yes")]
    assert receive_sms(a_text("A7 2", id="t2"), db) == [
        ReplyReceived(offer_id="o1", practitioner_id="ana", reply_id="t2", answer="not_this_time")
    ]


def test_a_late_answer_is_passed_on_too_for_matching_decides(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    enqueue_not_this_time(declined(), db)
    assert len(receive_sms(a_text("A7 1"), db)) == 1


def test_a_code_used_again_means_the_offer_that_still_runs(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify, "o1"), db)
    enqueue_not_this_time(declined(), db)
    enqueue_offer_notification(an_offer(notify, "o2"), db)
    [reply] = receive_sms(a_text("A7 1"), db)
    assert reply.subject == "o2"


def test_somebody_elses_code_is_not_theirs_to_answer(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    assert receive_sms(a_text("A7 1", number=WREN_PHONE), db) == []
    assert enqueued(db, person_id="wren") == {("not_understood", "wren", "text")}


def test_a_number_that_nobody_knows_gets_silence(notify: Service, db: Db) -> None:
    for words in ("A7 1", "HELP", "STOP", "hello"):
        assert receive_sms(a_text(words, number="+15559999", id=words), db) == []
    assert enqueued(db) == set()


@pytest.mark.parametrize(
    ("words", "template"), [("stop", "texts_stopped"), ("Start", "texts_started"), ("AYUDA", "help"), ("hm?", "not_understood")]
)
def test_the_words_of_both_languages_are_answered(notify: Service, db: Db, words: str, template: str) -> None:
    receive_sms(a_text(words), db)
    assert enqueued(db) == {(template, "ana", "text")}


@pytest.mark.parametrize("words", ["yes", "Sí", "sure", "A7 1 ok?", "no", "1", "Z9 1", "who are you"])
def test_with_one_offer_open_what_is_not_clear_is_told_exactly_what_to_send(notify: Service, db: Db, words: str) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    assert receive_sms(a_text(words), db) == []
    reply = db.notifications.find_one({"template": "how_to_answer", "person_id": "ana"})
    assert reply
    assert reply["context"] == {"code": "A7"}


def test_with_several_offers_open_it_is_told_to_use_the_code_of_the_text(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify, "o1"), db)
    enqueue_offer_notification(an_offer(notify, "o2", code="B3"), db)
    receive_sms(a_text("yes"), db)
    assert ("which_code", "ana", "text") in enqueued(db)
    enqueue_not_this_time(declined(), db)
    receive_sms(a_text("yes", id="t2"), db)
    assert [one["context"] for one in db.notifications.find({"template": "how_to_answer"})] == [{"code": "B3"}]


def test_an_offer_that_has_ended_is_nothing_to_answer(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    enqueue_not_this_time(declined(), db)
    receive_sms(a_text("yes"), db)
    assert ("not_understood", "ana", "text") in enqueued(db)


def test_whoever_shares_a_phone_with_a_practitioner_does_not_hide_what_they_were_asked(notify: Service, db: Db) -> None:
    shared_phone = encrypted_for_notify(notify.vault, "wren", phone=ANA_PHONE)
    record_contact(replace(wren(notify, version=2, language="es"), encrypted=shared_phone), db)
    enqueue_offer_notification(an_offer(notify), db)
    receive_sms(a_text("yes"), db)
    assert ("how_to_answer", "ana", "text") in enqueued(db)


def test_an_offer_its_reminder_and_its_end_say_since_when_it_is_with_somebody(notify: Service, db: Db) -> None:
    offer = an_offer(notify)
    enqueue_offer_notification(offer, db)
    asked_at = notification_by(db, "email")["context"]["asked_at"]
    assert abs(asked_at - now()) < timedelta(minutes=1)
    enqueue_offer_notification(offer, db)
    enqueue_offer_reminder(a_reminder(notify, offer), db)
    db.notifications.update_many({}, {"$set": {"state": "accepted"}})
    enqueue_offer_release(OfferReleased(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, reason="withdrawn"), db)
    emails = list(db.notifications.find({"channel": "email"}))
    assert {one["template"] for one in emails} == {"offer", "reminder", "offer_gone"}
    assert {one["context"]["asked_at"] for one in emails} == {asked_at}


def test_an_offer_of_an_earlier_release_is_reminded_of_without_that(notify: Service, db: Db) -> None:
    offer = an_offer(notify)
    enqueue_offer_notification(offer, db)
    db.offers.update_one({"_id": "o1"}, {"$unset": {"asked_at": ""}})
    enqueue_offer_reminder(a_reminder(notify, offer), db)
    reminder = db.notifications.find_one({"template": "reminder", "channel": "email"})
    assert reminder
    assert "asked_at" not in reminder["context"]


def test_stop_ends_texts_that_were_waiting_and_never_the_email(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    receive_sms(a_text("ALTO"), db)
    assert enqueued(db) == {("offer", "ana", "email"), ("texts_stopped", "ana", "text")}


def test_the_sender_of_an_answer_hears_what_became_of_it(notify: Service, db: Db) -> None:
    for outcome, template in (
        ("yes", "answer_yes"),
        ("not_this_time", "answer_not_this_time"),
        ("already_yes", "answer_already_yes"),
        ("already_not_this_time", "answer_already_not_this_time"),
        ("too_late", "answer_too_late"),
    ):
        enqueue_reply_confirmation(ReplyProcessed(offer_id="o1", practitioner_id="ana", reply_id=outcome, outcome=outcome), db)
        assert (template, "ana", "text") in enqueued(db)


def templates_sent(db: Db) -> list[str]:
    return [row["template"] for row in db.notifications.find({"channel": "text"}).sort("created_at", 1)]


def test_after_three_wrong_codes_one_text_says_so_and_then_only_links_count(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    db.notifications.delete_many({})
    for number in range(40):
        assert receive_sms(a_text(f"B{number + 10} 1", id=f"t{number}"), db) == []
    assert templates_sent(db)[2:] == ["too_many_codes"]
    assert len(templates_sent(db)) == 3
    assert receive_sms(a_text("A7 1", id="right"), db) == []
    assert len(templates_sent(db)) == 3


def test_after_an_hour_codes_count_again(notify: Service, db: Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(tmp_path / "clock", monkeypatch)
    enqueue_offer_notification(an_offer(notify), db)
    for number in range(3):
        receive_sms(a_text("B9 1", id=f"t{number}"), db)
    clock.advance(minutes=61)
    assert len(receive_sms(a_text("A7 1", id="right"), db)) == 1


def test_wrong_codes_of_one_number_stop_nobody_else_and_stop_still_works(notify: Service, db: Db) -> None:
    for number in range(3):
        receive_sms(a_text("B9 1", number=WREN_PHONE, id=f"t{number}"), db)
    enqueue_offer_notification(an_offer(notify), db)
    assert len(receive_sms(a_text("A7 1", id="right"), db)) == 1
    receive_sms(a_text("STOP", number=WREN_PHONE, id="stop"), db)
    assert ("texts_stopped", "wren", "text") in enqueued(db)


def test_a_wrong_code_is_kept_as_a_time_and_nothing_of_what_was_written(notify: Service, db: Db) -> None:
    receive_sms(a_text("B9 1"), db)
    [row] = db.phone_numbers.find({"wrong_codes_at": {"$exists": True}})
    assert set(row) == {"_id", "wrong_codes_at"}


# what became of notifications


def notification_by(db: Db, channel: str) -> dict[str, Any]:
    found = db.notifications.find_one({"channel": channel})
    assert found
    return found


def test_a_receipt_moves_a_notification_forward_and_never_back(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    text = notification_by(db, "text")["_id"]
    assert apply_receipt(Receipt(text, "delivered"), db) == apply_receipt(Receipt(text, "failed"), db) == []
    assert notification_by(db, "text")["state"] == "delivered"
    assert apply_receipt(Receipt("no such notification", "failed"), db) == []


def test_a_text_that_failed_becomes_an_email_where_email_is_allowed_later(notify: Service) -> None:
    record_contact(ana(notify, channels=("text",)), notify.db)
    enqueue_offer_notification(an_offer(notify), notify.db)
    record_contact(ana(notify, version=2), notify.db)
    assert apply_receipt(Receipt(notification_by(notify.db, "text")["_id"], "failed"), notify.db) == []
    assert enqueued(notify.db) == {("offer", "ana", "email")}


def test_when_every_channel_failed_a_coordinator_should_know(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    assert give_up(GiveUp(notification_by(db, "email")["_id"], "failed", "550"), db) == []
    news = apply_receipt(Receipt(notification_by(db, "text")["_id"], "failed"), db)
    assert news == [NotificationFailed(person_id="ana", template="offer")]


def test_no_coordinator_is_called_for_somebody_who_has_withdrawn(notify: Service) -> None:
    record_contact(wren(notify, channels=("email",)), notify.db)
    [claimed] = DeliveryQueue(notify.db, "email").claim(5)
    mark_uncertain(notify.db, [claimed])  # a worker is handing it over, so it cannot be cancelled any more
    erase_supportee(RequestWithdrawn(request_id="r1"), notify.db)
    assert give_up(GiveUp(claimed.item.id, "failed", "550 to RCPT"), notify.db) == []
    assert notify.db.notifications.count_documents({}) == 0


def test_what_is_sent_keeps_no_link_and_is_deleted_in_a_day(notify: Service, db: Db) -> None:
    enqueue_offer_notification(an_offer(notify), db)
    apply_receipt(Receipt(notification_by(db, "text")["_id"], "delivered"), db)
    row = notification_by(db, "text")
    assert "encrypted" not in row
    assert row["finished_at"] <= now()
