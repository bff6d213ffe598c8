"""What several processes count together, in memory alone."""

import multiprocessing
from pathlib import Path

import pytest

from shared.web.counts import SLOTS_TO_TRY, SharedCounts


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "clock"
    file.write_text("0")
    monkeypatch.setenv("CLOCK_FILE", str(file))
    return file


def test_a_name_is_counted_apart_from_others_until_its_time_is_over(clock: Path) -> None:
    counts = SharedCounts()
    assert [counts.add("here", 60), counts.add("here", 60), counts.add("there", 60)] == [1, 2, 1]
    assert (counts.count("here"), counts.count("nowhere")) == (2, 0)
    assert counts.add("here", 60, 0) == 2
    clock.write_text("61")
    assert counts.count("here") == 0
    assert counts.add("here", 60) == 1


def test_all_processes_that_were_made_of_one_count_together() -> None:
    counts = SharedCounts()
    counts.add("here", 600)
    # As gunicorn makes its workers: from a process that has the memory already.
    workers = [multiprocessing.get_context("fork").Process(target=_count, args=(counts,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert counts.count("here") == 1 + 4 * 500
    assert counts.count("there") == 4 * 500


def _count(counts: SharedCounts) -> None:
    for _ in range(500):
        counts.add("here", 600)
        counts.add("there", 600)


def test_a_process_that_is_killed_with_the_lock_keeps_nobody_waiting() -> None:
    counts = SharedCounts()
    worker = multiprocessing.get_context("fork").Process(target=_lock_and_stay, args=(counts,))
    worker.start()
    while counts._memory[0] != 1:
        assert worker.is_alive()
    worker.kill()
    worker.join(30)
    assert counts.add("here", 60) == 1


def _lock_and_stay(counts: SharedCounts) -> None:
    with counts._locked():
        counts._memory[0] = 1
        while True:
            pass


def test_a_full_table_forgets_what_would_have_ended_first_and_never_fails() -> None:
    counts = SharedCounts(slots=SLOTS_TO_TRY)
    counts.add("soon over", 1)
    for number in range(SLOTS_TO_TRY):
        counts.add(f"long {number}", 600 + number)
    assert counts.count("soon over") == 0
    assert counts.count(f"long {SLOTS_TO_TRY - 1}") == 1
    counts.forget_all()
    assert counts.count(f"long {SLOTS_TO_TRY - 1}") == 0


def test_what_has_ended_leaves_no_trace_in_memory(clock: Path) -> None:
    counts = SharedCounts()
    counts.add("here", 60)
    held = bytes(counts._memory)
    clock.write_text("4000")
    counts.add("there", 60)
    counts.forget("there")
    assert held.strip(b"\0")
    assert counts._short("here") not in bytes(counts._memory)


def test_what_is_forgotten_begins_again() -> None:
    counts = SharedCounts()
    counts.add("here", 60)
    counts.add("there", 60)
    counts.forget("here")
    counts.forget("nowhere")
    assert (counts.count("here"), counts.count("there")) == (0, 1)


def test_names_are_hashed_under_a_key_of_this_memory_alone() -> None:
    assert SharedCounts().digest("192.0.2.7") != SharedCounts().digest("192.0.2.7")
    counts = SharedCounts()
    counts.add("192.0.2.7", 600)
    assert b"192.0.2.7" not in counts._memory[:]
