"""Orders to record: to a gateway, or to the server's own capture for a direct-mode camera.

An order leaves after the clip's row is committed, and the caller's answer waits for it a moment, so that usually an answer
means that the recorder has the order. Refused, or nobody there: the clip is `failed` with that reason at once.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from novavms_camera.capture.model import ClipFile
from novavms_camera.faults import CameraFault
from novavms_protocol import CutClip, ForgetClip, RecordClip, Reply
from novavms_protocol.messages import RequestBody
from novavms_server.clips import states
from novavms_server.clips.errors import StoreAway
from novavms_server.clips.finishing import CorruptUpload, file_columns, outcome
from novavms_server.clips.models import CameraToRecord, Facts
from novavms_server.clips.store import CHUNK_BYTES, Store, clip_key
from novavms_server.gateways.errors import GatewayOffline, GatewayTimeout
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database

log = logging.getLogger("novavms.clips")
PRE_ROLL_SEC: Final = 5
ORDER_TIMEOUT_SEC: Final = 5.0
ANSWER_WAITS_SEC: Final = 2.0
STORE_RETRY_SEC: Final = 10.0
STORE_TRIES: Final = 60
STORE_AWAY_MAX: Final = timedelta(minutes=15)
"""Where each try takes its time to fail, there are fewer."""
LAST_TRY_MAX: Final = timedelta(minutes=5)
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Hub(Protocol):
    """The gateways' hub, as far as clips ask it."""

    async def request(self, gateway_id: UUID, body: RequestBody, *, timeout_sec: float) -> Reply: ...


class DirectRecorder(Protocol):
    """The server's own capture of direct-mode cameras."""

    async def record_clip(
        self, camera_id: UUID, path: Path, duration_sec: float, pre_roll_sec: float
    ) -> ClipFile:
        """Returns when the file is whole. Raises CameraFault where there is nothing to record."""


@dataclass(frozen=True, slots=True)
class Order:
    org_id: UUID
    clip_id: UUID
    event_id: UUID
    camera: CameraToRecord
    triggered_at: datetime
    """Of a cut: where it begins."""
    duration_sec: float
    cut_until: datetime | None = None
    """Set: it is cut out of what is recorded already."""

    def body(self) -> RecordClip | CutClip:
        """To its gateway."""
        if self.cut_until is None:
            return RecordClip(
                clip_id=self.clip_id,
                event_id=self.event_id,
                camera_id=self.camera.id,
                triggered_at=self.triggered_at,
                duration_sec=self.duration_sec,
                pre_roll_sec=PRE_ROLL_SEC,
            )
        return CutClip(
            clip_id=self.clip_id,
            event_id=self.event_id,
            camera_id=self.camera.id,
            start=self.triggered_at,
            end=self.cut_until,
        )

    @property
    def started_within(self) -> timedelta:
        """How far from `triggered_at` a recorder may say that it began."""
        return timedelta(minutes=1) if self.cut_until is None else self.cut_until - self.triggered_at


