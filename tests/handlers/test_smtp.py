"""One SMTP client against servers that defer, refuse, hang up, are slow, or speak little, with PIPELINING and without."""

import socket
import threading
from collections.abc import Iterator

import pytest

from shared.mime import Address, ascii_if_possible, write_mail
from shared.smtp import Mail, MailOutcome, SmtpClient, Timeouts
from tests.eventually import eventually
from tests.mailbox import Mailbox, a_mailbox

ANA, BO = "ana@example.org", "bo@example.org"
ACCEPTED = MailOutcome("accepted")


@pytest.fixture(params=[("8BITMIME", "PIPELINING"), ("8BITMIME",)], ids=["pipelining", "one by one"])
def mailbox(request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    with a_mailbox(*request.param) as mailbox:
        yield mailbox


@pytest.fixture
def sender(mailbox: Mailbox) -> Iterator[SmtpClient]:
    sender = SmtpClient(mailbox.url)
    yield sender
    sender.close()


def an_email(to: str = ANA, text: str = "News.\n") -> Mail:
    to = ascii_if_possible(to)
    content = write_mail({"To": Address(to), "Subject": "There is news for you"}, text, "<p>News.</p>")
    return Mail("table@kt.example", to, content)


def test_a_burst_takes_one_connection(sender: SmtpClient, mailbox: Mailbox) -> None:
    assert [sender.send(an_email()) for _ in range(5)] == [ACCEPTED] * 5
    assert mailbox.connections == 1


@pytest.mark.parametrize("command", ["RCPT", "DATA", "message"])
@pytest.mark.parametrize(("reply", "result"), [("451 greylisted", "deferred"), ("550 no", "refused")])
def test_what_is_said_to_one_email_does_not_touch_the_next(
    sender: SmtpClient, mailbox: Mailbox, command: str, reply: str, result: str
) -> None:
    assert sender.send(an_email()) == ACCEPTED
    mailbox.answer[command] = reply
    assert sender.send(an_email()) == MailOutcome(result, f"{reply[:3]} to {command}")  # type: ignore[arg-type]
    mailbox.answer.clear()
    assert sender.send(an_email(BO)) == ACCEPTED
    assert len(mailbox.to(BO)) == 1


def test_a_greylisting_server_takes_the_second_attempt(sender: SmtpClient, mailbox: Mailbox) -> None:
    for command in ("RCPT", "DATA"):
        mailbox.greylist(ANA, command)
        assert sender.send(an_email()).result == "deferred"
        assert sender.send(an_email()) == ACCEPTED


@pytest.mark.parametrize("farewell", ["421 4.4.2 idle for too long", ""])
def test_an_idle_connection_that_the_server_closed_costs_nothing(sender: SmtpClient, mailbox: Mailbox, farewell: str) -> None:
    assert sender.send(an_email()) == ACCEPTED
    mailbox.close_connections(farewell)
    assert sender.send(an_email()) == ACCEPTED
    assert len(mailbox.emails) == 2


def test_of_many_closed_connections_only_one_is_tried_before_a_new_one(sender: SmtpClient, mailbox: Mailbox) -> None:
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
    sender = SmtpClient(mailbox.url, Timeouts(idle=0))
    assert [sender.send(an_email()) for _ in range(3)] == [ACCEPTED] * 3
    assert mailbox.connections == 3
    sender.close()


def test_a_server_that_takes_nothing_now_says_nothing_about_the_email(sender: SmtpClient, mailbox: Mailbox) -> None:
    mailbox.answer["MAIL"] = "421 too busy"
    assert sender.send(an_email()) == MailOutcome("unavailable", "421 to MAIL")
    mailbox.answer["MAIL"] = "550 sender not allowed"
    assert sender.send(an_email()) == MailOutcome("unavailable", "550 to MAIL")


@pytest.mark.parametrize("pipelining", [("PIPELINING",), ()])
def test_a_mailbox_that_the_server_promised_to_take_and_refuses_says_nothing_about_other_emails(
    pipelining: tuple[str, ...],
) -> None:
    with a_mailbox("8BITMIME", "SMTPUTF8", *pipelining) as capable:
        sender = SmtpClient(capable.url)
        capable.answer["MAIL"] = "553 not that one"
        assert sender.send(an_email("añá@example.org")).result == "refused"
        capable.answer["MAIL"] = "451 later"
        assert sender.send(an_email("añá@example.org")).result == "unavailable"
        sender.close()


def test_a_421_in_the_middle_defers_this_email(sender: SmtpClient, mailbox: Mailbox) -> None:
    for command in ("RCPT", "DATA", "message"):
        mailbox.answer[command] = "421 closing"
        assert sender.send(an_email()).result == "deferred"
        mailbox.answer.clear()
        assert sender.send(an_email()) == ACCEPTED


def test_the_reply_after_the_final_dot_may_take_much_longer_than_any_other(mailbox: Mailbox) -> None:
    sender = SmtpClient(mailbox.url, Timeouts(connect=5, reply=1, final_reply=30))
    mailbox.hold()
    threading.Timer(3, mailbox.let_go).start()
    assert sender.send(an_email()) == ACCEPTED
    assert sender.send(an_email()) == ACCEPTED
    assert len(mailbox.emails) == 2
    sender.close()


def test_a_server_that_never_gives_the_last_reply_defers(mailbox: Mailbox) -> None:
    sender = SmtpClient(mailbox.url, Timeouts(final_reply=0.2))
    mailbox.hold()
    assert sender.send(an_email()) == MailOutcome("deferred", "TimeoutError")


def test_a_connection_dropped_after_the_message_defers(sender: SmtpClient, mailbox: Mailbox) -> None:
    mailbox.hang_up_after_message = 1
    assert sender.send(an_email()).result == "deferred"
    assert sender.send(an_email()) == ACCEPTED


def test_nobody_listening_is_unavailable() -> None:
    with a_mailbox() as stopped:
        url = stopped.url
    assert SmtpClient(url).send(an_email()) == MailOutcome("unavailable", "ConnectionRefusedError")


def test_closing_ends_what_still_waits_for_an_answer(sender: SmtpClient, mailbox: Mailbox) -> None:
    outcomes: list[MailOutcome] = []
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
        sender = SmtpClient(mailbox.url)
        assert sender.send(an_email(text="Canción 💜\n.\n.dots at the beginning\n")) == ACCEPTED
        assert max(mailbox.raw[0]) < 128
        assert mailbox.commands == ["MAIL"]
        body = mailbox.emails[0].get_body(("plain",))
        assert body is not None
        assert body.get_content().splitlines() == ["Canción 💜", ".", ".dots at the beginning"]
        sender.close()


def test_a_foreign_domain_goes_to_any_server(sender: SmtpClient, mailbox: Mailbox) -> None:
    assert sender.send(an_email("ana@café.example.org")) == ACCEPTED
    assert mailbox.commands == ["MAIL"]


def test_a_foreign_mailbox_goes_only_to_a_server_that_offers_it(sender: SmtpClient) -> None:
    assert sender.send(an_email("añá@example.org")).result == "refused"
    with a_mailbox("8BITMIME", "SMTPUTF8") as capable:
        other = SmtpClient(capable.url)
        assert other.send(an_email("añá@example.org")) == ACCEPTED
        assert capable.commands == ["MAIL SMTPUTF8"]
        assert "añá@example.org".encode() in capable.raw[0]
        other.close()


def test_a_server_that_wants_a_message_for_nobody_gets_an_empty_one_and_the_next_its_own_connection() -> None:
    with a_mailbox() as mailbox:
        sender = SmtpClient(mailbox.url)
        mailbox.asks_for_mail_to_nobody = True
        mailbox.answer["RCPT"] = "451 greylisted"
        assert sender.send(an_email()) == MailOutcome("deferred", "451 to RCPT")
        eventually(lambda: mailbox.mail_to_nobody)
        assert mailbox.mail_to_nobody == [b""]
        mailbox.answer.clear()
        assert sender.send(an_email(BO)) == ACCEPTED
        assert [mail["To"] for mail in mailbox.emails] == [BO]
        sender.close()


EHLO = b"250-here\r\n250 PIPELINING\r\n"
OK, GO_ON = b"250 OK\r\n", b"354 go on\r\n"


class Scripted:
    """Says the next of `replies` to each write that comes, whatever it says, and hangs up after the last one."""

    def __init__(self, *replies: bytes) -> None:
        self.writes: list[bytes] = []
        self._replies = replies
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        self._server.close()
        with connection:
            connection.sendall(b"220 here\r\n")
            for reply in self._replies:
                self.writes.append(connection.recv(100_000))
                connection.sendall(reply)


def test_with_pipelining_three_commands_leave_in_one_write() -> None:
    server = Scripted(EHLO, OK + OK + GO_ON, OK)
    assert SmtpClient(server.url).send(an_email()) == ACCEPTED
    assert server.writes[1] == b"MAIL FROM:<table@kt.example>\r\nRCPT TO:<ana@example.org>\r\nDATA\r\n"
    assert server.writes[2].endswith(b"\r\n.\r\n")


def test_without_pipelining_each_command_waits_for_the_reply_before() -> None:
    server = Scripted(b"250 here\r\n", OK, OK, GO_ON, OK)
    assert SmtpClient(server.url).send(an_email()) == ACCEPTED
    assert server.writes[1:4] == [b"MAIL FROM:<table@kt.example>\r\n", b"RCPT TO:<ana@example.org>\r\n", b"DATA\r\n"]


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        (b"421 closing\r\n", MailOutcome("unavailable", "421 to MAIL")),
        (b"", MailOutcome("unavailable", "SMTPServerDisconnected")),
        (OK, MailOutcome("deferred", "SMTPServerDisconnected")),
        (OK + b"421 closing\r\n", MailOutcome("deferred", "421 to RCPT")),
        (OK + b"550 no\r\n", MailOutcome("refused", "550 to RCPT")),
        (OK + b"550 no\r\n503 nobody to write to\r\n", MailOutcome("refused", "550 to RCPT")),
        (OK + OK, MailOutcome("deferred", "SMTPServerDisconnected")),
        (OK + OK + b"421 closing\r\n", MailOutcome("deferred", "421 to DATA")),
        (OK + OK + b"451 greylisted\r\n", MailOutcome("deferred", "451 to DATA")),
        (OK + OK + GO_ON, MailOutcome("deferred", "ConnectionResetError")),
        (b"250-two\r\n250 lines\r\n" + OK + b"554 not here\r\n", MailOutcome("refused", "554 to DATA")),
    ],
)
def test_replies_that_come_together_are_read_in_order(replies: bytes, outcome: MailOutcome) -> None:
    sent = SmtpClient(Scripted(EHLO, replies).url).send(an_email())
    assert sent.result == outcome.result
    assert sent.reason == outcome.reason or sent.reason in ("ConnectionResetError", "SMTPServerDisconnected", "BrokenPipeError")
