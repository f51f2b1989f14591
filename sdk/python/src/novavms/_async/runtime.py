"""What differs between waiting in an event loop and waiting in a thread; the twin is _sync/runtime.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import anyio
    from typing_extensions import TypeVarTuple, Unpack

    Ts = TypeVarTuple("Ts")

T = TypeVar("T")


async def sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)


async def in_thread(function: Callable[[Unpack[Ts]], T], *arguments: Unpack[Ts]) -> T:
    """Disks block; the loop must not."""
    import anyio.to_thread

    return await anyio.to_thread.run_sync(function, *arguments)


class Lock:
    """Made outside of a loop, as clients are; its lock is made in the loop that first wants it."""

    def __init__(self) -> None:
        self._lock: anyio.Lock | None = None

    async def __aenter__(self) -> None:
        if self._lock is None:
            import anyio

            self._lock = anyio.Lock()
        await self._lock.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._lock is not None
        self._lock.release()


@asynccontextmanager
async def uncancelled() -> AsyncGenerator[None, None]:
    """What was begun here is finished, though the caller is cancelled meanwhile. For short things with an end."""
    import anyio

    with anyio.CancelScope(shield=True):
        yield
