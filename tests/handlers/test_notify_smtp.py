"""One SMTP sender against servers that defer, refuse, hang up, are slow, or speak little."""

import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from services.notify.domain import Outcome
from services.notify.rendering import RenderedEmail
from services.notify.smtp import SmtpSender, Timeouts, compose_email
from tests.mailbox import Mailbox, a_mailbox

ANA, BO = "ana@example.org", "bo@example.org"
ACCEPTED = Outcome("accepted")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with a_mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def sender(mailbox: Mailbox) -> Iterator[SmtpSender]:
    sender = SmtpSender(mailbox.url)
    yield sender
    sender.close()


def an_email(to: str = ANA, text: str = "News.\n") -> EmailMessage:
    headers = {"From": "Kitchen Table <table@kt.example>", "To": to}
    return compose_email(RenderedEmail("There is news for you", text, "<p>News.</p>"), headers)


def test_a_burst_takes_one_connection(sender: SmtpSender, mailbox: Mailbox) -> None:
    assert [sender.send(an_email()) for _ in range(5)] == [ACCEPTED] * 5
    assert mailbox.connections == 1


@pytest.mark.parametrize("command", ["RCPT", "DATA", "message"])
@pytest.mark.parametrize(("reply", "result"), [("451 greylisted", "deferred"), ("550 no", "refused")])
def test_what_is_said_to_one_email_does_not_touch_the_next(
    sender: SmtpSender, mailbox: Mailbox, command: str, reply: str, result: str
) -> None:
    assert sender.send(an_email()) == ACCEPTED
    mailbox.answer[command] = reply
    assert sender.send(an_email()) == Outcome(result, f"{reply[:3]} to {command}")  # type: ignore[arg-type]
    mailbox.answer.clear()
    assert sender.send(an_email(BO)) == ACCEPTED
    assert len(mailbox.to(BO)) == 1


def test_a_greylisting_server_takes_the_second_attempt(sender: SmtpSender, mailbox: Mailbox) -> None:
    for command in ("RCPT", "DATA"):
        mailbox.greylist(ANA, command)
        assert sender.send(an_email()).result == "deferred"
        assert sender.send(an_email()) == ACCEPTED


@pytest.mark.parametrize("farewell", ["421 4.4.2 idle for too long", ""])
def test_an_idle_connection_that_the_server_closed_costs_nothing(sender: SmtpSender, mailbox: Mailbox, farewell: str) -> None:
    assert sender.send(an_email()) == ACCEPTED
    mailbox.close_connections(farewell)
    assert sender.send(an_email()) == ACCEPTED
    assert len(mailbox.emails) == 2


