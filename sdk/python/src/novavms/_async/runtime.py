"""What differs between waiting in asyncio's loop and waiting in a thread; the twin is _sync/runtime.py."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

    from typing_extensions import TypeVarTuple, Unpack

    Ts = TypeVarTuple("Ts")

T = TypeVar("T")
_under_way: set[asyncio.Task[Any]] = set()
"""The loop itself holds its tasks weakly."""


async def sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


async def in_thread(function: Callable[[Unpack[Ts]], T], *arguments: Unpack[Ts]) -> T:
    """Disks block; the loop must not."""
    import asyncio

    return await asyncio.to_thread(function, *arguments)


def new_lock() -> asyncio.Lock:
    import asyncio

    return asyncio.Lock()


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What was begun is finished, though who waits for it is cancelled."""
    import asyncio

    task = asyncio.ensure_future(work)
    _under_way.add(task)
    task.add_done_callback(_ended)
    return await asyncio.shield(task)


def start(work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
    """Does it beside the caller."""
    import asyncio

    task = asyncio.ensure_future(work())
    _under_way.add(task)
    task.add_done_callback(_ended)
    return task


async def finish(task: asyncio.Task[None], seconds: float) -> None:
    """Waits for its end; one that takes longer is cancelled."""
    import asyncio

    await asyncio.wait([task], timeout=seconds)
    task.cancel()


def abandon(task: asyncio.Task[None]) -> None:
    """Nobody waits for it any more."""
    task.cancel()


def _ended(task: asyncio.Task[Any]) -> None:
    _under_way.discard(task)
    if not task.cancelled():
        task.exception()  # whoever still waits has it; if nobody does, it is no news
