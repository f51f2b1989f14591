"""What one can do with grids: one's own, and those that others share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET
from psycopg import errors as pg

from novavms_server.audit.service import record
from novavms_server.grids import queries
from novavms_server.grids.errors import GridNameTaken, NotYourGrid, TooManyGrids, ViewersDontShare
from novavms_server.grids.models import Grid, GridCreate, GridUpdate, place_problems
from novavms_server.kit.caller import Role
from novavms_server.kit.errors import ValidationError
from novavms_server.kit.ids import new_id
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.versions import require_match
from novavms_server.kit.work import Work

MISSING = "There is no such grid of yours, and none that is shared with you."
MOST: Final = 100
"""Grids a maker."""


class GridService:
    """Stateless; made once in `main`."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    async def list(self, work: Work, cursor: str | None, limit: int) -> Page[Grid]:
        """The caller's own and those that are shared, newest first."""
        belongs = ("grids", work.caller.org_id, work.caller.id)
        before = self._cursors.before(cursor, belongs)
        rows, total = await work.read(
            queries.page(work.caller, before, limit + 1), queries.total(work.caller)
        )
        return self._cursors.page(belongs, rows, limit, total[0][0])

    async def get(self, work: Work, grid_id: UUID) -> Grid:
        """NotFound also for somebody else's that is not shared."""
        grid: Grid = await work.get(queries.by_id(work.caller, grid_id), MISSING)
        return grid

    async def create(self, work: Work, asked: GridCreate) -> Grid:
        """The caller's own. Raises ViewersDontShare, GridNameTaken, TooManyGrids; ValidationError for a camera that the caller
        does not see, which nobody can tell from one that is not there."""
        await work.write()
        if asked.is_shared:
            _may_share(work)
        await self._require_visible(work, asked.cameras)
        await work.list(queries.turn(work.caller))
        if (await work.list(queries.count(work.caller)))[0][0] >= MOST:
            raise TooManyGrids
        grid = Grid(
            *(new_id(), asked.name, asked.columns, asked.cameras, asked.is_shared),
            is_mine=True,
            version=1,
            created_at=work.now,
            updated_at=work.now,
        )
        user, account = (work.caller.id, None) if work.caller.kind == "user" else (None, work.caller.id)
        try:
            await work.execute(
                "INSERT INTO grids (org_id, id, user_id, service_account_id, name, columns, is_shared, created_at, updated_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    *(work.caller.org_id, grid.id, user, account, grid.name, grid.columns, grid.is_shared),
                    *(grid.created_at, grid.updated_at),
                ),
            )
        except pg.UniqueViolation:
            raise GridNameTaken from None
        await self._place(work, grid)
        await record(work, "grid.created", "grid", grid.id, after=_facts(grid))
        return grid

    async def update(self, work: Work, grid_id: UUID, asked: GridUpdate, if_match: str | None) -> Grid:
        """Cameras that the caller does not see stay where they are as long as `cameras` is left out or says what the caller
        sees. Raises NotYourGrid, and what `create` raises."""
        before = await self._own(work, grid_id, if_match)
        given = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not UNSET}
        changes = {name: value for name, value in given.items() if getattr(before, name) != value}
        after = msgspec.structs.replace(before, **changes)
        if problems := list(place_problems(after.columns, after.cameras)):
            raise ValidationError(problems)
        if not changes:
            return before
        if after.is_shared and not before.is_shared:
            _may_share(work)
        if "cameras" in changes:
            await self._require_visible(work, after.cameras)
        after.version, after.updated_at = before.version + 1, work.now
        try:
            await work.execute(
                "UPDATE grids SET name = %s, columns = %s, is_shared = %s, version = %s, updated_at = %s WHERE org_id = %s AND id = %s",
                (
                    *(after.name, after.columns, after.is_shared, after.version, after.updated_at),
                    *(work.caller.org_id, grid_id),
                ),
            )
        except pg.UniqueViolation:
            raise GridNameTaken from None
        if "cameras" in changes:
            await work.execute(
                "DELETE FROM grid_cameras WHERE org_id = %s AND grid_id = %s", (work.caller.org_id, grid_id)
            )
            await self._place(work, after)
        await record(work, "grid.updated", "grid", grid_id, before=_facts(before), after=_facts(after))
        return after

    async def delete(self, work: Work, grid_id: UUID, if_match: str | None) -> None:
        """For good. Raises NotYourGrid."""
        before = await self._own(work, grid_id, if_match)
        await work.execute("DELETE FROM grids WHERE org_id = %s AND id = %s", (work.caller.org_id, grid_id))
        await record(work, "grid.deleted", "grid", grid_id, before=_facts(before))

    async def _own(self, work: Work, grid_id: UUID, if_match: str | None) -> Grid:
        """The grid, locked, if the caller may change it."""
        await work.write()
        grid: Grid = await work.get(queries.by_id(work.caller, grid_id, lock=True), MISSING)
        if not grid.is_mine and work.caller.role < Role.admin:
            raise NotYourGrid
        require_match(if_match, grid.version)
        return grid

    async def _require_visible(self, work: Work, cameras: Sequence[UUID | None]) -> None:
        named = [each for each in cameras if each is not None]
        found = {row[0] for row in await work.list(queries.visible(work.caller, named))}
        for each in named:
            if each not in found:
                raise ValidationError.of(
                    "cameras", f"cameras must be cameras that you can see; {each} is none"
                )

    async def _place(self, work: Work, grid: Grid) -> None:
        places = [place for place, camera in enumerate(grid.cameras) if camera is not None]
        await work.execute(
            "INSERT INTO grid_cameras (org_id, grid_id, place, camera_id)"
            " SELECT %s, %s, * FROM unnest(%s::smallint[], %s::uuid[])",
            (work.caller.org_id, grid.id, places, [grid.cameras[place] for place in places]),
        )


def _may_share(work: Work) -> None:
    if work.caller.role < Role.operator:
        raise ViewersDontShare


def _facts(grid: Grid) -> dict[str, Any]:
    """For the audit log: what does not depend on who asks, but for cameras that they do not see."""
    return {name: getattr(grid, name) for name in ("name", "columns", "cameras", "is_shared", "version")}
