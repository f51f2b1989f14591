"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.grids`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novavms._async.resource import AsyncResource
from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms.types import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from novavms._async.pages import AsyncPage


class AsyncGridsResource(AsyncResource):
    """`client.grids`"""

    async def list(
        self, *, cursor: str | None = None, limit: int | None = None, timeout: Timeout = NOT_GIVEN
    ) -> AsyncPage[Grid]:
        """List grids.

        Your own and those that others share, newest first.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.page(
            "/api/v1/grids", Grid, query={"cursor": cursor, "limit": limit}, timeout=timeout
        )

    async def create(
        self,
        *,
        name: str,
        columns: int,
        cameras: Sequence[str | UUID | None],
        is_shared: bool | NotGiven = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Grid:
        """Create a grid.

        It is yours: of the user or the service account that asks, and goes with them. 100 each at most.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            columns: Of places; there are as many rows; 1 to 4.
            cameras: One for each place, columns × columns in all, row by row; null is an empty place. No camera twice.
            is_shared: Operators and above may share; default false.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "POST",
            "/api/v1/grids",
            Grid,
            body={"name": name, "columns": columns, "cameras": cameras, "is_shared": is_shared},
            key=idempotency_key,
            timeout=timeout,
        )

    async def get(self, grid_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> Grid:
        """Get a grid.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object("GET", f"/api/v1/grids/{segment(grid_id)}", Grid, timeout=timeout)

    async def update(
        self,
        grid_id: str | UUID,
        *,
        name: str | NotGiven = NOT_GIVEN,
        columns: int | NotGiven = NOT_GIVEN,
        cameras: Sequence[str | UUID | None] | NotGiven = NOT_GIVEN,
        is_shared: bool | NotGiven = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Grid:
        """Change a grid.

        Your own; admins, also one that somebody shares. `cameras` is the whole list.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            columns: Of places; there are as many rows; 1 to 4.
            cameras: One for each place, columns × columns in all, row by row; null is an empty place. No camera twice.
            is_shared: Operators and above may share.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "PATCH",
            f"/api/v1/grids/{segment(grid_id)}",
            Grid,
            body={"name": name, "columns": columns, "cameras": cameras, "is_shared": is_shared},
            if_match=if_match,
            timeout=timeout,
        )

    async def delete(
        self, grid_id: str | UUID, *, if_match: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Delete a grid.

        Your own; admins, also one that somebody shares.

        Args:
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing(
            "DELETE", f"/api/v1/grids/{segment(grid_id)}", if_match=if_match, timeout=timeout
        )
