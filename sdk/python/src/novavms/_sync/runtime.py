"""What differs between waiting in a thread and waiting in asyncio's loop. Written by hand: the twin of _async/runtime.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import TypeVarTuple, Unpack

    Ts = TypeVarTuple("Ts")

T = TypeVar("T")


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def in_thread(function: Callable[[Unpack[Ts]], T], *arguments: Unpack[Ts]) -> T:
    """This thread may block."""
    return function(*arguments)


def new_lock() -> threading.Lock:
    return threading.Lock()


def to_the_end(done: T) -> T:
    """Threads are not cancelled: it is done."""
    return done


def start(work: Callable[[], None]) -> threading.Thread:
    """Does it beside the caller."""
    thread = threading.Thread(target=work, name="novavms", daemon=True)
    thread.start()
    return thread


def finish(thread: threading.Thread, seconds: float) -> None:
    """Waits for its end, so long."""
    thread.join(seconds)


def abandon(thread: threading.Thread) -> None:
    """Nobody waits for it any more: it ends by itself."""
