"""Old messages still load, strangers' fields are left out, and what is wrong is named without its value.

A golden file is a message as it was once sent: add files, never change one. A new contract needs one
(`python -m tests.contracts.test_contracts` writes those that are missing).
"""

import json
import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from deploy import asyncapi
from shared.contracts import EncryptedFields
from shared.messages import Event, InvalidMessage, from_json, load, make_envelope, parse_event, to_json

GOLDEN = Path(__file__).with_name("golden")
MESSAGES = sorted(GOLDEN.glob("*.json"))
MOMENT = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
each_message = pytest.mark.parametrize("file", MESSAGES, ids=lambda file: file.stem)


def test_every_contract_has_a_message_of_its_own() -> None:
    assert {kind.event_type for kind in asyncapi.our_contracts()} <= {json.loads(file.read_text())["type"] for file in MESSAGES}


@each_message
def test_an_old_message_still_loads_and_says_the_same(file: Path) -> None:
    old = json.loads(file.read_text())
    event = parse_event(from_json(file.read_text()))
    again = json.loads(to_json(make_envelope(event, id=old["id"], source=old["source"], time=MOMENT)))
    assert {name: again["data"][name] for name in old["data"]} == old["data"]
    assert {name: again[name] for name in old if name not in ("data", "traceparent")} == {
        name: old[name] for name in old if name not in ("data", "traceparent")
    }


@each_message
def test_an_event_makes_the_round_trip_unchanged(file: Path) -> None:
    event = parse_event(from_json(file.read_text()))
    assert parse_event(from_json(to_json(make_envelope(event, id="e", source="/x", time=MOMENT)))) == event


@each_message
def test_fields_a_reader_does_not_know_are_left_out(file: Path) -> None:
    message = json.loads(file.read_text())
    expected = parse_event(from_json(json.dumps(message)))
    message["later"] = message["data"]["later"] = {"something": ["new"]}
    assert parse_event(from_json(json.dumps(message))) == expected


@each_message
def test_each_wrong_field_is_named_and_its_value_is_not(file: Path) -> None:
    message = json.loads(file.read_text())
    for name in message["data"]:
        wrong = {**message, "data": {**message["data"], name: {"Juniper": ["Juniper"]}}}
        with pytest.raises(InvalidMessage, match=name) as caught:
            parse_event(from_json(json.dumps(wrong)))
        assert "Juniper" not in _all_that_is_kept(caught.value)


@each_message
def test_each_missing_field_is_named(file: Path) -> None:
    message = json.loads(file.read_text())
    kind = type(parse_event(from_json(file.read_text())))
    for name in asyncapi.document()["components"]["schemas"][kind.__name__]["required"]:
        with pytest.raises(InvalidMessage, match=name):
            load(kind, {key: value for key, value in message["data"].items() if key != name})


def test_the_keys_that_a_message_brings_are_not_repeated_either() -> None:
    with pytest.raises(InvalidMessage, match=r"fields\.\*") as caught:
        load(EncryptedFields, {"person_id": "p", "wrap": "w", "fields": {"Juniper": 7}})
    assert "Juniper" not in str(caught.value)


@pytest.mark.parametrize("body", ["", "Juniper", "[]", "7", "null", "{}", '{"id": "Juniper"}', '{"specversion": "0.3"}'])
def test_what_is_no_envelope_is_unreadable(body: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        from_json(body)
    assert "Juniper" not in str(caught.value)


def test_the_asyncapi_document_is_the_one_the_contracts_make() -> None:
    assert asyncapi.WRITTEN.read_text() == asyncapi.as_yaml(), "run `python -m deploy.asyncapi`"


def _all_that_is_kept(error: BaseException | None) -> str:
    return "" if error is None else f"{error}{error.args}{_all_that_is_kept(error.__cause__)}"


# writing the golden file of a new contract


def _example(hint: Any, name: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _example(inner[0], name)
    if origin is Literal:
        return inner[0]
    if origin is tuple:
        return (_example(inner[0], name.removesuffix("s")),)
    if origin is dict:
        return {"name": _example(inner[1], "encrypted")}
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return hint(**{f.name: _example(hints[f.name], f.name) for f in fields(hint)})
    plain = {str: f"{name}-1", int: 3, bool: True, datetime: MOMENT}
    return {"time_zone": "America/Los_Angeles", "language": "es"}.get(name, plain[hint])


def _write(kind: type[Event]) -> None:
    event = _example(kind, "event")
    body = to_json(make_envelope(event, id="5a0c6f7e-0f0b-5a55-9d0c-1f3e5a7b9c11", source="/kitchen", time=MOMENT))
    file = GOLDEN / f"{kind.event_type}.json"
    if not file.exists():
        file.write_text(json.dumps(json.loads(body), indent=2) + "\n")


if __name__ == "__main__":
    for each in asyncapi.our_contracts():
        _write(each)
