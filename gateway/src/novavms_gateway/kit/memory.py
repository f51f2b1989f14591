"""Memory that was freed goes back to the system.

A gateway frees as much as it takes, some thousand frames and fragments a second of all sizes and ages; what glibc's malloc keeps
of that for later grows for hours (measured with 50 cameras: 44 MB in use all the time, the heap around them 50 to 56 MB in 8 minutes). Two calls of
glibc hold it: one arena for all threads instead of eight for each core, whose holes nobody else may use (mallopt(3), M_ARENA_MAX), and whole free pages
given back now and then (malloc_trim(3)). Elsewhere, with musl or on macOS, nothing is done.
"""

from __future__ import annotations

import ctypes
import sys
from functools import partial
from typing import Final, NoReturn

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.disk import OffLoop

GIVE_BACK_EVERY_SEC: Final = 120.0
_M_ARENA_MAX: Final = -8
"""malloc.h of glibc, since 2.10."""


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


def use_one_arena() -> bool:
    """To be called before threads are started: arenas that are there stay. False where malloc is another's."""
    library = _glibc()
    return library is not None and library.mallopt(_M_ARENA_MAX, 1) == 1


async def give_back(clock: Clock, off_loop: OffLoop) -> NoReturn:
    """Free pages go back to the system, again and again. Off the loop: it takes some milliseconds, without the interpreter's lock."""
    library = _glibc()
    while True:
        await clock.sleep(GIVE_BACK_EVERY_SEC)
        if library is not None:
            await off_loop.run(partial(library.malloc_trim, 0))
