"""People in a `World`: users with known passwords, and logging in as one of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from nova_world import World

from novavms_server.accounts.bootstrap import create_user

PASSWORD = "Correct-Horse-1"


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Until somebody has moved the clock so far."""
        until = self.at + timedelta(seconds=seconds)
        while self.at < until:
            await asyncio.sleep(0.005)

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


async def add_user(
    world: World,
    role: str,
    *,
    email: str | None = None,
    other: bool = False,
    sites: list[UUID] | None = None,
    password: str = PASSWORD,
) -> tuple[UUID, str]:
    """Id and email of a new user; a viewer sees the world's `site` unless told otherwise."""
    email = email or f"{role}@{'globex' if other else 'acme'}.example"
    org = world.other_org if other else world.org
    if role == "viewer" and sites is None:
        sites = [world.other_site if other else world.site]
    async with world.server.database.everywhere() as connection:
        return await create_user(connection, org, email, role.title(), role, password, sites), email


async def log_in(
    world: World, email: str, password: str = PASSWORD, *, client_type: str = "api", **more: Any
) -> httpx.Response:
    return await world.client(None).post(
        "/api/v1/auth/login", json={"email": email, "password": password, "client_type": client_type, **more}
    )


async def client_of(world: World, email: str, password: str = PASSWORD) -> httpx.AsyncClient:
    """An HTTP client with a fresh access token of the user."""
    answer = await log_in(world, email, password)
    assert answer.status_code == 200, answer.text
    return world.client(token=answer.json()["access_token"])
