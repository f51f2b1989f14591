"""A user as admins see it, and as they describe it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_server.accounts.grants import grant_problems
from novavms_server.accounts.login.models import Email, Role
from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import Body, Name

GivenRole = Literal["admin", "operator", "viewer"]
"""Ownership is not given here but transferred."""
SiteIds = Annotated[list[UUID], Meta(max_length=1000)]


class User(msgspec.Struct):
    """A person in the org."""

    id: UUID
    email: str
    display_name: str
    role: Role
    enabled: bool
    must_change_password: bool
    site_ids: list[UUID] | None
    """Of a viewer: the sites it sees. null: all."""
    last_login_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class UserCreate(Body):
    email: Email
    display_name: Name
    role: GivenRole
    site_ids: SiteIds | None = None
    """Required for viewers."""

    def problems(self) -> Iterator[FieldProblem]:
        return grant_problems(self.role, self.site_ids)


class UserUpdate(Body):
    display_name: Name | UnsetType = UNSET
    role: GivenRole | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    site_ids: SiteIds | UnsetType = UNSET
    """The whole list."""

    def problems(self) -> Iterator[FieldProblem]:
        if self.role is not UNSET and self.role != "viewer" and self.site_ids is not UNSET:
            yield from grant_problems(self.role, self.site_ids)


class UserCreated(msgspec.Struct):
    user: User
    invitation_sent: bool
    """False where no mail is configured; then there is a temporary password to hand over."""
    temporary_password: str | UnsetType = UNSET


class PasswordReset(msgspec.Struct):
    reset_token: str
    """For POST /auth/reset-password, once. Shown only here."""
    expires_at: datetime


class Session(msgspec.Struct):
    """A place where a user is logged in."""

    id: UUID
    client_type: Literal["web", "mobile", "api"]
    remember_me: bool
    user_agent: str | None
    ip: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
