"""The socket to the server: one out, kept up for ever.

Liveness costs nothing extra: telemetry every 15 s is acknowledged, so each side hears the other; only a line that was
silent for 20 s is asked by a Ping, and given up after 40 s. The library's own pings and its compression are off: with
thousands of gateways on a server they would be most of the traffic, and most of the memory.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol
from uuid import UUID

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.tasks import race
from novavms_gateway.link.outbox import Outbox
from novavms_gateway.link.requests import Desk, Handler
from novavms_gateway.storage.identity import Identity
from novavms_protocol import (
    Ack,
    DesiredState,
    FromGateway,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Reply,
    Request,
    decode_from_server,
    encode,
)

log = logging.getLogger(__name__)

OPEN_TIMEOUT_SEC: Final = 10.0
CLOSE_TIMEOUT_SEC: Final = 2.0
ASK_AFTER_SEC: Final = 20.0
GIVE_UP_AFTER_SEC: Final = 40.0
SETTLED_AFTER_SEC: Final = 10.0
"""A connection that held this long proves the server well; one that drops sooner keeps the back-off growing."""
REFUSED_RETRY_SEC: Final = 60.0
MESSAGE_MAX_BYTES: Final = 8 * 1024 * 1024
"""A desired state of thousands of cameras is under 2 MB."""
SHUTDOWN_ATTEMPT: Final = 2
"""After a server that said it shuts down, the first return is spread over 4 s: its gateways all heard it at once."""


class Station(Protocol):
    """The gateway's own side of the conversation."""

    async def hello(self) -> Hello: ...

    def desired_state(self, state: DesiredState, *, first: bool) -> None:
        """Takes the new state without waiting; `first` on this connection: it is the truth, whatever its version."""


