"""One gateway's socket, from the knock to the goodbye.

1. Knock: the token is judged before the socket is accepted; a wrong one gets an HTTP answer, 401.
2. Hello within 10 s. In one transaction the gateway becomes online under this connection's id and its desired state is read.
3. The desired state goes out, then the hub sends requests here; a socket that was there before is told that it was replaced.
4. Reports are taken in one after the other, acknowledged once they are committed. While one waits for the database, nothing
   more is read from the socket: the sender waits, not our memory. The other way, a gateway that does not read is dropped
   when its queue is full.

An idle link costs one task and no queue: the writer's task lives only while there is something to send.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar.exceptions import WebSocketException

from novavms_protocol import (
    PROTOCOL_VERSION,
    Ack,
    Applied,
    CheckProgress,
    DesiredState,
    FromServer,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Reply,
    Report,
    Request,
    Telemetry,
    decode_from_gateway,
    encode,
)
from novavms_server.gateways.arrivals import Arrivals, LostGateway, storable
from novavms_server.gateways.errors import GatewayOffline
from novavms_server.gateways.hub import GatewayHub, Socket
from novavms_server.gateways.models import GatewayRef
from novavms_server.gateways.outgoing import Outgoing, Wire
from novavms_server.gateways.presence import Presence
from novavms_server.kit.clock import is_storable
from novavms_server.kit.database import DATABASE_AWAY
from novavms_server.kit.errors import ApiError
from novavms_server.kit.ids import new_id

log = logging.getLogger("novavms.gateways")

HELLO_SEC: Final = 10.0
MESSAGE_MAX_BYTES: Final = 1024 * 1024
GOODBYE_SEC: Final = 2.0
_CLOSE_CODES: Final = {"replaced": 1000, "revoked": 1008, "protocol": 1008, "shutting_down": 1012}


class GatewayDoor:
    """Accepts sockets. One for the server."""

    def __init__(self, hub: GatewayHub, arrivals: Arrivals, presence: Presence) -> None:
        self._hub = hub
        self._arrivals = arrivals
        self._presence = presence

    async def serve(self, gateway_id: str, authorization: str | None, wire: Any) -> None:
        """The whole life of one socket."""
        await wire.receive()  # websocket.connect
        try:
            gateway, token_hash = await self._arrivals.identify(gateway_id, authorization)
        except ApiError as refusal:
            await _reject(wire, refusal.status, refusal.code, refusal.message)
            return
        except DATABASE_AWAY:
            await _reject(wire, 503, "unavailable", "The database is not available right now; try again.")
            return
        await wire.send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        await Link(self._hub, self._arrivals, self._presence, gateway, token_hash, wire).run()


async def _reject(wire: Wire, status: int, code: str, message: str) -> None:
    body = msgspec.json.encode({"error": code, "message": message})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await wire.send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await wire.send({"type": "websocket.http.response.body", "body": body})


class _BadMessage(Exception):
    """What came is no message of ours; the words are for the gateway's log."""


