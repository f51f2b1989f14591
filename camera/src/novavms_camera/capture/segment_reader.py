"""Reading a segment's facts back from its file alone, and mending one that a crash or a power cut left.

Mending invariant: `repair_segment` cuts off what no right hash covers and writes nothing, so what stays is what was recorded. It can be
done again after a crash, and changes nothing then.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec

from novavms_camera.capture.fmp4_reader import (
    MAX_MOOF,
    MAX_MOOV,
    Sample,
    Track,
    read_fragment,
    read_tracks,
)
from novavms_camera.capture.model import Jump, Loss
from novavms_camera.capture.segment import (
    HASH_ID,
    MARK_ID,
    NOTE_ID,
    ClockMark,
    EndMark,
    JumpMark,
    KeyEntry,
    LossMark,
    Mark,
    SegmentFacts,
    SegmentFormat,
    SegmentNote,
    format_id,
)

_MAX_BOX_OF_OURS: Final = 65_536
_WINDOW: Final = 8_192
_PIECE: Final = 1 << 20
_CODECS: Final = {b"avc1": "h264", b"hvc1": "h265"}
_AUDIO_CODECS: Final = {b"mp4a": "aac", b"alaw": "pcma", b"ulaw": "pcmu"}
_MARKS: Final = msgspec.json.Decoder(Mark)


class SegmentDisk(Protocol):
    """What reading and mending need of a disk. All block and raise OSError."""

    def size(self, path: Path) -> int: ...

    def read(self, path: Path, offset: int, size: int) -> bytes:
        """Fewer bytes at the file's end."""

    def truncate(self, path: Path, size: int) -> None:
        """To its first `size` bytes, synced."""


class _SystemDisk:
    def size(self, path: Path) -> int:
        return path.stat().st_size

    def read(self, path: Path, offset: int, size: int) -> bytes:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(size)

    def truncate(self, path: Path, size: int) -> None:
        with path.open("rb+", buffering=0) as file:
            file.truncate(size)
            os.fsync(file.fileno())


_SYSTEM: Final = _SystemDisk()


def read_segment(path: Path, disk: SegmentDisk = _SYSTEM, *, verify: bool = False) -> SegmentFacts | None:
    """The facts of a segment from its file alone; None for a file in which not even the first picture is whole.

    Reads the heads only, a hundredth of the file, and believes them; `verify` reads all, holds every hash to the bytes before it
    and computes `sha256`. What follows the last (right) hash does not count: it is there in files with `end_reason` None that
    a crash left, and `sha256` is that of the file without it. Blocks. Raises OSError.
    """
    reader = _Reader(path, disk, verify=verify)
    found = reader.read()
    return _facts(found, reader.sha256) if found is not None and found.frames else None


def repair_segment(path: Path, disk: SegmentDisk = _SYSTEM) -> SegmentFacts | None:
    """Verifies the file and cuts it behind its last right hash; its facts, `sha256` included, as they then are.

    One that was ended in order and is whole stays as it is. None, and the file untouched, where nothing in it can be shown: it may go.
    What it returns is durable. Blocks. Raises OSError.
    """
    facts = read_segment(path, disk, verify=True)
    if facts is not None and disk.size(path) != facts.size_bytes:
        disk.truncate(path, facts.size_bytes)
    return facts


@dataclass(slots=True)
class _Found:
    """What was read so far that a hash covers."""

    note: SegmentNote
    tracks: dict[int, Track]
    init_bytes: int
    end_90k: int
    size: int = 0
    frames: int = 0
    keys: list[KeyEntry] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


