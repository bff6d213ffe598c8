"""What a handler sees of the database in a transaction is what it would see if each write were sent at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.service import Service
from shared.transaction import CannotRollBack, StaleObject, Transaction, require_match

IDS, COLORS = st.integers(0, 3), st.sampled_from(["red", "green"])
WRITES = st.one_of(
    st.tuples(st.just("replace"), IDS, COLORS),
    st.tuples(st.just("update"), IDS, COLORS),
    st.tuples(st.just("update all"), COLORS, COLORS),
    st.tuples(st.just("delete"), IDS),
    st.tuples(st.just("delete all"), COLORS),
)
READS = st.one_of(
    st.tuples(st.just("one"), IDS), st.tuples(st.just("some"), st.lists(IDS, max_size=3)), st.tuples(st.just("by color"), COLORS)
)
LOOKED_AT = st.tuples(st.just("looked at"), WRITES)


@contextmanager
def transaction_on(service: Service) -> Iterator[Transaction]:
    inside = service.db.with_options(read_concern=ReadConcern(), write_concern=WriteConcern())
    with inside.client.start_session() as session, session.bind(end_session=False), session.start_transaction():
        yield Transaction(inside)


def write(rows: Any, operation: tuple[Any, ...]) -> Any:
    match operation:
        case ("replace", id, color):
            return rows.replace_one({"_id": id}, {"color": color, "n": 0}, upsert=True)
        case ("update", id, color):
            return rows.update_one({"_id": id}, {"$set": {"color": color}, "$inc": {"n": 1}})
        case ("update all", old, new):
            return rows.update_many({"color": old}, {"$set": {"color": new}, "$inc": {"n": 1}})
        case ("delete", id):
            return rows.delete_one({"_id": id})
        case ("delete all", color):
            return rows.delete_many({"color": color})


def do(rows: Any, operation: tuple[Any, ...]) -> Any:
    match operation:
        case ("one", id):
            return rows.find_one({"_id": id})
        case ("some", ids):
            return sorted(rows.find({"_id": {"$in": ids}}), key=lambda row: int(row["_id"]))
        case ("by color", color):
            return list(rows.find({"color": color}).sort("_id", 1))
        case ("looked at", inner):
            result = write(rows, inner)
            return result.deleted_count if inner[0].startswith("delete") else result.matched_count
        case _:
            write(rows, operation)
            return None


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    operations=st.lists(st.one_of(WRITES, READS, LOOKED_AT), max_size=12),
    before=st.dictionaries(IDS, COLORS),
    prefetched=st.lists(IDS, max_size=3),
)
def test_any_reads_and_writes_answer_and_end_as_if_each_were_sent_at_once(
    intake: Service, operations: list[tuple[Any, ...]], before: dict[int, str], prefetched: list[int]
) -> None:
    for rows in (intake.db.plain, intake.db.collected):
        rows.delete_many({})
        if before:
            rows.insert_many([{"_id": id, "color": color, "n": 0} for id, color in before.items()])
    expected = [do(intake.db.plain, operation) for operation in operations]
    with transaction_on(intake) as transaction:
        transaction.prefetch([{"collected": prefetched}])
        assert [do(transaction.collected, operation) for operation in operations] == expected
        transaction.flush()
    assert list(intake.db.collected.find().sort("_id", 1)) == list(intake.db.plain.find().sort("_id", 1))


def test_what_was_written_since_a_savepoint_can_be_taken_back(intake: Service) -> None:
    with transaction_on(intake) as transaction:
        transaction.marks.insert_one({"_id": "kept"})
        savepoint = transaction.savepoint()
        transaction.marks.insert_one({"_id": "taken back"})
        transaction.others.insert_one({"_id": "taken back"})
        transaction.marks.delete_one({"_id": "kept"})
        transaction.roll_back(savepoint)
        assert transaction.marks.find_one({"_id": "taken back"}) is None
        assert transaction.marks.find_one({"_id": "kept"}) == {"_id": "kept"}
        transaction.flush()
    assert list(intake.db.marks.find()) == [{"_id": "kept"}]
    assert intake.db.others.count_documents({}) == 0


def test_what_has_left_cannot_be_taken_back_alone(intake: Service) -> None:
    with transaction_on(intake) as transaction:
        savepoint = transaction.savepoint()
        transaction.marks.insert_one({"_id": "a"})
        assert transaction.marks.count_documents({}) == 1
        with pytest.raises(CannotRollBack):
            transaction.roll_back(savepoint)


def test_a_write_that_must_match_fails_when_it_leaves_and_does_not(intake: Service) -> None:
    intake.db.marks.insert_one({"_id": "a", "version": 2})
    with pytest.raises(StaleObject), transaction_on(intake) as transaction:  # noqa: PT012
        require_match(transaction.marks.replace_one({"_id": "a", "version": 1}, {"version": 2}))
        transaction.flush()


def test_a_second_document_for_a_unique_key_is_a_duplicate_key_error_when_it_leaves(intake: Service) -> None:
    intake.db.marks.insert_one({"_id": "a"})
    with pytest.raises(DuplicateKeyError), transaction_on(intake) as transaction:  # noqa: PT012
        transaction.marks.insert_many([{"_id": "b"}, {"_id": "a"}])
        transaction.flush()


def test_a_document_that_was_read_is_not_changed_by_whoever_got_it(intake: Service) -> None:
    intake.db.marks.insert_one({"_id": "a", "color": "red"})
    with transaction_on(intake) as transaction:
        found = transaction.marks.find_one({"_id": "a"})
        assert found
        found["color"] = "green"
        assert transaction.marks.find_one({"_id": "a"}) == {"_id": "a", "color": "red"}
