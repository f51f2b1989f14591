"""The server's side of the conversation with a gateway, played over real sockets: for tests of the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import uvicorn

from novavms_gateway.storage.identity import Identity
from novavms_protocol import (
    Ack,
    CameraConfig,
    CameraStatus,
    CheckProgress,
    ClipFailed,
    ClipReady,
    DesiredState,
    FromServer,
    Hello,
    LedgerRow,
    LedgerUpdate,
    Ping,
    Pong,
    Reply,
    Report,
    Request,
    decode_from_gateway,
    encode,
)
from novavms_protocol.live import INIT, MEDIA, NOTE, LiveFrame, LiveNote, LiveReader, read_note

Condition = Callable[[], Any]
TOKEN = "gw_test-token-that-must-not-print"


async def wait_until(condition: Condition, *, within_sec: float = 20.0) -> Any:
    """The first true value of `condition`; fails when there is none in time."""
    deadline = asyncio.get_running_loop().time() + within_sec
    while True:
        value = condition()
        if value:
            return value
        assert asyncio.get_running_loop().time() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.01)


class _Uvicorn(uvicorn.Server):
    def capture_signals(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


@dataclass
class Upload:
    """What the store has of one clip."""

    size_bytes: int
    sha256: str
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass
class LiveIn:
    """What came in one live body."""

    frames: list[LiveFrame] = field(default_factory=list)
    hang_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: the answer is given, and the connection closed, in mid-body."""
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: nothing is read from the connection."""
    is_over: bool = False

    @property
    def notes(self) -> list[LiveNote]:
        return [read_note(frame.payload) for frame in self.frames if frame.kind == NOTE]

    @property
    def note(self) -> LiveNote | None:
        """The newest."""
        notes = self.notes
        return notes[-1] if notes else None

    def media(self, since: int = 0) -> list[LiveFrame]:
        return [frame for frame in self.frames[since:] if frame.kind == MEDIA]

    def film(self) -> bytes:
        """What MediaSource would get since the newest init."""
        last = max(number for number, frame in enumerate(self.frames) if frame.kind == INIT)
        return b"".join(frame.payload for frame in self.frames[last:] if frame.kind in {INIT, MEDIA})


@dataclass
class ServerSide:
    """Stands for novavms-server, by the written contract and no more:

    POST /api/v1/gateways/pair {pairing_code, version, hardware} → 200 {gateway_id, gateway_token, org_id, site_id, name};
        unknown code 404 {"error": "not_found"}, too many tries 429 with Retry-After.
    WS /api/v1/gateways/{id}/ws with `Authorization: Bearer <token>`; 401 on any other. Hello is answered by
        DesiredState, each Report by Ack, Ping by Pong (novavms_protocol.messages).
    POST /api/v1/gateways/{id}/clips/{clip_id}/upload {size_bytes, sha256} → {part_bytes, parts: [{number, url, method,
        headers, offset_bytes, size_bytes, done}]}; 404 where the clip is not wanted. Each part is PUT to its address.
    PUT /api/v1/relay/{id} with the gateway's token: bytes for somebody who waits.
    PUT /api/v1/live-in/{id} with the gateway's token: a body of novavms_protocol.live that ends when the server hangs up.
    """

    gateway_id: UUID = field(default_factory=uuid4)
    codes: set[str] = field(default_factory=set)
    state: DesiredState = field(default_factory=lambda: DesiredState(version=1, cameras=[]))
    ack: Callable[[Report], bool] = lambda report: True
    refuse_socket: int | None = None
    greet: bool = True
    part_bytes: int = 64 * 1024
    hellos: list[Hello] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    replies: dict[UUID, Reply] = field(default_factory=dict)
    progress: list[CheckProgress] = field(default_factory=list)
    pings: int = 0
    pongs: int = 0
    send_nothing: bool = False
    pairings: list[dict[str, Any]] = field(default_factory=list)
    pair_status: int = 200
    uploads: dict[UUID, Upload] = field(default_factory=dict)
    unwanted: set[UUID] = field(default_factory=set)
    put_answers: list[int] = field(default_factory=list)
    """Statuses for the next parts instead of taking them; 0 breaks the connection in the middle of the body."""
    store_away: bool = False
    puts: list[tuple[UUID, int]] = field(default_factory=list)
    tickets: int = 0
    relayed: dict[str, bytes] = field(default_factory=dict)
    """What was PUT to /api/v1/relay/…, by its last word. To `hangs-up` nothing arrives."""
    lives: dict[str, LiveIn] = field(default_factory=dict)
    """What is PUT to /api/v1/live-in/…, by its last word; to one that is not here is answered 404 at once."""
    url: str = ""
    _sends: list[Callable[[FromServer | str], Awaitable[None]]] = field(default_factory=list)
    _closes: list[asyncio.Event] = field(default_factory=list)

    # ---- for tests ---------------------------------------------------------------------------------------

    def identity(self) -> Identity:
        return Identity(
            server_url=self.url,
            gateway_id=self.gateway_id,
            gateway_token=TOKEN,
            org_id=uuid4(),
            site_id=uuid4(),
            name="Box",
        )

    @property
    def connected(self) -> bool:
        return bool(self._sends)

    def live(self, name: str) -> tuple[LiveIn, str]:
        """Ready to take a live body, and its address."""
        self.lives[name] = LiveIn()
        self.lives[name].reads.set()
        return self.lives[name], f"/api/v1/live-in/{name}"

    async def send(self, message: FromServer) -> None:
        await self._sends[-1](message)

    async def send_text(self, text: str) -> None:
        """Something that is no message of today."""
        await self._sends[-1](text)

    async def desire(self, *cameras: CameraConfig) -> None:
        self.state = DesiredState(version=self.state.version + 1, cameras=list(cameras))
        if self._sends:
            await self.send(self.state)

    async def bring_online(self, *cameras: CameraConfig) -> None:
        """They are desired, and reported online."""
        await wait_until(lambda: self.connected)
        await self.desire(*cameras)
        for camera in cameras:
            await wait_until(lambda c=camera: (s := self.status(c.camera_id)) and s.status == "online")

    async def ask(self, body: Any, *, timeout_sec: float = 15.0) -> Reply:
        request = Request(id=uuid4(), timeout_sec=timeout_sec, body=body)
        await self.send(request)
        reply: Reply = await wait_until(lambda: self.replies.get(request.id))
        return reply

    def drop_sockets(self) -> None:
        for close in self._closes:
            close.set()

    def bodies(self, kind: type[Any]) -> list[Any]:
        return [report.body for report in self.reports if isinstance(report.body, kind)]

    def status(self, camera_id: UUID) -> CameraStatus | None:
        statuses = [body for body in self.bodies(CameraStatus) if body.camera_id == camera_id]
        return statuses[-1] if statuses else None

    def clip_end(self, clip_id: UUID) -> ClipReady | ClipFailed | None:
        ends = [body for body in self.bodies(ClipReady | ClipFailed) if body.clip_id == clip_id]
        return ends[-1] if ends else None

    def stored(self, clip_id: UUID) -> bytes:
        parts = self.uploads[clip_id].parts
        return b"".join(parts[number] for number in sorted(parts))

    def clip(self, ready: ClipReady) -> bytes:
        """The stored file, which must be the reported one."""
        content = self.stored(ready.clip_id)
        assert hashlib.sha256(content).hexdigest() == ready.sha256
        assert len(content) == ready.size_bytes
        return content

    def ledger(self) -> list[LedgerRow]:
        """As a server keeps it."""
        rows = {row.id: row for update in self.bodies(LedgerUpdate) for row in update.rows}
        return sorted((row for row in rows.values() if not row.deleted), key=lambda row: row.start)

    # ---- the server ---------------------------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _socket(self, scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        status = self.refuse_socket or (None if self._is_ours(scope) else 401)
        assert scope["path"] == f"/api/v1/gateways/{self.gateway_id}/ws"
        if status is not None:
            await send({"type": "websocket.http.response.start", "status": status, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b""})
            return
        await send({"type": "websocket.accept"})

        async def tell(message: FromServer | str) -> None:
            text = message if isinstance(message, str) else encode(message)
            await send({"type": "websocket.send", "text": text})

        close = asyncio.Event()
        self._closes.append(close)
        closing = asyncio.ensure_future(close.wait())
        try:
            while True:
                receiving = asyncio.ensure_future(receive())
                await asyncio.wait({receiving, closing}, return_when=asyncio.FIRST_COMPLETED)
                if not receiving.done():
                    receiving.cancel()
                    await send({"type": "websocket.close", "code": 1012})
                    return
                event = receiving.result()
                if event["type"] == "websocket.disconnect":
                    return
                await self._hear(decode_from_gateway(event["text"]), tell)
        finally:
            closing.cancel()
            self._closes.remove(close)
            if tell in self._sends:
                self._sends.remove(tell)

    async def _hear(self, message: Any, tell: Callable[[FromServer], Awaitable[None]]) -> None:
        if self.send_nothing:
            self.pings += isinstance(message, Ping)
            return
        match message:
            case Hello():
                self.hellos.append(message)
                if self.greet:
                    self._sends.append(tell)
                    await tell(self.state)
            case Report():
                self.reports.append(message)
                if self.ack(message):
                    await tell(Ack(id=message.id))
            case Reply():
                assert message.id not in self.replies, "a request has exactly one reply"
                self.replies[message.id] = message
            case CheckProgress():
                self.progress.append(message)
            case Ping():
                self.pings += 1
                await tell(Pong(nonce=message.nonce))
            case Pong():
                self.pongs += 1

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        method, path = scope["method"], scope["path"]
        if method == "PUT" and self.put_answers and self.put_answers[0] == 0:
            self.put_answers.pop(0)
            await receive()
            raise ConnectionResetError  # Uvicorn closes the connection
        if path.endswith("/relay/hangs-up"):
            self.relayed["hangs-up"] = (await receive()).get("body", b"")
            raise ConnectionResetError
        if path.startswith("/api/v1/live-in/"):
            await self._live_in(path.rpartition("/")[2], scope, receive, send)
            return
        body = b""
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                return  # half a request is none
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        status, answer, headers = self._answer(method, path, scope, body)
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json"), *headers],
            }
        )
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def _live_in(self, name: str, scope: Any, receive: Any, send: Any) -> None:
        assert self._is_ours(scope), "only a gateway may pour in"
        live, reader = self.lives.get(name), LiveReader()
        hang_up = None if live is None else asyncio.ensure_future(live.hang_up.wait())
        while live is not None and hang_up is not None and not hang_up.done():
            await live.reads.wait()
            event = asyncio.ensure_future(receive())
            await asyncio.wait({event, hang_up}, return_when=asyncio.FIRST_COMPLETED)
            if not event.done():
                event.cancel()
                break
            live.frames += reader.feed(event.result().get("body", b""))
            if not event.result().get("more_body"):
                live.is_over = True
                hang_up.cancel()
                break
        head = {"type": "http.response.start", "status": 404 if live is None else 200}
        await send(head | {"headers": [(b"connection", b"close"), (b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    def _answer(
        self, method: str, path: str, scope: Any, body: bytes
    ) -> tuple[int, Any, list[tuple[bytes, bytes]]]:
        if path == "/api/v1/gateways/pair":
            return self._pair(json.loads(body))
        prefix = f"/api/v1/gateways/{self.gateway_id}/clips/"
        if method == "POST" and path.startswith(prefix) and path.endswith("/upload"):
            if not self._is_ours(scope):
                return 401, {"error": "invalid_token", "message": ""}, []
            return self._ticket(UUID(path.removeprefix(prefix).removesuffix("/upload")), json.loads(body))
        if method == "PUT" and path.startswith("/api/v1/relay/"):
            assert self._is_ours(scope), "only a gateway may pour into a relay"
            self.relayed[path.rpartition("/")[2]] = body
            return 204, None, []
        if method == "PUT" and path.startswith("/store/"):
            clip_id, number = path.removeprefix("/store/").split("/")
            self.puts.append((UUID(clip_id), int(number)))
            if self.store_away:
                return 503, {}, []
            if self.put_answers:
                status = self.put_answers.pop(0)
                if status >= 300:
                    return status, {}, []
            assert b"authorization" not in dict(scope["headers"]), "the token is not the store's business"
            assert dict(scope["headers"])[b"x-signed"] == b"yes"
            self.uploads[UUID(clip_id)].parts[int(number)] = body
            return 200, {}, []
        return 404, {"error": "not_found", "message": "no such thing"}, []

    def _pair(self, body: dict[str, Any]) -> tuple[int, Any, list[tuple[bytes, bytes]]]:
        self.pairings.append(body)
        if self.pair_status == 429:
            return 429, {"error": "rate_limited", "message": "slow down"}, [(b"retry-after", b"7")]
        if self.pair_status >= 400:
            return self.pair_status, {"error": "internal_error", "message": "ours"}, []
        if body["pairing_code"] not in self.codes:
            return 404, {"error": "not_found", "message": "no such code"}, []
        self.codes.remove(body["pairing_code"])
        answer = {"gateway_id": str(self.gateway_id), "gateway_token": TOKEN, "name": "Box"}
        return 200, answer | {"org_id": str(uuid4()), "site_id": str(uuid4()), "new_field": 1}, []

    def _ticket(self, clip_id: UUID, body: dict[str, Any]) -> tuple[int, Any, list[tuple[bytes, bytes]]]:
        self.tickets += 1
        if clip_id in self.unwanted:
            return 404, {"error": "not_found", "message": "no such clip"}, []
        upload = self.uploads.setdefault(clip_id, Upload(body["size_bytes"], body["sha256"]))
        parts = []
        for number, offset in enumerate(range(0, upload.size_bytes, self.part_bytes), start=1):
            # Odd ones relative, even ones absolute: both are allowed.
            base = "" if number % 2 else self.url
            parts.append(
                {
                    "number": number,
                    "url": f"{base}/store/{clip_id}/{number}",
                    "method": "PUT",
                    "headers": {"x-signed": "yes"},
                    "offset_bytes": offset,
                    "size_bytes": min(self.part_bytes, upload.size_bytes - offset),
                    "done": number in upload.parts,
                }
            )
        return 200, {"part_bytes": self.part_bytes, "parts": parts}, []

    @staticmethod
    def _is_ours(scope: Any) -> bool:
        return dict(scope["headers"]).get(b"authorization") == f"Bearer {TOKEN}".encode()


@contextlib.asynccontextmanager
async def serving(side: ServerSide, *, port: int = 0) -> AsyncIterator[ServerSide]:
    """Serves on 127.0.0.1 until left; with a `port` of before, it is the same server come back."""
    listener = socket.create_server(("127.0.0.1", port))
    side.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        side, log_level="critical", lifespan="off", ws="websockets-sansio", ws_ping_interval=None
    )
    config.timeout_graceful_shutdown = 1
    server = _Uvicorn(config)
    task = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await wait_until(lambda: server.started)
        yield side
    finally:
        side.drop_sockets()
        server.should_exit = True
        await task
        listener.close()
