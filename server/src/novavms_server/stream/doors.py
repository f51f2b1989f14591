"""The two ways in: server-sent events (HTML Living Standard, 9.2) and a WebSocket (RFC 6455).

Who comes by WebSocket shows its credential in the header, or where it can't set one (browsers) in its first message. It is in
no address, which proxies log, and in no subprotocol, which servers echo.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl

import msgspec
from litestar.exceptions import WebSocketException
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from novavms_server.kit.caller import Caller
from novavms_server.kit.database import DATABASE_AWAY, away
from novavms_server.kit.edge import Authenticator, client_of
from novavms_server.kit.errors import ApiError, AuthRequired, RateLimited
from novavms_server.kit.ids import new_request_id
from novavms_server.kit.limits import Limiter
from novavms_server.stream.asked import read_asked
from novavms_server.stream.items import Form
from novavms_server.stream.reader import EndReason, Gone
from novavms_server.stream.service import Opening, Streams

log = logging.getLogger("novavms.stream")

AUTH_SEC: Final = 10.0
AUTH_MAX_CHARS: Final = 8192
_CLOSE_CODES: Final[dict[str, int]] = {"token_expired": 1008, "revoked": 1008, "shutting_down": 1012}


class EventStream(ASGIResponse):
    """The answer that goes on."""

    def __init__(self, streams: Streams, opening: Opening) -> None:
        # Nothing of the base: its answers have an end.
        self._streams = streams
        self._opening = opening

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store, no-transform"),
            (b"x-accel-buffering", b"no"),  # nginx would hold it back
        ]
        with self._streams.reading(self._opening, _Events(send)) as reader:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            reader.begin(lost=self._opening.lost)
            while (await receive())["type"] != "http.disconnect":
                pass


class _Events:
    form: Form = "sse"

    def __init__(self, send: Send) -> None:
        self._send = send

    async def send(self, texts: list[str]) -> None:
        # To a client that is gone the HTTP server sends nothing, and says nothing.
        await self._send({"type": "http.response.body", "body": "".join(texts).encode(), "more_body": True})

    async def close(self, reason: EndReason) -> None:
        body = b""
        if reason == "shutting_down":  # all of them at once would find the next server busy
            body = b"retry: %d\n\n" % random.randint(500, 5000)  # noqa: S311
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


class _Messages:
    form: Form = "json"

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    async def send(self, texts: list[str]) -> None:
        for text in texts:
            await self._put({"type": "websocket.send", "text": text})

    async def close(self, reason: EndReason) -> None:
        await self._put({"type": "websocket.close", "code": _CLOSE_CODES[reason], "reason": reason})

    async def _put(self, message: dict[str, Any]) -> None:
        try:
            await self._wire.send(message)
        except (
            OSError,
            RuntimeError,
            WebSocketException,
        ) as error:  # by whichever the server tells of a closed socket
            raise Gone from error


class StreamDoor:
    """WebSockets. They do not pass the edge, so that who comes by one is asked, and counted, here."""

    def __init__(
        self, streams: Streams, authenticator: Authenticator, limiter: Limiter, anonymous: Limiter
    ) -> None:
        self._streams = streams
        self._authenticator = authenticator
        self._limiter = limiter
        self._anonymous = anonymous

    async def serve(self, wire: Any) -> None:
        """The whole life of one socket."""
        await wire.receive()  # websocket.connect
        scope = cast("dict[str, Any]", wire.scope)
        accepted = False
        try:
            try:
                asked = read_asked(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
                authorization = wire.headers.get("authorization")
                if authorization is None:
                    await self._take(self._anonymous, client_of(cast("Any", scope)))
                    await wire.send({"type": "websocket.accept", "subprotocol": None, "headers": []})
                    accepted = True
                    authorization = await _first_message(wire)
                opening = await self._open(
                    authorization, asked, client_of(cast("Any", scope)), counted=accepted
                )
            except DATABASE_AWAY as error:
                raise away(error) from None
        except ApiError as refusal:
            await _refuse(wire, refusal, accepted)
            return
        except (TimeoutError, WebSocketException):
            return
        with self._streams.reading(opening, _Messages(wire)) as reader:
            if not accepted:
                await wire.send({"type": "websocket.accept", "subprotocol": None, "headers": []})
            reader.begin(lost=opening.lost)
            while (await wire.receive())["type"] != "websocket.disconnect":
                pass

    async def _open(self, authorization: str, asked: Any, client: str, *, counted: bool) -> Opening:
        caller = await self._authenticator.identify(authorization)
        if not isinstance(caller, Caller):
            if not counted:
                await self._take(self._anonymous, client)
            raise caller
        await self._take(self._limiter, caller.label)
        return await self._streams.open(caller, authorization, asked.wanted, asked.last_event_id)

    async def _take(self, limiter: Limiter, name: str) -> None:
        verdict = await limiter.take(name)
        if not verdict.allowed:
            raise RateLimited(retry_after_sec=verdict.retry_after_sec)


async def _first_message(wire: Any) -> str:
    """`{"type": "auth", "token": "…"}`, within ten seconds. Raises AuthRequired, TimeoutError."""
    async with asyncio.timeout(AUTH_SEC):
        event = await wire.receive()
    if event["type"] != "websocket.receive":
        raise TimeoutError
    text = event.get("text") or event.get("bytes") or ""
    try:
        if len(text) > AUTH_MAX_CHARS:
            raise AuthRequired(_FIRST)
        said = msgspec.json.decode(text, type=_Auth)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise AuthRequired(_FIRST) from None
    return f"Bearer {said.token}"


_FIRST: Final = (
    'Send {"type": "auth", "token": "…"} as the first message, or the header Authorization: Bearer …'
)


class _Auth(msgspec.Struct):
    type: Literal["auth"]
    token: str

    def __repr__(self) -> str:
        return "_Auth(…)"


async def _refuse(wire: Any, refusal: ApiError, accepted: bool) -> None:
    """As an HTTP answer while it is still one, else as the last message."""
    body = msgspec.json.encode(refusal.body(new_request_id()))
    try:
        if accepted:
            await wire.send({"type": "websocket.send", "text": body.decode()})
            await wire.send({"type": "websocket.close", "code": 1008, "reason": refusal.code})
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
        await wire.send(
            {"type": "websocket.http.response.start", "status": refusal.status, "headers": headers}
        )
        await wire.send({"type": "websocket.http.response.body", "body": body})
    except Exception as error:
        log.debug("a stream's client went before it was refused: %s", type(error).__name__)
