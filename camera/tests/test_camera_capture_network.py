"""Cameras as they are on real networks, recorded into segments, every picture decoded by PyAV; each is a fault of the simulated one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import av
import pytest

from novavms_camera.capture import (
    CaptureStream,
    Growth,
    SegmentFacts,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
    SegmentRecorder,
    SyncedFile,
    read_segment,
)
from novavms_camera.secret import Secret
from novavms_camera.source import StreamSource
from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
FRAME = 6000
"""Of the footage, in 90 kHz."""


@dataclass
class Keeper:
    """Keeps segments by their numbers and notes what it is told."""

    folder: Path
    ended: list[SegmentFacts] = field(default_factory=list)
    seen_90k: int = 0
    first_90k: int | None = None

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> SyncedFile:
        self.first_90k = note.start_90k if self.first_90k is None else self.first_90k
        return SyncedFile(self.path(note.number))

    def path(self, number: int) -> Path:
        return self.folder / f"{number:03}.mp4"

    def on_begun(self, file: Any, facts: SegmentFacts) -> None: ...

    def on_grown(self, file: Any, growth: Growth) -> None:
        self.seen_90k = growth.end_90k

    def on_ended(self, file: Any, facts: SegmentFacts) -> None:
        self.seen_90k = facts.end_90k
        self.ended.append(facts)

    @property
    def seconds(self) -> float:
        return (self.seen_90k - self.first_90k) / 90_000 if self.first_90k is not None else 0.0


@dataclass
class Footage:
    """All that was recorded, decoded. Times in seconds of the stream's timeline."""

    facts: list[SegmentFacts]
    times: list[float] = field(default_factory=list)
    sound: list[float] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    broken: int = 0
    """Pictures that the decoder took for damaged."""

    @property
    def steps(self) -> list[float]:
        return [b - a for a, b in pairwise(self.times)]

    @property
    def lost(self) -> list[tuple[float, float]]:
        return [(x.start_90k / 90_000, x.end_90k / 90_000) for f in self.facts for x in f.losses]


def decode(keeper: Keeper) -> Footage:
    """Every segment by itself, errors counted; and what a file says is what its recorder was told."""
    footage = Footage(keeper.ended)
    for facts in keeper.ended:
        path = keeper.path(facts.number)
        assert read_segment(path, verify=True) == facts
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            video.codec_context.thread_count = 1
            video.codec_context.options = {"err_detect": "explode"}
            before = len(footage.times)
            for packet in container.demux():
                for frame in packet.decode():
                    assert isinstance(frame, av.VideoFrame | av.AudioFrame)
                    assert frame.time is not None
                    if isinstance(frame, av.VideoFrame):
                        footage.broken += bool(frame.is_corrupt)
                        footage.times.append(frame.time)
                        footage.sizes.append((frame.width, frame.height))
                    else:
                        footage.sound.append(frame.time)
            assert len(footage.times) - before == facts.frames
    assert footage.times == sorted(set(footage.times)), "times go on"
    assert footage.broken == 0
    return footage


@asynccontextmanager
async def recorded(
    cam: SimCam, folder: Path, *, path: Literal["main", "sub"] = "main", segment_sec: float = 3, **source: Any
) -> AsyncIterator[tuple[CaptureStream, Keeper]]:
    folder.mkdir(exist_ok=True)
    origin = StreamSource(
        url=cam.stream_url(path), username="admin", password=Secret(cam.config.password), **source
    )
    stream = CaptureStream(origin, jitter=random.Random(1))
    keeper = Keeper(folder)
    recorder = SegmentRecorder(stream, keeper, SegmentIdentity("c", path, "t"), segment_sec=segment_sec)
    tasks = [asyncio.create_task(recorder.run()), asyncio.create_task(stream.run())]
    try:
        yield stream, keeper
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def of_seconds(
    folder: Path, seconds: float, faults: dict[str, Any], *, audio: Any = "aac", **more: Any
) -> tuple[Footage, CaptureStream]:
    """What is recorded of a camera with `faults`."""
    async with SimCam(SimCamConfig(audio=audio)) as cam:
        for name, value in faults.items():
            cam.set_fault(name, value)
        async with recorded(cam, folder, **more) as (stream, keeper):
            await until(lambda: keeper.seconds >= seconds, 4 * seconds + 5)
    return await asyncio.to_thread(decode, keeper), stream


def in_sync(footage: Footage, within: float = 0.15) -> None:
    """Sound and picture begin and end together."""
    assert footage.sound
    assert footage.sound[-1] == pytest.approx(footage.times[-1], abs=0.3)
    assert footage.sound[0] == pytest.approx(footage.times[0], abs=within + 0.1)


