"""What differs between waiting in a thread and waiting in an event loop. Written by hand: the twin of _async/runtime.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import TypeVarTuple, Unpack

    Ts = TypeVarTuple("Ts")

T = TypeVar("T")
Lock = threading.Lock


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def in_thread(function: Callable[[Unpack[Ts]], T], *arguments: Unpack[Ts]) -> T:
    """This thread may block."""
    return function(*arguments)


@contextmanager
def uncancelled() -> Generator[None, None, None]:
    """Threads are not cancelled."""
    yield
