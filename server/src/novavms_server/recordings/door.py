"""The two ends of a relay over HTTP: the gateway's PUT comes in, the answer of whoever asked goes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol

from litestar import Request
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from novavms_server.clips.errors import WrongSize
from novavms_server.gateways.models import GatewayRef
from novavms_server.kit.errors import ValidationError
from novavms_server.kit.tasks import end
from novavms_server.recordings.errors import RelayBroken, RelayUnknown
from novavms_server.recordings.footage import Media
from novavms_server.recordings.relay import SILENCE_SEC, Relay, Relays


class Gateways(Protocol):
    """What is needed of the gateways' own door."""

    async def identify(self, gateway_id: str, authorization: str | None) -> tuple[GatewayRef, bytes]:
        """Whose token this is. Raises AuthRequired or InvalidToken."""


class RelayDoor:
    """Where gateways PUT what somebody waits for."""

    def __init__(self, relays: Relays, gateways: Gateways) -> None:
        self._relays = relays
        self._gateways = gateways

    async def receive(self, request: Request[Any, Any, Any], token: str) -> None:
        """By the gateway's own token, once. Raises RelayUnknown, WrongSize, RelayEnded."""
        relay = self._find(token)
        await self._gateways.identify(str(relay.gateway_id), request.headers.get("authorization"))
        relay = self._find(token)  # it may have ended, or begun by another PUT, meanwhile
        announced = request.headers.get("content-length")
        relay.begun.set()
        is_whole = False
        try:
            if relay.size_bytes is not None and announced not in (None, str(relay.size_bytes)):
                raise WrongSize
            got = 0
            async for piece in _body(request):
                got += len(piece)
                if got > relay.most_bytes:
                    raise WrongSize
                await relay.put(piece)
            is_whole = relay.size_bytes is None or got == relay.size_bytes
            if not is_whole:
                raise WrongSize
        finally:
            relay.end(whole=is_whole)

    def _find(self, token: str) -> Relay:
        relay = self._relays.find(token)
        if relay is None or relay.begun.is_set():
            raise RelayUnknown
        return relay


async def _body(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(SILENCE_SEC):
                message = await request.receive()
        except TimeoutError:
            raise ValidationError("The request's body stopped coming.") from None
        if message["type"] != "http.request":
            raise ValidationError("The gateway went away before its request was whole.")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


class Poured(ASGIResponse):
    """An answer of bytes that are here, or are poured out of a relay. Who hangs up ends the relay at once; a relay that breaks off ends the answer
    short of its Content-Length, which every client notices."""

    def __init__(self, media: Media | bytes, status: int, headers: dict[str, str]) -> None:
        # Nothing of the base: its answers are there before they begin.
        self._media = media
        self._status = status
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        if isinstance(self._media, bytes):
            await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
            await send({"type": "http.response.body", "body": self._media, "more_body": False})
            return
        media = self._media
        pump = asyncio.create_task(self._pump(media, send))
        hang_up = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({pump, hang_up}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end([pump, hang_up])
            media.close()

    async def _pump(self, media: Media, send: Send) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        try:
            async for piece in media:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except RelayBroken:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
