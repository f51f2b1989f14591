"""A site as the API shows it, and as callers describe it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import PRINTABLE, Body, Name

Address = Annotated[str, Meta(max_length=500, pattern=PRINTABLE)]
TimeZone = Annotated[str, Meta(max_length=64, description="IANA name", examples=["Europe/Berlin"])]
_ZONES = frozenset(available_timezones())


class Site(msgspec.Struct):
    """A place."""

    id: UUID
    name: str
    timezone: str
    address: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class SiteCreate(Body):
    name: Name
    timezone: TimeZone = "UTC"
    address: Address | None = None

    def problems(self) -> Iterator[FieldProblem]:
        return _zone_problems(self.timezone)


class SiteUpdate(Body):
    name: Name | UnsetType = UNSET
    timezone: TimeZone | UnsetType = UNSET
    address: Address | UnsetType | None = UNSET

    def problems(self) -> Iterator[FieldProblem]:
        return iter(()) if self.timezone is UNSET else _zone_problems(self.timezone)


def _zone_problems(timezone: str) -> Iterator[FieldProblem]:
    if timezone not in _ZONES:
        yield FieldProblem("timezone", "timezone must be an IANA time zone, such as Europe/Berlin")
