"""Memory, lists and file handles stay bounded whatever a camera sends; and what is known of the time of day, whatever it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from novavms_camera.capture import (
    CaptureStream,
    Growth,
    Jump,
    Loss,
    SampleSink,
    SegmentFacts,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
    SegmentRecorder,
    SyncedFile,
    SyncPace,
    WallClock,
    segments,
)
from novavms_camera.capture.fmp4 import FragmentBuilder
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample
from novavms_camera.capture.pace import Pace
from novavms_camera.capture.timeline import Timeline
from novavms_camera.rtsp.audio import AudioFormat
from novavms_camera.rtsp.parameter_sets import VideoFormat
from novavms_camera.rtsp.rtp import RtpTrack, SenderReport
from novavms_camera.source import StreamSource

pytestmark = pytest.mark.anyio
SOUND = AudioFormat("pcma", 8000, 1)
MB = 1024 * 1024


def format_of(size: int) -> StreamFormat:
    return StreamFormat(VideoFormat("h264", size, size, None, b"config", b"", "avc1.42001e", 0), SOUND)


# ---- memory and handles ---------------------------------------------------------------------------------------


def test_a_clock_that_stands_still_does_not_fill_the_memory() -> None:
    builder = FragmentBuilder(format_of(64))
    given = 0
    for number in range(60):
        given += len(builder.add_video(VideoSample(number, number, number == 0, bytes(MB))) or b"")
        assert builder.pending[0] <= 18, "16 MiB and a frame"
    assert given > 40 * MB


def test_sound_without_a_picture_does_not_fill_the_memory() -> None:
    builder = FragmentBuilder(format_of(64))
    for number in range(10_000):
        builder.add_audio(AudioSample(number * 160, 160, bytes(160)))
    builder.add_video(VideoSample(0, 0, True, b"x"))
    assert len(builder.flush() or b"") < 5000 * 170


@dataclass
class Keeper:
    """Keeps facts, and files in a folder or nowhere."""

    folder: Path | None = None
    pace: SyncPace = field(default_factory=SyncPace)
    ended: list[SegmentFacts] = field(default_factory=list)
    most_open: int = 0

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> Any:
        if self.folder is None:
            return Nowhere()
        self.most_open = max(self.most_open, handles())
        return SyncedFile(self.folder / f"{note.number}.mp4", self.pace)

    def on_begun(self, file: Any, facts: SegmentFacts) -> None: ...
    def on_grown(self, file: Any, growth: Growth) -> None: ...

    def on_ended(self, file: Any, facts: SegmentFacts) -> None:
        self.ended.append(facts)


class Nowhere:
    def write(self, data: bytes) -> None: ...
    async def close(self) -> None: ...


class Camera:
    """A source of samples."""

    def __init__(self) -> None:
        self.sinks: list[SampleSink] = []

    def add_sink(self, sink: SampleSink) -> None:
        self.sinks.append(sink)

    def remove_sink(self, sink: SampleSink) -> None:
        self.sinks.remove(sink)

    def wall_clock(self, at_90k: int) -> WallClock:
        return WallClock(datetime.fromtimestamp(at_90k / VIDEO_RATE, UTC), "arrival", 0.5)


def handles() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def recorded(keeper: Keeper, script: Callable[[SampleSink], Any]) -> None:
    camera = Camera()
    task = asyncio.create_task(SegmentRecorder(camera, keeper, SegmentIdentity("c", "main", "t")).run())
    await asyncio.sleep(0)
    done = script(camera.sinks[0])
    if done is not None:
        await done
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_endless_losses_and_leaps_make_no_endless_lists() -> None:
    def script(sink: SampleSink) -> None:
        sink.on_format(format_of(64))
        for number in range(2000):
            sink.on_loss(Loss(number * 10, number * 10 + 5, 1, 0))
            for _ in range(3):
                sink.on_jump(Jump(number * 10, 99))
            sink.on_video(VideoSample(number * 10 + 5, number * 10 + 5, True, b"\0\0\0\1x"))

    await recorded(keeper := Keeper(), script)
    assert len(keeper.ended) > 5
    assert all(len(f.losses) <= 257 and len(f.jumps) <= 257 for f in keeper.ended)
    assert sum(len(f.losses) for f in keeper.ended) == 1999, (
        "none is forgotten but the one before the first picture"
    )


async def test_a_format_and_a_break_at_every_picture_leave_no_file_open(tmp_path: Path) -> None:
    before = handles()

    async def script(sink: SampleSink) -> None:
        for number in range(150):
            at = number * VIDEO_RATE
            sink.on_format(format_of(64 + 16 * (number % 5)))
            sink.on_video(VideoSample(at, at, True, b"\0\0\0\1x"))
            if number % 3 == 0:
                sink.on_break("connection_lost")
            await asyncio.sleep(0.001)

    await recorded(keeper := Keeper(tmp_path), script)
    assert len(keeper.ended) == len(list(tmp_path.iterdir())) == 150
    assert handles() <= before + 1  # the loop's own, for its threads


async def test_a_camera_without_a_second_key_frame_makes_no_endless_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segments, "MAX_SEGMENT_BYTES", 100_000)

    def script(sink: SampleSink) -> None:
        sink.on_format(format_of(64))
        for number in range(600):
            at = number * 6000
            sink.on_video(VideoSample(at, at, number in {0, 500}, bytes(1000)))

    await recorded(keeper := Keeper(), script)
    assert [f.end_reason for f in keeper.ended] == ["too_big", "stopped"]
    assert 100_000 < keeper.ended[0].size_bytes < 140_000
    assert keeper.ended[1].start_90k == 500 * 6000


# ---- the time of day -------------------------------------------------------------------------------------------


class HandClock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Silent:
    def push(self, payload: memoryview, marker: bool, timestamp: int, lost: bool) -> None: ...
    def lose(self) -> None: ...


def test_the_time_of_day_says_how_it_is_known_and_does_not_follow_a_clock_that_leaps() -> None:
    clock = HandClock()
    track = RtpTrack(96, Silent())
    line = Timeline(clock, clock.time, 0, track, None, video_rate=VIDEO_RATE)

    def frame(number: int) -> int:
        clock.time = 100 + number / 25
        _, pts = line.video(7000 + number * 3600, clock.time)
        line.note_arrival(pts)
        return pts

    def off(pts: int) -> float:
        return (line.clock().wall_clock(pts).at - clock.now()).total_seconds()

    def report(number: int, error: float) -> None:
        track.report = SenderReport(1, clock.now().timestamp() + error, 7000 + number * 3600)

    pts = frame(0)
    assert (line.clock().source, off(pts)) == ("arrival", pytest.approx(0, abs=0.001))
    assert line.clock().camera_offset_sec is None
    report(0, -0.3)
    assert line.clock().source == "rtcp"
    assert line.clock().wall_clock(pts).camera_offset_sec == pytest.approx(-0.3, abs=0.001)
    assert off(frame(1)) == pytest.approx(-0.3, abs=0.001)
    assert line.clock().uncertainty_sec == pytest.approx(0.3, abs=0.01)
    report(1, 3600)  # somebody set the camera's clock
    assert line.clock().source == "arrival"
    assert line.clock().camera_offset_sec == pytest.approx(3600, abs=0.1)
    assert off(frame(2)) == pytest.approx(0, abs=0.001)
    report(2, -0.3)
    assert line.clock().source == "rtcp"
    clock.time = 100 + 3 / 25
    line.video(7000 + 10**9, clock.time)  # the timestamps leap: the last report does not know of it
    assert line.jump is not None
    assert line.clock().source == "arrival"


def test_our_own_clock_being_set_is_followed() -> None:
    clock = HandClock()
    track = RtpTrack(96, Silent())
    line = Timeline(clock, 100.0, 0, track, None, video_rate=VIDEO_RATE)
    _, pts = line.video(0, 100.0)
    line.note_arrival(pts)
    real = clock.now
    clock.now = lambda: real() + timedelta(hours=1)  # type: ignore[method-assign]
    line.note_arrival(pts)
    assert line.clock().wall_clock(pts).at == clock.now()


async def test_a_stream_that_never_was_connected_knows_the_time() -> None:
    clock = HandClock()
    stream = CaptureStream(StreamSource(url="rtsp://127.0.0.1/x"), clock=clock)
    clock.time += 5
    told = stream.wall_clock(stream.now_90k())
    assert abs((told.at - clock.now()).total_seconds()) < 0.001
    assert (told.source, told.uncertainty_sec) == ("arrival", 1.0)


def pace_of(rate: float, arrival: Callable[[float], float], *, reports: bool) -> float:
    """What is found out of a clock that counts `rate` a second, its frames arriving at `arrival(sent)`."""
    pace = Pace(VIDEO_RATE)
    report = None
    for number in range(25 * 60):
        sent = number / 25
        if reports and number % 125 == 0:
            report = SenderReport(1, 1e9 + sent, int(sent * rate))
        came = arrival(sent)
        if came >= pace.next_look:
            pace.look(int(sent * rate), came, report)
    return pace.rate


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("rate", [900.0, 54_000.0, 150_000.0])
def test_a_wrong_clock_is_found_out(rate: float, reports: bool) -> None:
    # 80 ms of jitter
    found = pace_of(rate, lambda sent: sent - sent % 0.08 + 0.08, reports=reports)
    assert found == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("reports", [True, False])
def test_a_right_clock_is_believed_also_when_its_network_stalls(reports: bool) -> None:
    def stalls(sent: float) -> float:
        return max(sent, 20.0) if sent >= 12 else sent

    assert pace_of(VIDEO_RATE, stalls, reports=reports) == VIDEO_RATE


def test_a_network_that_grows_slower_is_no_wrong_clock_where_reports_say_so() -> None:
    assert pace_of(VIDEO_RATE, lambda sent: sent * 1.4, reports=True) == VIDEO_RATE


def test_timestamps_that_stagger_are_straightened_without_a_word() -> None:
    clock = HandClock()
    track, sound = RtpTrack(96, Silent()), RtpTrack(97, Silent())
    line = Timeline(clock, 100.0, 0, track, sound, video_rate=VIDEO_RATE)
    line.set_reorder(0)
    times, heard = [], []
    for number in range(200):
        clock.time = 100 + number / 25
        stagger = -4000 if number % 10 == 5 else 0
        times.append(line.video(number * 3600 + stagger, clock.time))
        assert line.jump is None
        heard.append(line.audio(number * 320, 320, 8000, clock.time + 0.04 * (number % 2)))
    assert all(a[0] < b[0] and a[0] == a[1] for a, b in pairwise(times))
    assert times[-1][1] == 199 * 3600
    assert [b - a for a, b in pairwise(heard) if a is not None and b is not None] == [320] * 199
