"""What callers of /auth send and get."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_server.accounts.passwords import RULE, fits_rule
from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import Body

Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$",
        description="An email address, compared without case",
        extra={"words": "must be an email address, such as ada@example.com"},
        examples=["ada@example.com"],
    ),
]
Password = Annotated[str, Meta(min_length=1, max_length=128, examples=["Correct-Horse-1"])]
ClientType = Literal["web", "mobile", "api"]
Role = Literal["owner", "admin", "operator", "viewer"]


class Visit(NamedTuple):
    """Where a request came from."""

    ip: str
    user_agent: str | None
    request_id: str


class LoginRequest(Body):
    email: Email
    password: Password
    remember_me: bool = False
    client_type: ClientType = "web"
    org_id: UUID | None = None
    """Which org, for people whose email and password serve in several. Without it: the one used last."""


class RefreshRequest(Body):
    refresh_token: Annotated[str, Meta(max_length=200)] | None = None
    """Of `mobile` and `api` sessions; a web page sends its cookie instead."""


class ChangePasswordRequest(Body):
    current_password: Password
    new_password: Password

    def problems(self) -> Iterator[FieldProblem]:
        if not fits_rule(self.new_password):
            yield FieldProblem("new_password", f"new_password {RULE}")
        elif self.new_password == self.current_password:
            yield FieldProblem("new_password", "new_password must differ from the current one")


class ForgotPasswordRequest(Body):
    email: Email


class ResetPasswordRequest(Body):
    token: Annotated[str, Meta(min_length=1, max_length=200)]
    new_password: Password

    def problems(self) -> Iterator[FieldProblem]:
        if not fits_rule(self.new_password):
            yield FieldProblem("new_password", f"new_password {RULE}")


class LoggedInUser(msgspec.Struct):
    id: UUID
    email: str
    display_name: str
    role: Role
    org_id: UUID
    must_change_password: bool
    """True: only /auth/me, /auth/change-password and /auth/logout are open until it is done."""


class LoginAnswer(msgspec.Struct):
    access_token: str
    """JWT for `Authorization: Bearer`, 15 minutes."""
    expires_at: datetime
    user: LoggedInUser
    refresh_token: str | UnsetType = UNSET
    """Not for `client_type=web`, which gets it as an HttpOnly cookie."""


class Me(msgspec.Struct):
    kind: Literal["user", "service_account"]
    id: UUID
    email: str | None
    """null for a service account"""
    display_name: str
    role: Role
    org_id: UUID
    org_name: str
    site_ids: list[UUID] | None
    """null: all sites of the org"""
    must_change_password: bool


class Accepted(msgspec.Struct):
    message: str


class Issued(NamedTuple):
    """A log-in or refresh that succeeded, before it is known how its refresh token travels."""

    access_token: str
    expires_at: datetime
    refresh_token: str
    client_type: str
    session_sec: int
    user: LoggedInUser
