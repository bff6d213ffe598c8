"""Writes deploy/asyncapi.yaml, the description of every message for readers outside this code: `python -m deploy.asyncapi`."""

import inspect
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from shared import contracts
from shared.bus.publisher import CONTENT_TYPE
from shared.bus.topology import EVENTS
from shared.messages import EVENT_TYPES, Envelope, Event
from shared.type_shapes import MappingOf, Nullable, Object, OneOf, Plain, Shape, TupleOf, fields_of

WRITTEN = Path(__file__).with_name("asyncapi.yaml")
PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    Any: {},
}


def our_contracts() -> list[type[Event]]:
    return [event_class for event_class in EVENT_TYPES.values() if event_class.__module__.startswith(contracts.__name__)]


def document() -> dict[str, Any]:
    events = our_contracts()
    schemas: dict[str, Any] = {"Envelope": _object(Envelope, {})}
    for event_class in events:
        _describe(event_class, schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kitchen Table",
            "version": "1",
            "description": "Events that travel between the services. Readers ignore fields they do not know.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {event_class.event_type: _channel(event_class) for event_class in events},
        "operations": {f"publish.{event_class.event_type}": _operation(event_class) for event_class in events},
        "components": {"messages": {event_class.__name__: _message(event_class) for event_class in events}, "schemas": schemas},
    }


def as_yaml() -> str:
    return yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)


def _channel(event_class: type[Event]) -> dict[str, Any]:
    exchange = {"name": EVENTS, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": event_class.event_type,
        "messages": {event_class.__name__: {"$ref": f"#/components/messages/{event_class.__name__}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
    }


def _operation(event_class: type[Event]) -> dict[str, Any]:
    """Who publishes it: the broker refuses it from anybody else, and consumers compare the AMQP user id."""
    return {
        "action": "send",
        "title": f"{event_class.published_by} publishes {event_class.event_type}",
        "channel": {"$ref": f"#/channels/{event_class.event_type}"},
        "bindings": {"amqp": {"userId": event_class.published_by, "deliveryMode": 2, "mandatory": True}},
    }


def _message(event_class: type[Event]) -> dict[str, Any]:
    own = {
        "type": {"const": event_class.event_type},
        "source": {"const": f"/{event_class.published_by}"},
        "subject": {"description": f"the event's {event_class.subject_field}"},
        "data": {"$ref": f"#/components/schemas/{event_class.__name__}"},
    }
    payload = {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"properties": own}]}
    return {"name": event_class.event_type, "title": event_class.__name__, "contentType": CONTENT_TYPE, "payload": payload}


def _describe(cls: type[Any], schemas: dict[str, Any]) -> None:
    schemas[cls.__name__] = {}  # keeps its place before the parts it is made of
    schemas[cls.__name__] = _object(cls, schemas)


def _object(cls: type[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    shapes = list(fields_of(cls))
    required = [field.name for field in shapes if field.required]
    properties = {field.name: _schema(field.shape, schemas) for field in shapes}
    return {"type": "object", **_description(cls), "required": required, "properties": properties}


def _description(cls: type[Any]) -> dict[str, str]:
    made_by_dataclass = not cls.__doc__ or cls.__doc__.startswith(f"{cls.__name__}(")
    return {} if made_by_dataclass else {"description": inspect.cleandoc(cls.__doc__ or "")}


def _schema(shape: Shape, schemas: dict[str, Any]) -> dict[str, Any]:
    match shape:
        case Nullable(inner):
            return {"oneOf": [_schema(inner, schemas), {"type": "null"}]}
        case OneOf(values):
            return {"enum": list(values)} if len(values) > 1 else {"const": values[0]}
        case TupleOf(item):
            return {"type": "array", "items": _schema(item, schemas)}
        case MappingOf(value):
            return {"type": "object", "additionalProperties": _schema(value, schemas)}
        case Object(cls):
            if cls.__name__ not in schemas:
                _describe(cls, schemas)
            return {"$ref": f"#/components/schemas/{cls.__name__}"}
        case Plain(plain):
            return dict(PLAIN[plain])


if __name__ == "__main__":
    WRITTEN.write_text(as_yaml())
