"""The server as a gateway knows it: a contract, small enough to be read, that the gateway is run against.

Its source: protocol/src/novavms_protocol/messages.py ("The conversation"), and server/src/novavms_server/gateways/link.py (hello first, reports acknowledged
once committed), gateways/arrivals.py (a report is applied once, by its id), recordings/holds.py (told until taken, and again to each new epoch); clips and ledger have files of their own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from nova_simulation.clips import IN_FLIGHT_SEC, MARGIN_SEC, BrokenPromiseError, Clip
from nova_simulation.clock import SimClock
from nova_simulation.ledger import Ledger
from nova_simulation.network import Connection
from novavms_gateway.kit.tasks import Tasks
from novavms_protocol import (
    Ack,
    CameraConfig,
    CameraStatus,
    ClipFailed,
    ClipReady,
    ClipState,
    CutClip,
    DesiredState,
    ForgetClip,
    Goodbye,
    Hello,
    HoldFootage,
    LedgerUpdate,
    Ping,
    Pong,
    RecordClip,
    Reply,
    Report,
    Request,
    SendMedia,
    decode_from_gateway,
    encode,
)

ORDER_SEC: Final = 5.0
SILENT_SEC: Final = 45.0
PRE_ROLL_SEC: Final = 5


@dataclass
class Hold:
    """A range, and what the gateway was told of it."""

    order: HoldFootage
    told: int | None = None
    """The ledger's life in which the gateway took it as it is."""
    was_sent: bool = False


@dataclass(eq=False)
class _Link:
    connection: Connection
    heard_at: float
    is_greeted: bool = False
    waiting: dict[UUID, asyncio.Future[Reply]] = field(default_factory=dict)
    sent_version: int = -1


class OfflineError(Exception):
    """No gateway is there."""


