"""One request, before it meets a connection: its path, query and body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from uuid import UUID, uuid4

from novavms._model import Model, format_time

if TYPE_CHECKING:
    from typing import TypeAlias


class NotGiven(Enum):
    """Tells "leave it as it is" from None, which the API reads as null."""

    NOT_GIVEN = "NOT_GIVEN"

    def __repr__(self) -> str:
        return "NOT_GIVEN"

    def __bool__(self) -> Literal[False]:
        return False


NOT_GIVEN: Final = NotGiven.NOT_GIVEN

Timeout: TypeAlias = "float | NotGiven | None"
"""Seconds without a sign of life; None: for ever; not given: the client's."""

_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]+")


class Call:
    """What is asked, the same in each try. `again`: a POST without a key that may be repeated all the same."""

    __slots__ = ("again", "body", "headers", "keyed", "method", "path", "query", "timeout")

    def __init__(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | NotGiven | None = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
        again: bool = False,
    ) -> None:
        self.again = again
        self.method = method
        self.path = path
        self.query = encode_query(query) if query else ""
        self.body = encode_body(body) if body is not None else None
        self.timeout: Timeout = timeout
        self.headers: dict[str, str] = {}
        if self.body is not None:
            self.headers["Content-Type"] = "application/json"
        if if_match is not None:
            self.headers["If-Match"] = printable(if_match, "if_match")
        self.keyed = key is not NOT_GIVEN
        if self.keyed:
            self.headers["Idempotency-Key"] = (
                str(uuid4()) if key is None else printable(cast("str", key), "idempotency_key")
            )

    @property
    def repeatable(self) -> bool:
        """May it be asked again though an earlier try may have been heard? Not a POST without a key; nor a conditional
        PATCH, whose second try would be refused for what the first one did."""
        if self.method == "POST":
            return self.keyed or self.again
        return not (self.method == "PATCH" and "If-Match" in self.headers)


def printable(text: str, name: str) -> str:
    """What a header can carry. Raises ValueError."""
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError(f"{name} must be printable ASCII, and not empty")
    return text


def segment(value: str | UUID) -> str:
    """An id as a part of a path. Raises ValueError for an empty one, which would ask for the list."""
    text = str(value)
    if _PLAIN_ID.fullmatch(text):
        return text
    if text.strip(". ") == "":
        raise ValueError("an id is empty")
    from urllib.parse import quote

    return quote(text, safe="")


def encode_query(query: Mapping[str, Any]) -> str:
    """With its question mark; without what is None."""
    from urllib.parse import quote

    pairs = [f"{name}={quote(_text(value), safe='')}" for name, value in query.items() if value is not None]
    return f"?{'&'.join(pairs)}" if pairs else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float | UUID):
        return str(value)
    return ",".join(_text(one) for one in cast("Iterable[Any]", value))


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Without what is not given; None is null."""
    given = {name: value for name, value in body.items() if value is not NOT_GIVEN}
    return json.dumps(
        given, default=_jsonable, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _jsonable(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    if isinstance(value, tuple | set | frozenset | Sequence):
        return list(cast("Sequence[Any]", value))
    raise TypeError(f"{type(value).__name__} does not go into JSON")
