"""What the API's document shows of /grids."""

from __future__ import annotations

from novavms_server.grids.errors import GridNameTaken, NotYourGrid, TooManyGrids, ViewersDontShare
from novavms_server.kit.openapi import Example

GRID = {
    "id": "0198f2c4-3d4e-7f50-8a61-7b8c9d0e1f2a",
    "name": "At night",
    "columns": 2,
    "cameras": ["0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d", None, None, None],
    "is_shared": False,
    "is_mine": True,
    "version": 1,
    "created_at": "2026-03-01T12:00:00Z",
    "updated_at": "2026-03-01T12:00:00Z",
}

EXAMPLES = {
    "listGrids": Example(response={"data": [GRID], "next_cursor": None, "total": 1}),
    "createGrid": Example(
        {name: GRID[name] for name in ("name", "columns", "cameras", "is_shared")},
        GRID,
        (GridNameTaken, TooManyGrids, ViewersDontShare),
    ),
    "getGrid": Example(response=GRID),
    "updateGrid": Example(
        {"is_shared": True},
        {**GRID, "is_shared": True, "version": 2},
        (GridNameTaken, NotYourGrid, ViewersDontShare),
    ),
    "deleteGrid": Example(errors=(NotYourGrid,)),
}
