"""When `make scale` fails: what is too slow, what grew, and what reads a collection from end to end."""

from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from bench.scale.figures import Figures, grew, too_slow
from bench.scale.population import Population
from bench.scale.scans import FEW, collection_scans, databases, start_profiler
from deploy.local.stack import SERVICES
from services.matching.rules import could_be_asked_later, may_be_asked
from shared.clock import now
from shared.mongo import Doc
from shared.service import Service


def figures(*milliseconds: float, pace: float = 1.0, failed: str = "") -> Figures:
    cpu = tuple(value / 1000 for value in milliseconds)
    return Figures("a page", cpu, cpu, 0.0, pace, 0, failed=failed)


def test_a_view_may_take_50_ms_of_cpu_and_no_more() -> None:
    assert too_slow(figures(10, 49)) is None
    assert too_slow(figures(10, 51)) == "a page: p99 51.0 ms CPU"


def test_a_view_that_did_not_work_is_a_failure() -> None:
    assert too_slow(figures(failed="/c answered 503, not 200")) == "a page: /c answered 503, not 200"


def test_half_more_than_with_the_shorter_waiting_list_is_growth() -> None:
    assert grew(figures(20, 20), figures(29, 29)) == []
    assert grew(figures(20, 20), figures(31, 31)) == [
        "a page: p50 CPU from 20.0 to 31.0 ms at the same speed of the machine",
        "a page: p99 CPU from 20.0 to 31.0 ms at the same speed of the machine",
    ]


def test_a_slower_machine_is_no_growth() -> None:
    assert grew(figures(20, 20, pace=1), figures(38, 38, pace=1.4)) == []
    assert len(grew(figures(20, 20, pace=1.4), figures(25, 25, pace=1))) == 2


def test_a_millisecond_more_of_little_is_no_growth() -> None:
    assert grew(figures(1, 1), figures(1.9, 1.9)) == []


@pytest.fixture
def server(mongodb_uri: str) -> Iterator[MongoClient[Doc]]:
    """With a collection that is larger than what may be read whole, and the profiler on."""
    with MongoClient[Doc](mongodb_uri, tz_aware=True) as client:
        client[SERVICES[0]].rows.insert_many([{"_id": number, "kind": "a"} for number in range(FEW + 100)])
        start_profiler(client)
        yield client
        for db in databases(client):
            db.command({"profile": 0})
            client.drop_database(db.name)


def test_a_collection_that_is_read_from_end_to_end_is_named(server: MongoClient[Doc]) -> None:
    rows = server[SERVICES[0]].rows
    assert rows.find_one({"_id": 7})
    assert list(rows.find().sort("$natural", -1).limit(20))
    assert collection_scans(server) == []
    assert list(rows.find({"kind": "b"})) == []
    assert [scan.collection for scan in collection_scans(server)] == [f"{SERVICES[0]}.rows"]


def test_the_waiting_list_can_exist(intake: Service, matching: Service, notify: Service) -> None:
    """Nobody waits who could be asked now, and whoever named somebody could be asked later."""
    people = Population(100, intake.vault, matching.vault, notify.vault, now())
    everybody = {one.id: one for one in map(people.practitioner, range(2200))}
    with_room = [one for one in everybody.values() if one.has_room]
    waiting = [people.request(number) for number in range(100)]
    assert 100 <= len(with_room) <= 200
    assert not any(may_be_asked(request, one, now().date()) for request in waiting for one in with_room)
    assert {request.queue for request in waiting} == {"named", "anyone", "suggestions"}
    named = [(request, everybody[id]) for request in waiting for id in request.wanted]
    assert named
    assert not any(one.has_stepped_back for _, one in named)
    assert any(could_be_asked_later(request, one, now().date()) for request, one in named)
