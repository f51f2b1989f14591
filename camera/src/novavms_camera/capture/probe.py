"""Looking at a stream once: does it play, and what is in it. For the connection check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from novavms_camera.capture.model import (
    VIDEO_RATE,
    AudioSample,
    Clock,
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

AT_ONCE_SEC: Final = 1.0
"""Within which a session needs no keep-alive and no receiver report."""


@dataclass(frozen=True, slots=True)
class MediaProbe:
    """What was seen. The interval is None unless two key frames came; `bit_rate` (bits a second) unless half a second did."""

    facts: MediaFacts
    keyframe_interval_sec: float | None
    bit_rate: int | None
    first_key_sec: float = 0.0
    """From before SETUP to the first key frame."""


@dataclass(frozen=True, slots=True)
class Silence:
    """When a session that plays is given up as silent: with less than `size` bytes `seconds` after PLAY's answer."""

    seconds: float
    size: int
    fault: Callable[[Literal["tcp", "udp"] | None], CameraFault]
    """By the way that the media should have come."""


class _Witness:
    """Notes the first frames of a session."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self.facts: MediaFacts | None = None
        self.keys: list[int] = []
        self.size = 0
        self.first = self.last = 0
        self.frames = 0
        self.first_key: asyncio.Future[float] = asyncio.get_running_loop().create_future()
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
            if not self.first_key.done():
                self.first_key.set_result(self._clock.monotonic() - self._started)
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
        return MediaProbe(self.facts, interval, bit_rate, self.first_key.result())


async def probe_client(
    client: RtspClient,
    description: SessionDescription,
    *,
    timeout: float,
    observe_sec: float = 0,
    transports: Sequence[Literal["tcp", "udp"]] = ("tcp",),
    silence: Silence | None = None,
) -> MediaProbe:
    """SETUP and PLAY on a client that has described, up to the first key frame, then TEARDOWN, always.

    `timeout` seconds are for the first key frame; `observe_sec` more are spent to see the next one. Raises CameraFault
    no_video, codec_unsupported, transport_unsupported, no_media, auth_failed, too_many_connections, ..., and what `silence` says.
    """
    clock = SystemClock()
    witness = _Witness(clock)
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
            before = client.bytes_received
            # Most key frames come at once: what keeps a session alive is started for the others only.
            ends: set[asyncio.Future[Any]] = {witness.first_key, client.closed}
            await asyncio.wait(ends, timeout=AT_ONCE_SEC, return_when=asyncio.FIRST_COMPLETED)
            if observe_sec > 0 or not witness.first_key.done():
                running = asyncio.create_task(session.run())
            if silence is not None and running is not None:
                await first_of(clock, silence.seconds - AT_ONCE_SEC, running, witness.first_key)
                if client.bytes_received - before < silence.size and not running.done():
                    raise silence.fault(client.transport)
            if running is not None:
                await first_of(clock, timeout, running, witness.first_key)
                if not witness.first_key.done():
                    raise running.result()
        if observe_sec > 0:
            assert running is not None
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
    client = RtspClient(source, read_interval=0)
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
