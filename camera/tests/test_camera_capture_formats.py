"""Parameter sets that change in mid-stream: which ones count, and what is lost where they change without a key frame."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import av
import pytest

from novavms_camera.capture.model import AudioSample, Jump, Loss, MediaFacts, StreamFormat, VideoSample
from novavms_camera.capture.session import CaptureSession
from novavms_camera.rtsp.parameter_sets import ParameterSets
from novavms_camera.rtsp.sdp import parse_sdp

pytestmark = pytest.mark.anyio
SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n"


def encoded(size: int, sps_id: int = 0) -> list[list[bytes]]:
    """Ten pictures, a key frame every five; NAL units of each, parameter sets before the key frames."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = size, size, "yuv420p"
    context.time_base = Fraction(1, 25)
    context.options = {"x264-params": f"keyint=5:min-keyint=5:scenecut=0:bframes=0:sps-id={sps_id}"}
    packets: list[av.Packet] = []
    for number in range(10):
        frame = av.VideoFrame(size, size, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes((40 + number,)) * plane.buffer_size)
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    return [
        [
            u
            for u in bytes(p).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
            if u and u[0] & 31 in {1, 5, 7, 8}
        ]
        for p in packets
    ]


def test_a_new_sps_with_all_that_goes_with_it_replaces_what_was_said_before() -> None:
    sets = ParameterSets("h264")
    for unit in encoded(64)[0]:
        sets.take(unit)
    sets.settle()
    assert sets.format().width == 64
    for unit in encoded(96, sps_id=3)[0]:  # under another number: the old one is still there
        sets.take(unit)
    sets.settle()
    assert sets.changed
    assert sets.format().width == 96
    assert sets.format().parameter_sets.count(b"\0\0\0\1\x67") == 1


class Wire:
    """Where packets come from: stands for the connection."""

    transport = "tcp"

    async def setup(self, media: Any, way: str, *, on_rtp: Any, on_rtcp: Any) -> Any:
        self.on_rtp = on_rtp
        return self

    async def play(self) -> None: ...


class Clock:
    time = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_700_000_000 + self.time, UTC)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None: ...


class Told:
    """What a session says."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def on_format(self, fmt: StreamFormat, facts: MediaFacts) -> None:
        self.said.append(fmt.video.width)

    def on_video(self, sample: VideoSample) -> None:
        self.said.append(sample.key)

    def on_audio(self, sample: AudioSample) -> None: ...

    def on_loss(self, loss: Loss) -> None:
        self.said.append(loss)

    def on_jump(self, jump: Jump) -> None: ...


async def said_of(pictures: list[list[bytes]]) -> list[Any]:
    wire, clock, told = Wire(), Clock(), Told()
    session = CaptureSession(
        wire,  # type: ignore[arg-type]
        told,
        clock,
        origin=0,
        not_before=0,
        frozen_after_sec=10,
    )
    await session.start(parse_sdp(SDP, "rtsp://127.0.0.1/x"))
    sequence = 0
    for number, units in enumerate(pictures):
        clock.time = number / 25
        for place, unit in enumerate(units):
            marker = 0x80 if place == len(units) - 1 else 0
            packet = struct.pack(">BBHII", 0x80, 96 | marker, sequence, number * 3600, 7) + unit
            wire.on_rtp(memoryview(packet), 0, len(packet))
            sequence += 1
    return told.said


async def test_sets_that_change_in_mid_gop_cost_the_pictures_up_to_the_next_key_frame() -> None:
    first, second = encoded(64), encoded(96)
    sets = [u for u in second[0] if u[0] & 31 in {7, 8}]
    pictures = [*first[:3], sets + first[3], first[4], *second[5:8]]
    assert await said_of(pictures) == [
        *(64, True, False, False),
        *(96, Loss(3 * 3600, 5 * 3600, 1, 1), True, False, False),
    ]


async def test_repeated_sets_cost_nothing() -> None:
    first = encoded(64)
    sets = [u for u in first[0] if u[0] & 31 in {7, 8}]
    assert await said_of([*first[:3], sets + first[3], *first[4:7]]) == [64, True, *[False] * 4, True, False]
