"""Cutting a clip of the past out of segments: samples are copied, nothing is decoded.

Segments of one timeline keep their distances to the tick; where another timeline begins (the gateway was restarted), the time of day
says how far on it goes. A hole stays one: the last picture before it stands, and `gap_sec` counts it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import IO, Final, Literal

from novavms_camera.capture.faststart import MovieTrack, Written, write_faststart
from novavms_camera.capture.finalise import MoviePlan, audio_track, gaps_90k
from novavms_camera.capture.fmp4_reader import Sample, Track, read_fragmented
from novavms_camera.capture.model import VIDEO_RATE, ClipFile
from novavms_camera.capture.segment import SegmentFacts
from novavms_camera.capture.segment_reader import read_segment

SEGMENTS_MAX: Final = 4000
"""More than an hour of segments of a second each: what is asked for beyond is a mistake."""


@dataclass(frozen=True, slots=True)
class CutPart:
    """A segment that the cut took from; its samples are decoded in [start_90k, end_90k) of the cut's own time."""

    path: Path
    facts: SegmentFacts
    start_90k: int
    end_90k: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A clip out of segments. `written` says where in the file each second lies; its times and those of `parts` have one zero."""

    clip: ClipFile
    written: Written
    parts: list[CutPart]


class Joined:
    """Several files, read as if one followed the other."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self.starts = [0]
        for path in paths:
            self.starts.append(self.starts[-1] + path.stat().st_size)

    @contextmanager
    def open(self, mode: Literal["rb"], /) -> Iterator[_JoinedReader]:
        """Holds one of the files open at a time."""
        reader = _JoinedReader(self._paths, self.starts)
        try:
            yield reader
        finally:
            reader.close()


class _JoinedReader:
    """A read never crosses from one file to the next: a sample lies in one."""

    def __init__(self, paths: Sequence[Path], starts: list[int]) -> None:
        self._paths = paths
        self._starts = starts
        self._number = -1
        self._file: IO[bytes] | None = None

    def seek(self, offset: int, /) -> None:
        number = bisect_right(self._starts, offset) - 1
        if number != self._number:
            self.close()
            self._file = self._paths[number].open("rb")
            self._number = number
        assert self._file is not None, "opened above"
        self._file.seek(offset - self._starts[number])

    def read(self, size: int, /) -> bytes:
        assert self._file is not None, "seek comes first"
        return self._file.read(size)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._number = None, -1


@dataclass(slots=True)
class _Gathered:
    plan: MoviePlan
    source: Joined
    parts: list[CutPart]
    is_cut_short: bool
    """The picture's or sound's format changed: the rest cannot be in the same file."""


async def cut_segments(
    paths: Sequence[Path], target: Path, start: datetime, end: datetime, *, facts: bytes = b""
) -> Cut | None:
    """Writes `target`, which shows [start, end) as far as the segments have it; they are one stream's, oldest first.

    None (and no file) where nothing in them falls into the range. The clip's `failure_reason` is `format_changed` where the
    format changed within the range and the clip ends there. `facts`: a `udta` box. Raises OSError; a file that cannot be read as
    a segment is passed over.
    """
    gathered = await asyncio.to_thread(_gather, paths[:SEGMENTS_MAX], start, end)
    if gathered is None:
        return None
    plan = gathered.plan
    sound = await audio_track(gathered.source, plan)
    video = MovieTrack(plan.video.entry, plan.video.timescale, plan.video.samples, plan.video.size)
    written = await asyncio.to_thread(
        write_faststart,
        gathered.source,
        target,
        [video] if sound is None else [video, sound],
        start_90k=plan.start_90k,
        end_90k=plan.end_90k,
        created=plan.started_at,
        facts=facts,
    )
    width, height = plan.video.size
    clip = ClipFile(
        path=target,
        size_bytes=written.size_bytes,
        sha256=written.sha256,
        duration_sec=round((plan.end_90k - plan.start_90k) / VIDEO_RATE, 3),
        started_at=plan.started_at,
        codec="h264" if plan.video.kind == b"avc1" else "h265",
        width=width,
        height=height,
        has_audio=sound is not None,
        failure_reason="format_changed" if gathered.is_cut_short else None,
        gap_sec=round(gaps_90k(plan.video.samples, plan.start_90k, plan.end_90k) / VIDEO_RATE, 3),
    )
    return Cut(clip, written, gathered.parts)


def _gather(paths: Sequence[Path], start: datetime, end: datetime) -> _Gathered | None:
    """All samples of the range on one time axis: its zero is `start` by the first segment's clock."""
    source = Joined(paths)
    length = round((end - start).total_seconds() * VIDEO_RATE)
    tracks: dict[bool, Track] = {}
    parts: list[CutPart] = []
    before: CutPart | None = None
    shift = 0
    for number, path in enumerate(paths):
        facts = read_segment(path)
        if facts is None or facts.ended_at <= start or facts.started_at >= end:
            continue
        if before is not None and facts.format.id != before.facts.format.id:
            return _finish(tracks, source, parts, start, length, is_cut_short=True)
        shift = _shift(facts, before, shift, start)
        before = CutPart(path, facts, facts.start_90k + shift, facts.end_90k + shift)
        parts.append(before)
        for track in read_fragmented(path).tracks:
            kept = tracks.setdefault(
                track.is_video, Track(track.number, track.timescale, track.kind, track.entry, track.is_video)
            )
            moved = shift * track.timescale // VIDEO_RATE
            floor = kept.samples[-1].dts if kept.samples else None
            kept.samples += [
                Sample(
                    source.starts[number] + s.offset, s.size, s.dts + moved, s.duration, s.composition, s.key
                )
                for s in track.samples
                if floor is None or s.dts + moved > floor
            ]
    return _finish(tracks, source, parts, start, length, is_cut_short=False)


def _shift(facts: SegmentFacts, before: CutPart | None, shift: int, start: datetime) -> int:
    """What is added to the segment's times. Never so little that it would begin before the one before it ended."""
    if before is not None and facts.timeline == before.facts.timeline:
        return shift
    by_clock = round((facts.started_at - start).total_seconds() * VIDEO_RATE) - facts.start_90k
    return by_clock if before is None else max(by_clock, before.end_90k - facts.start_90k)


def _finish(
    tracks: dict[bool, Track],
    source: Joined,
    parts: list[CutPart],
    start: datetime,
    length: int,
    *,
    is_cut_short: bool,
) -> _Gathered | None:
    video = tracks.get(True)
    if video is None or not video.samples:
        return None
    for track in tracks.values():
        for sample, following in pairwise(track.samples):
            sample.duration = following.dts - sample.dts  # a hole stays one
    keys = [index for index, sample in enumerate(video.samples) if sample.key]
    first = max(
        (index for index in keys if _shown(video.samples[index]) <= 0), default=keys[0] if keys else -1
    )
    if first < 0:
        return None
    video.samples = [sample for sample in video.samples[first:] if sample.dts < length]
    if not video.samples:
        return None
    begin = max(0, _shown(video.samples[0]))
    until = min(length, max(sample.shown_until for sample in video.samples))
    if until <= begin:
        return None
    started_at = start + timedelta(seconds=begin / VIDEO_RATE)
    audio = tracks.get(False)
    plan = MoviePlan(video, audio if audio is not None and audio.samples else None, begin, until, started_at)
    used = [part for part in parts if part.end_90k > video.samples[0].dts and part.start_90k < until]
    return _Gathered(plan, source, used, is_cut_short)


def _shown(sample: Sample) -> int:
    return sample.dts + sample.composition
