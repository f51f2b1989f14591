"""One line per fact on stderr: `time level logger message key=value …`, nothing in it breaks the line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+@")


def _value(value: Any) -> str:
    text = str(value)
    return text if text and _PLAIN.issuperset(text) else json.dumps(text, ensure_ascii=False)


class LineFormatter(logging.Formatter):
    """Key-value pairs come from `extra={"facts": {...}}`; a traceback is folded into one field."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = record.getMessage().replace("\r", " ").replace("\n", " ")
        parts = [at.replace("+00:00", "Z"), record.levelname, record.name, message]
        facts: dict[str, Any] = getattr(record, "facts", {})
        parts += [f"{key}={_value(value)}" for key, value in facts.items()]
        if record.exc_info and record.exc_info[0] is not None:
            parts.append(f"trace={json.dumps(self.formatException(record.exc_info))}")
        return " ".join(parts)


def set_up_logs(level: str) -> None:
    """Sends all logs to stderr. Libraries that write addresses into their logs are turned down: signed URLs are keys."""
    logging.raiseExceptions = False  # a closed stderr must not stop a recorder
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("novavms_gateway").setLevel(level)
    logging.getLogger("novavms_camera").setLevel(level)
    for noisy in ("httpx", "httpcore", "websockets"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
