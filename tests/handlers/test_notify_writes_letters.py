"""Which letters are written down on which fact, and for whom."""

from datetime import timedelta
from typing import Any

import pytest

from services.notify.handlers.answers import TextReceived, answer_the_reply, take_text
from services.notify.handlers.contacts import send_sign_in_link
from services.notify.handlers.offers import (
    ask_practitioner,
    nudge_practitioner,
    tell_both_that_time_is_over,
    tell_not_this_time,
    tell_practitioner_it_is_gone,
    tell_supportee_yes,
)
from services.notify.handlers.outcomes import GivenUp, Receipt, give_up, note_receipt
from services.notify.handlers.requests import (
    call_coordinators,
    tell_nothing_more,
    tell_of_suggestions,
    tell_of_waiting,
)
from shared.clock import now
from shared.contracts import (
    CoordinatorNeeded,
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
)
from shared.mongo import Db
from shared.service import RetryLater, Service
from tests.receivers import (
    ANA_PHONE,
    WREN_PHONE,
    a_coordinator,
    a_nudge,
    an_offer,
    ana,
    encrypted_for_notify,
    record_contact,
    wren,
)


def written(db: Db, **where: Any) -> set[tuple[str, str, str]]:
    return {(row["letter"], row["person_id"], row["channel"]) for row in db.letters.find({"state": "waiting", **where})}


@pytest.fixture
def db(notify: Service) -> Db:
    """Ana, Wren and a coordinator have shared how to reach them."""
    for contact in (ana(notify), wren(notify), a_coordinator(notify)):
        record_contact(contact, notify.db)
    notify.db.letters.delete_many({})  # that Wren's request arrived was said before the test begins
    return notify.db


def declined(version: int = 2, **facts: Any) -> OfferDeclined:
    return OfferDeclined(
        **{"offer_id": "o1", "request_id": "r1", "practitioner_id": "ana", "version": version, "then": "next_choice", **facts}
    )


def test_who_is_asked_gets_a_mail_and_a_text(notify: Service, db: Db) -> None:
    assert ask_practitioner(an_offer(notify), db) == []
    assert written(db) == {("offer", "ana", "email"), ("offer", "ana", "text")}


