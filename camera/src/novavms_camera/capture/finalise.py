"""From a `.part` file (fragments as they came) to the MP4 that people get; the same after a crash."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from novavms_camera.capture.boxes import audio_entry, box
from novavms_camera.capture.faststart import MediaSource, MovieTrack, Written, write_faststart
from novavms_camera.capture.fmp4_reader import FragmentedFile, Sample, Track, read_fragmented
from novavms_camera.capture.model import VIDEO_RATE, ClipFile
from novavms_camera.capture.work import encode_aac
from novavms_camera.rtsp.audio import AudioFormat

NOTE_ID: Final = bytes.fromhex("6e6f7661766d732d636c69702d6e6f74")
"""The uuid of our box in a .part file: "novavms-clip-not"."""
_GAP_90K: Final = VIDEO_RATE // 2
"""A picture that stands for less than this, or than four usual frames, is no gap."""
_SILENCE: Final = {b"alaw": b"\xd5", b"ulaw": b"\xff"}
_PRIMING: Final = 1024
"""Samples of silence that FFmpeg's AAC encoder puts in front; the edit list passes over them."""


class ClipNote(msgspec.Struct, frozen=True):
    """What a .part file says about itself, so that it can be finished after a crash. Times relative to the file's own."""

    started_at: datetime
    start_90k: int
    end_90k: int

    def to_box(self) -> bytes:
        """As a box of the file."""
        return box(b"uuid", NOTE_ID, msgspec.json.encode(self))


@dataclass(slots=True)
class MoviePlan:
    """What is to be written, and which of it is to be shown."""

    video: Track
    audio: Track | None
    start_90k: int
    end_90k: int
    started_at: datetime


async def finalise(part: Path, path: Path, *, failure_reason: str | None) -> ClipFile | None:
    """Makes `path` of `part` and removes `part`; None (and no file) where nothing in it can be shown. Raises OSError."""
    plan = await asyncio.to_thread(_plan, part)
    if plan is None:
        return None
    audio = await audio_track(part, plan)
    written = await asyncio.to_thread(_write, part, path, plan, audio)
    width, height = plan.video.size
    return ClipFile(
        path=path,
        size_bytes=written.size_bytes,
        sha256=written.sha256,
        duration_sec=round((plan.end_90k - plan.start_90k) / VIDEO_RATE, 3),
        started_at=plan.started_at,
        codec="h264" if plan.video.kind == b"avc1" else "h265",
        width=width,
        height=height,
        has_audio=audio is not None,
        failure_reason=failure_reason,
        gap_sec=round(gaps_90k(plan.video.samples, plan.start_90k, plan.end_90k) / VIDEO_RATE, 3),
    )


def gaps_90k(samples: list[Sample], start_90k: int, end_90k: int) -> int:
    """How much of `[start, end)` has no picture of its own, because a frame stands for much longer than frames here do.

    Taken from the file and not from what the recorder went through, so that it is true after a crash as well.
    """
    if not samples:
        return 0
    usual = int(median(sample.duration for sample in samples))
    longest = max(_GAP_90K, 4 * usual)
    total = 0
    for sample in samples:
        if sample.duration > longest:
            begin, end = sample.dts + usual, sample.dts + sample.duration
            total += max(0, min(end, end_90k) - max(begin, start_90k))
    return total


async def salvage_clip(part: Path, path: Path, *, failure_reason: str) -> ClipFile | None:
    """The clip of a recording that a crash broke off, to its last whole fragment; None if nothing decodable is in it.

    `part` is removed where a clip was made of it, and left where not. Raises OSError.
    """
    return await finalise(part, path, failure_reason=failure_reason)


def _plan(part: Path) -> MoviePlan | None:
    try:
        file = read_fragmented(part, NOTE_ID)
    except (ValueError, FileNotFoundError):
        return None
    video = file.video
    if video is None:
        return None
    first_key = next((i for i, sample in enumerate(video.samples) if sample.key), None)
    if first_key is None or video.kind not in {b"avc1", b"hvc1"}:
        return None
    if file.audio is not None and not 1 <= file.audio.channels <= 8:
        return None
    del video.samples[:first_key]
    first = video.samples[0]
    note = _note(file, part, first)
    end = max(sample.shown_until for sample in video.samples)
    start = min(max(note.start_90k, first.dts + first.composition), end - 1)
    return MoviePlan(video, file.audio, start, min(max(note.end_90k, start + 1), end), note.started_at)


def _note(file: FragmentedFile, part: Path, first: Sample) -> ClipNote:
    try:
        return msgspec.json.decode(file.note, type=ClipNote)
    except msgspec.DecodeError:
        made = datetime.fromtimestamp(part.stat().st_mtime, UTC)
        return ClipNote(made, first.dts + first.composition, 1 << 62)


async def audio_track(part: MediaSource, plan: MoviePlan) -> MovieTrack | None:
    """The sound that the clip shows: AAC as it is, G.711 turned into AAC; None where there is none."""
    track = plan.audio
    if track is None:
        return None
    start = plan.start_90k * track.timescale // VIDEO_RATE
    end = -(-plan.end_90k * track.timescale // VIDEO_RATE)
    track.samples = [s for s in track.samples if s.dts + s.duration > start and s.dts < end]
    if not track.samples:
        return None
    if track.kind == b"mp4a":
        return MovieTrack(track.entry, track.timescale, track.samples)
    sound = await asyncio.to_thread(_continuous, part, track)
    codec = "pcma" if track.kind == b"alaw" else "pcmu"
    encoded = await encode_aac("pcma" if codec == "pcma" else "pcmu", track.timescale, track.channels, sound)
    if encoded is None:
        return None
    config, frames = encoded
    begin = track.samples[0].dts - _PRIMING
    samples: list[Sample] = []
    offset = 0
    for number, frame in enumerate(frames):
        samples.append(Sample(offset, len(frame), begin + number * 1024, 1024, 0, True))
        offset += len(frame)
    fmt = AudioFormat("aac", track.timescale, track.channels, config)
    return MovieTrack(audio_entry(fmt), track.timescale, samples, data=b"".join(frames))


def _continuous(part: MediaSource, track: Track) -> bytes:
    """G.711 without holes: what the camera left out is silence."""
    silence, width = _SILENCE[track.kind], track.channels
    parts: list[bytes] = []
    at = track.samples[0].dts
    with part.open("rb") as file:
        for sample in track.samples:
            file.seek(sample.offset)
            if sample.dts > at:
                parts.append(silence * (min(sample.dts - at, track.timescale * 120) * width))
            parts.append(file.read(sample.size))
            at = sample.dts + sample.size // width
    return b"".join(parts)


def _write(part: Path, path: Path, plan: MoviePlan, audio: MovieTrack | None) -> Written:
    video = MovieTrack(plan.video.entry, plan.video.timescale, plan.video.samples, plan.video.size)
    tracks = [video] if audio is None else [video, audio]
    written = write_faststart(
        part, path, tracks, start_90k=plan.start_90k, end_90k=plan.end_90k, created=plan.started_at
    )
    part.unlink(missing_ok=True)
    return written
