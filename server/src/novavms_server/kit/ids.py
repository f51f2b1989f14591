"""Ids: UUIDv7 (RFC 9562), so that they sort by time; made here, so that PostgreSQL 15 serves too."""

from __future__ import annotations

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new row's id."""
    return uuid7()


def new_request_id() -> str:
    """`req_` and 24 hex digits."""
    return "req_" + secrets.token_hex(12)
