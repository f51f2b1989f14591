# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.events.shares`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novavms._request import NOT_GIVEN, Timeout, segment
from novavms._sync.resource import Resource
from novavms.types import Share

if TYPE_CHECKING:
    from uuid import UUID

    from novavms._sync.pages import Page


class EventsSharesResource(Resource):
    """`client.events.shares`"""

    def list(
        self,
        event_id: str | UUID,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Page[Share]:
        """List an event's shared links.

        Newest first, also those that ran out or were revoked.

        Needs the role operator or higher.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.page(
            f"/api/v1/events/{segment(event_id)}/shares",
            Share,
            query={"cursor": cursor, "limit": limit},
            timeout=timeout,
        )

    def revoke(self, event_id: str | UUID, share_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> None:
        """Revoke a shared link.

        Needs the role operator or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing(
            "DELETE", f"/api/v1/events/{segment(event_id)}/shares/{segment(share_id)}", timeout=timeout
        )
