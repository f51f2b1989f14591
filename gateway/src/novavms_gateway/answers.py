"""The server's requests, each to the part that serves it."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import msgspec

from novavms_camera.address import AddressPolicy
from novavms_camera.capture import snapshot_jpeg
from novavms_camera.check import CheckReport, check_camera
from novavms_camera.faults import CameraFault
from novavms_camera.onvif import FoundDevice, discover
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource
from novavms_gateway.cameras.fleet import Fleet
from novavms_gateway.kit.clock import Clock
from novavms_gateway.link.requests import REPLY_MAX_BYTES, Progress, RequestRefusedError
from novavms_gateway.live.sender import LiveSender
from novavms_gateway.live.webrtc import WebRtc
from novavms_gateway.recording.cutting import Cutter
from novavms_gateway.recording.media import MediaSender
from novavms_gateway.recording.recorder import Recorder
from novavms_gateway.recording.recordings import Recordings
from novavms_gateway.recording.thumbnails import Thumbnails
from novavms_protocol import (
    AnswerOffer,
    Check,
    CutClip,
    Discover,
    DiscoveredDevice,
    ForgetClip,
    HoldFootage,
    ListSegments,
    RecordClip,
    Request,
    SendMedia,
    SendThumbnails,
    Snapshot,
    Watch,
)

CHECK_TIME_CAP_SEC: Final = 15.0
SNAPSHOT_MAX_BYTES: Final = REPLY_MAX_BYTES * 2 // 3
"""Base64 makes four bytes of three."""
SMALLER_WIDTHS: Final = (1920, 1280, 640)
"""Tried one after the other for a picture that is too large, as 4K ones of a busy scene are."""
REPLY_MARGIN_SEC: Final = 0.5
"""A check ends this much before its deadline, so that its report still reaches the caller."""


def _discovered(device: FoundDevice) -> DiscoveredDevice:
    return DiscoveredDevice(
        host=device.host,
        port=device.port,
        xaddrs=list(device.xaddrs),
        endpoint_reference=device.endpoint_reference,
        name=device.name,
        manufacturer=device.manufacturer,
        model=device.model,
        scopes=list(device.scopes),
    )


class Answers:
    """Handles one request at a time as the link hands them in (`Handler`)."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        recorder: Recorder,
        cutter: Cutter,
        media: MediaSender,
        live: LiveSender,
        webrtc: WebRtc,
        thumbnails: Thumbnails,
        recordings: Recordings,
        clock: Clock,
        forget_clip: Callable[[UUID], Awaitable[None]],
    ) -> None:
        self._fleet = fleet
        self._recorder = recorder
        self._cutter = cutter
        self._media = media
        self._live = live
        self._webrtc = webrtc
        self._thumbnails = thumbnails
        self._recordings = recordings
        self._clock = clock
        self._forget_clip = forget_clip

    async def __call__(self, request: Request, progress: Progress) -> dict[str, Any]:
        match request.body:
            case Check() as check:
                return await self._check(check, request.timeout_sec, progress)
            case Discover() as ask:
                return await self._discover(ask)
            case RecordClip() as order:
                self._recordings.triggered(order)
                return await self._recorder.order(order, timeout_sec=request.timeout_sec)
            case ForgetClip() as order:
                await self._forget_clip(order.clip_id)
                return {}
            case Snapshot() as ask:
                return await self._snapshot(ask, request.timeout_sec)
            case ListSegments() as ask:
                return await self._recordings.library.list_segments(ask)
            case SendMedia() as ask:
                return await self._media.send(ask)
            case SendThumbnails() as ask:
                return await self._thumbnails.send(ask)
            case CutClip() as order:
                return await self._cutter.order(order)
            case HoldFootage() as order:
                return await self._recordings.library.hold(order)
            case Watch() as ask:
                return await self._live.watch(ask)
            case AnswerOffer() as ask:
                return await self._webrtc.answer(ask)

    async def _check(self, check: Check, timeout_sec: float, progress: Progress) -> dict[str, Any]:
        source = CameraSource(
            kind=check.kind,
            host=check.host or "",
            port=check.port or (80 if check.kind == "onvif" else 554),
            rtsp_url=check.rtsp_url,
            username=check.username,
            password=None if check.password is None else Secret(check.password),
            transport=check.stream_transport,
            tls_fingerprint=check.tls_fingerprint,
            stream_tls_fingerprint=check.stream_tls_fingerprint,
            tls_pinned_at=check.tls_pinned_at,
        )
        ends = self._clock.monotonic() + max(1.0, min(CHECK_TIME_CAP_SEC, timeout_sec - REPLY_MARGIN_SEC))

        async def run() -> CheckReport:
            return await check_camera(
                source,
                policy=AddressPolicy(allow_loopback=check.allow_loopback),
                on_stage=lambda stage: progress(msgspec.to_builtins(stage)),
                time_cap_sec=max(1.0, ends - self._clock.monotonic()),
            )

        report = await run()
        if report.reason == "too_many_connections" and check.camera_id is not None:
            async with self._fleet.let_go(
                check.camera_id
            ) as had_a_session:  # cameras that serve one viewer only
                if had_a_session:
                    report = await run()
        return report.to_dict()

    async def _discover(self, ask: Discover) -> dict[str, Any]:
        devices = await discover(
            policy=AddressPolicy(allow_loopback=ask.allow_loopback),
            timeout_sec=ask.timeout_sec,
            multicast=ask.multicast,
            hosts=ask.hosts,
            ports=ask.ports,
        )
        return {"devices": [msgspec.to_builtins(_discovered(device)) for device in devices]}

    async def _snapshot(self, ask: Snapshot, timeout_sec: float) -> dict[str, Any]:
        watch = await self._fleet.find_showing(ask.camera_id, timeout_sec=timeout_sec)
        if watch is None:
            raise RequestRefusedError("unknown_camera", "This gateway does not run the camera.")
        keyframe = watch.stream.keyframe()
        if keyframe is None:
            raise RequestRefusedError("not_online", "The camera has shown no picture yet.")
        for width in (ask.width, *SMALLER_WIDTHS):
            try:
                jpeg = await snapshot_jpeg(keyframe, width=width)
            except CameraFault as fault:
                raise RequestRefusedError("not_online", fault.message) from None
            if len(jpeg) <= SNAPSHOT_MAX_BYTES:
                return {"jpeg": base64.b64encode(jpeg).decode("ascii")}
        raise RequestRefusedError("internal", "The camera's picture is too large to send.")
