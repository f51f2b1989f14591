"""Reading our own fragmented MP4 back, also one that a power cut left unfinished: to its last whole fragment."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from novavms_camera.capture.boxes import find, walk
from novavms_camera.capture.model import VIDEO_RATE

MAX_MOOV: Final = 4 * 1024 * 1024
MAX_MOOF: Final = 16 * 1024 * 1024
_MAX_TIME: Final = 1 << 40
_MAX_SAMPLES: Final = 4_000_000


@dataclass(slots=True)
class Sample:
    """Where a sample lies in the file and when it is; times in the track's timescale."""

    offset: int
    size: int
    dts: int
    duration: int
    composition: int
    key: bool

    @property
    def shown_until(self) -> int:
        return self.dts + self.composition + self.duration


@dataclass(slots=True)
class Track:
    """One track. `entry` is its whole sample entry box, `kind` that box's type (b"avc1", b"hvc1", b"mp4a", b"alaw", b"ulaw")."""

    number: int
    timescale: int
    kind: bytes
    entry: bytes
    is_video: bool
    samples: list[Sample] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of a video track."""
        width, height = struct.unpack_from(">HH", self.entry, 8 + 24)
        return width, height

    @property
    def channels(self) -> int:
        """Channels of an audio track."""
        return int.from_bytes(self.entry[24:26], "big")


@dataclass(slots=True)
class FragmentedFile:
    """What `read_fragmented` found. `note` is the content of our own uuid box, if there."""

    tracks: list[Track]
    note: bytes
    whole: bool

    @property
    def video(self) -> Track | None:
        return next((t for t in self.tracks if t.is_video and t.samples), None)

    @property
    def audio(self) -> Track | None:
        return next((t for t in self.tracks if not t.is_video and t.samples), None)


def read_fragmented(path: Path, note_id: bytes = b"") -> FragmentedFile:
    """The tracks and samples of the file. Raises ValueError when not even its init part is readable."""
    with path.open("rb") as file:
        return _read(file, path.stat().st_size, note_id)


def _read(file: IO[bytes], size: int, note_id: bytes) -> FragmentedFile:
    tracks: dict[int, Track] = {}
    note = b""
    at = count = 0
    whole = True
    pending: list[tuple[Track, list[Sample]]] = []
    while at < size:
        file.seek(at)
        head = file.read(8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if length < 8 or length > size - at:
            whole = False
            break
        try:
            if kind == b"moov" and length <= MAX_MOOV and not tracks:
                tracks = {t.number: t for t in read_tracks(file.read(length - 8))}
            elif kind == b"moof" and length <= MAX_MOOF:
                pending = read_fragment(file.read(length - 8), at, tracks)
            elif kind == b"uuid" and length <= 65_536 and file.read(16) == note_id:
                note = file.read(length - 24)
            elif kind == b"mdat":
                for track, samples in pending:
                    if any(s.offset < at + 8 or s.offset + s.size > at + length for s in samples):
                        raise ValueError("a sample outside its fragment")
                    count += len(samples)
                    track.samples += samples
                pending = []
        except (ValueError, struct.error):
            whole = False
            break
        if count > _MAX_SAMPLES:
            raise ValueError("more samples than we ever write")
        at += length
    if not tracks:
        raise ValueError("no readable init part")
    return FragmentedFile(list(tracks.values()), note, whole and not pending)


def read_tracks(moov: bytes) -> list[Track]:
    """The tracks of an init part, without samples. Raises ValueError, struct.error for what is not ours."""
    found: list[Track] = []
    for kind, start, end in walk(moov, 0, len(moov)):
        if kind != b"trak":
            continue
        head, _ = find(moov, start, end, b"tkhd")
        number = struct.unpack_from(">I", moov, head + 20)[0]
        mdhd, _ = find(moov, start, end, b"mdia", b"mdhd")
        timescale = struct.unpack_from(">I", moov, mdhd + 20)[0]
        hdlr, _ = find(moov, start, end, b"mdia", b"hdlr")
        is_video = moov[hdlr + 8 : hdlr + 12] == b"vide"
        entries, stop = find(moov, start, end, b"mdia", b"minf", b"stbl", b"stsd")
        entry, inner, after = next(walk(moov, entries + 8, stop), (b"", 0, 0))
        known = timescale == VIDEO_RATE if is_video else 4000 <= timescale <= 192_000
        if not entry or not known or after - inner < 28:
            raise ValueError("a track that is not ours")
        found.append(Track(number, timescale, entry, moov[inner - 8 : after], is_video))
    return found


def read_fragment(moof: bytes, at: int, tracks: dict[int, Track]) -> list[tuple[Track, list[Sample]]]:
    """The samples of the fragment whose `moof` box stands at `at` in the file. Raises ValueError, struct.error."""
    found: list[tuple[Track, list[Sample]]] = []
    for kind, start, end in walk(moof, 0, len(moof)):
        if kind != b"traf":
            continue
        tfhd, _ = find(moof, start, end, b"tfhd")
        track = tracks.get(struct.unpack_from(">I", moof, tfhd + 4)[0])
        tfdt, _ = find(moof, start, end, b"tfdt")
        run, stop = find(moof, start, end, b"trun")
        if track is None:
            raise ValueError("a fragment of an unknown track")
        dts = struct.unpack_from(">Q", moof, tfdt + 4)[0]
        if dts > _MAX_TIME or (track.samples and dts < track.samples[-1].dts):
            raise ValueError("a fragment that is not in order")
        flags, count, offset = struct.unpack_from(">III", moof, run)
        flags &= 0xFFFFFF
        if flags not in {0xF01, 0x301} or count * (16 if flags == 0xF01 else 8) != stop - run - 12:
            raise ValueError("a run that is not ours")
        found.append((track, _run(moof[run + 12 : stop], flags == 0xF01, at + offset, dts)))
    return found


def _run(data: bytes, is_video: bool, offset: int, dts: int) -> list[Sample]:
    samples: list[Sample] = []
    for fields in struct.iter_unpack(">IIIi" if is_video else ">II", data):
        duration, size = fields[0], fields[1]
        key, composition = (not fields[2] & 0x10000, fields[3]) if is_video else (True, 0)
        samples.append(Sample(offset, size, dts, duration, composition, key))
        offset += size
        dts += duration
    return samples
