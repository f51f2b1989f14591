"""The demo's other programs: started beside this one, stopped with it, whatever happens."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path


class DemoError(Exception):
    """Why the demo can't go on, in a sentence."""


def program(name: str) -> str:
    """Path of one of our commands: beside this Python, else on PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise DemoError(
            f"{name} is not installed; run `make install`, or pip install novavms-{name.split('-')[1]}"
        )
    return found


class Child:
    """One program. Its output goes to a log file, of which the end is shown if it fails."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @classmethod
    async def start(
        cls,
        name: str,
        arguments: Sequence[str],
        *,
        folder: Path,
        stdin: bytes | None = None,
        environment: dict[str, str] | None = None,
    ) -> Child:
        """In a session of its own, so that Ctrl-C reaches only the demo, which then stops them in order."""
        log = folder / f"{name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                program(name),
                *arguments,
                stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            await process.stdin.drain()
            process.stdin.close()
        return cls(name, process, log)

    async def finish(self, timeout: float) -> None:
        """Wait for a program that ends by itself; DemoError unless it ends well."""
        try:
            code = await asyncio.wait_for(self.process.wait(), timeout)
        except TimeoutError:
            await self.stop()
            raise DemoError(f"{self.name} did not finish within {timeout:.0f} s{self.tail()}") from None
        if code:
            raise DemoError(f"{self.name} failed (exit {code}){self.tail()}")

    def tail(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()[-8:]
        except OSError:
            lines = []
        return ":\n    " + "\n    ".join(lines) if lines else ""

    async def stop(self, grace_sec: float = 5) -> None:
        """SIGTERM, then SIGKILL for the whole session."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), grace_sec)
            except TimeoutError:
                os.killpg(self.process.pid, signal.SIGKILL)
                await self.process.wait()
