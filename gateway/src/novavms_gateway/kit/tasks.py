"""Running several coroutines together, and ending them without leaving one behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)


async def race(*coroutines: Coroutine[Any, Any, T]) -> T:
    """Runs all until the first ends, ends the others, and gives (or raises) what the first did."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        await end(tasks)


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancels and waits; what they raise on the way out is theirs and is dropped."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Tasks:
    """Holds on to tasks that nobody awaits, so that they are neither collected nor forgotten at the end.

    In the order in which they began, and not in that of a set: what ends them does so in the same order in each run.
    """

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks[task] = None
        task.add_done_callback(lambda ended: self._tasks.pop(ended, None))
        return task

    async def through(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Waits for it. Where the caller is cancelled it goes on; what it then raises is nobody's any more, and is logged."""
        return await to_its_end(self.start(coroutine))

    async def end(self) -> None:
        await end(self._tasks)


async def to_its_end(work: asyncio.Future[T]) -> T:
    """Waits for it. Where the caller is cancelled it goes on; what it then raises is nobody's any more, and is logged."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(_log_outcome)
        raise


def _log_outcome(ended: asyncio.Future[Any]) -> None:
    if not ended.cancelled() and (error := ended.exception()) is not None:
        log.info("ended with nobody waiting for it", extra={"facts": {"error": error}})