class Socket(Protocol):
    """An open WebSocket. All raise `websockets.ConnectionClosed` or OSError once it is closed."""

    async def send(self, message: str, /) -> None: ...

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Ends where it was closed in order."""

    @property
    def transport(self) -> asyncio.Transport:
        """`abort` closes it at once."""


class Connect(Protocol):
    """Opens the socket; a simulation has its own. Raises OSError, TimeoutError, WebSocketException."""

    def __call__(self, identity: Identity, user_agent: str, /) -> AbstractAsyncContextManager[Socket]: ...


def open_socket(identity: Identity, user_agent: str) -> AbstractAsyncContextManager[Socket]:
    """To the server, over the network."""
    return connect(
        identity.socket_url,
        additional_headers={"Authorization": identity.authorization},
        user_agent_header=user_agent,
        compression=None,
        open_timeout=OPEN_TIMEOUT_SEC,
        close_timeout=CLOSE_TIMEOUT_SEC,
        ping_interval=None,
        max_size=MESSAGE_MAX_BYTES,
    )


class _SilentError(Exception):
    """The server said nothing for too long."""


class _Frame(msgspec.Struct):
    """The least a message has, for those a newer server sends."""

    type: str = ""
    id: str | None = None


class Link:
    def __init__(
        self,
        identity: Identity,
        *,
        station: Station,
        handler: Handler,
        outbox: Outbox,
        clock: Clock,
        backoff: Backoff,
        user_agent: str,
        connect: Connect = open_socket,
    ) -> None:
        self._identity = identity
        self._connect = connect
        self._station = station
        self._handler = handler
        self._outbox = outbox
        self._clock = clock
        self._backoff = backoff
        self._user_agent = user_agent
        self._heard_at = 0.0
        self._goodbye: Goodbye | None = None
        self._greeted_at: float | None = None
        self._greeted = asyncio.Event()

    @property
    def connected(self) -> bool:
        """The server greeted us on the present connection."""
        return self._greeted_at is not None

    async def run(self) -> None:
        """For ever; cancel to stop, which closes the socket."""
        while True:
            wait_sec = await self._connect_once()
            log.info("server away, trying again", extra={"facts": {"wait_sec": round(wait_sec, 1)}})
            await self._clock.sleep(wait_sec)

    async def _connect_once(self) -> float:
        """One connection from its opening to its end; seconds to wait before the next."""
        self._goodbye = None
        self._greeted_at = None
        try:
            async with self._connect(self._identity, self._user_agent) as socket:
                await self._talk(socket)
        except InvalidStatus as error:
            return self._refused(error.response.status_code)
        except ssl.SSLError as error:
            log.error("the server's certificate is not accepted", extra={"facts": {"error": error.reason}})
        except (OSError, TimeoutError, WebSocketException, _SilentError) as error:
            log.warning("connection to the server failed", extra={"facts": {"error": type(error).__name__}})
        return self._wait_after_end()

    def _refused(self, status: int) -> float:
        if status in (401, 403, 404):
            log.error(
                "the server does not accept this gateway (removed, or paired anew elsewhere); to use it again, "
                "make a pairing code and run: novavms-gateway pair --force",
                extra={"facts": {"status": status}},
            )
            return REFUSED_RETRY_SEC
        log.warning("the server refused the connection", extra={"facts": {"status": status}})
        return self._backoff.next_sec()

    def _wait_after_end(self) -> float:
        greeted_at, self._greeted_at = self._greeted_at, None
        if greeted_at is not None and self._clock.monotonic() - greeted_at >= SETTLED_AFTER_SEC:
            self._backoff.reset()
        match self._goodbye and self._goodbye.reason:
            case "replaced":
                log.error("another box uses this gateway's identity: only one may, this one steps back")
                return REFUSED_RETRY_SEC
            case "revoked" | "protocol" as reason:
                log.error("the server ended the connection for good", extra={"facts": {"reason": reason}})
                return REFUSED_RETRY_SEC
            case "shutting_down":
                self._backoff.at_least_attempt(SHUTDOWN_ATTEMPT)
        return self._backoff.next_sec()

    async def _talk(self, socket: Socket) -> None:
        async def send(message: FromGateway) -> None:
            await socket.send(encode(message))

        self._heard_at = self._clock.monotonic()
        self._greeted.clear()
        await socket.send(encode(await self._station.hello()))
        desk = Desk(self._handler, send)
        try:
            await race(
                self._receive(socket, desk),
                desk.run(),
                self._send_reports(socket),
                self._watch_silence(socket),
            )
        finally:
            await desk.end()

    async def _receive(self, socket: Socket, desk: Desk) -> None:
        async for frame in socket:
            self._heard_at = self._clock.monotonic()
            try:
                message = decode_from_server(frame)
            except (msgspec.DecodeError, UnicodeDecodeError):
                await self._answer_unknown(socket, frame)
                continue
            match message:
                case DesiredState():
                    first = self._greeted_at is None
                    if first:
                        self._greet()
                    self._station.desired_state(message, first=first)
                case Request():
                    desk.take(message)
                case Ack():
                    await self._acknowledged(message)
                case Ping():
                    await socket.send(encode(Pong(nonce=message.nonce)))
                case Goodbye():
                    self._goodbye = message
                case Pong():
                    pass

    async def _acknowledged(self, ack: Ack) -> None:
        if ack.refused is not None:
            log.warning("report refused", extra={"facts": {"reason": ack.refused}})
        try:
            await self._outbox.acknowledged(ack.id)
        except sqlite3.OperationalError as error:
            # It is sent again after the next start, and the server drops it as a repeat.
            log.error("journal not writable", extra={"facts": {"error": error}})

    def _greet(self) -> None:
        self._greeted_at = self._clock.monotonic()
        self._greeted.set()
        log.info("connected", extra={"facts": {"server": self._identity.server_url}})

    async def _answer_unknown(self, socket: Socket, frame: str | bytes) -> None:
        """A newer server may send what we do not know: a request is told so, the rest is skipped."""
        try:
            known = msgspec.json.decode(frame, type=_Frame)
        except (msgspec.DecodeError, UnicodeDecodeError):
            known = _Frame()
        log.warning("message not understood", extra={"facts": {"type": known.type[:40]}})
        if known.type == "request" and known.id is not None:
            try:
                request_id = msgspec.convert(known.id, type=UUID)
            except msgspec.ValidationError:
                return
            message = "This gateway's version does not know this request."
            await socket.send(encode(Reply(id=request_id, ok=False, error="unsupported", message=message)))

    async def _send_reports(self, socket: Socket) -> None:
        """Nothing before the greeting: a server that has not answered Hello is not ready for reports."""
        await self._greeted.wait()
        self._outbox.begin_connection()
        while True:
            for report in self._outbox.take_due():
                await socket.send(encode(report))
            await self._outbox.wait()

    async def _watch_silence(self, socket: Socket) -> None:
        while True:
            silent_sec = self._clock.monotonic() - self._heard_at
            if silent_sec >= GIVE_UP_AFTER_SEC:
                socket.transport.abort()  # a closing handshake with nobody would only wait again
                raise _SilentError
            if silent_sec >= ASK_AFTER_SEC:
                await socket.send(encode(Ping()))
                await self._clock.sleep(GIVE_UP_AFTER_SEC - silent_sec)
            else:
                await self._clock.sleep(ASK_AFTER_SEC - silent_sec)
