"""Real WebRTC for go2rtc's stand-in: tests/witness/webrtc_peer.py, in the witness's environment."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent.parent
PROGRAM = TESTS / "witness" / "webrtc_peer.py"
PYTHON = TESTS.parent / ".cache/witness/bin/python"
"""Of the dependency group `witness`, made by .ci/run; CONTRIBUTING.md has the two commands."""
LINE_MAX = 1 << 20
ENDS_WITHIN_SEC = 10.0


class WebRtcPeer:
    """Answers offers with a camera's real packets."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        while line := await self._stdout.readline():
            said = json.loads(line)
            self._waiting.pop(said["id"]).set_result(said)
        for future in self._waiting.values():
            future.set_exception(ConnectionError("the WebRTC peer has ended"))

    async def answer(self, source: str, offer: str) -> str | None:
        """None: it could not be answered."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._say({"id": number, "src": source, "offer": offer})
        answer: str | None = (await future).get("answer")
        return answer

    def silence(self, on: bool) -> None:
        """Nobody gets a packet while it is on; connections stay."""
        self._say({"silent": on})

    def _say(self, message: dict[str, Any]) -> None:
        self._stdin.write(json.dumps(message).encode() + b"\n")


@asynccontextmanager
async def webrtc_peer() -> AsyncIterator[WebRtcPeer]:
    """Skips the test where aiortc is missing."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(str(PYTHON), str(PROGRAM)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LINE_MAX,
        )
    except OSError:
        pytest.skip("witness missing: aiortc, in .cache/witness (dependency group witness)")
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if not await process.stdout.readline():
            pytest.skip("witness missing: aiortc, in .cache/witness (dependency group witness)")
        peer = WebRtcPeer(process)
        listening = asyncio.create_task(peer.listen())
        try:
            yield peer
        finally:
            listening.cancel()
            await asyncio.wait([listening])
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(ENDS_WITHIN_SEC):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
