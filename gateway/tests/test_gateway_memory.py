"""Freed memory goes back to the system: seen in a process of its own, since malloc's arenas can't be taken back in this one."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc is not glibc's here")

ARENAS = """
import ctypes, sys, tempfile, threading
from novavms_gateway.kit.memory import use_one_arena

if sys.argv[1] == "one":
    assert use_one_arena()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fdopen.restype = ctypes.c_void_p, ctypes.c_void_p
barrier = threading.Barrier(8)

def take():
    for _ in range(100):
        libc.malloc(20_000)
    barrier.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
with tempfile.TemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fdopen(file.fileno(), b"w"))
    libc.malloc_info(0, stream)
    libc.fflush(stream)
    file.seek(0)
    print(file.read().count(b"<heap nr="))
"""

GIVEN_BACK = """
import asyncio
from pathlib import Path
from novavms_gateway.kit.disk import Threads
from novavms_gateway.kit.machine import Machine
from novavms_gateway.kit.memory import GIVE_BACK_EVERY_SEC, give_back, use_one_arena

class Once:
    slept = []
    async def sleep(self, seconds):
        self.slept.append(seconds)
        if len(self.slept) == 2:
            raise asyncio.CancelledError

async def main():
    kept, freed = [], []
    for _ in range(2000):  # holes of 32 KB between what stays
        freed.append(bytes(32_000))
        kept.append(bytes(1_000))
    freed.clear()
    before = Machine.memory_used_bytes()
    threads = Threads(1)
    try:
        await give_back(Once(), threads)
    except asyncio.CancelledError:
        pass
    await threads.close()
    assert Once.slept[0] == GIVE_BACK_EVERY_SEC
    print(before - Machine.memory_used_bytes())

use_one_arena()
asyncio.run(main())
"""


def run(program: str, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_threads_share_one_arena() -> None:
    assert run(ARENAS, "one") == 1
    assert run(ARENAS, "as it comes") > 1


def test_what_was_freed_between_what_stays_goes_back() -> None:
    assert run(GIVEN_BACK) > 40_000_000
