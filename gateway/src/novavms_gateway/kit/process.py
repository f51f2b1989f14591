"""One process per folder, and how it stops: the first signal asks, the second does not."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

PARENT_LOOK_EVERY_SEC: Final = 0.5


class FolderInUseError(Exception):
    """Another process works in this folder."""


@contextlib.contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keeps the folder for this process; the kernel lets go of it however the process ends. Raises FolderInUseError."""
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUseError(f"Another gateway runs in {folder}") from None
        yield


async def run_until_stopped(work: Coroutine[Any, Any, None], *, exit_with_parent: bool = False) -> int:
    """Runs `work` until it ends or SIGTERM or SIGINT comes, and then lets it clean up; a second signal ends the
    process at once. Gives the process's exit code."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    stopping = False

    def stop(why: str) -> None:
        nonlocal stopping
        if stopping:
            log.warning("stopping at once", extra={"facts": {"why": why}})
            os._exit(1)
        stopping = True
        log.info("stopping", extra={"facts": {"why": why}})
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    parent = asyncio.ensure_future(_parent_gone()) if exit_with_parent else None
    if parent is not None:
        parent.add_done_callback(lambda ended: None if ended.cancelled() or stopping else stop("parent gone"))
    try:
        await task
    except asyncio.CancelledError:
        if not stopping:
            raise
    finally:
        if parent is not None:
            parent.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await parent
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0


async def _parent_gone() -> None:
    """An orphan is given to another parent (init, or a subreaper), so a changed parent id is a dead parent."""
    parent_id = os.getppid()
    while os.getppid() == parent_id:  # noqa: ASYNC110 - the kernel has no event for it that every system knows
        await asyncio.sleep(PARENT_LOOK_EVERY_SEC)