class Link(Socket):
    __slots__ = (
        *(
            "_arrivals",
            "_ending",
            "_hub",
            "_out",
            "_presence",
            "_reader",
            "_state_task",
            "_state_wanted",
            "_wire",
        ),
        *(
            "applied",
            "asked",
            "heard_at",
            "heard_mono",
            "point_minute",
            "sent_version",
            "telemetry",
            "token_hash",
        ),
    )

    def __init__(
        self,
        hub: GatewayHub,
        arrivals: Arrivals,
        presence: Presence,
        gateway: GatewayRef,
        token_hash: bytes,
        wire: Wire,
    ) -> None:
        self.gateway = gateway
        self.connection_id: UUID = new_id()
        self.has_go2rtc = False
        self.heard_at: datetime = arrivals.clock.now()
        self.heard_mono = arrivals.clock.monotonic()
        self.asked = False
        """A Ping is out since the last word heard."""
        self.telemetry: bytes | None = None
        """The newest, as JSON, until it is flushed."""
        self.applied: int | None = None
        self.sent_version = -1
        self.point_minute: datetime | None = None
        self.token_hash = token_hash
        self._hub = hub
        self._arrivals = arrivals
        self._presence = presence
        self._wire = wire
        self._out = Outgoing(wire, self._stuck)
        self._state_task: asyncio.Task[None] | None = None
        self._state_wanted = False
        self._reader: asyncio.Task[Any] | None = None
        self._ending = False

    # ---- the conversation

    async def run(self) -> None:
        self._reader = asyncio.current_task()
        try:
            await self._converse()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._ending or task is None:
                raise
            task.uncancel()  # ours: the socket did not take even the goodbye
        except _BadMessage as error:
            log.warning("gateway %s: %s", self.gateway.id, error)
            self.end("protocol", str(error))
        except LostGateway:
            self.end("revoked", "This gateway was removed or paired anew.")
        except (*DATABASE_AWAY, TimeoutError) as error:
            log.warning("gateway %s: closed for now: %s", self.gateway.id, type(error).__name__)
            self._close(1013)
        except WebSocketException:
            pass
        finally:
            await self._leave()

    async def _leave(self) -> None:
        self._reader = None  # what is left is bounded, and not to be cancelled
        if self._hub.remove(self):
            self._presence.departed(self)
        if self._state_task is not None:
            self._state_task.cancel()
        await self._out.end(GOODBYE_SEC)

    async def _converse(self) -> None:
        async with asyncio.timeout(HELLO_SEC):
            hello = await self._receive()
        if hello is None:
            return
        if not isinstance(hello, Hello):
            raise _BadMessage("the first message must be hello")
        if hello.protocol != PROTOCOL_VERSION:
            raise _BadMessage(f"this server speaks protocol {PROTOCOL_VERSION}; update the gateway")
        self.has_go2rtc = hello.has_go2rtc
        state = await self._arrivals.arrive(self, self.token_hash, hello)
        self.sent_version = state.version
        self._send(state)
        self._presence.arrived(self.gateway.id)
        self._hub.add(self)
        self.tell_state()  # in case it changed between the transaction and now, when nobody could nudge us
        while (message := await self._receive()) is not None:
            await self._take(message)

    async def _receive(self) -> Any:
        """The next message; None at the socket's end. Raises _BadMessage."""
        while True:
            event = await self._wire.receive()
            if event["type"] != "websocket.receive":
                return None
            if self._ending:
                continue
            text = event.get("text") or event.get("bytes") or ""
            if len(text) > MESSAGE_MAX_BYTES:
                raise _BadMessage("a message is larger than 1 MiB")
            self.heard_at, self.heard_mono = self._arrivals.clock.now(), self._arrivals.clock.monotonic()
            self.asked = False
            try:
                return decode_from_gateway(text)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise _BadMessage("a message was not understood") from None

    async def _take(self, message: Any) -> None:
        match message:
            case Report():
                await self._report(message)
            case Reply():
                self._hub.replied(self, message)
            case CheckProgress():
                self._hub.progressed(self, message.id, message.stage)
            case Ping():
                self._send(Pong(nonce=message.nonce))
            case Pong():
                pass
            case _:
                raise _BadMessage("hello comes once")

    async def _report(self, report: Report) -> None:
        body = report.body
        times = (
            value for name in body.__struct_fields__ if isinstance(value := getattr(body, name), datetime)
        )
        if not all(map(is_storable, times)):
            self._send(Ack(id=report.id, refused="invalid"))
            return
        if isinstance(body, Telemetry):
            self.telemetry = storable(body)
            if self.telemetry is None:
                self._send(Ack(id=report.id, refused="invalid"))
                return
        elif isinstance(body, Applied):
            self.applied = max(0, min(body.state_version, self.sent_version))
        elif type(body) not in self._hub.report_handlers:
            self._send(Ack(id=report.id, refused="unsupported"))
            return
        if type(body) in self._hub.report_handlers:
            try:
                refused = await self._arrivals.take_report(self, report)
            except DATABASE_AWAY as error:
                log.warning("gateway %s: report not taken: %s", self.gateway.id, type(error).__name__)
                return  # not acknowledged: it comes again
            except LostGateway:
                raise
            except Exception:
                # A bug of ours in one report must not cost the gateway its connection, nor the report: it comes again.
                log.exception("gateway %s: report %s failed", self.gateway.id, type(body).__name__)
                return
            self._send(Ack(id=report.id, refused=refused))
        else:
            self._send(Ack(id=report.id))

    # ---- for the hub

    def send_request(self, request: Request) -> None:
        if self._ending:
            raise GatewayOffline
        self._send(request)

    def tell_state(self) -> None:
        self._state_wanted = True
        if self._state_task is None and not self._ending:
            self._state_task = asyncio.create_task(self._tell_state())

    def ask(self) -> None:
        """A Ping, once, until something is heard."""
        if not self.asked:
            self.asked = True
            self._send(Ping())

    def end(self, reason: str, message: str = "") -> None:
        if self._ending:
            return
        self._send(Goodbye(reason=reason, message=message))  # type: ignore[arg-type]
        self._close(_CLOSE_CODES[reason])

    def abort(self) -> None:
        """The other side is gone, or does not read: no goodbye."""
        self._ending = True
        asyncio.get_running_loop().call_soon(self._stop_reading)

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    def _stuck(self) -> None:
        log.warning("gateway %s does not read: dropped", self.gateway.id)
        self.abort()

    # ---- out

    def _send(self, message: FromServer) -> None:
        if not self._ending:
            self._out.put(encode(message))

    def _close(self, code: int) -> None:
        if not self._ending:
            self._ending = True
            self._out.close(code)
            asyncio.get_running_loop().call_later(GOODBYE_SEC, self.abort)

    async def _tell_state(self) -> None:
        try:
            while self._state_wanted:
                self._state_wanted = False
                state: DesiredState | None = await self._arrivals.newer_state(self)
                if state is not None and state.version > self.sent_version:
                    self.sent_version = state.version
                    self._send(state)
        except DATABASE_AWAY as error:
            log.warning("gateway %s: state not told yet: %s", self.gateway.id, type(error).__name__)
        except LostGateway:
            self.end("revoked", "This gateway was removed or paired anew.")
        finally:
            self._state_task = None