class _Unsealed:
    """What was read behind the last hash."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.keys: list[KeyEntry] = []
        self.pending: list[tuple[Track, list[Sample]]] = []
        self.frames = 0
        self.end_90k: int | None = None
        self._moof_at = 0

    def take_moof(self, at: int, runs: list[tuple[Track, list[Sample]]]) -> None:
        self._moof_at = at
        self.pending = runs

    def take_mdat(self, at: int, length: int) -> None:
        """Raises ValueError for a fragment that is not ours."""
        for track, samples in self.pending:
            if any(s.offset < at + 8 or s.offset + s.size > at + length for s in samples):
                raise ValueError("a sample outside its fragment")
            if track.is_video and samples:
                self.frames += len(samples)
                self.end_90k = samples[-1].dts + samples[-1].duration
                if samples[0].key:
                    self.keys.append(KeyEntry(self._moof_at, samples[0].dts))
        self.pending = []

    def seal(self, found: _Found, size: int) -> None:
        """A hash covers it. Raises ValueError for half a fragment."""
        if self.pending:
            raise ValueError("a fragment without its media")
        found.size = size
        found.marks += self.marks
        found.keys += self.keys
        found.frames += self.frames
        if self.end_90k is not None:
            found.end_90k = self.end_90k


class _Reader:
    """Reads one file, once."""

    def __init__(self, path: Path, disk: SegmentDisk, *, verify: bool) -> None:
        self._path = path
        self._disk = disk
        self._size = disk.size(path)
        self._window = b""
        self._window_at = 0
        self._digest = hashlib.sha256() if verify else None
        self._hashed = 0
        self._note: SegmentNote | None = None
        self._tracks: dict[int, Track] = {}
        self._found: _Found | None = None
        self._open = _Unsealed()
        self.sha256: str | None = None
        """Of all up to the last hash box, that box included, where it was asked for."""

    def read(self) -> _Found | None:
        """All up to the last hash; None where not even the init part is there."""
        try:
            for kind, at, length in self._boxes():
                if kind == b"uuid":
                    self._own_box(at, length)
                elif kind == b"moov" and not self._tracks and length <= MAX_MOOV:
                    moov = self._bytes(at + 8, length - 8)
                    self._tracks = {track.number: track for track in read_tracks(moov)}
                elif kind == b"moof" and length <= MAX_MOOF:
                    runs = read_fragment(self._bytes(at + 8, length - 8), at, self._tracks)
                    self._open.take_moof(at, runs)
                elif kind == b"mdat":
                    self._open.take_mdat(at, length)
        except (ValueError, struct.error, msgspec.DecodeError):
            pass  # what stands before it is good
        return self._found

    def _boxes(self) -> Iterator[tuple[bytes, int, int]]:
        """(kind, start, length) of each box that is whole."""
        at = 0
        while self._size - at >= 8:
            length, kind = struct.unpack(">I4s", self._bytes(at, 8))
            if length < 8 or length > self._size - at:
                return
            yield kind, at, length
            at += length

    def _own_box(self, at: int, length: int) -> None:
        body = self._bytes(at + 8, min(length, _MAX_BOX_OF_OURS) - 8)
        kind, content = body[:16], body[16:]
        if kind == NOTE_ID and self._note is None:
            self._note = msgspec.json.decode(content, type=SegmentNote)
        elif kind == MARK_ID:
            self._open.marks.append(_MARKS.decode(content))
        elif kind == HASH_ID:
            self._verify(at, content)
            if self._found is None:
                if self._note is None or not any(track.is_video for track in self._tracks.values()):
                    raise ValueError("no readable init part")
                self._found = _Found(self._note, self._tracks, at, self._note.start_90k)
            self._open.seal(self._found, at + length)
            self._open = _Unsealed()
            if self._digest is not None:
                self._hash_to(at + length)
                self.sha256 = self._digest.hexdigest()

    def _verify(self, at: int, told: bytes) -> None:
        if self._digest is not None:
            self._hash_to(at)
            if self._digest.digest() != told:
                raise ValueError("bytes that were not written so")

    def _hash_to(self, end: int) -> None:
        assert self._digest is not None
        while self._hashed < end:
            piece = self._disk.read(self._path, self._hashed, min(end - self._hashed, _PIECE))
            if not piece:
                raise ValueError("the file became shorter")
            self._digest.update(piece)
            self._hashed += len(piece)

    def _bytes(self, at: int, size: int) -> bytes:
        """By a window, for what is asked for lies close together."""
        start = at - self._window_at
        if start < 0 or start + size > len(self._window):
            self._window = self._disk.read(self._path, at, max(size, _WINDOW))
            self._window_at, start = at, 0
        return self._window[start : start + size]


def _facts(found: _Found, sha256: str | None) -> SegmentFacts:
    note, marks = found.note, found.marks
    losses: list[Loss] = [mark.loss for mark in marks if isinstance(mark, LossMark)]
    jumps: list[Jump] = [mark.jump for mark in marks if isinstance(mark, JumpMark)]
    return SegmentFacts(
        note.camera,
        note.stream,
        note.timeline,
        note.session,
        note.number,
        _format(found),
        note.start_90k,
        found.end_90k,
        (note.clock, *(mark for mark in marks if isinstance(mark, ClockMark))),
        found.frames,
        tuple(found.keys),
        tuple(losses),
        tuple(jumps),
        found.init_bytes,
        found.size,
        sha256,
        next((mark.reason for mark in marks if isinstance(mark, EndMark)), None),
    )


def _format(found: _Found) -> SegmentFormat:
    tracks = found.tracks.values()
    video = next(track for track in tracks if track.is_video)
    audio = next((track for track in tracks if not track.is_video), None)
    entries = [video.entry] + ([audio.entry] if audio is not None else [])
    return SegmentFormat(
        format_id(*entries),
        _CODECS.get(video.kind, "unknown"),
        found.note.codecs,
        *video.size,
        _AUDIO_CODECS.get(audio.kind) if audio is not None else None,
    )
