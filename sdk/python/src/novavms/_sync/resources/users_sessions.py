# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.users.sessions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novavms._request import NOT_GIVEN, Timeout, segment
from novavms._sync.resource import Resource
from novavms.types import Session

if TYPE_CHECKING:
    from uuid import UUID

    from novavms._sync.pages import Page


class UsersSessionsResource(Resource):
    """`client.users.sessions`"""

    def list(self, user_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> Page[Session]:
        """List a user's sessions.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.page(f"/api/v1/users/{segment(user_id)}/sessions", Session, timeout=timeout)

    def get(self, user_id: str | UUID, session_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> Session:
        """Get a session.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "GET",
            f"/api/v1/users/{segment(user_id)}/sessions/{segment(session_id)}",
            Session,
            timeout=timeout,
        )

    def end(self, user_id: str | UUID, session_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> None:
        """End a session.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing(
            "DELETE", f"/api/v1/users/{segment(user_id)}/sessions/{segment(session_id)}", timeout=timeout
        )

    def end_all(self, user_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> None:
        """End all sessions of a user.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing("DELETE", f"/api/v1/users/{segment(user_id)}/sessions", timeout=timeout)
