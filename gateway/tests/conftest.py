"""What the gateway's tests stand on: a gateway in this process, the server's side of the conversation, a clock that is turned by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from nova_server_side import TOKEN, ServerSide, serving, wait_until

from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.clock import SystemClock
from novavms_gateway.running import run_gateway
from novavms_gateway.settings import Settings
from novavms_gateway.storage.identity import save_identity


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(name="wait_until")
def _wait_until() -> Callable[..., Awaitable[Any]]:
    return wait_until


@pytest.fixture(name="serving")
def _serving() -> Callable[..., contextlib.AbstractAsyncContextManager[ServerSide]]:
    return serving


@pytest.fixture
async def server_side() -> AsyncIterator[ServerSide]:
    async with serving(ServerSide()) as side:
        yield side


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def data_dir(tmp_path: Path, server_side: ServerSide) -> Iterator[Path]:
    """A paired gateway's folder."""
    folder = tmp_path / "gateway"
    folder.mkdir(mode=0o700)
    save_identity(folder, server_side.identity())
    yield folder
    leaked = [file for file in folder.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]
    assert leaked == [folder / "gateway.json"], "the token is kept in one place"


@pytest.fixture
def gateway(
    data_dir: Path, server_side: ServerSide
) -> Callable[..., contextlib.AbstractAsyncContextManager[None]]:
    """`async with gateway():` runs a whole gateway in this process, on real time, with quick reconnects."""

    @contextlib.asynccontextmanager
    async def running(**settings: Any) -> AsyncIterator[None]:
        work = run_gateway(
            server_side.identity(),
            Settings(data_dir=data_dir, **{"search_multicast": False} | settings),
            clock=SystemClock(),
            version="0.0.test",
            new_backoff=lambda: Backoff(first_sec=0.02, cap_sec=0.2),
        )
        task = asyncio.ensure_future(work)
        try:
            yield
        finally:
            assert not task.done(), "the gateway runs until it is stopped"
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return running


class ManualClock:
    """Time that a test turns by hand. `slept` is every wait that was asked for; with `runs` each ends at once, taking
    its time from the clock; without, it ends when `advance` gets there."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.runs = False
        self.slept: list[float] = []
        self._waiting: list[tuple[float, asyncio.Event]] = []

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_770_000_000 + self.seconds, UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.runs:
            self.seconds += seconds
            await asyncio.sleep(0)
            return
        over = asyncio.Event()
        self._waiting.append((self.seconds + seconds, over))
        await over.wait()

    @property
    def waiting(self) -> int:
        """How many wait for `advance`."""
        return len(self._waiting)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        for until, over in self._waiting:
            if until <= self.seconds:
                over.set()
        self._waiting = [entry for entry in self._waiting if not entry[1].is_set()]


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()
