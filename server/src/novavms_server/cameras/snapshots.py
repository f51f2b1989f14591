"""Pictures that many ask for at once, asked of a camera once: a wall of tiles, opened by a whole shift."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

KEPT_SEC: Final = 1.0

_Key = tuple[UUID, int | None]


class Snapshots:
    """One for the server. Whether the caller may see the camera is asked before."""

    def __init__(self) -> None:
        self._tasks: dict[_Key, asyncio.Task[bytes]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def get(self, camera_id: UUID, width: int | None, take: Callable[[], Awaitable[bytes]]) -> bytes:
        """A picture at most a second old; whatever `take` raises, to all who wait for it."""
        key = (camera_id, width)
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(_run(take))
            task.add_done_callback(lambda done: self._taken(key, done))
        return await asyncio.shield(task)  # who hangs up ends nobody else's

    def _taken(self, key: _Key, task: asyncio.Task[bytes]) -> None:
        if task.cancelled() or task.exception() is not None:
            del self._tasks[key]
        else:
            asyncio.get_running_loop().call_later(KEPT_SEC, self._tasks.pop, key)


async def _run(take: Callable[[], Awaitable[bytes]]) -> bytes:
    return await take()
