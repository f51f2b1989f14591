"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.users.sessions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novavms._async.resource import AsyncResource
from novavms._request import NOT_GIVEN, Timeout, segment
from novavms.types import Session

if TYPE_CHECKING:
    from uuid import UUID

    from novavms._async.pages import AsyncPage


class AsyncUsersSessionsResource(AsyncResource):
    """`client.users.sessions`"""

    async def list(self, user_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> AsyncPage[Session]:
        """List a user's sessions.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.page(
            f"/api/v1/users/{segment(user_id)}/sessions", Session, timeout=timeout
        )

    async def get(
        self, user_id: str | UUID, session_id: str | UUID, *, timeout: Timeout = NOT_GIVEN
    ) -> Session:
        """Get a session.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "GET",
            f"/api/v1/users/{segment(user_id)}/sessions/{segment(session_id)}",
            Session,
            timeout=timeout,
        )

    async def end(self, user_id: str | UUID, session_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> None:
        """End a session.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing(
            "DELETE", f"/api/v1/users/{segment(user_id)}/sessions/{segment(session_id)}", timeout=timeout
        )

    async def end_all(self, user_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> None:
        """End all sessions of a user.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing("DELETE", f"/api/v1/users/{segment(user_id)}/sessions", timeout=timeout)
