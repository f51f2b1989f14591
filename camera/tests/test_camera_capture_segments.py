"""Segments: what a file says of itself is what its recorder was told, wherever the file was cut; written from made-up samples."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novavms_camera.capture import (
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
    read_segment,
    repair_segment,
)
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample
from novavms_camera.rtsp.audio import AudioFormat
from novavms_camera.rtsp.parameter_sets import ParameterSets

Look = Callable[[Path], Any]
pytestmark = pytest.mark.anyio
STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FPS = 25
GOP = 25
TICK = VIDEO_RATE // FPS
SOUND = AudioFormat("pcma", 8000, 1)
WHO = SegmentIdentity("cam-1", "main", "t-1")


@lru_cache
def pictures(size: int = 64) -> tuple[StreamFormat, list[tuple[bool, bytes]]]:
    """Four seconds of greys, a key frame each second."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = size, size, "yuv420p"
    context.time_base = Fraction(1, FPS)
    context.options = {"x264-params": f"scenecut=0:keyint={GOP}:min-keyint={GOP}:bframes=0:qp=10"}
    packets: list[av.Packet] = []
    for number in range(4 * FPS):
        frame = av.VideoFrame(size, size, "yuv420p")
        for index, plane in enumerate(frame.planes):
            plane.update(bytes((20 + number if index == 0 else 128,)) * plane.buffer_size)
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    sets = ParameterSets("h264")
    frames = []
    for packet in packets:
        units = [
            u
            for u in bytes(packet).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
            if u and not sets.take(u)
        ]
        frames.append((packet.is_keyframe, b"".join(len(u).to_bytes(4, "big") + u for u in units)))
    return StreamFormat(sets.format(), SOUND), frames