def even(steps: Sequence[float]) -> None:
    assert all(step == pytest.approx(1 / 15, abs=0.002) for step in steps)


@pytest.mark.parametrize(
    "faults",
    [
        {"timestamp_wrap_sec": 1.5, "sequence_wrap": True},
        {"no_rtcp": True},
        {"timestamp_wrap_sec": 1.5, "sequence_wrap": True, "udp_only": True, "udp_reorder_percent": 10},
    ],
    ids="+".join,
)
async def test_what_wraps_is_missing_or_out_of_order_leaves_no_trace(
    tmp_path: Path, faults: dict[str, Any]
) -> None:
    footage, stream = await of_seconds(tmp_path, 4.2, faults, transport="auto")
    even(footage.steps)
    in_sync(footage)
    assert (footage.lost, stream.damaged_count) == ([], 0)
    assert all(after.continues(before) for before, after in pairwise(footage.facts))
    assert sum(f.end_90k - f.start_90k for f in footage.facts) == len(footage.times) * FRAME


@pytest.mark.parametrize("seconds", [3600, 1.7, -0.4])
async def test_timestamps_that_leap_do_not_move_the_footage(tmp_path: Path, seconds: float) -> None:
    footage, _ = await of_seconds(tmp_path, 7, {"timestamp_jump_sec": seconds})
    jumps = [jump for f in footage.facts for jump in f.jumps]
    assert len(jumps) == 1
    shift = jumps[0].shift_90k / 90_000
    odd = [step for step in footage.steps if step != pytest.approx(1 / 15, abs=0.002)]
    assert len(odd) <= 1, "all but the step at the leap are even"
    assert all(0 < step < 1 for step in odd)
    step = odd[0] if odd else 1 / 15  # it is placed by its arrival
    assert shift + step == pytest.approx(seconds + 1 / 15, abs=0.01)
    in_sync(footage)
    # the time of day does not leap
    first, last = footage.facts[0], footage.facts[-1]
    span = (last.ended_at - first.started_at).total_seconds()
    assert span == pytest.approx((last.end_90k - first.start_90k) / 90_000, abs=0.25)


@pytest.mark.parametrize(
    "faults",
    [{"rtp_clock_percent": 150, "no_rtcp": True}, {"rtp_clock_percent": 1}],
)
async def test_a_clock_that_counts_wrongly_is_found_out(tmp_path: Path, faults: dict[str, Any]) -> None:
    async with SimCam(SimCamConfig()) as cam:
        for name, value in faults.items():
            cam.set_fault(name, value)
        async with recorded(cam, tmp_path) as (stream, keeper):
            told = 90_000 * cam.config.faults.rtp_clock_percent / 100
            await until(lambda: _rate(stream) == pytest.approx(told, rel=0.1), seconds=60)
            begun, frames = stream._last_pts, stream.frames_received
            await until(lambda: stream.frames_received >= frames + 15 * 5)
            took = (stream._last_pts - begun) / 90_000
            assert took == pytest.approx((stream.frames_received - frames) / 15, rel=0.06)
    footage = await asyncio.to_thread(decode, keeper)
    assert footage.sound[-1] == pytest.approx(footage.times[-1], abs=0.5)
    late = [s for t, s in zip(footage.times, footage.steps, strict=False) if t > footage.times[-1] - 4]
    assert all(step == pytest.approx(1 / 15, rel=0.08) for step in late)


def _rate(stream: CaptureStream) -> float:
    """What the camera's clock counts in a second, by what the stream has found out."""
    return stream._session.timeline.true_rate if stream._session is not None else 0.0


async def test_lost_packets_are_marked_and_nothing_else_is_touched(tmp_path: Path) -> None:
    faults = {"udp_loss_percent": 0.6, "udp_reorder_percent": 5}
    footage, stream = await of_seconds(tmp_path, 14, faults, transport="udp")
    assert footage.lost
    told = [loss for f in footage.facts for loss in f.losses]
    assert all(loss.damaged for loss in told)
    assert 0 < sum(loss.damaged + loss.skipped for loss in told) <= stream.damaged_count
    for start, end in footage.lost:
        assert not [t for t in footage.times if start - 0.001 <= t < end - 0.001], "no picture within a loss"
    for before, step in zip(footage.times, footage.steps, strict=False):
        if step != pytest.approx(1 / 15, abs=0.002):
            assert any(abs(before + 1 / 15 - start) < 0.01 for start, _ in footage.lost), (
                "no hole but a marked one"
            )
    assert all(after.continues(before) for before, after in pairwise(footage.facts))


