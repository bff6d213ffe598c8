"""JSON lines with an allow-list of fields: what is not listed here cannot reach a log, whoever writes it."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

ALLOWED = frozenset(
    {"service", "event_id", "event_type", "subject_id", "handler", "attempt", "reason", "queue", "notification_id", "template",
     "channel", "outcome", "seconds", "count", "status", "route", "method", "state", "setting", "task", "person_id", "offer_id",
     "document", "document_id"}
)  # fmt: skip


class JsonLine(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            # Our own modules write constant sentences; a library's message may hold an address or a URL, so only its name stays.
            "message": str(record.msg) if record.name.startswith("kitchen") else f"from {record.name}",
        }
        line.update({key: value for key, value in record.__dict__.items() if key in ALLOWED})
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["where"] = [
                f"{f.filename.rsplit('/', 3)[-1]}:{f.lineno} {f.name}" for f in traceback.extract_tb(record.exc_info[2])
            ]
        return json.dumps(line, default=str)


def get_logger(name: str) -> logging.Logger:
    """Write `log.info("constant sentence", extra={allowed fields})`: never a value inside the sentence."""
    return logging.getLogger(f"kitchen.{name}")


def set_up(service: str, level: str = "INFO") -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("kitchen").setLevel(level)
