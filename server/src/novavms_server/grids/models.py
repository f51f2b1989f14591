"""A grid as the API shows it, and as callers describe it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import Body, Name

Columns = Annotated[int, Meta(ge=1, le=4, description="Of places; there are as many rows.")]
Cameras = Annotated[
    list[UUID | None],
    Meta(
        min_length=1,
        max_length=16,
        description="One for each place, columns × columns in all, row by row; null is an empty place. No camera twice.",
    ),
]


class Grid(msgspec.Struct):
    """Which cameras stand where on a wall, as the caller sees it: a camera that was deleted, or that it may not see, is null."""

    id: UUID
    name: str
    columns: int
    cameras: list[UUID | None]
    is_shared: bool
    """Everyone of the organization may read it; only who made it, and admins, may change it."""
    is_mine: bool
    """The caller made it."""
    version: int
    created_at: datetime
    updated_at: datetime


class GridCreate(Body):
    name: Name
    columns: Columns
    cameras: Cameras
    is_shared: Annotated[bool, Meta(description="Operators and above may share.")] = False

    def problems(self) -> Iterator[FieldProblem]:
        return place_problems(self.columns, self.cameras)


class GridUpdate(Body):
    """`columns` and `cameras` have to fit each other, also where only one of them is given."""

    name: Name | UnsetType = UNSET
    columns: Columns | UnsetType = UNSET
    cameras: Cameras | UnsetType = UNSET
    is_shared: Annotated[bool, Meta(description="Operators and above may share.")] | UnsetType = UNSET


def place_problems(columns: int, cameras: Sequence[UUID | None]) -> Iterator[FieldProblem]:
    """Why these cameras do not stand in so many columns."""
    if len(cameras) != columns**2:
        words = f"{columns**2} places" if columns > 1 else "1 place"
        yield FieldProblem("cameras", f"cameras must have {words}, columns × columns, and has {len(cameras)}")
    named = [each for each in cameras if each is not None]
    if len(set(named)) < len(named):
        yield FieldProblem("cameras", "cameras must not name a camera twice")
