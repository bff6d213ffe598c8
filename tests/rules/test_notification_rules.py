"""When a notification goes, by which channel, and what an incoming text means."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import (
    LONGEST_DELIVERY,
    TEMPLATES,
    Contact,
    after_quiet_hours,
    expires_at,
    get_template,
    may_repeat,
    notification_id,
    state_after_receipt,
)
from services.notify.rules import SmsCommand, e164, parse_sms
from shared.contracts import Channel, EncryptedFields, Role

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))
zones = st.sampled_from(["America/New_York", "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
hours = st.integers(0, 23)


def somebody(*channels: Channel, has: tuple[str, ...] = ("email", "phone"), role: Role = "supportee") -> Contact:
    encrypted = EncryptedFields(person_id="p", wrap="", fields=dict.fromkeys(has, "encrypted"))
    return Contact(
        person_id="p", role=role, request_id=None, version=1, channels=channels, language="en", time_zone="UTC",
        quiet_from=21, quiet_until=9, encrypted=encrypted,
    )  # fmt: skip


def test_people_are_told_by_the_channels_they_chose_and_no_other() -> None:
    assert somebody("email").channels_for("said_yes") == ("email",)
    assert somebody("text").channels_for("said_yes") == ("text",)
    assert somebody("email", "text").channels_for("said_yes") == ("email", "text")
    assert somebody().channels_for("said_yes") == ()


def test_a_channel_without_an_address_is_no_channel() -> None:
    assert somebody("email", "text", has=("phone",)).channels_for("said_yes") == ("text",)


def test_whoever_texts_us_is_answered_by_text() -> None:
    assert somebody("email").channels_for("help") == ("text",)


def test_no_notification_but_a_reply_reaches_somebody_who_asked_for_none() -> None:
    assert {name for name in TEMPLATES if somebody().channels_for(name)} == {
        name for name, found in TEMPLATES.items() if found.reply
    }


@given(moments, zones, hours, hours)
def test_nobody_is_woken_in_quiet_hours(moment: datetime, zone: str, quiet_from: int, quiet_until: int) -> None:
    awake = after_quiet_hours(moment, zone, quiet_from, quiet_until)
    hour = awake.astimezone(ZoneInfo(zone)).hour
    assert moment <= awake <= moment + timedelta(hours=25)
    if quiet_from < quiet_until:
        assert not quiet_from <= hour < quiet_until
    elif quiet_from > quiet_until:
        assert quiet_until <= hour < quiet_from
    else:
        assert awake == moment


def test_at_night_texts_wait_for_the_morning_and_mail_goes_at_once() -> None:
    night = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
    assert somebody("text").when_to_send(night, "text", "offer") == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert somebody("email").when_to_send(night, "email", "offer") == night
    assert somebody("text").when_to_send(night, "text", "help") == night


def test_an_offer_is_stale_when_its_time_to_answer_is_over() -> None:
    assert expires_at("offer", NOON, NOON + timedelta(hours=1)) == NOON + timedelta(hours=1)
    assert expires_at("offer", NOON, NOON + timedelta(days=5)) == NOON + LONGEST_DELIVERY
    assert expires_at("sign_in", NOON, None) == NOON + timedelta(minutes=30)


def test_one_cause_told_by_one_channel_to_one_person_is_one_notification() -> None:
    assert notification_id("o1", "offer", "ana", "email") == notification_id("o1", "offer", "ana", "email")
    assert len({notification_id("o1", "offer", who, channel) for who in ("ana", "kai") for channel in ("email", "text")}) == 4  # type: ignore[arg-type]


def test_what_may_have_arrived_is_repeated_with_care() -> None:
    assert may_repeat("email", "offer", 3)
    assert not may_repeat("email", "offer", 4)
    assert may_repeat("text", "offer", 1)
    assert not may_repeat("text", "offer", 2)
    assert not may_repeat("text", "help", 1)


@pytest.mark.parametrize(
    "words", ["STOP", " stop. ", "Alto", "PARAR", "baja", "cancelar", "Unsubscribe", "END", "revoke", "optout", "quit"]
)
def test_stop_in_both_languages(words: str) -> None:
    assert parse_sms(words) == SmsCommand("stop")


@pytest.mark.parametrize("words", ["stop it please", "I can't stop", "the end", "alto ahi"])
def test_a_stop_word_inside_a_sentence_is_no_stop_word(words: str) -> None:
    assert parse_sms(words).word == "other"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("A7 1", "yes"), ("a7 2", "not_this_time"), (" A7-1.", "yes"), ("A7: 2", "not_this_time"),
        ("a7 yes", "yes"), ("A7 sí", "yes"), ("a7 no", "not_this_time"),
        ("A7 1 yes", "yes"), ("A7 2 not this time", "not_this_time"), ("A7 1 acepto", "yes"),
        ("A7 2 esta vez no", "not_this_time"),
    ],
)  # fmt: skip
def test_a_code_and_an_answer(words: str, answer: str) -> None:
    assert parse_sms(words) == SmsCommand("answer", "A7", answer)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words", ["", "1", "A7", "A7 3", "A7 1 2", "yes", "A7 1 no", "A7 2 yes", "A7 1 but only on Mondays", "💜"]
)
def test_what_is_not_clear_is_not_guessed(words: str) -> None:
    assert parse_sms(words).word == "other"


@given(st.text())
def test_any_text_is_understood_or_not_but_never_breaks(words: str) -> None:
    assert parse_sms(words).word in ("stop", "start", "help", "answer", "other")


def test_one_number_has_one_form() -> None:
    assert {e164(number) for number in ("+15550177", "15550177", "0015550177", "+1 555-0177")} == {"+15550177"}


def test_a_receipt_never_moves_a_notification_back() -> None:
    assert state_after_receipt("accepted", "delivered") == "delivered"
    assert state_after_receipt("pending", "failed") == "failed"
    assert state_after_receipt("delivered", "failed") == "delivered"
    assert state_after_receipt("cancelled", "delivered") == "cancelled"


def test_a_template_that_this_release_does_not_know_has_no_channel_and_concerns_a_coordinator() -> None:
    assert get_template("of another release").channels == ()
    assert get_template("of another release").escalate
