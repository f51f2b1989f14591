"""The gateway as a whole: the parts put together, and its side of the conversation with the server."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, NoReturn
from uuid import UUID

import httpx

from novavms_camera.address import AddressPolicy, resolve_address
from novavms_camera.capture import CaptureStream
from novavms_camera.capture.cutting import Cut, cut_segments
from novavms_camera.faults import CameraFault
from novavms_camera.go2rtc import Go2rtc
from novavms_camera.onvif import resolve_stream
from novavms_camera.onvif.identity import SaidIdentity, ask_identity, look_around
from novavms_camera.source import CameraSource, StreamSource, Tier
from novavms_gateway.answers import Answers
from novavms_gateway.cameras.fleet import Fleet
from novavms_gateway.cameras.search import Search
from novavms_gateway.facts import gateway_facts
from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.clock import Clock, SystemClock
from novavms_gateway.kit.disk import Disk, OffLoop
from novavms_gateway.kit.machine import Machine
from novavms_gateway.kit.tasks import race
from novavms_gateway.link.client import Connect, Link, open_socket
from novavms_gateway.link.outbox import Outbox
from novavms_gateway.link.uplink import Uplink
from novavms_gateway.live.sender import LiveSender
from novavms_gateway.live.webrtc import WebRtc
from novavms_gateway.recording.clip_work import ClipWork
from novavms_gateway.recording.cutting import Cutter
from novavms_gateway.recording.media import MediaSender
from novavms_gateway.recording.recorder import Recorder
from novavms_gateway.recording.recordings import Recordings
from novavms_gateway.recording.repair import repair, repair_clip
from novavms_gateway.recording.thumbnails import Thumbnails
from novavms_gateway.recording.uploader import Uploader
from novavms_gateway.settings import Settings
from novavms_gateway.storage.identity import Identity
from novavms_gateway.storage.index import Index
from novavms_gateway.storage.journal import Journal, StoredClip
from novavms_gateway.storage.retention import Limits
from novavms_gateway.storage.volume import Volume
from novavms_protocol import (
    PROTOCOL_VERSION,
    Applied,
    CameraMoved,
    CameraStatus,
    DesiredState,
    Hello,
    Telemetry,
)

log = logging.getLogger(__name__)

TELEMETRY_EVERY_SEC: Final = 15.0
REPAIR_AGAIN_SEC: Final = 60.0
RESOLVE_TIME_CAP_SEC: Final = 10.0


SYSTEM_CLOCK: Final = SystemClock()


async def _resolve(
    source: CameraSource,
    tier: Tier,
    policy: AddressPolicy,
    *,
    now: Callable[[], datetime] = SYSTEM_CLOCK.now,
) -> StreamSource:
    """An ONVIF camera's clock is read anew each time: no login is made for the offset of another day."""
    try:
        async with asyncio.timeout(RESOLVE_TIME_CAP_SEC):
            return await resolve_stream(source, tier, policy=policy, now=now)
    except TimeoutError:
        raise CameraFault("timeout", "The camera's ONVIF service did not answer in time.") from None


async def _ask_identity(host: str, port: int, policy: AddressPolicy) -> SaidIdentity:
    return await ask_identity(str(await resolve_address(host, policy)), port)


@dataclass(frozen=True, slots=True)
class Outside:
    """What reaches beyond this process and its disk, apart from HTTP; a simulation hands in its own."""

    connect: Connect = open_socket
    new_stream: Callable[..., CaptureStream] = CaptureStream
    cut: Callable[..., Awaitable[Cut | None]] = cut_segments


REAL: Final = Outside()


