"""Looking at a stream once: does it play, and what is in it. For the connection check."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from novavms_camera.capture.model import (
    VIDEO_RATE,
    AudioSample,
    Jump,
    Loss,
    MediaFacts,
    StreamFormat,
    SystemClock,
    VideoSample,
)
from novavms_camera.capture.session import CaptureSession
from novavms_camera.capture.waiting import first_of
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.sdp import SessionDescription
from novavms_camera.source import TRANSPORTS, StreamSource


@dataclass(frozen=True, slots=True)
class MediaProbe:
    """What was seen. The interval is None unless two key frames came; `bit_rate` (bits a second) unless half a second did."""

    facts: MediaFacts
    keyframe_interval_sec: float | None
    bit_rate: int | None


class _Witness:
    """Notes the first frames of a session."""

    def __init__(self) -> None:
        self.facts: MediaFacts | None = None
        self.keys: list[int] = []
        self.size = 0
        self.first = self.last = 0
        self.frames = 0
        self.has_key = asyncio.Event()
        self.has_two = asyncio.Event()

    def on_format(self, fmt: StreamFormat, facts: MediaFacts) -> None:
        self.facts = facts

    def on_video(self, sample: VideoSample) -> None:
        if not self.frames:
            self.first = sample.pts
        self.last = sample.pts
        self.frames += 1
        self.size += len(sample.data)
        if sample.key:
            self.keys.append(sample.pts)
            self.has_key.set()
            if len(self.keys) > 1:
                self.has_two.set()

    def on_audio(self, sample: AudioSample) -> None:
        self.size += len(sample.data)

    def on_loss(self, loss: Loss) -> None:
        """What did come is what is judged."""

    def on_jump(self, jump: Jump) -> None:
        """Times go on."""

    def result(self) -> MediaProbe:
        """What is known by now."""
        assert self.facts is not None
        span = (self.last - self.first) / VIDEO_RATE
        interval = round((self.keys[1] - self.keys[0]) / VIDEO_RATE, 3) if len(self.keys) > 1 else None
        bit_rate = int(self.size * 8 / span) if span >= 0.5 else None
        return MediaProbe(self.facts, interval, bit_rate)


async def probe_client(
    client: RtspClient,
    description: SessionDescription,
    *,
    timeout: float,
    observe_sec: float = 0,
    transports: Sequence[Literal["tcp", "udp"]] = ("tcp",),
    playing: asyncio.Event | None = None,
) -> MediaProbe:
    """SETUP and PLAY on a client that has described, up to the first key frame, then TEARDOWN, always.

    `timeout` seconds are for the first key frame; `observe_sec` more are spent to see the next one. `playing` is
    set when PLAY was answered. Raises CameraFault no_video,
    codec_unsupported, transport_unsupported, no_media, auth_failed, too_many_connections, ...
    """
    witness = _Witness()
    clock = SystemClock()
    session = CaptureSession(
        client,
        witness,
        clock,
        origin=clock.monotonic(),
        not_before=0,
        frozen_after_sec=timeout + observe_sec + 1,
    )
    running: asyncio.Task[CameraFault] | None = None
    try:
        async with asyncio.timeout(timeout):
            await session.start(description, transports)
            if playing is not None:
                playing.set()
            running = asyncio.create_task(session.run())
            await first_of(clock, timeout, running, witness.has_key.wait())
            if not witness.has_key.is_set():
                raise running.result()
        if observe_sec > 0:
            await first_of(clock, observe_sec, running, witness.has_two.wait())
        return witness.result()
    except TimeoutError:
        raise CameraFault("no_media", f"no key frame came within {timeout:g} s") from None
    finally:
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await client.teardown()


async def probe_media(source: StreamSource, *, timeout: float, observe_sec: float = 0) -> MediaProbe:
    """The same on a connection of its own."""
    client = RtspClient(source)
    try:
        await client.open()
        await client.learn_methods()
        description = await client.describe()
        ways = TRANSPORTS[source.transport]
        return await probe_client(
            client, description, timeout=timeout, observe_sec=observe_sec, transports=ways
        )
    finally:
        await client.teardown()