def test_of_many_closed_connections_only_one_is_tried_before_a_new_one(sender: SmtpSender, mailbox: Mailbox) -> None:
    mailbox.hold()
    threads = [threading.Thread(target=sender.send, args=(an_email(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    mailbox.wait_for(ANA, 3)
    mailbox.let_go()
    for thread in threads:
        thread.join(10)
    mailbox.close_connections("421 closing")
    assert sender.send(an_email()) == ACCEPTED
    assert mailbox.connections == 4


def test_a_connection_that_was_idle_for_long_is_not_used_again(mailbox: Mailbox) -> None:
    sender = SmtpSender(mailbox.url, Timeouts(idle=0))
    assert [sender.send(an_email()) for _ in range(3)] == [ACCEPTED] * 3
    assert mailbox.connections == 3
    sender.close()


def test_a_server_that_takes_nothing_now_says_nothing_about_the_email(sender: SmtpSender, mailbox: Mailbox) -> None:
    mailbox.answer["MAIL"] = "421 too busy"
    assert sender.send(an_email()) == Outcome("unavailable", "421 to MAIL")
    mailbox.answer["MAIL"] = "550 sender not allowed"
    assert sender.send(an_email()) == Outcome("unavailable", "550 to MAIL")


def test_a_mailbox_that_the_server_promised_to_take_and_refuses_says_nothing_about_other_emails() -> None:
    with a_mailbox("8BITMIME", "SMTPUTF8") as capable:
        sender = SmtpSender(capable.url)
        capable.answer["MAIL"] = "553 not that one"
        assert sender.send(an_email("añá@example.org")).result == "refused"
        capable.answer["MAIL"] = "451 later"
        assert sender.send(an_email("añá@example.org")).result == "unavailable"
        sender.close()


def test_a_421_in_the_middle_defers_this_email(sender: SmtpSender, mailbox: Mailbox) -> None:
    for command in ("RCPT", "DATA", "message"):
        mailbox.answer[command] = "421 closing"
        assert sender.send(an_email()).result == "deferred"
        mailbox.answer.clear()
        assert sender.send(an_email()) == ACCEPTED


def test_the_reply_after_the_final_dot_may_take_much_longer_than_any_other(mailbox: Mailbox) -> None:
    sender = SmtpSender(mailbox.url, Timeouts(connect=5, reply=1, final_reply=30))
    mailbox.hold()
    threading.Timer(3, mailbox.let_go).start()
    assert sender.send(an_email()) == ACCEPTED
    assert sender.send(an_email()) == ACCEPTED
    assert len(mailbox.emails) == 2
    sender.close()


def test_a_server_that_never_gives_the_last_reply_defers(mailbox: Mailbox) -> None:
    sender = SmtpSender(mailbox.url, Timeouts(final_reply=0.2))
    mailbox.hold()
    assert sender.send(an_email()) == Outcome("deferred", "TimeoutError")


def test_a_connection_dropped_after_the_message_defers(sender: SmtpSender, mailbox: Mailbox) -> None:
    mailbox.hang_up_after_message = 1
    assert sender.send(an_email()).result == "deferred"
    assert sender.send(an_email()) == ACCEPTED


def test_nobody_listening_is_unavailable() -> None:
    with a_mailbox() as stopped:
        url = stopped.url
    assert SmtpSender(url).send(an_email()) == Outcome("unavailable", "ConnectionRefusedError")


def test_closing_ends_what_still_waits_for_an_answer(sender: SmtpSender, mailbox: Mailbox) -> None:
    outcomes: list[Outcome] = []
    mailbox.hold()
    sending = threading.Thread(target=lambda: outcomes.append(sender.send(an_email())))
    sending.start()
    mailbox.wait_until_held()
    sender.close()
    sending.join(10)
    assert [outcome.result for outcome in outcomes] == ["deferred"]


@pytest.mark.parametrize("extensions", [("8BITMIME", "PIPELINING"), ("PIPELINING",), ("8BITMIME", "SMTPUTF8")])
def test_any_server_gets_the_same_seven_bits(extensions: tuple[str, ...]) -> None:
    with a_mailbox(*extensions) as mailbox:
        sender = SmtpSender(mailbox.url)
        assert sender.send(an_email(text="Canción 💜\n.\n.dots at the beginning\n")) == ACCEPTED
        assert max(mailbox.raw[0]) < 128
        assert mailbox.commands == ["MAIL"]
        body = mailbox.emails[0].get_body(("plain",))
        assert body is not None
        assert body.get_content().splitlines() == ["Canción 💜", ".", ".dots at the beginning"]
        sender.close()


def test_a_foreign_domain_goes_to_any_server(sender: SmtpSender, mailbox: Mailbox) -> None:
    assert sender.send(an_email("ana@café.example.org")) == ACCEPTED
    assert mailbox.commands == ["MAIL"]


def test_a_foreign_mailbox_goes_only_to_a_server_that_offers_it(sender: SmtpSender) -> None:
    assert sender.send(an_email("añá@example.org")).result == "refused"
    with a_mailbox("8BITMIME", "SMTPUTF8") as capable:
        other = SmtpSender(capable.url)
        assert other.send(an_email("añá@example.org")) == ACCEPTED
        assert capable.commands == ["MAIL SMTPUTF8"]
        assert "añá@example.org".encode() in capable.raw[0]
        other.close()