class FarEnd:
    """`is_up`: a server that is down loses its connections and what waits for replies, and keeps its rows."""

    def __init__(self, clock: SimClock, chance: random.Random, note: Callable[..., None]) -> None:
        self.is_up = True
        self.is_store_away = False
        self.poured: dict[UUID, bytes] = {}
        """What somebody watched."""
        self.clips: dict[UUID, Clip] = {}
        self.holds: dict[UUID, Hold] = {}
        self.ledger = Ledger()
        self.applied: dict[UUID, bytes] = {}
        self.statuses: dict[UUID, CameraStatus] = {}
        self.cameras: dict[UUID, CameraConfig] = {}
        self.version = 1
        self.order: list[str] = []
        """Kinds of reports, as they were applied."""
        self._clock = clock
        self._chance = chance
        self._note = note
        self._tasks = Tasks()
        self._link: _Link | None = None
        self._all: dict[Connection, _Link] = {}

    @property
    def now(self) -> float:
        return self._clock.monotonic()

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    async def end(self) -> None:
        await self._tasks.end()

    def crash(self) -> None:
        """Its process ends; its database stands."""
        self.is_up = False
        for connection in list(self._all):
            connection.close()
        self._link = None

    # ---- the network's ----------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        self._all[connection] = _Link(connection, self.now)

    def closed(self, connection: Connection) -> None:
        link = self._all.pop(connection, None)
        if link is None:
            return
        if link is self._link:
            self._link = None
        for waiting in link.waiting.values():
            if not waiting.done():
                waiting.set_exception(OfflineError())

    def heard(self, connection: Connection, text: str) -> None:
        link = self._all.get(connection)
        if link is None:
            return
        link.heard_at = self.now
        message = decode_from_gateway(text)
        match message:
            case Hello():
                self._hello(link, message)
            case Report():
                if not link.is_greeted:
                    raise BrokenPromiseError("a report came before the greeting")
                refused = self._report(message)
                self._send(link, Ack(id=message.id, refused=refused))
            case Reply():
                waiting = link.waiting.pop(message.id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case Ping():
                self._send(link, Pong(nonce=message.nonce))

    def look(self) -> None:
        """What is done beside: deadlines, silence, verifying, holds that were not taken. Each second."""
        if not self.is_up:
            return
        for link in list(self._all.values()):
            if self.now - link.heard_at > SILENT_SEC:
                link.connection.close()
        for clip in self.clips.values():
            clip.finish(self.now)
            clip.overdue(self.now, is_online=self.is_connected)
        if self._link is not None:
            self.tell_state()
            for hold in self.holds.values():
                if hold.told != self.ledger.life and not hold.was_sent:
                    hold.was_sent = True
                    self._tasks.start(self._tell_hold(hold))

    def http(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if self.is_store_away:
            return 503, b""
        _, _, _, kind, *rest = path.split("/")
        if kind == "relay":
            self.poured[UUID(rest[0])] = body
            return 204, b""
        if kind == "gateways":
            return self._ticket(UUID(rest[2]), msgspec.json.decode(body))
        clip_id, sha256, number, size = rest
        clip = self.clips.get(UUID(clip_id))
        if clip is None:
            return 403, b""
        return (204 if clip.put(sha256, int(number), int(size), body) else 400), b""

    def _ticket(self, clip_id: UUID, asked: dict[str, Any]) -> tuple[int, bytes]:
        clip = self.clips.get(clip_id)
        parts = None if clip is None else clip.ticket(asked["size_bytes"], asked["sha256"], self.now)
        if parts is None:
            return 404, b""
        told = [
            {
                **{
                    "number": n,
                    "offset_bytes": at,
                    "size_bytes": size,
                    "done": done,
                    "method": "PUT",
                    "headers": {},
                },
                "url": f"/api/v1/store/{clip_id}/{asked['sha256']}/{n}/{size}",
            }
            for n, at, size, done in parts
        ]
        return 200, msgspec.json.encode({"parts": told, "part_bytes": 0})

    # ---- the conversation ---------------------------------------------------------------------------------

    def _send(self, link: _Link, message: Any) -> None:
        link.connection.carry(False, encode(message))

    def _hello(self, link: _Link, hello: Hello) -> None:
        before, self._link = self._link, link
        if before is not None and before is not link:
            self._send(before, Goodbye(reason="replaced"))
            asyncio.get_running_loop().call_later(0.5, before.connection.close)
        self.ledger.on_hello(hello.ledger_epoch)
        held = set(hello.clips)
        for clip in self.clips.values():
            unfinished = not clip.is_over and clip.reported is None and not clip.deleted
            if unfinished and clip.ordered_at < self.now - IN_FLIGHT_SEC and clip.id not in held:
                clip.move("failed", "lost_by_gateway", guessed=True)
        link.is_greeted = True
        self.tell_state()
        for hold in self.holds.values():
            hold.was_sent = False

    def tell_state(self) -> None:
        """If it is newer than what was sent."""
        link = self._link
        if link is None or link.sent_version >= self.version:
            return
        link.sent_version = self.version
        known = self.ledger.told_seq or None
        state = DesiredState(version=self.version, cameras=list(self.cameras.values()), ledger_seq=known)
        self._send(link, state)

    def _report(self, report: Report) -> str | None:
        """Once, by its id."""
        text = encode(report).encode()
        if report.id in self.applied:
            if self.applied[report.id] != text:
                raise BrokenPromiseError(f"report {report.id} came again, as another")
            return None
        self.applied[report.id] = text
        self.order.append(type(report.body).__name__)
        self._note("report", type(report.body).__name__)
        match report.body:
            case LedgerUpdate() as update:
                return self.ledger.on_update(update)
            case CameraStatus() as status:
                known = self.statuses.get(status.camera_id)
                if known is None or known.at <= status.at:
                    self.statuses[status.camera_id] = status
            case ClipState() | ClipReady() | ClipFailed() as body:
                clip = self.clips.get(body.clip_id)
                if clip is None:
                    return "unknown_clip"
                if isinstance(body, ClipState):
                    clip.on_state(body, self.now)
                elif isinstance(body, ClipReady):
                    clip.on_ready(body)
                else:
                    clip.on_failed(body)
        return None

    async def request(self, body: Any, timeout_sec: float) -> Reply:
        """Raises OfflineError, TimeoutError."""
        link = self._link
        if link is None or not self.is_up:
            raise OfflineError
        request_id = uuid4()
        waiting = link.waiting[request_id] = asyncio.get_running_loop().create_future()
        self._send(link, Request(id=request_id, timeout_sec=timeout_sec, body=body))
        try:
            async with asyncio.timeout(timeout_sec):
                return await waiting
        finally:
            link.waiting.pop(request_id, None)

    # ---- what people want ------------------------------------------------------------------------------------

    def trigger(self, camera_id: UUID, duration_sec: float) -> Clip:
        """A clip from now on."""
        clip = self._new_clip(camera_id, PRE_ROLL_SEC + duration_sec + MARGIN_SEC, is_cut=False)
        body = RecordClip(
            **{"clip_id": clip.id, "event_id": uuid4(), "camera_id": camera_id},
            **{
                "triggered_at": self._clock.true_now(),
                "duration_sec": duration_sec,
                "pre_roll_sec": PRE_ROLL_SEC,
            },
        )
        self._tasks.start(self._order(clip, body))
        return clip

    def cut(self, camera_id: UUID, start: datetime, end: datetime) -> Clip:
        """A clip of the past."""
        length = (end - start).total_seconds()
        clip = self._new_clip(camera_id, MARGIN_SEC + length, is_cut=True)
        body = CutClip(clip_id=clip.id, event_id=uuid4(), camera_id=camera_id, start=start, end=end)
        self._tasks.start(self._order(clip, body))
        return clip

    def _new_clip(self, camera_id: UUID, deadline_sec: float, *, is_cut: bool) -> Clip:
        clip = Clip(uuid4(), camera_id, self.now, self.now + deadline_sec, is_cut)
        self.clips[clip.id] = clip
        return clip

    async def _order(self, clip: Clip, body: Any) -> None:
        if self._chance.random() < 0.1:
            self._tasks.start(self._ask(body))  # it may come twice
        try:
            reply = await self.request(body, ORDER_SEC)
        except OfflineError:
            clip.move("failed", "gateway_offline", guessed=True)
        except TimeoutError:
            clip.move("failed", "gateway_timeout", guessed=True)
        else:
            if reply.ok:
                clip.accepted = True
            else:
                clip.move("failed", reply.error)

    def delete(self, clip: Clip) -> None:
        """Its event is deleted."""
        clip.deleted = True
        self._tasks.start(self._ask(ForgetClip(clip_id=clip.id)))

    async def _ask(self, body: Any) -> Reply | None:
        try:
            return await self.request(body, ORDER_SEC)
        except (OfflineError, TimeoutError):
            return None

    def watch(self, segment_id: int, size: int) -> UUID:
        """Somebody plays the first `size` bytes of a segment."""
        ask_id = uuid4()
        url = f"/api/v1/relay/{ask_id}"
        ask = SendMedia(segment_id=segment_id, offset_bytes=0, size_bytes=size, url=url)
        self._tasks.start(self._ask(ask))
        return ask_id

    def hold(self, camera_id: UUID, start: datetime, length: timedelta) -> None:
        """Retention leaves it alone from now on."""
        hold_id = uuid4()
        order = HoldFootage(hold_id=hold_id, camera_id=camera_id, start=start, end=start + length)
        self.holds[hold_id] = Hold(order)

    def release(self, hold: Hold) -> None:
        hold.order = msgspec.structs.replace(hold.order, is_held=False)
        hold.told, hold.was_sent = None, False

    async def _tell_hold(self, hold: Hold) -> None:
        order, life = hold.order, self.ledger.life
        reply = await self._ask(order)
        hold.was_sent = False
        if reply is not None and reply.ok and hold.order is order:
            hold.told = life
