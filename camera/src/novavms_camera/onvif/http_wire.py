"""One HTTP connection: requests that wait their turn, and the answers' bytes as they come."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Final, cast

from novavms_camera.faults import CameraFault
from novavms_camera.onvif.http_answer import AnswerReader, NotHttp, Response

_FLUSH_SEC: Final = 0.5


class Wire(asyncio.Protocol):
    """One connection. Requests leave in turn, each the moment that the answer to the one before is whole: what we make of an
    answer takes none of the camera's time. What comes unasked ends it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._queue: deque[tuple[bytes, asyncio.Future[Response | None]]] = deque()
        """The first one has been sent."""
        self._reader = AnswerReader()
        self._closed = self._loop.create_future()
        self.is_used = False
        """An answer came over it."""
        self.is_usable = True

    @property
    def is_busy(self) -> bool:
        return bool(self._queue)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> ssl.SSLObject:
        """Raises OSError, TimeoutError or ValueError where it does not succeed."""
        assert self._transport is not None
        transport = await self._loop.start_tls(self._transport, self, context, server_hostname=host)
        if transport is None:
            raise ConnectionResetError
        self._transport = transport
        ssl_object: ssl.SSLObject = transport.get_extra_info("ssl_object")
        return ssl_object

    async def exchange(self, request: bytes) -> Response | None:
        """None where the connection ended before an answer began. Raises NotHttp, CameraFault camera_error."""
        if not self.is_usable:
            return None
        waiting: asyncio.Future[Response | None] = self._loop.create_future()
        entry = (request, waiting)
        self._queue.append(entry)
        if len(self._queue) == 1:
            self._send_first()
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._queue and self._queue[0] is entry:
                self._drop()  # its answer would be taken for the next one's
            elif entry in self._queue:
                self._queue.remove(entry)
            raise

    def _send_first(self) -> None:
        assert self._transport is not None
        self._reader = AnswerReader()
        self._transport.write(self._queue[0][0])

    def begin_close(self) -> None:
        self.is_usable = False
        if self._transport is not None:
            self._transport.close()

    async def close(self) -> None:
        self.begin_close()
        if self._transport is None or self._closed.done():
            return
        await asyncio.sleep(0)  # lets the loop close the socket, which is all there is to it without TLS
        if not self._closed.done():
            await asyncio.wait({self._closed}, timeout=_FLUSH_SEC)
        if not self._closed.done():
            self._transport.abort()

    # ---- asyncio.Protocol ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no instance of asyncio's class

    def data_received(self, data: bytes) -> None:
        if not self._queue:
            self._drop()
            return
        try:
            answer = self._reader.feed(data)
        except (NotHttp, CameraFault) as error:
            self._settle(error)
            self._drop()
            return
        if answer is None:
            return
        self.is_used = True
        self._settle(answer)
        if not self._reader.keeps_alive:
            self.is_usable = False
            self._fail_all()
        elif self._queue:
            self._send_first()

    def _settle(self, outcome: Response | Exception | None) -> None:
        """Gives the first request in the queue what became of it."""
        _, waiting = self._queue.popleft()
        if waiting.done():
            return
        if isinstance(outcome, Exception):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)

    def _fail_all(self) -> None:
        while self._queue:
            self._settle(None)

    def _drop(self) -> None:
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_usable = False
        if not self._closed.done():
            self._closed.set_result(None)
        if self._queue:
            answer = self._reader.end() if exc is None else None
            cut_off = answer is None and self._reader.has_begun
            self._settle(
                CameraFault("camera_error", "closed the connection in the middle of its answer")
                if cut_off
                else answer
            )
        self._fail_all()
