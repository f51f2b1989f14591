"""The server's end of all gateway sockets, for the other domains: ask a gateway, hear its reports, have its desired state
told anew.

Domains register what they want to hear before the server starts. Handlers run in a transaction of the gateway's org:

    hub.describe = async (connection, gateway) -> DesiredState        what the gateway is to do (cameras)
    hub.on_report(CameraStatus, async (connection, gateway, body, report) -> refusal | None)
    hub.on_hello / on_online / on_offline

A report's transaction also holds its id, so that a repeat is shrugged at and a report is taken in once or not at all.
A handler takes no lock on `gateways` (offline: the row is locked before the handlers run, hello and online: too).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from novavms_protocol import DesiredState, Hello, Reply, Report, Request
from novavms_protocol.messages import ReportBody, RequestBody
from novavms_server.gateways.errors import GatewayOffline, GatewayTimeout
from novavms_server.gateways.models import GatewayRef
from novavms_server.kit.database import Connection
from novavms_server.kit.metrics import Metrics

Describe = Callable[[Connection, GatewayRef], Awaitable[DesiredState]]
OnReport = Callable[[Connection, GatewayRef, Any, Report], Awaitable[str | None]]
OnHello = Callable[[Connection, GatewayRef, Hello], Awaitable[None]]
OnChange = Callable[[Connection, GatewayRef], Awaitable[None]]
OnProgress = Callable[[dict[str, Any]], None]


class Socket:
    """What the hub needs of a link (see link.Link, which is one)."""

    __slots__ = ("connection_id", "gateway", "has_go2rtc")
    gateway: GatewayRef
    connection_id: UUID
    """Given at arrival, under the gateway's row lock: the greater one is the newer."""
    has_go2rtc: bool
    """As its hello said: it takes AnswerOffer."""

    def send_request(self, request: Request) -> None:
        raise NotImplementedError

    def tell_state(self) -> None:
        """The desired state changed (or may have): send it soon; many calls become one message."""
        raise NotImplementedError

    def end(self, reason: str, message: str = "") -> None:
        """Say Goodbye and close. Returns at once."""
        raise NotImplementedError


class _Waiting:
    __slots__ = ("answer", "on_progress", "socket")

    def __init__(self, socket: Socket, answer: asyncio.Future[Reply], on_progress: OnProgress | None) -> None:
        self.socket = socket
        self.answer = answer
        self.on_progress = on_progress


class GatewayHub:
    """Knows the socket of each connected gateway, and who listens. Sockets of other servers are not reached."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._sockets: dict[UUID, Socket] = {}
        self._waiting: dict[UUID, _Waiting] = {}
        self.describe: Describe = _nothing_to_do
        self.report_handlers: dict[type[ReportBody], OnReport] = {}
        self.hello_handlers: list[OnHello] = []
        self.online_handlers: list[OnChange] = []
        self.offline_handlers: list[OnChange] = []

    # ---- for the other domains

    async def request(
        self,
        gateway_id: UUID,
        body: RequestBody,
        *,
        timeout_sec: float,
        on_progress: OnProgress | None = None,
    ) -> Reply:
        """Ask, and wait for the one reply (which may say `ok=False`). Hold no database connection meanwhile.

        Raises GatewayOffline at once when there is no socket, and when it closes before the reply; GatewayTimeout after
        `timeout_sec`. `on_progress` hears the stages of a check as they end.
        """
        socket = self._sockets.get(gateway_id)
        if socket is None:
            raise GatewayOffline
        request = Request(id=uuid4(), timeout_sec=timeout_sec, body=body)
        waiting = _Waiting(socket, asyncio.get_running_loop().create_future(), on_progress)
        self._waiting[request.id] = waiting
        try:
            async with asyncio.timeout(timeout_sec):
                socket.send_request(request)
                return await waiting.answer
        except TimeoutError:
            raise GatewayTimeout from None
        finally:
            del self._waiting[request.id]
            if waiting.answer.done() and not waiting.answer.cancelled():
                waiting.answer.exception()  # looked at, although the wait ended in the same moment

    def is_connected(self, gateway_id: UUID) -> bool:
        """Whether its socket is at this server, greeted, and open."""
        return gateway_id in self._sockets

    def nudge(self, gateway_id: UUID) -> None:
        """The desired state changed and is committed: `work.after_commit(lambda: hub.nudge(id))`. A nudge that is lost
        (the socket is at another server) is made good by the heartbeat's look at `state_version`, 15 s at most later."""
        socket = self._sockets.get(gateway_id)
        if socket is not None:
            socket.tell_state()

    def drop(self, gateway_id: UUID, reason: str, message: str = "") -> None:
        """Goodbye(`reason`) and close, if there is a socket."""
        socket = self._sockets.get(gateway_id)
        if socket is not None:
            socket.end(reason, message)

    def on_report(self, kind: type[ReportBody], handler: OnReport) -> None:
        """One handler for each kind. It answers None, or a refusal: a stable word such as `unknown_camera`."""
        assert kind not in self.report_handlers, f"{kind.__name__} has a handler"
        self.report_handlers[kind] = handler

    def on_hello(self, handler: OnHello) -> None:
        """Each arrival, also of a gateway that was online all the time as far as anybody noticed."""
        self.hello_handlers.append(handler)

    def on_online(self, handler: OnChange) -> None:
        self.online_handlers.append(handler)

    def on_offline(self, handler: OnChange) -> None:
        self.offline_handlers.append(handler)

    # ---- for the links

    def add(self, socket: Socket) -> None:
        """From now on requests go here; an older socket of the same gateway is told that it was replaced."""
        older = self._sockets.get(socket.gateway.id)
        if older is not None and older.connection_id > socket.connection_id:
            socket, older = older, socket  # two at once: the database says which was the last to arrive
        self._sockets[socket.gateway.id] = socket
        if older is not None:
            older.end("replaced", "Another connection of this gateway took over.")
            self._break_requests(older)
        self._metrics.gateways_connected.set(len(self._sockets))

    def remove(self, socket: Socket) -> bool:
        """The socket closed. True if it was the one that counts."""
        self._break_requests(socket)
        if self._sockets.get(socket.gateway.id) is not socket:
            return False
        del self._sockets[socket.gateway.id]
        self._metrics.gateways_connected.set(len(self._sockets))
        return True

    def sockets(self) -> list[Socket]:
        return list(self._sockets.values())

    def find(self, gateway_id: UUID) -> Socket | None:
        return self._sockets.get(gateway_id)

    def replied(self, socket: Socket, reply: Reply) -> None:
        """A reply that nobody waits for (any more), or to another gateway's request, is thrown away."""
        waiting = self._waiting.get(reply.id)
        if waiting is not None and waiting.socket is socket and not waiting.answer.done():
            waiting.answer.set_result(reply)

    def progressed(self, socket: Socket, request_id: UUID, stage: dict[str, Any]) -> None:
        waiting = self._waiting.get(request_id)
        if waiting is not None and waiting.socket is socket and waiting.on_progress is not None:
            waiting.on_progress(stage)

    def _break_requests(self, socket: Socket) -> None:
        for waiting in self._waiting.values():
            if waiting.socket is socket and not waiting.answer.done():
                waiting.answer.set_exception(
                    GatewayOffline("The gateway's connection broke before it answered; try again.")
                )


async def _nothing_to_do(connection: Connection, gateway: GatewayRef) -> DesiredState:
    """Until the cameras' domain says otherwise."""
    del connection, gateway
    return DesiredState(version=0, cameras=[])
