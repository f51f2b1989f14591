"""The capture's parts by themselves: memory, queues, times, waiting between tries, refused login."""

import asyncio
import random
import socket
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novavms_camera.capture import CaptureStream, Fragment, StreamStatus, Subscription
from novavms_camera.capture.live import Broadcast
from novavms_camera.capture.model import VIDEO_RATE, StreamFormat, VideoSample
from novavms_camera.capture.ring import GopRing
from novavms_camera.capture.timeline import Timeline
from novavms_camera.faults import CameraFault, Reason
from novavms_camera.rtsp.parameter_sets import VideoFormat
from novavms_camera.rtsp.rtp import RtpTrack, SenderReport
from novavms_camera.source import StreamSource

pytestmark = pytest.mark.anyio


class HandClock:
    """Stands still but for sleeps, which pass at once and are noted."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time - 1000)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


async def run_until(stream: CaptureStream, condition: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(stream.run())
    try:
        async with asyncio.timeout(10):
            await condition
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_tries_come_later_and_later_up_to_a_minute_and_never_together() -> None:
    clock = HandClock()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        source = StreamSource(url=f"rtsp://127.0.0.1:{taken.getsockname()[1]}/x")
        stream = CaptureStream(source, clock=clock, jitter=random.Random(7))

        async def enough() -> None:
            while len(clock.slept) < 40:
                await asyncio.sleep(0.001)

        await run_until(stream, enough())
    assert stream.status.reason == "refused"
    assert stream.status.state == "offline"
    waits = clock.slept[:40]
    assert all(1 <= wait <= 60 for wait in waits)
    assert waits[0] <= 2
    assert min(waits[8:]) >= 30
    assert len(set(waits[8:])) == len(waits[8:])


@pytest.mark.parametrize(
    ("reason", "state"), [("auth_failed", "error"), ("no_video", "error"), ("dns_failed", "offline")]
)
async def test_a_source_that_fails_gives_its_reason_and_logins_wait_ten_minutes(
    reason: Reason, state: str
) -> None:
    clock = HandClock()
    said: list[StreamStatus] = []
    tries = 0

    async def provide() -> StreamSource:
        nonlocal tries
        tries += 1
        raise CameraFault(reason, "as the test says")

    stream = CaptureStream(provide, clock=clock, on_status=said.append)

    async def enough() -> None:
        while tries < 3:
            await asyncio.sleep(0.001)

    await run_until(stream, enough())
    assert [(s.state, s.reason) for s in said] == [(state, reason)], "told once, not at each try"
    assert all((wait == 600) == (reason == "auth_failed") for wait in clock.slept)


def frame(second: float, *, key: bool = False, size: int = 1000) -> VideoSample:
    at = int(second * VIDEO_RATE)
    return VideoSample(at, at, key, b"x" * size)


@given(st.floats(0, 30), st.integers(1, 100), st.integers(10_000, 2_000_000))
def test_memory_holds_what_was_asked_and_one_gop_within_its_bytes(
    keep: float, gop_frames: int, max_bytes: int
) -> None:
    ring = GopRing(keep, max_bytes)
    for number in range(400):
        ring.add_video(frame(number / 10, key=number % gop_frames == 0))
        held = sum(len(s.data) for gop in ring.gops for s in gop.video)
        assert held <= max_bytes
        assert all(gop.video[0].key for gop in ring.gops)
        newest_key = ring.gops[-1].start_90k if ring.gops else 0
        if (keep * 10 + 2 * gop_frames + 1) * 1000 < max_bytes and newest_key > keep * VIDEO_RATE:
            assert ring.gops[0].start_90k <= newest_key - keep * VIDEO_RATE + 1
            assert len(ring.gops) < 2 or ring.gops[1].start_90k > newest_key - keep * VIDEO_RATE - 1


@given(
    st.lists(st.tuples(st.sampled_from(["init", "key", "delta", "read"]), st.integers(1, 500)), max_size=80),
    st.integers(1, 1000),
)
def test_a_readers_queue_is_bounded_and_every_gop_in_it_decodes(
    steps: list[tuple[str, int]], max_bytes: int
) -> None:
    reader = Subscription(Broadcast(lambda: (None, [])), max_bytes)
    sent = 0
    expected_next: int | None = None

    async def read() -> Fragment:
        return await anext(reader)

    for kind, size in steps:
        if kind == "read":
            if reader.queued_bytes:
                coroutine = read()
                with pytest.raises(StopIteration) as stop:
                    coroutine.send(None)
                piece = cast(Fragment, stop.value.value)
                if piece.kind == "media":
                    assert piece.key or piece.start_90k == expected_next, (
                        "a piece came without the one it follows"
                    )
                    expected_next = piece.start_90k + 1
            continue
        init = kind == "init"
        reader.put(Fragment("init" if init else "media", b"x" * (10 if init else size), kind == "key", sent))
        sent += not init
        assert reader.queued_bytes <= max_bytes + 10 * len(steps)


async def test_a_slow_reader_loses_the_oldest_and_keeps_the_newest() -> None:
    reader = Subscription(Broadcast(lambda: (None, [])), 1000)
    for number in range(3):
        reader.put(Fragment("init", b"old" if number < 2 else b"new", False, 0))
    for number in range(9):
        reader.put(Fragment("media", b"x" * 150, number % 3 == 0, number))
    pieces = [await anext(reader) for _ in range(1 + 6)]
    assert pieces[0].data == b"new"
    assert [p.start_90k for p in pieces[1:]] == [3, 4, 5, 6, 7, 8]
    assert reader.queued_bytes == 0
    assert reader.dropped == 3


async def test_a_reader_that_lags_goes_on_at_the_youngest_key_frame_and_not_before_there_is_one() -> None:
    reader = Subscription(Broadcast(lambda: (None, [])), 1_000_000, max_lag_sec=2)
    reader.put(Fragment("init", b"init", False, 0))
    for second in range(6):
        reader.put(Fragment("media", b"x", second in {0, 5}, second * VIDEO_RATE))
        if second == 4:
            assert (reader.dropped, reader.queued_bytes) == (0, 9), "nothing younger could be shown"
    assert reader.dropped == 5
    for second in range(6, 9):
        reader.put(Fragment("media", b"x", False, second * VIDEO_RATE))
    assert reader.dropped == 5, "again there is nothing younger"
    pieces = [await anext(reader) for _ in range(5)]
    assert [piece.start_90k // VIDEO_RATE for piece in pieces] == [0, 5, 6, 7, 8]
    for second in range(9, 20):
        reader.put(Fragment("media", b"x", True, second * VIDEO_RATE))
        await anext(reader)
    assert reader.dropped == 5, "who keeps up loses nothing"


def live_format() -> StreamFormat:
    return StreamFormat(VideoFormat("h264", 64, 64, None, b"config", b"", "avc1.64001f", 0), None)


@pytest.mark.parametrize(
    ("backlog", "frames", "starts"),
    [
        ("all", 25, [0, 10, 20]),
        ("gop", 25, [20]),
        ("gop", 21, [10]),  # of the last GOP there is but the frame that comes with the next fragment
        ("gop", 1, []),
    ],
)
async def test_a_joining_reader_gets_its_backlog_and_nothing_twice(
    backlog: Literal["all", "gop"], frames: int, starts: list[int]
) -> None:
    ring = GopRing(60, 1_000_000)
    broadcast = Broadcast(lambda: (live_format(), list(ring.gops)))
    for number in range(frames):
        ring.add_video(frame(number / 10, key=number % 10 == 0))
    reader = Subscription(broadcast, 1_000_000, backlog=backlog)
    broadcast.join(reader)
    assert (await anext(reader)).fmt == live_format()
    given = [await anext(reader) for _ in range(reader._media)]
    assert [round(piece.start_90k / VIDEO_RATE * 10) for piece in given] == starts
    assert all(piece.key for piece in given)
    broadcast.on_video(frame(frames / 10, key=frames % 10 == 0))
    broadcast.on_video(frame((frames + 1) / 10))
    broadcast.on_video(frame((frames + 2) / 10))
    following = await anext(reader)
    assert following.start_90k == int((frames - 1) / 10 * VIDEO_RATE), "it goes on where the backlog ended"


class Silent:
    """Takes payloads."""

    def push(self, payload: memoryview, marker: bool, timestamp: int, lost: bool) -> None: ...
    def lose(self) -> None: ...


def timeline(clock: HandClock, *, not_before: int = 0) -> tuple[Timeline, RtpTrack, RtpTrack]:
    video, audio = RtpTrack(96, Silent()), RtpTrack(97, Silent())
    return Timeline(clock, clock.time, not_before, video, audio, video_rate=90_000), video, audio


def test_a_clock_that_jumps_makes_neither_gap_nor_step_back() -> None:
    clock = HandClock()
    line, _, _ = timeline(clock)
    times = []
    for number in range(100):
        clock.time += 0.04
        jump = 10**8 if 30 <= number < 60 else -(10**8) if number >= 60 else 0
        times.append(line.video(5_000 + number * 3600 + jump, clock.time)[1])
    steps = [b - a for a, b in pairwise(times)]
    assert all(step == pytest.approx(3600, abs=2) for step in steps)


def test_a_new_session_begins_after_the_last() -> None:
    clock = HandClock()
    line, _, _ = timeline(clock, not_before=900_000)
    assert line.video(123, clock.time)[0] >= 900_000


def test_sound_follows_the_sender_reports_and_not_its_late_arrival() -> None:
    clock = HandClock()
    line, video, audio = timeline(clock)
    clock.time += 1
    _, picture = line.video(90_000, clock.time)
    late = line.audio(8_000, 160, 8_000, clock.time + 0.5)
    assert late is not None
    assert late / 8_000 - picture / VIDEO_RATE > 0.4
    video.report, audio.report = SenderReport(1, 1000.0, 90_000), SenderReport(2, 1000.0, 8_000)
    told = line.audio(8_160, 160, 8_000, clock.time + 0.52)
    assert told is not None
    assert told / 8_000 - picture / VIDEO_RATE == pytest.approx(0.02, abs=0.001)


@pytest.mark.parametrize(("error", "expected"), [(0.8, 0.8), (-10_000.0, 0.0)])
def test_the_time_of_day_is_the_cameras_where_its_clock_is_right(error: float, expected: float) -> None:
    clock = HandClock()
    line, video, _ = timeline(clock)
    _, pts = line.video(90_000, clock.time)
    line.note_arrival(pts)
    video.report = SenderReport(1, clock.now().timestamp() + error, 90_000)
    assert (line.utc(pts) - clock.now()).total_seconds() == pytest.approx(expected, abs=0.001)
