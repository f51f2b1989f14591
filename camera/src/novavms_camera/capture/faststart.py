"""Progressive MP4 with its index in front (ISO/IEC 14496-12), made from samples of a fragmented file by copying them.

Disk invariant: `target` either does not exist or is whole. Order: 1. write all to `<target>.tmp`; 2. fsync it; 3. rename;
4. fsync the folder.
"""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol

from novavms_camera.capture.boxes import box, full_box, media, mvhd, since_1904, stsd, tkhd
from novavms_camera.capture.fmp4_reader import Sample
from novavms_camera.capture.model import VIDEO_RATE
from novavms_camera.rtsp.parameter_sets import VideoFormat

_FTYP: Final = box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
_MAX_OFFSET: Final = 0xFFFFFFFF


@dataclass(slots=True)
class MovieTrack:
    """A track to write. Its samples lie in the source file, or in `data` where that is given. `size`: of the picture."""

    entry: bytes
    timescale: int
    samples: list[Sample]
    size: tuple[int, int] | None = None
    data: bytes | None = None
    chunks: list[list[Sample]] = field(default_factory=list)

    @property
    def is_video(self) -> bool:
        return self.size is not None

    @property
    def end(self) -> int:
        return self.samples[-1].dts + self.samples[-1].duration

    @property
    def shown_until(self) -> int:
        return max(sample.shown_until for sample in self.samples)

    def ticks(self, at_90k: int) -> int:
        """A time of the movie in this track's timescale."""
        return round(at_90k * self.timescale / VIDEO_RATE)

    def to_90k(self, ticks: int) -> int:
        """A time of this track in the movie's timescale."""
        return round(ticks * VIDEO_RATE / self.timescale)


