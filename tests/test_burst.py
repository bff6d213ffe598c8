"""What `make burst` counts: every letter, and what its last line says of it."""

import smtplib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.burst import report
from bench.burst.counters import ABORTED, FLUSHES, TRANSACTIONS, Reading, commands, each_request, each_second
from bench.burst.load import ACCEPTED, Press, Visitor
from bench.burst.measure import Phase, Run
from bench.burst.sink import Letter, Letters
from deploy.local.stack import ROOT
from deploy.servers.processes import end, free_port, is_open, spawn, wait_until

VISITORS = [Visitor(f"burst-{number}@load.example", "", "") for number in range(4)]


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    port, file = free_port(), tmp_path / "mail"
    process = spawn(tmp_path, "sink", [sys.executable, "-m", "bench.burst.sink", str(port), str(file)], folder=ROOT)
    wait_until(lambda: is_open(port), "The sink", process)
    yield port, file
    end([process])


def test_the_sink_keeps_address_and_message_id_of_every_email(sink: tuple[int, Path]) -> None:
    port, file = sink
    letters = Letters(file)
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        assert client.has_extn("pipelining")
        client.sendmail("us@example.org", ["Wren@example.org"], "Message-ID: <1@us>\r\n\r\nhello")
        assert letters.read() == 1
        client.sendmail("us@example.org", ["wren@example.org"], "Subject: again\r\nMessage-ID: <1@us>\r\n\r\n.\r\nhello")
    assert letters.read() == 2
    assert [letter.message_id for letter in letters.by_address["wren@example.org"]] == ["<1@us>", "<1@us>"]


def test_the_sink_takes_commands_that_come_together(sink: tuple[int, Path]) -> None:
    port, file = sink
    one = b"MAIL FROM:<us@example.org>\r\nRCPT TO:<%s@example.org>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"EHLO us\r\n" + one % b"a" + b"Message-ID: <a>\r\n\r\nx\r\n.\r\n" + one % b"b" + b"\r\nx\r\n.\r\nQUIT\r\n"
        )
        answers = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answers.count(b"250 accepted") == 2
    letters = Letters(file)
    letters.read()
    assert {to: came[0].message_id for to, came in letters.by_address.items()} == {"a@example.org": "<a>", "b@example.org": ""}


def test_what_an_idle_system_does_is_left_out_of_commands_and_kept_in_cpu() -> None:
    nothing = {TRANSACTIONS: 0.0, ABORTED: 0.0, FLUSHES: 0.0}
    idle = each_second(
        Reading(0, {"worker": 0}, {"getMore": 0, **nothing}), Reading(10, {"worker": 1}, {"getMore": 20, **nothing})
    )
    begin, finish = (
        Reading(20, {"worker": 1}, {"getMore": 20, **nothing}),
        Reading(30, {"worker": 3}, {"getMore": 40, "find": 500, **nothing, TRANSACTIONS: 600}),
    )
    cpu, database = each_request(begin, finish, 100, idle)
    assert cpu == {"worker": 20}
    assert commands(database) == {"find": 5}
    assert database[TRANSACTIONS] == 6


def letters_for(visitors: list[Visitor]) -> dict[str, list[Letter]]:
    addresses = [address for visitor in visitors for address in (visitor.practitioner, visitor.supportee)]
    return {address: [Letter(10.0, f"<{address}>")] for address in addresses}


def last_line(letters: dict[str, list[Letter]], killed: list[str] | None = None, status: int = ACCEPTED) -> tuple[str, bool]:
    presses = [Press(visitor, 8.0, 8.1, status) for visitor in VISITORS]
    burst, paced = Phase(presses, letters, {"worker": 30}, {}), Phase([], {}, {}, {})
    return report.last_line([Run("product", paced, burst, {})], [], killed)


def test_all_came_once() -> None:
    assert last_line(letters_for(VISITORS)) == ("burst 4 ok, 2.0/s", True)


def test_a_letter_is_missing() -> None:
    letters = letters_for(VISITORS)
    del letters[VISITORS[0].supportee]
    line, well = last_line(letters)
    assert not well
    assert line.startswith("burst 3 ok, 1.5/s, 1 letters missing")


def test_a_letter_came_twice() -> None:
    letters = letters_for(VISITORS)
    letters[VISITORS[0].practitioner] *= 2
    line, well = last_line(letters)
    assert not well
    assert "1 twice (0 with another Message-ID)" in line


def test_a_request_was_not_accepted() -> None:
    assert not last_line(letters_for(VISITORS), status=500)[1]


def test_after_kills_a_letter_may_come_twice_under_its_own_message_id() -> None:
    letters = letters_for(VISITORS)
    letters[VISITORS[0].practitioner] *= 2
    line = "burst 4 ok, 2.0/s, 1 killed, lost 0, twice 1, all of them with the same Message-ID"
    assert last_line(letters, ["notify worker"]) == (line, True)
    letters[VISITORS[0].practitioner][1:] = [Letter(11.0, "<another>")]
    assert not last_line(letters, ["notify worker"])[1]


def test_beside_the_floor() -> None:
    def run(name: str, at: float, cpu: float) -> Run:
        presses = [Press(visitor, 8.0, 8.1, ACCEPTED) for visitor in VISITORS]
        letters = {address: [Letter(at, "")] for address in letters_for(VISITORS)}
        return Run(name, Phase([], {}, {}, {}), Phase(presses, letters, {"worker": cpu}, {}), {})

    line, well = report.last_line([run("product", 10.0, 30)], [run("before", 9.0, 18), run("after", 9.0, 22)], None)
    assert (line, well) == ("burst 4 ok, 2.0/s, 0.50 of the floor, 1.50 times its CPU", True)


def test_each_round_is_compared_with_the_floor_around_it_and_the_middle_one_counts() -> None:
    def run(cpu: float) -> Run:
        return Run("", Phase([], {}, {}, {}), Phase([], {}, {"worker": cpu}, {}), {})

    slower_and_slower, floors = [run(15), run(30), run(400)], [run(10), run(10), run(30), run(50)]
    assert report.ratios(lambda one: report.cpu(one.burst), slower_and_slower, floors) == [1.5, 1.5, 10]
    assert report.of_floor(lambda one: report.cpu(one.burst), slower_and_slower, floors) == 1.5
