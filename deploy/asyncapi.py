"""Writes deploy/asyncapi.yaml, the description of every message for readers outside this code: `python -m deploy.asyncapi`."""

import inspect
import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from shared import contracts
from shared.bus.publisher import CONTENT_TYPE
from shared.bus.topology import EVENTS
from shared.messages import EVENT_TYPES, Envelope, Event

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
    return [kind for kind in EVENT_TYPES.values() if kind.__module__ == contracts.__name__]


def document() -> dict[str, Any]:
    kinds = our_contracts()
    schemas: dict[str, Any] = {"Envelope": _object(Envelope, {})}
    for kind in kinds:
        _describe(kind, schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kitchen Table",
            "version": "1",
            "description": "Facts that travel between the services. Readers leave out fields they do not know.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {kind.event_type: _channel(kind) for kind in kinds},
        "components": {"messages": {kind.__name__: _message(kind) for kind in kinds}, "schemas": schemas},
    }


def as_yaml() -> str:
    return yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)


def _channel(kind: type[Event]) -> dict[str, Any]:
    exchange = {"name": EVENTS, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": kind.event_type,
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
    }


def _message(kind: type[Event]) -> dict[str, Any]:
    own = {
        "type": {"const": kind.event_type},
        "subject": {"description": f"the fact's {kind.subject_field}"},
        "data": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }
    payload = {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"properties": own}]}
    return {"name": kind.event_type, "title": kind.__name__, "contentType": CONTENT_TYPE, "payload": payload}


def _describe(kind: type[Any], schemas: dict[str, Any]) -> None:
    schemas[kind.__name__] = {}  # keeps its place before the parts it is made of
    schemas[kind.__name__] = _object(kind, schemas)


def _object(kind: type[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    required = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    said = (
        {}
        if not kind.__doc__ or kind.__doc__.startswith(f"{kind.__name__}(")
        else {"description": inspect.cleandoc(kind.__doc__)}
    )
    properties = {f.name: _schema(hints[f.name], schemas) for f in fields(kind)}
    return {"type": "object", **said, "required": required, "properties": properties}


def _schema(hint: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kept = next(each for each in inner if each is not types.NoneType)
        return {"oneOf": [_schema(kept, schemas), {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(inner)} if len(inner) > 1 else {"const": inner[0]}
    if origin is tuple:
        return {"type": "array", "items": _schema(inner[0], schemas)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(inner[1], schemas)}
    if is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in schemas:
            _describe(hint, schemas)
        return {"$ref": f"#/components/schemas/{hint.__name__}"}
    return dict(PLAIN[hint])


if __name__ == "__main__":
    WRITTEN.write_text(as_yaml())