class MediaReader(Protocol):
    """Bytes by their place."""

    def seek(self, offset: int, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...


class MediaSource(Protocol):
    """Where samples lie: a file, or several that are read as one."""

    def open(self, mode: Literal["rb"], /) -> AbstractContextManager[MediaReader]: ...


class Stretch(NamedTuple):
    """Where the samples of a second lie in the file: those of all tracks that are decoded from `start_90k` on."""

    start_90k: int
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    size_bytes: int
    sha256: str
    head_bytes: int
    """`ftyp` and `moov`; then comes `mdat`."""
    stretches: list[Stretch]
    """All of `mdat`'s content, in order."""


def write_faststart(
    source: MediaSource,
    target: Path,
    tracks: list[MovieTrack],
    *,
    start_90k: int,
    end_90k: int,
    created: datetime | None,
    facts: bytes = b"",
) -> Written:
    """Writes `target`, which shows [start_90k, end_90k) of the tracks' time: samples before it are there to decode from.

    The first track is the video and its first sample a key frame. `facts` is a `udta` box for the movie. Blocks: call it in a thread. Raises OSError.
    """
    order = _interleave(tracks)
    payload = sum(sample.size for track in tracks for sample in track.samples)
    seconds = since_1904(created)
    moov = _moov(tracks, order, 0, start_90k, end_90k, seconds, facts, wide=False)
    wide = len(_FTYP) + len(moov) + 16 + payload > _MAX_OFFSET
    if wide:
        moov = _moov(tracks, order, 0, start_90k, end_90k, seconds, facts, wide=True)
    first = len(_FTYP) + len(moov) + (16 if wide else 8)
    moov = _moov(tracks, order, first, start_90k, end_90k, seconds, facts, wide=wide)
    head = (
        struct.pack(">I4sQ", 1, b"mdat", payload + 16) if wide else struct.pack(">I4s", payload + 8, b"mdat")
    )
    temporary = target.with_name(target.name + ".tmp")
    try:
        with source.open("rb") as reader, temporary.open("wb") as writer:
            digest = hashlib.sha256()
            for piece in (_FTYP, moov, head):
                digest.update(piece)
                writer.write(piece)
            for track, chunk in order:
                piece = _chunk_data(reader, track, chunk)
                digest.update(piece)
                writer.write(piece)
            writer.flush()
            os.fsync(writer.fileno())
            size = writer.tell()
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    head_bytes = len(_FTYP) + len(moov)
    return Written(size, digest.hexdigest(), head_bytes, _stretches(order, head_bytes + len(head)))


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _interleave(tracks: list[MovieTrack]) -> list[tuple[MovieTrack, list[Sample]]]:
    """Chunks of a second of each track, in the order of their times."""
    order: list[tuple[int, int, MovieTrack, list[Sample]]] = []
    for number, track in enumerate(tracks):
        track.chunks = []
        second = None
        for sample in track.samples:
            if sample.dts // track.timescale != second:
                second = sample.dts // track.timescale
                track.chunks.append([])
                order.append((second, number, track, track.chunks[-1]))
            track.chunks[-1].append(sample)
    order.sort(key=lambda entry: entry[:2])
    return [(track, chunk) for _, _, track, chunk in order]


def _stretches(order: list[tuple[MovieTrack, list[Sample]]], at: int) -> list[Stretch]:
    found: list[Stretch] = []
    for track, chunk in order:
        size = sum(sample.size for sample in chunk)
        second = chunk[0].dts // track.timescale * VIDEO_RATE
        if found and found[-1].start_90k == second:
            found[-1] = found[-1]._replace(size_bytes=found[-1].size_bytes + size)
        else:
            found.append(Stretch(second, at, size))
        at += size
    return found


def _chunk_data(reader: MediaReader, track: MovieTrack, chunk: list[Sample]) -> bytes:
    if track.data is not None:
        return b"".join(track.data[s.offset : s.offset + s.size] for s in chunk)
    parts: list[bytes] = []
    begin = end = chunk[0].offset
    for sample in chunk:
        if sample.offset != end:
            parts.append(_read_at(reader, begin, end))
            begin = sample.offset
        end = sample.offset + sample.size
    parts.append(_read_at(reader, begin, end))
    return b"".join(parts)


def _read_at(reader: MediaReader, begin: int, end: int) -> bytes:
    reader.seek(begin)
    data = reader.read(end - begin)
    if len(data) != end - begin:
        raise OSError("the source file became shorter")
    return data


def _moov(
    tracks: list[MovieTrack],
    order: list[tuple[MovieTrack, list[Sample]]],
    first_offset: int,
    start_90k: int,
    end_90k: int,
    created: int,
    facts: bytes,
    *,
    wide: bool,
) -> bytes:
    offsets: dict[int, list[int]] = {id(track): [] for track in tracks}
    at = first_offset
    for track, chunk in order:
        offsets[id(track)].append(at)
        at += sum(sample.size for sample in chunk)
    parts: list[bytes] = []
    for number, track in enumerate(tracks, 1):
        edits, shown = _edits(track, start_90k, end_90k)
        picture = VideoFormat("h264", *track.size, None, b"", b"", "", None) if track.size else None
        table = _sample_table(track, offsets[id(track)], wide=wide)
        length = track.end - track.samples[0].dts
        body = media(track.timescale, length, created, is_video=track.is_video, table=table)
        parts.append(box(b"trak", tkhd(number, shown, created, picture), edits, body))
    return box(b"moov", mvhd(VIDEO_RATE, end_90k - start_90k, created, len(tracks) + 1), *parts, facts)


def _edits(track: MovieTrack, start_90k: int, end_90k: int) -> tuple[bytes, int]:
    """The edit list, and the length of the track's presentation. Media time 0 is the first sample's decoding time."""
    first = track.samples[0]
    shown_from = first.dts + first.composition
    begin = max(start_90k, track.to_90k(shown_from))
    shown_until = track.to_90k(track.shown_until)
    end = max(begin, min(end_90k, shown_until))
    media_time = max(track.ticks(begin), shown_from) - first.dts
    entries = []
    if begin > start_90k:
        entries.append(struct.pack(">QqI", begin - start_90k, -1, 0x10000))
    entries.append(struct.pack(">QqI", end - begin, media_time, 0x10000))
    if len(entries) == 1 and media_time == 0 and end == shown_until:
        return b"", end - start_90k
    body = full_box(b"elst", 1, 0, struct.pack(">I", len(entries)), *entries)
    return box(b"edts", body), end - start_90k


def _sample_table(track: MovieTrack, offsets: list[int], *, wide: bool) -> bytes:
    samples = track.samples
    parts = [stsd(track.entry), full_box(b"stts", 0, 0, _runs([s.duration for s in samples]))]
    if any(s.composition for s in samples):
        parts.append(full_box(b"ctts", 1, 0, _runs([s.composition & 0xFFFFFFFF for s in samples])))
    if track.is_video:
        keys = [index for index, s in enumerate(samples, 1) if s.key]
        parts.append(full_box(b"stss", 0, 0, struct.pack(f">I{len(keys)}I", len(keys), *keys)))
    chunk_runs: list[int] = []
    for number, chunk in enumerate(track.chunks, 1):
        if not chunk_runs or chunk_runs[-2] != len(chunk):
            chunk_runs += (number, len(chunk), 1)
    parts.append(
        full_box(b"stsc", 0, 0, struct.pack(f">{len(chunk_runs) + 1}I", len(chunk_runs) // 3, *chunk_runs))
    )
    sizes = [s.size for s in samples]
    parts.append(full_box(b"stsz", 0, 0, struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes)))
    kind, code = (b"co64", "Q") if wide else (b"stco", "I")
    parts.append(full_box(kind, 0, 0, struct.pack(f">I{len(offsets)}{code}", len(offsets), *offsets)))
    return box(b"stbl", *parts)


def _runs(values: list[int]) -> bytes:
    """Run-length code of stts and ctts: count of runs, then (length, value)."""
    flat: list[int] = []
    for value in values:
        if flat and flat[-1] == value:
            flat[-2] += 1
        else:
            flat += (1, value)
    return struct.pack(f">I{len(flat)}I", len(flat) // 2, *flat)
