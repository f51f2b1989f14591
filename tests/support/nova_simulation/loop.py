"""An event loop whose time is made up: it leaps to the next timer, and runs what is given to threads itself.

Nothing in it depends on the machine: the same seed gives the same run, to the byte.
"""

from __future__ import annotations

import asyncio
import os
import random
import selectors
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

TURN_SEC = 1e-7
TURNS_MAX = 2_000_000
"""Turns of the loop in one run: more is something that waits for nothing."""


class StuckError(AssertionError):
    """Nothing is left that could ever go on, or something goes on without end."""


class PowerCutError(Exception):
    """This life is over: nothing of it reaches a disk or a wire any more."""


class Life:
    """One run of the gateway's process, from its start to a crash. Its tasks are known, so that all end at one moment."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_over = False
        self.fuse: int | None = None
        """After so many calls to a disk the power goes, in the middle of whatever it is."""
        self.tasks: dict[asyncio.Task[Any], None] = {}

    def burn(self) -> None:
        """A call to a disk."""
        if self.fuse is not None:
            self.fuse -= 1
            self.is_over = self.is_over or self.fuse <= 0


LIFE: ContextVar[Life | None] = ContextVar("LIFE", default=None)


class _Selector:
    """Waits for nothing: time goes on instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._turns = 0

    def select(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns += 1
        if timeout is None or self._turns > TURNS_MAX:
            raise StuckError("no timer is set" if timeout is None else "too many turns")
        # A turn takes time, too: a wait too short for a float to tell would otherwise never end.
        self._loop.seconds += timeout + TURN_SEC
        return []

    def close(self) -> None:
        pass


class VirtualLoop(asyncio.BaseEventLoop):
    """`delay` says how long each call to a thread takes, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1000.0
        self.delay: Callable[[], float] = lambda: 0.0
        self._selector = _Selector(self)
        self.set_task_factory(_new_task)

    def time(self) -> float:
        return self.seconds

    def _process_events(self, event_list: Any) -> None:
        pass

    def _write_to_self(self) -> None:
        assert self._thread_id in (None, threading.get_ident()), "there is only one thread"  # type: ignore[attr-defined]

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        """In the loop, after a while; never for a life that is over by then."""
        future: asyncio.Future[Any] = self.create_future()
        life = LIFE.get()

        def work() -> None:
            if life is not None and life.is_over:
                future.cancel()
                return
            try:
                result = func(*args)
            except Exception as error:
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        delay = self.delay()
        if delay:
            self.call_later(delay, work)
        else:
            work()
        return future


def _new_task(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, T], **more: Any) -> asyncio.Task[T]:
    task = asyncio.Task(coro, loop=loop, **more)
    life = LIFE.get()
    if life is not None:
        life.tasks[task] = None
        task.add_done_callback(lambda ended: life.tasks.pop(ended, None))
        if life.is_over:
            loop.call_soon(task.cancel)
    return task


def run(
    seed: int, main: Callable[[VirtualLoop], Coroutine[Any, Any, T]], *, fsync: Callable[[int], None]
) -> T:
    """Runs `main` on a loop of its own. Raises what it raises, and what tasks of ours raised that nobody waited for."""
    loop = VirtualLoop()
    failures: list[str] = []

    def hear(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, PowerCutError):
            failures.append(f"{context['message']}: {error!r}")

    loop.set_exception_handler(hear)
    with _seeded(seed, fsync):
        asyncio.set_event_loop(loop)
        try:
            result = loop.run_until_complete(main(loop))
        finally:
            _end_all(loop)
            asyncio.set_event_loop(None)
            loop.close()
    assert not failures, failures
    return result


def _end_all(loop: VirtualLoop) -> None:
    for _ in range(5):
        tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


@contextmanager
def _seeded(seed: int, fsync: Callable[[int], None]) -> Iterator[None]:
    """Chance and ids of this process come from the seed; what is synced on the machine's own disk is heard."""
    state, urandom, real_fsync = random.getstate(), os.urandom, os.fsync
    random.seed(seed)
    source = random.Random(seed ^ 0x5EED)
    os.urandom = source.randbytes
    os.fsync = fsync  # type: ignore[assignment]
    try:
        yield
    finally:
        os.urandom, os.fsync = urandom, real_fsync
        random.setstate(state)
