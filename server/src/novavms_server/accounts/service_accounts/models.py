"""A service account, its keys, and how admins describe them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_server.accounts.grants import grant_problems
from novavms_server.accounts.users.models import GivenRole, SiteIds
from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import Body, Name


class ServiceAccount(msgspec.Struct):
    """A program that calls the API. Its role is fixed."""

    id: UUID
    name: str
    role: GivenRole
    site_ids: list[UUID] | None
    """Of a viewer: the sites it sees. null: all."""
    enabled: bool
    version: int
    created_at: datetime
    updated_at: datetime


class ServiceAccountCreate(Body):
    name: Name
    role: GivenRole
    site_ids: SiteIds | None = None
    """Required for viewers."""

    def problems(self) -> Iterator[FieldProblem]:
        return grant_problems(self.role, self.site_ids)


class ServiceAccountUpdate(Body):
    name: Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    site_ids: SiteIds | UnsetType = UNSET
    """The whole list; viewers only."""


class ApiKey(msgspec.Struct):
    """A key, without its secret."""

    id: UUID
    name: str | None
    prefix: str
    """The first 12 characters, to tell keys apart."""
    created_at: datetime
    last_used_at: datetime | None
    """To within five minutes."""
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiKeyCreate(Body):
    name: Name | None = None
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    """Unset: never."""


class ApiKeyCreated(msgspec.Struct):
    id: UUID
    name: str | None
    prefix: str
    key: str
    """Shown only here."""
    created_at: datetime
    expires_at: datetime | None