class Gateway:
    """`open` repairs and loads, `run` works until cancelled and then ends every camera session."""

    def __init__(
        self,
        *,
        identity: Identity,
        settings: Settings,
        journal: Journal,
        http: httpx.AsyncClient,
        machine: Machine,
        clock: Clock,
        version: str,
        new_backoff: Callable[[], Backoff],
        index: Index,
        volume: Volume,
        disk: Disk,
        off_loop: OffLoop,
        outside: Outside = REAL,
        live_http: httpx.AsyncClient | None = None,
        go2rtc: Go2rtc | None = None,
    ) -> None:
        self._identity = identity
        self._journal = journal
        self._machine = machine
        self._clock = clock
        self._version = version
        self._began_at = clock.monotonic()
        self._desired: DesiredState | None = None
        self._desired_changed = asyncio.Event()
        self._outbox = Outbox(journal, clock)
        self._fleet = Fleet(
            resolve=partial(_resolve, now=clock.now),
            clock=clock,
            on_status=self._tell_status,
            on_removed=self._drop_reports,
            ask_identity=_ask_identity,
            new_stream=outside.new_stream,
        )
        self._search = Search(
            fleet=self._fleet,
            clock=clock,
            settings=settings,
            look_around=look_around,
            mac_at=machine.mac_at,
            on_moved=self._tell_moved,
        )
        uplink = Uplink(clock, max_kbps=settings.uplink_max_kbps)
        self._uploader = Uploader(
            journal=journal,
            identity=identity,
            http=http,
            clock=clock,
            at_once=settings.uploads_at_once,
            forget=self._forget_clip,
            uplink=uplink,
            new_backoff=new_backoff,
        )
        clip_work = ClipWork(
            journal=journal,
            clock=clock,
            machine=machine,
            reserve_bytes=settings.disk_reserve_bytes,
            on_recorded=self._uploader.wake,
        )
        self._recorder = Recorder(clip_work, fleet=self._fleet)
        self._recordings = Recordings(
            index=index,
            volume=volume,
            disk=disk,
            off_loop=off_loop,
            clock=clock,
            outbox=self._outbox,
            limits=Limits(
                max_bytes=settings.recordings_max_bytes or None,
                reserve_bytes=settings.recordings_reserve_bytes,
                share_max=settings.retention_share_max,
            ),
            free_clips=journal.free_uploaded,
        )
        self._media = MediaSender(
            library=self._recordings.library,
            identity=identity,
            http=http,
            disk=disk,
            off_loop=off_loop,
            uplink=uplink,
        )
        self._cutter = Cutter(clip_work, library=self._recordings.library, cut=outside.cut)
        self._live = LiveSender(
            fleet=self._fleet, identity=identity, http=live_http or http, uplink=uplink, clock=clock
        )
        self._webrtc = WebRtc(go2rtc=go2rtc, gateway_id=identity.gateway_id, fleet=self._fleet, clock=clock)
        answers = Answers(
            fleet=self._fleet,
            recorder=self._recorder,
            cutter=self._cutter,
            media=self._media,
            live=self._live,
            webrtc=self._webrtc,
            thumbnails=Thumbnails(
                library=self._recordings.library, media=self._media, disk=disk, off_loop=off_loop
            ),
            recordings=self._recordings,
            clock=clock,
            forget_clip=self._forget_clip,
        )
        self._link = Link(
            identity,
            station=self,
            handler=answers,
            outbox=self._outbox,
            clock=clock,
            backoff=new_backoff(),
            user_agent=f"novavms-gateway/{version}",
            connect=outside.connect,
        )

    async def run(self) -> None:
        """Until cancelled. Raises only what is a bug of ours."""
        left = await repair(self._journal)
        await self._outbox.load()
        await self._cutter.resume()
        try:
            await race(
                self._link.run(),
                self._reconcile_changes(),
                self._uploader.run(),
                self._send_telemetry(),
                self._search.run(),
                self._recordings.run(),
                self._repair_on(left),
                self._webrtc.run(),
            )
        finally:
            await self._live.stop()
            await self._media.stop()
            await self._cutter.stop()
            await self._recorder.stop()
            await self._recordings.stop()
            await self._fleet.stop()

    # ---- what the link asks of us -----------------------------------------------------------------------

    async def hello(self) -> Hello:
        clips = await self._journal.clips()
        facts = await asyncio.to_thread(gateway_facts, self._machine, self._identity.server_url)
        return Hello(
            protocol=PROTOCOL_VERSION,
            version=self._version,
            facts=facts,
            applied_version=await self._journal.applied_version(),
            backlog=self._outbox.stored + len(clips),
            clips=[clip.job.clip_id for clip in clips],
            ledger_epoch=self._recordings.epoch,
            has_go2rtc=self._webrtc.has_go2rtc,
        )

    def desired_state(self, state: DesiredState, *, first: bool) -> None:
        if not first and self._desired is not None and state.version < self._desired.version:
            return
        self._desired = state
        self._desired_changed.set()
        if first:
            # The server may have taken our cameras for lost meanwhile: it hears of all of them, and of us.
            for status in self._fleet.statuses():
                self._tell_status(status)
            self._uploader.retry_now()
            self._recordings.teller.resume(state.ledger_seq)

    async def _forget_clip(self, clip_id: UUID) -> None:
        await self._cutter.forget(clip_id)
        await self._recorder.forget(clip_id)
        self._outbox.forget(clip_id)

    # ---- what goes on by itself ---------------------------------------------------------------------------

    async def _reconcile_changes(self) -> None:
        """One at a time, always to the newest: what came while one was at work is done in one step after it."""
        while True:
            await self._desired_changed.wait()
            self._desired_changed.clear()
            state = self._desired
            assert state is not None, "the event is set after the state"
            await self._fleet.reconcile(state.cameras)
            self._webrtc.cameras_changed()
            self._recordings.reconcile(state.cameras, self._stream_of)
            try:
                if await self._journal.applied_version() != state.version:
                    await self._journal.set_applied_version(state.version)
            except sqlite3.OperationalError as error:
                # A full disk must not stop the cameras; the version on disk only saves the server some work.
                log.error("journal not writable", extra={"facts": {"error": error}})
            self._outbox.put_newest("applied", Applied(state_version=state.version))

    async def _repair_on(self, left: list[StoredClip]) -> NoReturn:
        """What the disk did not take at the start."""
        while True:
            await self._clock.sleep(REPAIR_AGAIN_SEC)
            left = [clip for clip in left if not await repair_clip(self._journal, clip)]
            self._uploader.wake()

    async def _send_telemetry(self) -> None:
        while True:
            clips = await self._journal.clips()
            disk = self._machine.disk()
            cpu_percent = self._machine.cpu_percent()
            self._live.cpu_is(cpu_percent)
            self._fleet.refresh()
            self._outbox.put_newest(
                "telemetry",
                Telemetry(
                    at=self._clock.now(),
                    uptime_sec=round(self._clock.monotonic() - self._began_at, 1),
                    cpu_percent=cpu_percent,
                    memory_bytes=self._machine.memory_used_bytes(),
                    disk_free_bytes=disk.free_bytes,
                    disk_total_bytes=disk.total_bytes,
                    cameras_online=self._fleet.online,
                    cameras_total=self._fleet.total,
                    bytes_received=self._fleet.bytes_received,
                    reports_waiting=len(self._outbox),
                    clips_waiting=sum(clip.state in ("recording", "recorded") for clip in clips),
                    version=self._version,
                    storage_state=self._recordings.state,
                    recording_cameras=self._recordings.recording_count,
                    recordings_bytes=await self._recordings.stored_bytes(),
                ),
            )
            await self._clock.sleep(TELEMETRY_EVERY_SEC)

    def _stream_of(self, camera_id: UUID) -> CaptureStream | None:
        watch = self._fleet.find(camera_id)
        return None if watch is None else watch.stream

    def _tell_status(self, status: CameraStatus) -> None:
        self._outbox.put_newest(f"camera:{status.camera_id}", status)

    def _tell_moved(self, moved: CameraMoved) -> None:
        self._outbox.put_newest(f"moved:{moved.camera_id}", moved)

    def _drop_reports(self, camera_id: UUID) -> None:
        self._outbox.drop(f"camera:{camera_id}")
        self._outbox.drop(f"moved:{camera_id}")
