"""Hearing the other side of a request that is still being sent: httpx looks for the answer only after its end."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import suppress
from typing import Any, Final

from novavms_gateway.kit.tasks import Tasks

UNSENT_MAX_BYTES: Final = 128 * 1024
"""The kernel takes no more beyond what is on its way: megabytes in there would be seconds between camera and viewer."""
UNHEARD_MAX_MS: Final = 20_000
"""After this long without a word from the other side's kernel the connection is given up: of a camera that is away there is too
little to send for that to be noticed otherwise."""
_STATUS: Final = re.compile(rb"HTTP/1\.\d (\d{3})")


class Ear:
    """For one request on a connection of its own: `extensions={"trace": ear.trace}` (httpcore). `heard` returns when the server
    answers or hangs up while the body is still being sent; the request is then to be cancelled."""

    def __init__(self) -> None:
        self.status: int | None = None
        """Of the answer, where there was one."""
        self._stream: Any = None
        self._tasks = Tasks()
        self._heard = asyncio.Event()

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream = info["return_value"]
            _tune(self._stream.get_extra_info("socket"))
        elif event.endswith(".send_request_body.started") and self._stream is not None:
            self._tasks.start(self._listen())
        elif event.endswith(".receive_response_headers.started"):
            await self.close()

    async def heard(self) -> None:
        await self._heard.wait()

    async def close(self) -> None:
        await self._tasks.end()

    async def _listen(self) -> None:
        with suppress(Exception):  # in whichever way it broke, nobody is there any more
            match = _STATUS.match(await self._stream.read(64))
            self.status = int(match[1]) if match else None
        self._heard.set()


def _tune(sock: Any) -> None:
    """As far as the system knows these (tcp(7))."""
    wishes = {"TCP_NOTSENT_LOWAT": UNSENT_MAX_BYTES, "TCP_USER_TIMEOUT": UNHEARD_MAX_MS}
    for name, value in wishes.items():
        if sock is not None and hasattr(socket, name):
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
