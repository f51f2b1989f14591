"""Requests in: each runs as its own task, within its deadline, and gets exactly one reply."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol
from urllib.parse import urljoin, urlsplit

from novavms_gateway.kit.tasks import Tasks
from novavms_protocol import CheckProgress, FromGateway, Reply, Request, encode

log = logging.getLogger(__name__)

RUNNING_MAX: Final = 32
"""Requests at work at once; a server that asks more than a small box can do is told `busy`, not made to wait."""

REPLY_MAX_BYTES: Final = 900 * 1024
"""The server takes no message over 1 MiB: it ends the connection of whoever sends one."""

Send = Callable[[FromGateway], Awaitable[None]]
Progress = Callable[[dict[str, Any]], None]


class RequestRefusedError(Exception):
    """The request cannot be served now; the words go to the server as they are."""

    def __init__(
        self,
        error: Literal[
            "unknown_camera",
            "not_online",
            "busy",
            "unsupported",
            "internal",
            "gone",
            "no_footage",
            "go2rtc_away",
            "refused",
        ],
        message: str,
    ) -> None:
        super().__init__(f"{error}: {message}")
        self.error = error
        self.message = message


def own_address(server_url: str, url: str) -> str:
    """In full, and on our server: the gateway's token goes nowhere else. Raises RequestRefusedError."""
    full = urljoin(f"{server_url}/", url)
    ours, theirs = urlsplit(server_url), urlsplit(full)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        raise RequestRefusedError("unsupported", "The address is not the server's own.")
    return full


class Handler(Protocol):
    async def __call__(self, request: Request, progress: Progress) -> dict[str, Any]:
        """The reply's `result`. Raises RequestRefusedError. Is cancelled at the deadline and when the socket closes."""


class Desk:
    """Serves the requests of one connection; `end` when it closes: nobody is left to read the replies."""

    def __init__(self, handler: Handler, send: Send) -> None:
        self._handler = handler
        self._send = send
        self._tasks = Tasks()
        self._out: asyncio.Queue[FromGateway] = asyncio.Queue()

    async def run(self) -> None:
        """Sends what the requests have to say, in the order they said it; until cancelled, or the socket fails."""
        while True:
            await self._send(await self._out.get())

    def take(self, request: Request) -> None:
        self._tasks.start(self._serve(request, refuse=len(self._tasks) >= RUNNING_MAX))

    async def end(self) -> None:
        await self._tasks.end()

    async def _serve(self, request: Request, *, refuse: bool) -> None:
        def progress(stage: dict[str, Any]) -> None:
            self._out.put_nowait(CheckProgress(id=request.id, stage=stage))

        kind = type(request.body).__name__
        try:
            if refuse:
                raise RequestRefusedError("busy", "The gateway already works on too many requests.")
            async with asyncio.timeout(request.timeout_sec):
                result = await self._handler(request, progress)
            reply = Reply(id=request.id, ok=True, result=result)
        except RequestRefusedError as refusal:
            reply = Reply(id=request.id, ok=False, error=refusal.error, message=refusal.message)
        except TimeoutError:
            reply = Reply(
                id=request.id, ok=False, error="internal", message="The gateway did not finish in time."
            )
        except Exception:
            # The one place that stands between a bug of ours in one request and the whole connection.
            log.exception("request failed", extra={"facts": {"request": kind, "id": request.id}})
            reply = Reply(id=request.id, ok=False, error="internal", message="The gateway failed.")
        if len(encode(reply)) > REPLY_MAX_BYTES:
            reply = Reply(
                id=request.id, ok=False, error="internal", message="The answer is too large to send."
            )
        self._out.put_nowait(reply)
