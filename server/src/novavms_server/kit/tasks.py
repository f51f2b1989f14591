"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final

_AGAIN_SEC: Final = 1.0


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel, and wait until all have ended. Again every second: up to Python 3.11 `asyncio.wait_for` (which the connection
    pool uses) swallows a cancellation that comes in the moment in which what it waits for is done."""
    pending = {task for task in tasks if task is not asyncio.current_task()}
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=_AGAIN_SEC)
        for task in done:
            if not task.cancelled():
                task.exception()
