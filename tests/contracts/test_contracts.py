"""Old messages still load, unknown fields are ignored, and what is wrong is named without its value.

A golden file is a message as it was once sent: add files, never change one. A new contract needs one
(`python -m tests.contracts.test_contracts` writes those that are missing).
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy import asyncapi
from shared.contracts import EncryptedFields
from shared.messages import Event, InvalidMessage, from_json, load, make_envelope, parse_event, schema_of, to_json
from shared.type_shapes import MappingOf, Nullable, Object, OneOf, Plain, Shape, TupleOf, fields_of

GOLDEN = Path(__file__).with_name("golden")
MESSAGES = sorted(GOLDEN.glob("*.json"))
MOMENT = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
each_message = pytest.mark.parametrize("file", MESSAGES, ids=lambda file: file.stem)


def test_every_contract_has_a_message_of_its_own() -> None:
    assert {each.event_type for each in asyncapi.our_contracts()} <= {json.loads(file.read_text())["type"] for file in MESSAGES}


@each_message
def test_an_old_message_still_loads_with_the_same_data(file: Path) -> None:
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
def test_fields_a_reader_does_not_know_are_ignored(file: Path) -> None:
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
        assert "Juniper" not in _everything_in(caught.value)


@each_message
def test_each_missing_field_is_named(file: Path) -> None:
    message = json.loads(file.read_text())
    event_class = type(parse_event(from_json(file.read_text())))
    for name in asyncapi.document()["components"]["schemas"][event_class.__name__]["required"]:
        with pytest.raises(InvalidMessage, match=name):
            load(event_class, {key: value for key, value in message["data"].items() if key != name})


def test_the_keys_that_a_message_brings_are_not_repeated_either() -> None:
    with pytest.raises(InvalidMessage, match=r"fields\.\*") as caught:
        load(EncryptedFields, {"person_id": "p", "wrap": "w", "fields": {"Juniper": 7}})
    assert "Juniper" not in str(caught.value)


@pytest.mark.parametrize("body", ["", "Juniper", "[]", "7", "null", "{}", '{"id": "Juniper"}', '{"specversion": "0.3"}'])
def test_what_is_no_envelope_is_invalid(body: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        from_json(body)
    assert "Juniper" not in str(caught.value)


def test_the_asyncapi_document_is_the_one_the_contracts_make() -> None:
    assert asyncapi.WRITTEN.read_text() == asyncapi.as_yaml(), "run `python -m deploy.asyncapi`"


def _everything_in(error: BaseException | None) -> str:
    return "" if error is None else f"{error}{error.args}{_everything_in(error.__cause__)}"


def test_a_schema_is_made_once_for_each_class() -> None:
    """A new one for each message cost milliseconds of every request."""
    assert schema_of(EncryptedFields) is schema_of(EncryptedFields)


# writing the golden file of a new contract


def _example(shape: Shape, name: str) -> Any:
    match shape:
        case Nullable(inner):
            return _example(inner, name)
        case OneOf(values):
            return values[0]
        case TupleOf(item):
            return (_example(item, name.removesuffix("s")),)
        case MappingOf(value):
            return {"name": _example(value, "encrypted")}
        case Object(cls):
            return _example_of(cls)
        case Plain(plain):
            known = {"time_zone": "America/Los_Angeles", "language": "es"}
            return known.get(name, {str: f"{name}-1", int: 3, bool: True, datetime: MOMENT}[plain])


def _example_of(cls: type[Any]) -> Any:
    return cls(**{field.name: _example(field.shape, field.name) for field in fields_of(cls)})


def _write(event_class: type[Event]) -> None:
    event = _example_of(event_class)
    source = f"/{event_class.published_by}"
    body = to_json(make_envelope(event, id="5a0c6f7e-0f0b-5a55-9d0c-1f3e5a7b9c11", source=source, time=MOMENT))
    file = GOLDEN / f"{event_class.event_type}.json"
    if not file.exists():
        file.write_text(json.dumps(json.loads(body), indent=2) + "\n")


if __name__ == "__main__":
    for each in asyncapi.our_contracts():
        _write(each)
