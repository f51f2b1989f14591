"""`novavms-gateway run` in a process of its own, for tests that signal and kill it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from nova_server_side import TOKEN

from novavms_simcam import DEFAULT_PASSWORD

RUN = (sys.executable, "-m", "novavms_gateway.main", "run", "--data-dir")
"""The data folder follows."""


@contextlib.asynccontextmanager
async def gateway_process(
    data_dir: Path, *, at_end: signal.Signals = signal.SIGKILL
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Gets `at_end`, if it still runs. Its log has no secret in it and no traceback."""
    running = await asyncio.create_subprocess_exec(
        *(*RUN, str(data_dir)), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.send_signal(at_end)
        _, logs = await running.communicate()
        assert DEFAULT_PASSWORD.encode() not in logs
        assert TOKEN.encode() not in logs
        assert b"/store/" not in logs, "a signed address is a key"
        assert b"Traceback" not in logs, logs.decode()
