"""/grids"""

from __future__ import annotations

from uuid import UUID
from zlib import crc32

from litestar import Controller, Response, delete, get, patch, post

from novavms_server.grids.models import Grid, GridCreate, GridUpdate
from novavms_server.grids.service import GridService
from novavms_server.kit.http import Cursor, FromPath, IfMatch, JSONBody, Limit, NamedDependency, role
from novavms_server.kit.pages import Page
from novavms_server.kit.versions import etag
from novavms_server.kit.work import Work


def _answer(grid: Grid) -> Response[Grid]:
    """Cameras come and go from a grid without a change of it: when they are deleted, or grants are. The tag has both."""
    shown = crc32(repr([grid.cameras, grid.is_mine]).encode())
    return Response(grid, headers={"ETag": etag(grid.version, shown)})


class GridController(Controller):
    path = "/grids"
    tags = ("Grids",)

    @get(
        "/",
        opt=role("viewer"),
        operation_id="listGrids",
        summary="List grids",
        description="Your own and those that others share, newest first.",
    )
    async def list_grids(
        self,
        work: NamedDependency[Work],
        grids: NamedDependency[GridService],
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[Grid]:
        return await grids.list(work, cursor, limit)

    @post(
        "/",
        opt=role("viewer"),
        operation_id="createGrid",
        summary="Create a grid",
        description="It is yours: of the user or the service account that asks, and goes with them. 100 each at most.",
    )
    async def create_grid(
        self, work: NamedDependency[Work], grids: NamedDependency[GridService], data: JSONBody[GridCreate]
    ) -> Response[Grid]:
        return _answer(await grids.create(work, data))

    @get("/{grid_id:str}", opt=role("viewer"), operation_id="getGrid", summary="Get a grid")
    async def get_grid(
        self, work: NamedDependency[Work], grids: NamedDependency[GridService], grid_id: FromPath[UUID]
    ) -> Response[Grid]:
        return _answer(await grids.get(work, grid_id))

    @patch(
        "/{grid_id:str}",
        opt=role("viewer"),
        operation_id="updateGrid",
        summary="Change a grid",
        description="Your own; admins, also one that somebody shares. `cameras` is the whole list.",
    )
    async def update_grid(
        self,
        work: NamedDependency[Work],
        grids: NamedDependency[GridService],
        grid_id: FromPath[UUID],
        data: JSONBody[GridUpdate],
        if_match: IfMatch = None,
    ) -> Response[Grid]:
        return _answer(await grids.update(work, grid_id, data, if_match))

    @delete(
        "/{grid_id:str}",
        opt=role("viewer"),
        operation_id="deleteGrid",
        summary="Delete a grid",
        description="Your own; admins, also one that somebody shares.",
    )
    async def delete_grid(
        self,
        work: NamedDependency[Work],
        grids: NamedDependency[GridService],
        grid_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> None:
        await grids.delete(work, grid_id, if_match)