def test_an_offer_heard_twice_is_one_letter_for_each_way(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    ask_practitioner(an_offer(notify), db)
    assert db.letters.count_documents({}) == 2


def test_news_for_somebody_whose_contact_has_not_come_waits_for_it(notify: Service) -> None:
    with pytest.raises(RetryLater):
        ask_practitioner(an_offer(notify), notify.db)
    with pytest.raises(RetryLater):
        tell_not_this_time(declined(), notify.db)


def test_who_looks_for_themselves_gets_no_letter_at_all(notify: Service) -> None:
    record_contact(wren(notify, channels=()), notify.db)
    for tell, fact in every_fact_for_wren(notify):
        tell(fact, notify.db)
    assert written(notify.db, person_id="wren") == set()


def every_fact_for_wren(notify: Service) -> list[tuple[Any, Any]]:
    about: dict[str, Any] = {"request_id": "r1", "supportee_id": "wren"}
    record_contact(ana(notify), notify.db)
    return [
        (tell_not_this_time, declined(2)),
        (tell_of_suggestions, SuggestionsMade(practitioner_ids=("kai",), version=3, **about)),
        (tell_of_waiting, RequestWaiting(waiting_for="place", version=4, **about)),
        (ask_practitioner, an_offer(notify, "o2", version=5, after_waiting=True)),
        (call_coordinators, CoordinatorNeeded(reason="nobody_suits", reaching_out=True, version=6, **about)),
        (tell_supportee_yes, MatchMade(match_id="m1", offer_id="o2", practitioner_id="ana", version=7, **about)),
    ]


def test_each_fact_about_a_request_is_told_to_the_supportee(notify: Service) -> None:
    record_contact(wren(notify, channels=("email",)), notify.db)
    for tell, fact in every_fact_for_wren(notify):
        tell(fact, notify.db)
    told = {letter for letter, *_ in written(notify.db, person_id="wren")}
    assert told == {
        "request_received", "not_this_time", "suggestions_ready", "waiting", "asked_after_waiting", "someone_will_write",
        "said_yes",
    }  # fmt: skip


def test_texts_to_a_supportee_that_would_say_the_same_are_one_text(notify: Service, db: Db) -> None:
    tell_not_this_time(declined(2), db)
    tell_of_suggestions(SuggestionsMade(request_id="r1", supportee_id="wren", practitioner_ids=("kai",), version=3), db)
    assert len(written(db, person_id="wren", channel="text")) == 1
    assert len(written(db, person_id="wren", channel="email")) == 2


def test_what_the_last_letter_said_of_the_next_step_is_not_said_again(notify: Service, db: Db) -> None:
    tell_not_this_time(declined(2, then="wait"), db)
    tell_of_waiting(RequestWaiting(request_id="r1", supportee_id="wren", waiting_for="place", version=3), db)
    assert {letter for letter, *_ in written(db, person_id="wren")} == {"not_this_time"}


def test_suggestions_that_come_with_a_not_this_time_are_one_letter(notify: Service, db: Db) -> None:
    tell_not_this_time(declined(2, then="suggest"), db)
    tell_of_suggestions(SuggestionsMade(request_id="r1", supportee_id="wren", practitioner_ids=("kai",), version=3), db)
    assert {letter for letter, *_ in written(db, person_id="wren")} == {"not_this_time"}


def test_the_desk_is_not_called_for_what_a_coordinator_does_already(notify: Service, db: Db) -> None:
    record_contact(a_coordinator(notify, "ro"), db)
    about: dict[str, Any] = {"request_id": "r1", "supportee_id": "wren", "reason": "reach_out", "reaching_out": True}
    call_coordinators(CoordinatorNeeded(version=2, taken=True, **about), db)
    assert written(db, person_id="ro") == set()
    assert {letter for letter, *_ in written(db, person_id="wren")} == {"someone_will_write"}
    call_coordinators(CoordinatorNeeded(version=3, **about), db)
    assert {letter for letter, *_ in written(db, person_id="ro")} == {"reach_out"}


def test_what_is_no_longer_true_is_not_told(notify: Service, db: Db) -> None:
    tell_supportee_yes(
        MatchMade(match_id="m", offer_id="o2", request_id="r1", practitioner_id="kai", supportee_id="wren", version=5), db
    )
    tell_not_this_time(declined(4), db)
    assert {letter for letter, *_ in written(db, person_id="wren")} == {"said_yes"}


def test_a_newer_contact_replaces_an_older_one_in_any_order(notify: Service) -> None:
    record_contact(ana(notify, version=2, channels=("email",)), notify.db)
    record_contact(ana(notify, version=1), notify.db)
    ask_practitioner(an_offer(notify), notify.db)
    assert written(notify.db) == {("offer", "ana", "email")}


def test_a_nudge_is_written_while_the_offer_runs_and_not_after(notify: Service, db: Db) -> None:
    offer = an_offer(notify)
    ask_practitioner(offer, db)
    nudge_practitioner(a_nudge(notify, offer), db)
    assert ("nudge", "ana", "email") in written(db)
    tell_not_this_time(declined(), db)
    nudge_practitioner(a_nudge(notify, an_offer(notify)), db)
    assert written(db, person_id="ana") == set()


def test_letters_of_an_offer_that_ended_are_not_sent_any_more(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    tell_supportee_yes(
        MatchMade(match_id="m", offer_id="o1", request_id="r1", practitioner_id="ana", supportee_id="wren", version=2), db
    )
    assert written(db, person_id="ana") == set()


def test_an_offer_whose_end_was_heard_first_is_never_sent(notify: Service, db: Db) -> None:
    tell_not_this_time(declined(), db)
    ask_practitioner(an_offer(notify), db)
    assert written(db, person_id="ana") == set()


def test_who_was_asked_hears_that_it_has_moved_on_and_who_was_not_yet_told_hears_nothing(notify: Service, db: Db) -> None:
    gone = OfferReleased(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, reason="withdrawn")
    ask_practitioner(an_offer(notify), db)
    tell_practitioner_it_is_gone(gone, db)
    assert written(db) == set()
    ask_practitioner(an_offer(notify, "o2"), db)
    db.letters.update_one({"offer_id": "o2", "channel": "email"}, {"$set": {"state": "accepted"}})
    lapsed = OfferExpired(offer_id="o2", request_id="r1", practitioner_id="ana", version=3, then="wait")
    tell_both_that_time_is_over(lapsed, db)
    assert {letter for letter, *_ in written(db, person_id="ana")} == {"offer_gone"}
    assert {letter for letter, *_ in written(db, person_id="wren")} == {"not_this_time"}


def test_who_rests_is_not_written_about_the_offer_they_gave_back(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    db.letters.update_many({}, {"$set": {"state": "accepted"}})
    tell_practitioner_it_is_gone(
        OfferReleased(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, reason="resting"), db
    )
    assert written(db) == set()


def test_every_coordinator_hears_that_a_person_is_needed(notify: Service, db: Db) -> None:
    record_contact(a_coordinator(notify, "dara"), db)
    call_coordinators(
        CoordinatorNeeded(request_id="r1", supportee_id="wren", reason="asks_first", reaching_out=False, version=2), db
    )
    assert written(db) == {("reach_out", "coco", "email"), ("reach_out", "dara", "email")}


def test_after_withdrawing_nothing_more_is_sent(notify: Service, db: Db) -> None:
    tell_not_this_time(declined(), db)
    tell_nothing_more(RequestWithdrawn(request_id="r1"), db)
    assert written(db) == set()


def test_a_sign_in_link_goes_by_one_way_only(notify: Service, db: Db) -> None:
    for person in ("ana", "wren"):
        link = encrypted_for_notify(notify.vault, person, link="https://kt.example/me/in/x")
        send_sign_in_link(SignInRequested(person_id=person, encrypted=link), db)
    assert written(db) == {("sign_in", "ana", "email"), ("sign_in", "wren", "email")}


def test_a_sign_in_link_is_never_texted_to_a_supportee(notify: Service) -> None:
    record_contact(wren(notify, channels=("text",)), notify.db)
    notify.db.letters.delete_many({})
    link = encrypted_for_notify(notify.vault, "wren", link="https://kt.example/s/in/x")
    send_sign_in_link(SignInRequested(person_id="wren", encrypted=link), notify.db)
    assert written(notify.db) == set()


def test_nothing_of_an_address_is_stored_in_clear(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    everything = str([list(db[name].find()) for name in db.list_collection_names()])
    for secret in ("example.org", "15550177", "k7QmX2RtZ9pLw4Hd", "their-own-link"):
        assert secret not in everything


# texts that come in


def a_text(words: str, number: str = ANA_PHONE, id: str = "t1") -> TextReceived:
    return TextReceived(id, number, words)


def test_a_code_and_a_figure_become_an_answer(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    assert take_text(a_text("a7 1"), db) == [ReplyReceived(offer_id="o1", practitioner_id="ana", reply_id="t1", answer="yes")]
    assert take_text(a_text("A7 2", id="t2"), db) == [
        ReplyReceived(offer_id="o1", practitioner_id="ana", reply_id="t2", answer="not_this_time")
    ]


def test_a_late_answer_is_passed_on_too_for_matching_decides(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    tell_not_this_time(declined(), db)
    assert len(take_text(a_text("A7 1"), db)) == 1


def test_a_code_used_again_means_the_offer_that_still_runs(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify, "o1"), db)
    tell_not_this_time(declined(), db)
    ask_practitioner(an_offer(notify, "o2"), db)
    [reply] = take_text(a_text("A7 1"), db)
    assert reply.subject == "o2"


def test_somebody_elses_code_is_not_theirs_to_answer(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    assert take_text(a_text("A7 1", number=WREN_PHONE), db) == []
    assert written(db, person_id="wren") == {("not_understood", "wren", "text")}


def test_a_number_that_nobody_knows_gets_silence(notify: Service, db: Db) -> None:
    for words in ("A7 1", "HELP", "STOP", "hello"):
        assert take_text(a_text(words, number="+15559999", id=words), db) == []
    assert written(db) == set()


@pytest.mark.parametrize(
    ("words", "letter"), [("stop", "texts_stopped"), ("Start", "texts_started"), ("AYUDA", "help"), ("hm?", "not_understood")]
)
def test_the_words_of_both_languages_are_answered(notify: Service, db: Db, words: str, letter: str) -> None:
    take_text(a_text(words), db)
    assert written(db) == {(letter, "ana", "text")}


def test_stop_ends_texts_that_were_waiting_and_never_the_mail(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    take_text(a_text("ALTO"), db)
    assert written(db) == {("offer", "ana", "email"), ("texts_stopped", "ana", "text")}


def test_the_sender_of_an_answer_hears_what_became_of_it(notify: Service, db: Db) -> None:
    for outcome, letter in (
        ("yes", "answer_noted"),
        ("not_this_time", "answer_noted"),
        ("already_yes", "answer_already_yes"),
        ("already_not_this_time", "answer_already_not_this_time"),
        ("too_late", "answer_too_late"),
    ):
        answer_the_reply(ReplyProcessed(offer_id="o1", practitioner_id="ana", reply_id=outcome, outcome=outcome), db)
        assert (letter, "ana", "text") in written(db)


# what became of letters


def the_letter(db: Db, channel: str) -> dict[str, Any]:
    row = db.letters.find_one({"channel": channel})
    assert row
    return row


def test_a_receipt_moves_a_letter_forward_and_never_back(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    text = the_letter(db, "text")["_id"]
    assert note_receipt(Receipt(text, "delivered"), db) == note_receipt(Receipt(text, "failed"), db) == []
    assert the_letter(db, "text")["state"] == "delivered"
    assert note_receipt(Receipt("no such letter", "failed"), db) == []


def test_a_text_that_failed_becomes_mail_where_mail_is_allowed_later(notify: Service) -> None:
    record_contact(ana(notify, channels=("text",)), notify.db)
    ask_practitioner(an_offer(notify), notify.db)
    record_contact(ana(notify, version=2), notify.db)
    assert note_receipt(Receipt(the_letter(notify.db, "text")["_id"], "failed"), notify.db) == []
    assert written(notify.db) == {("offer", "ana", "email")}


def test_when_every_way_failed_a_coordinator_should_know(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    assert give_up(GivenUp(the_letter(db, "email")["_id"], "failed", "550"), db) == []
    news = note_receipt(Receipt(the_letter(db, "text")["_id"], "failed"), db)
    assert news == [NotificationFailed(person_id="ana", letter="offer")]


def test_what_is_sent_keeps_no_link_and_is_forgotten_in_a_day(notify: Service, db: Db) -> None:
    ask_practitioner(an_offer(notify), db)
    note_receipt(Receipt(the_letter(db, "text")["_id"], "delivered"), db)
    row = the_letter(db, "text")
    assert "encrypted" not in row
    assert row["forget_at"] <= now() + timedelta(hours=24)
