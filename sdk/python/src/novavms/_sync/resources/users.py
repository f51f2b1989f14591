# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.users`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms._sync.resource import Resource
from novavms.types import PasswordReset, User, UserCreated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from novavms._sync.pages import Page
    from novavms._sync.resources.users_sessions import UsersSessionsResource
    from novavms.types import Role


class UsersResource(Resource):
    """`client.users`"""

    @cached_property
    def sessions(self) -> UsersSessionsResource:
        from novavms._sync.resources.users_sessions import UsersSessionsResource

        return UsersSessionsResource(self._transport)

    def list(
        self,
        *,
        cursor: str | None = None,
        enabled: bool | None = None,
        limit: int | None = None,
        role: Role | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Page[User]:
        """List users.

        Needs the role admin or higher.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.page(
            "/api/v1/users",
            User,
            query={"cursor": cursor, "enabled": enabled, "limit": limit, "role": role},
            timeout=timeout,
        )

    def create(
        self,
        *,
        email: str,
        display_name: str,
        role: Literal["admin", "operator", "viewer"],
        site_ids: Sequence[str | UUID] | NotGiven | None = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> UserCreated:
        """Create a user.

        Needs the role admin or higher.

        Args:
            email: An email address, compared without case; at most 254 characters.
            display_name: 1 to 100 characters, not only blanks, no control characters.
            site_ids: Required for viewers.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            "/api/v1/users",
            UserCreated,
            body={"email": email, "display_name": display_name, "role": role, "site_ids": site_ids},
            key=idempotency_key,
            timeout=timeout,
        )

    def get(self, user_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> User:
        """Get a user.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object("GET", f"/api/v1/users/{segment(user_id)}", User, timeout=timeout)

    def update(
        self,
        user_id: str | UUID,
        *,
        display_name: str | NotGiven = NOT_GIVEN,
        role: Literal["admin", "operator", "viewer"] | NotGiven = NOT_GIVEN,
        enabled: bool | NotGiven = NOT_GIVEN,
        site_ids: Sequence[str | UUID] | NotGiven = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> User:
        """Change a user.

        Needs the role admin or higher.

        Args:
            display_name: 1 to 100 characters, not only blanks, no control characters.
            site_ids: The whole list.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "PATCH",
            f"/api/v1/users/{segment(user_id)}",
            User,
            body={"display_name": display_name, "role": role, "enabled": enabled, "site_ids": site_ids},
            if_match=if_match,
            timeout=timeout,
        )

    def delete(
        self, user_id: str | UUID, *, if_match: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Delete a user.

        Needs the role admin or higher.

        Args:
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing(
            "DELETE", f"/api/v1/users/{segment(user_id)}", if_match=if_match, timeout=timeout
        )

    def reset_password(
        self, user_id: str | UUID, *, idempotency_key: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> PasswordReset:
        """Get a token for a user to set a new password.

        Needs the role admin or higher.

        Args:
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            f"/api/v1/users/{segment(user_id)}/reset-password",
            PasswordReset,
            key=idempotency_key,
            timeout=timeout,
        )