@dataclass
class Camera:
    """A source of samples whose clock the test sets."""

    sinks: list[SampleSink] = field(default_factory=list)
    clock: Callable[[int], WallClock] = lambda at: WallClock(
        STARTED + timedelta(seconds=at / VIDEO_RATE), "arrival", 0.5
    )
    at_90k: int = 900_000

    def add_sink(self, sink: SampleSink) -> None:
        self.sinks.append(sink)

    def remove_sink(self, sink: SampleSink) -> None:
        self.sinks.remove(sink)

    def wall_clock(self, at_90k: int) -> WallClock:
        return self.clock(at_90k)

    def begin(self, fmt: StreamFormat | None = None) -> None:
        for sink in self.sinks:
            sink.on_format(fmt or pictures()[0])

    def play(self, seconds: float, size: int = 64) -> None:
        """From a key frame on, with sound."""
        frames = pictures(size)[1]
        for number in range(round(seconds * FPS)):
            key, data = frames[number % len(frames)]
            for sink in self.sinks:
                sink.on_video(VideoSample(self.at_90k, self.at_90k, key, data))
                sink.on_audio(AudioSample(self.at_90k * 8 // 90, 320, b"\xd5" * 320))
            self.at_90k += TICK


class MemoryFile:
    """A disk that takes `room` bytes."""

    def __init__(self, room: int = 1 << 40) -> None:
        self.data = b""
        self.room = room
        self.cuts: list[tuple[int, int]] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        took = data[: max(0, self.room - len(self.data))]
        self.data += took
        if len(took) < len(data):
            raise OSError(28, "No space left on device")

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed = True


@dataclass
class Keeper:
    """Notes what it is told; files are in memory unless `open_file` says where."""

    open_file: Callable[[SegmentNote], Any] = lambda _: MemoryFile()
    begun: list[SegmentFacts] = field(default_factory=list)
    ended: list[SegmentFacts] = field(default_factory=list)
    files: list[Any] = field(default_factory=list)
    grown: list[Growth] = field(default_factory=list)
    formats: list[SegmentFormat] = field(default_factory=list)

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> Any:
        file = self.open_file(note)
        self.files.append(file)
        self.formats.append(fmt)
        return file

    def on_begun(self, file: Any, facts: SegmentFacts) -> None:
        assert file is self.files[-1]
        self.begun.append(facts)

    def on_grown(self, file: Any, growth: Growth) -> None:
        assert file is self.files[-1]
        self.grown.append(growth)

    def on_ended(self, file: Any, facts: SegmentFacts) -> None:
        self.ended.append(facts)


async def record(script: Callable[[Camera], None], *, segment_sec: float = 2, **keeping: Any) -> Keeper:
    """Runs `script` on a camera that is recorded; the recorder is stopped afterwards."""
    camera, keeper = Camera(), Keeper(**keeping)
    task = asyncio.create_task(SegmentRecorder(camera, keeper, WHO, segment_sec=segment_sec).run())
    await asyncio.sleep(0)
    script(camera)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not camera.sinks
    return keeper


def eventful(camera: Camera) -> None:
    """One segment with all that can be in one: a loss, a leap, another word on the time of day."""
    camera.begin()
    camera.play(1)
    for sink in camera.sinks:
        sink.on_loss(Loss(camera.at_90k, camera.at_90k + 30_000, 1, 7))
    camera.at_90k += 30_000
    camera.clock = lambda at: WallClock(STARTED + timedelta(seconds=at / VIDEO_RATE + 0.3), "rtcp", 0.02)
    for sink in camera.sinks:
        sink.on_jump(Jump(camera.at_90k, 10**8))
    camera.play(1.9)


async def test_how_far_the_cameras_clock_is_off_stands_in_the_file_once_it_is_known(tmp_path: Path) -> None:
    """A camera a year behind: its footage is dated by our clock, and says so of its own. What trembles is not written anew."""
    offsets = [None, -31e6, -31e6 + 0.2, None, -5.0]

    def script(camera: Camera) -> None:
        camera.begin()
        for offset in offsets:
            camera.clock = lambda at, offset=offset: WallClock(  # type: ignore[misc]
                STARTED + timedelta(seconds=at / VIDEO_RATE), "arrival", 0.5, offset
            )
            camera.play(1)

    (facts,) = (keeper := await record(script, segment_sec=9)).ended
    assert [mark.camera_offset_sec for mark in facts.clocks] == [None, -31e6, -5.0]
    path = tmp_path / "alone.mp4"
    path.write_bytes(keeper.files[0].data)
    assert read_segment(path, verify=True) == facts


async def test_segments_follow_one_another_without_a_tick_between() -> None:
    def script(camera: Camera) -> None:
        camera.begin()
        camera.play(9.6)

    keeper = await record(script)
    first, *rest = keeper.ended
    assert [f.end_reason for f in keeper.ended] == ["next"] * 4 + ["stopped"]
    assert [f.number for f in keeper.ended] == [0, 1, 2, 3, 4]
    assert all(after.continues(before) for before, after in zip(keeper.ended, rest, strict=False))
    assert (first.start_90k, first.end_90k) == (900_000, 900_000 + 2 * VIDEO_RATE)
    assert keeper.ended[-1].end_90k == 900_000 + round(9.6 * VIDEO_RATE)
    assert first.started_at == STARTED + timedelta(seconds=10)
    assert first.ended_at == rest[0].started_at
    assert sum(f.frames for f in keeper.ended) == 240
    assert (first.format.codec, first.format.codecs[:5], first.format.width) == ("h264", "avc1.", 64)
    for file, facts in zip(keeper.files, keeper.ended, strict=True):
        assert file.closed
        assert (facts.size_bytes, facts.sha256) == (len(file.data), hashlib.sha256(file.data).hexdigest())


async def test_a_file_alone_says_what_its_recorder_was_told(tmp_path: Path) -> None:
    keeper = await record(eventful, segment_sec=9)
    (facts,) = keeper.ended
    assert facts.losses == (Loss(900_000 + VIDEO_RATE, 900_000 + VIDEO_RATE + 30_000, 1, 7),)
    assert facts.jumps == (Jump(900_000 + VIDEO_RATE + 30_000, 10**8),)
    assert [mark.source for mark in facts.clocks] == ["arrival", "rtcp"]
    assert facts.lost_90k == 30_000
    assert facts.wall_clock(900_000).source == "arrival"
    assert (facts.wall_clock(facts.end_90k).at - STARTED).total_seconds() == pytest.approx(
        facts.end_90k / VIDEO_RATE + 0.3
    )
    path = tmp_path / "a.mp4"
    path.write_bytes(keeper.files[0].data)
    assert read_segment(path, verify=True) == facts
    assert read_segment(path) == replace(facts, sha256=None)
    assert repair_segment(path) == facts
    assert path.read_bytes() == keeper.files[0].data


async def test_a_player_begins_at_every_key_entry(tmp_path: Path, look: Look) -> None:
    keeper = await record(eventful, segment_sec=9)
    data, facts = keeper.files[0].data, keeper.ended[0]
    assert [key.at_90k for key in facts.keys] == [900_000, 1_020_000, 1_110_000]
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(data)
    seen = look(whole)
    assert (len(seen.times), seen.first_is_key, seen.is_monotonic, seen.audio) == (73, True, True, "pcm_alaw")
    later = tmp_path / "later.mp4"
    later.write_bytes(data[: facts.init_bytes] + data[facts.keys[1].offset :])
    seen = look(later)
    assert (len(seen.times), seen.first_is_key) == (48, True)


def cut(tmp_path: Path, data: bytes, at: int, facts: SegmentFacts) -> None:
    """What must hold of a file that was cut at `at`."""
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[:at])
    read = read_segment(path)
    mended = repair_segment(path)
    if mended is None:
        assert read is None
        assert path.stat().st_size == at, "it is not ours to empty"
        return
    assert read is not None
    assert mended.is_ended == (at == len(data))
    assert mended.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert mended.size_bytes == path.stat().st_size
    assert repair_segment(path) == mended, "mending twice changes nothing"
    assert mended.keys == facts.keys[: len(mended.keys)]
    assert mended.losses == facts.losses[: len(mended.losses)]
    assert mended.end_90k <= facts.end_90k
    assert (mended.started_at, mended.format, mended.camera) == (facts.started_at, facts.format, "cam-1")
    assert path.read_bytes()[: read.size_bytes] == data[: read.size_bytes]
    if any(loss.end_90k <= mended.end_90k for loss in facts.losses):
        assert mended.losses, "pictures after a loss are never there without the loss"


@lru_cache
def written() -> tuple[bytes, SegmentFacts, list[Growth]]:
    keeper = asyncio.run(record(eventful, segment_sec=9))
    return keeper.files[0].data, keeper.ended[0], keeper.grown


def test_a_cut_at_each_fragments_end_loses_nothing_before_it(tmp_path: Path) -> None:
    data, facts, grown = written()
    assert len(grown) > 1
    for growth in grown:
        for at in range(growth.size_bytes - 2, growth.size_bytes + 3):
            cut(tmp_path, data, at, facts)
        path = tmp_path / "cut.mp4"
        path.write_bytes(data[: growth.size_bytes])
        mended = repair_segment(path)
        assert mended is not None
        assert mended.end_90k == growth.end_90k


@given(st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cut_anywhere_is_mended_to_the_last_whole_fragment(tmp_path: Path, pick: st.DataObject) -> None:
    data, facts, grown = written()
    at = pick.draw(st.integers(0, len(data)))
    cut(tmp_path, data, at, facts)
    reached = [growth.end_90k for growth in grown if growth.size_bytes <= at]
    if reached:
        mended = read_segment(tmp_path / "cut.mp4")
        assert mended is not None
        assert mended.end_90k >= reached[-1]


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_disk_made_of_the_tail_is_never_shown(tmp_path: Path, pick: st.DataObject) -> None:
    """A power cut can leave a file of the right length whose last pages are zeros or another file's."""
    data, _, _ = written()
    at = pick.draw(st.integers(0, len(data) - 1))
    length = pick.draw(st.integers(1, 5000))
    tail = pick.draw(st.sampled_from([b"\0" * length, random.Random(7).randbytes(length)]))
    broken = (data[:at] + tail + data[at + length :])[: max(len(data), at + length)]
    path = tmp_path / "cut.mp4"
    path.write_bytes(broken)
    mended = repair_segment(path)
    if mended is None:
        return
    kept = path.read_bytes()
    assert mended.size_bytes == len(kept)
    assert kept == data[: len(kept)], "what stays is what was written"
    assert read_segment(path, verify=True) == mended


@pytest.mark.parametrize("what", ["break", "format", "loss then break"])
async def test_breaks_and_new_formats_end_a_segment(what: str) -> None:
    def script(camera: Camera) -> None:
        camera.begin()
        camera.play(1.6)
        if what == "format":
            camera.begin(pictures(96)[0])
        else:
            for sink in camera.sinks:
                if what != "break":
                    sink.on_loss(Loss(camera.at_90k, camera.at_90k + 45_000, 1, 0))
                sink.on_break("connection_lost")
            camera.at_90k += VIDEO_RATE
            camera.begin()
        camera.play(1, 96 if what == "format" else 64)

    keeper = await record(script)
    first, second = keeper.ended
    assert not second.continues(first)
    end = 900_000 + 40 * TICK + (45_000 if what == "loss then break" else 0)
    assert first.end_90k == end
    if what == "format":
        assert (first.end_reason, first.session, second.session) == ("format_changed", 0, 0)
        assert (second.format.width, second.start_90k) == (96, end)
        assert first.format.id != second.format.id
    else:
        assert (first.end_reason, first.session, second.session) == ("connection_lost", 0, 1)
        assert first.format == second.format


async def test_a_full_disk_ends_the_recording_and_leaves_what_can_be_mended(tmp_path: Path) -> None:
    camera, keeper = Camera(), Keeper(lambda _: MemoryFile(room=20_000))
    task = asyncio.create_task(SegmentRecorder(camera, keeper, WHO, segment_sec=60).run())
    await asyncio.sleep(0)
    camera.begin()
    camera.play(30)
    with pytest.raises(OSError, match="No space"):
        await task
    (facts,) = keeper.ended
    assert (facts.end_reason, facts.is_ended, facts.sha256) == ("disk_failed", False, None)
    assert keeper.files[0].closed
    path = tmp_path / "a.mp4"
    path.write_bytes(keeper.files[0].data)
    mended = repair_segment(path)
    assert mended is not None
    assert (mended.end_90k, mended.end_reason, mended.keys) == (facts.end_90k, None, facts.keys)


async def test_a_file_on_disk_is_durable_when_its_end_is_told(tmp_path: Path) -> None:
    def script(camera: Camera) -> None:
        camera.begin()
        camera.play(4.5)

    pace = SyncPace(0)
    keeper = await record(script, open_file=lambda note: SyncedFile(tmp_path / f"{note.number}.mp4", pace))
    files = sorted(tmp_path.iterdir())
    assert [read_segment(path, verify=True) for path in files] == keeper.ended
    with pytest.raises(FileExistsError):
        SyncedFile(files[0])


async def test_a_sync_that_fails_ends_the_file(tmp_path: Path) -> None:
    (tmp_path / "pipe").mkdir()
    file = SyncedFile(tmp_path / "pipe" / "a.mp4", pace := SyncPace(0))
    os.close(file._file)
    reader, file._file = os.pipe()  # takes bytes, but cannot be synced
    file.write(b"x")
    async with asyncio.timeout(5):
        while pace._running is None or not pace._running.done():
            await asyncio.sleep(0.01)
    with pytest.raises(OSError, match="Invalid argument"):
        file.write(b"y")
    with pytest.raises(OSError, match="Invalid argument"):
        await file.close()
    assert file._file == -1
    os.close(reader)