@pytest.mark.parametrize("kind", ["resolution", "sets"])
async def test_another_format_in_mid_stream_begins_a_segment(tmp_path: Path, kind: str) -> None:
    footage, _ = await of_seconds(tmp_path, 9.5, {"format_change": kind}, segment_sec=60)
    assert [f.end_reason for f in footage.facts] == ["format_changed", "format_changed", "stopped"]
    assert [f.session for f in footage.facts] == [0, 0, 0]
    first, second, third = (f.format for f in footage.facts)
    assert first == third != second
    main, sub = (768, 576), (384, 288)
    sizes = [main, sub, main] if kind == "resolution" else [sub] * 3
    assert [(f.format.width, f.format.height) for f in footage.facts] == sizes
    told = [(f.format.width, f.format.height) for f in footage.facts for _ in range(f.frames)]
    assert footage.sizes == told
    even(footage.steps)
    assert footage.lost == []
    assert all(b.start_90k == a.end_90k for a, b in pairwise(footage.facts)), "not a tick between"
    in_sync(footage)


async def test_b_frames_are_shown_in_their_order(tmp_path: Path) -> None:
    footage, _ = await of_seconds(tmp_path, 6.2, {"b_frames": True})
    even(footage.steps[:-3])  # the last picture came before those shown before it
    in_sync(footage, 0.3)
    assert footage.lost == []
    assert all(after.continues(before) for before, after in pairwise(footage.facts))


@pytest.mark.parametrize(("audio", "more"), [("aac", {}), ("pcmu", {"no_rtcp": True})])
async def test_sound_that_comes_late_begins_late(tmp_path: Path, audio: str, more: dict[str, Any]) -> None:
    faults = {"audio_late_sec": 2, **more}
    footage, _ = await of_seconds(tmp_path, 4.5, faults, audio=audio)
    assert footage.sound[0] - footage.times[0] == pytest.approx(2, abs=0.6 if "no_rtcp" in more else 0.2)
    assert footage.sound[-1] == pytest.approx(footage.times[-1], abs=0.3)
    even(footage.steps)


async def test_a_key_frame_every_ten_seconds_makes_longer_segments(tmp_path: Path) -> None:
    footage, _ = await of_seconds(tmp_path, 10.7, {"gop_10s": True}, segment_sec=3)
    first, second = footage.facts
    assert first.end_90k - first.start_90k == 10 * 90_000 or len(first.keys) == 1
    assert second.continues(first)
    assert all(len(f.keys) == 1 for f in footage.facts)
    even(footage.steps)


async def test_a_camera_that_wants_receiver_reports_gets_them(tmp_path: Path) -> None:
    async with SimCam(SimCamConfig()) as tcp, SimCam(SimCamConfig()) as udp:
        for cam in (tcp, udp):
            cam.set_fault("needs_reports_sec", 11)
        async with (
            recorded(tcp, tmp_path / "t", transport="tcp") as (one, _),
            recorded(udp, tmp_path / "u", transport="udp") as (two, _),
        ):
            await until(lambda: min(one.frames_received, two.frames_received) > 15 * 12.5, 20)
        for cam in (tcp, udp):
            assert cam.stats.sessions_total == 1
            assert cam.stats.receiver_reports >= 1
        report = udp.stats.last_receiver_report
        assert (report[0] & 31, report[1], len(report) >= 32) == (1, 201, True)


async def test_main_and_sub_are_recorded_at_once_with_one_session_each(tmp_path: Path) -> None:
    async with SimCam(SimCamConfig()) as cam:
        cam.set_fault("one_session_per_stream")
        async with (
            recorded(cam, tmp_path / "m") as (main, main_keeper),
            recorded(cam, tmp_path / "s", path="sub") as (_, sub_keeper),
        ):
            await until(lambda: min(main_keeper.seconds, sub_keeper.seconds) > 1)
            async with main.subscribe() as live:
                await anext(live)
                clip = await main.record_clip(tmp_path / "clip.mp4", duration_sec=1, pre_roll_sec=0)
            await until(lambda: min(main_keeper.seconds, sub_keeper.seconds) > 4)
            assert (cam.sessions, cam.stats.sessions_total) == (2, 2)
            assert cam.stats.connections == 2
    assert clip.failure_reason is None
    for keeper, size in ((main_keeper, (768, 576)), (sub_keeper, (384, 288))):
        footage = await asyncio.to_thread(decode, keeper)
        assert set(footage.sizes) == {size}
        even(footage.steps)
        in_sync(footage)
