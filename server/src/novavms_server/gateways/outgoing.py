"""The way out to one gateway: a queue with bounds, and a task that lives only while there is something to send."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

log = logging.getLogger("novavms.gateways")

QUEUE_MAX: Final = 512
QUEUE_MAX_BYTES: Final = 16 * 1024 * 1024
SEND_SEC: Final = 20.0


class Wire(Protocol):
    """The WebSocket, as ASGI gives it."""

    async def receive(self) -> Any: ...

    async def send(self, message: Any) -> None: ...


class Outgoing:
    """`on_stuck` is called when the other side does not read: the queue is full, or a message waits too long."""

    __slots__ = ("_bytes", "_on_stuck", "_queue", "_wire", "_writer")

    def __init__(self, wire: Wire, on_stuck: Callable[[], None]) -> None:
        self._wire = wire
        self._on_stuck = on_stuck
        self._queue: deque[str | int] = deque()
        self._bytes = 0
        self._writer: asyncio.Task[None] | None = None

    def put(self, text: str) -> None:
        """A message, to be sent soon."""
        if len(self._queue) >= QUEUE_MAX or self._bytes > QUEUE_MAX_BYTES:
            self._on_stuck()
            return
        self._bytes += len(text)
        self._append(text)

    def close(self, code: int) -> None:
        """Close the socket, after what is queued."""
        self._append(code)

    async def end(self, timeout_sec: float) -> None:
        """Wait for what is queued to leave, and then no longer."""
        if self._writer is not None:
            await asyncio.wait([self._writer], timeout=timeout_sec)
        if self._writer is not None:
            self._writer.cancel()

    def _append(self, item: str | int) -> None:
        self._queue.append(item)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._queue:
                item = self._queue.popleft()
                async with asyncio.timeout(SEND_SEC):
                    if isinstance(item, int):
                        await self._wire.send({"type": "websocket.close", "code": item, "reason": ""})
                    else:
                        self._bytes -= len(item)
                        await self._wire.send({"type": "websocket.send", "text": item})
        except TimeoutError:
            self._on_stuck()
        except Exception as error:
            # Whatever the ASGI server says of a socket that is gone; the reader hears it, too.
            log.debug("a gateway's socket: send: %s", type(error).__name__)
            self._queue.clear()
        finally:
            self._writer = None