class Orders:
    """`folder` is where direct clips are written before they go into the store. `direct` may come later than this."""

    def __init__(self, database: Database, store: Store, clock: Clock, hub: Hub, folder: Path) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._hub = hub
        self._folder = folder
        self.direct: DirectRecorder | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Files of direct clips that an earlier run left are of no use: their rows end by their deadline."""
        await asyncio.to_thread(_empty, self._folder)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def send(self, order: Order) -> None:
        """Waits a moment for the recorder's answer, and goes on without it."""
        direct = order.camera.gateway_id is None
        task = self._begin(self._record_here(order) if direct else self._send(order))
        if not direct:
            await asyncio.wait({task}, timeout=ANSWER_WAITS_SEC)

    def forget(self, gateway_id: UUID, clip_id: UUID) -> None:
        """A courtesy: a gateway that does not hear it is told when it asks to upload."""
        self._begin(self._forget(gateway_id, clip_id))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _forget(self, gateway_id: UUID, clip_id: UUID) -> None:
        with suppress(GatewayOffline, GatewayTimeout):
            await self._hub.request(gateway_id, ForgetClip(clip_id=clip_id), timeout_sec=ORDER_TIMEOUT_SEC)

    # ---- to a gateway

    async def _send(self, order: Order) -> None:
        gateway_id = order.camera.gateway_id
        assert gateway_id is not None, "send looked"
        try:
            try:
                reply = await self._hub.request(gateway_id, order.body(), timeout_sec=ORDER_TIMEOUT_SEC)
            except GatewayOffline:
                # A guess: the socket may have broken between the order and the reply.
                await self._fail(
                    order,
                    "gateway_offline",
                    "The gateway was offline when the order was sent.",
                    guessed=True,
                )
            except GatewayTimeout:
                await self._fail(
                    order, "gateway_timeout", "The gateway did not take the order in time.", guessed=True
                )
            else:
                await self._replied(order, reply)
        except Exception:  # the row's deadline ends the clip
            log.exception("clip %s: the order failed", order.clip_id)

    async def _replied(self, order: Order, reply: Reply) -> None:
        if not reply.ok:
            word = reply.error or ""
            reason = word if _WORD.fullmatch(word) else "internal"
            await self._fail(order, reason, reply.message or "The gateway refused the order.")
            return
        started_at = order.triggered_at
        with suppress(msgspec.ValidationError):
            told = msgspec.convert((reply.result or {}).get("started_at"), datetime)
            if told.tzinfo is not None and abs(told - started_at) <= order.started_within:
                started_at = told
        async with self._database.org(order.org_id) as connection:
            await connection.execute(
                "UPDATE clips SET accepted_at = %s, started_at = CASE WHEN store_key IS NULL THEN %s ELSE started_at END"
                " WHERE org_id = %s AND id = %s",
                (self._clock.now(), started_at, order.org_id, order.clip_id),
            )

    async def _fail(self, order: Order, reason: str, message: str, *, guessed: bool = False) -> None:
        async with self._database.org(order.org_id) as connection:
            await states.fail(
                connection, order.org_id, order.clip_id, self._clock.now(), reason, message, guessed=guessed
            )

    # ---- to our own capture

    async def _record_here(self, order: Order) -> None:
        """1. record into a file of this server  2. `uploading`  3. put it into the store  4. `ready`  5. remove the file.
        A crash ends in `failed` (server_restart) by the deadline, the file goes at the next start."""
        path = self._folder / f"{order.clip_id}.mp4"
        try:
            if self.direct is None:
                await self._fail(order, "unsupported", "This server records no direct-mode cameras.")
                return
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
            file = await self.direct.record_clip(
                order.camera.id, path, float(order.duration_sec), float(PRE_ROLL_SEC)
            )
            await self._keep(order, file)
        except CameraFault as fault:
            await self._fail(order, fault.reason, fault.message)
        except StoreAway:
            await self._fail(order, "store_unavailable", "The object store was away for too long.")
        except CorruptUpload as error:
            await self._fail(order, "corrupt_upload", str(error))
        except OSError as error:
            await self._fail(order, "disk_full", f"The clip could not be written: {error.strerror}.")
        except Exception:
            log.exception("clip %s: recording failed", order.clip_id)
            await self._fail(order, "internal", "The server failed while it recorded.")
        finally:
            with suppress(OSError):
                path.unlink()

    async def _keep(self, order: Order, file: ClipFile) -> None:
        facts = Facts(**{name: getattr(file, name) for name in Facts.__struct_fields__})
        until = self._clock.now() + STORE_AWAY_MAX
        async with self._database.org(order.org_id) as connection:
            await states.change(
                connection,
                order.org_id,
                order.clip_id,
                "uploading",
                self._clock.now(),
                deadline_at=until + LAST_TRY_MAX,
            )
        key = clip_key(order.org_id, order.clip_id, order.triggered_at)
        for tries_left in reversed(range(STORE_TRIES)):
            try:
                await self._store.put(key, _bytes_of(file.path), size_bytes=facts.size_bytes)
                break
            except StoreAway:
                if tries_left == 0 or self._clock.now() >= until:
                    raise
                await self._clock.sleep(STORE_RETRY_SEC)
        async with self._database.org(order.org_id) as connection:
            kept = await states.change(
                connection,
                order.org_id,
                order.clip_id,
                outcome(facts),
                self._clock.now(),
                **file_columns(facts, key),
            )
        if not kept:  # its event was deleted meanwhile, and its purge may have been before our `put`
            await self._store.delete([key])


async def _bytes_of(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


def _empty(folder: Path) -> None:
    for path in folder.glob("*.mp4*") if folder.is_dir() else ():
        with suppress(OSError):
            path.unlink()
