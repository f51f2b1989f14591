"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.exports`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novavms._async.resource import AsyncResource
from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms.types import Export

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from novavms._async.pages import AsyncPage


class AsyncExportsOperations(AsyncResource):
    """`client.exports`"""

    async def list(
        self, *, cursor: str | None = None, limit: int | None = None, timeout: Timeout = NOT_GIVEN
    ) -> AsyncPage[Export]:
        """List exports.

        Needs the role operator or higher.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.page(
            "/api/v1/exports", Export, query={"cursor": cursor, "limit": limit}, timeout=timeout
        )

    async def create(
        self,
        *,
        from_: datetime | str,
        to: datetime | str,
        camera_id: str | UUID | NotGiven | None = NOT_GIVEN,
        camera_ids: Sequence[str | UUID] | NotGiven | None = NOT_GIVEN,
        case_reference: str | NotGiven | None = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Export:
        """Export footage as evidence.

        At most an hour, of one camera (an MP4) or up to 16 (a ZIP), signed with the organization's key. It
        is made in the background; one whose gateway is offline waits for it, for a week.

        Needs the role operator or higher.

        Args:
            case_reference: At most 100 characters.
            note: At most 500 characters.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "POST",
            "/api/v1/exports",
            Export,
            body={
                "from": from_,
                "to": to,
                "camera_id": camera_id,
                "camera_ids": camera_ids,
                "case_reference": case_reference,
                "note": note,
            },
            key=idempotency_key,
            timeout=timeout,
        )

    async def get(self, export_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> Export:
        """Get an export.

        Needs the role operator or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "GET", f"/api/v1/exports/{segment(export_id)}", Export, timeout=timeout
        )

    async def delete(self, export_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> None:
        """Delete an export.

        Needs the role operator or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing("DELETE", f"/api/v1/exports/{segment(export_id)}", timeout=timeout)

    async def download_url(self, export_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> str:
        """Download an export.

        Redirects to the file, by a link that is good for ten minutes. 409 while it is being made. `novavms-
        verify` checks it offline.

        Needs the role operator or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.location(
            f"/api/v1/exports/{segment(export_id)}/download", timeout=timeout
        )
