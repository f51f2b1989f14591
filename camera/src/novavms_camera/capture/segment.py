"""What a segment is: the facts of one, and the boxes of its file that keep them.

A segment's file tells all of it, so that an index can be made anew from files alone:

    ftyp  uuid note  moov  ( uuid mark*  moof mdat  uuid hash )*  uuid mark*  uuid end  uuid hash

The *note* says whose it is and when it began. A *mark* stands before the fragment that it speaks of: pictures lost, timestamps that
leapt, another word on the time of day. A *hash* is the SHA-256 of all bytes before it: what it covers is whole, whatever a power
cut did to the rest. Players pass over uuid boxes (ISO/IEC 14496-12 clause 11.1).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from novavms_camera.capture.boxes import box
from novavms_camera.capture.model import VIDEO_RATE, Jump, Loss, StreamFormat, TimeSource, WallClock

NOTE_ID: Final = b"novavms-seg-note"
MARK_ID: Final = b"novavms-seg-mark"
HASH_ID: Final = b"novavms-seg-hash"
"""The uuids of our boxes."""


class SegmentIdentity(NamedTuple):
    """Whose footage it is. `timeline` names one 90 kHz axis (one life of a CaptureStream): times compare only within it."""

    camera: str
    stream: str
    timeline: str


class ClockMark(msgspec.Struct, frozen=True, tag="clock"):
    """From `at_90k` on, times of day are counted from `at`, which is `at_90k`'s. `camera_offset_sec` as in WallClock."""

    at_90k: int
    at: datetime
    source: TimeSource
    uncertainty_sec: float
    camera_offset_sec: float | None = None

    def wall_clock(self, at_90k: int) -> WallClock:
        """The time of day of another moment, by this mark."""
        at = self.at + timedelta(seconds=(at_90k - self.at_90k) / VIDEO_RATE)
        return WallClock(at, self.source, self.uncertainty_sec, self.camera_offset_sec)


class LossMark(msgspec.Struct, frozen=True, tag="loss"):
    """A loss within the segment."""

    loss: Loss


class JumpMark(msgspec.Struct, frozen=True, tag="jump"):
    """A leap within the segment."""

    jump: Jump


class EndMark(msgspec.Struct, frozen=True, tag="end"):
    """The segment was ended in order. `reason` as in SegmentFacts."""

    end_90k: int
    reason: str


Mark = ClockMark | LossMark | JumpMark | EndMark


class SegmentNote(msgspec.Struct, frozen=True, kw_only=True):
    """What a segment's file says of itself at its front. `session` and `number` count up within the timeline.

    `codecs` is the media's name by RFC 6381 (what MediaSource and HLS ask for). AAC alone is named beside the picture.
    """

    version: int = 1
    camera: str
    stream: str
    timeline: str
    session: int
    number: int
    start_90k: int
    clock: ClockMark
    codecs: str

    def to_box(self) -> bytes:
        """As a box of the file."""
        return box(b"uuid", NOTE_ID, msgspec.json.encode(self))


class SegmentFormat(NamedTuple):
    """What a segment's media are. Two segments whose `id` is equal can share an init part."""

    id: str
    codec: str
    codecs: str
    width: int
    height: int
    audio_codec: str | None


class KeyEntry(NamedTuple):
    """A place to begin playing from: the fragment at `offset` in the file begins on a key frame at `at_90k`."""

    offset: int
    at_90k: int


class Growth(NamedTuple):
    """How far a segment has come that is still being written."""

    size_bytes: int
    end_90k: int


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """All that is to be known of a segment. Its footage is `[start_90k, end_90k)` in decoding time.

    `end_reason`: `next` (another follows without a break), `format_changed`, `stopped`, `too_big`, `disk_failed`, a stream's Reason, or
    None while it is being written and for a file that a crash left. `sha256` is the whole file's, None where it was not computed.
    """

    camera: str
    stream: str
    timeline: str
    session: int
    number: int
    format: SegmentFormat
    start_90k: int
    end_90k: int
    clocks: tuple[ClockMark, ...]
    frames: int
    keys: tuple[KeyEntry, ...]
    losses: tuple[Loss, ...]
    jumps: tuple[Jump, ...]
    init_bytes: int
    size_bytes: int
    sha256: str | None
    end_reason: str | None

    @property
    def is_ended(self) -> bool:
        """Whether the file was ended in order: it will not grow and needs no mending."""
        return self.end_reason not in {None, "disk_failed"}

    @property
    def started_at(self) -> datetime:
        return self.clocks[0].at

    @property
    def ended_at(self) -> datetime:
        return self.wall_clock(self.end_90k).at

    @property
    def lost_90k(self) -> int:
        """How much of it has no picture of its own because pictures were lost."""
        return sum(loss.end_90k - loss.start_90k for loss in self.losses)

    def wall_clock(self, at_90k: int) -> WallClock:
        """The time of day of a moment of the segment, by what was known then."""
        mark = self.clocks[0]
        for later in self.clocks[1:]:
            if later.at_90k <= at_90k:
                mark = later
        return mark.wall_clock(at_90k)

    def continues(self, before: SegmentFacts) -> bool:
        """Whether it follows `before` without a break: same timeline, session and format, and not a tick between."""
        return (self.timeline, self.session, self.format.id, self.start_90k) == (
            before.timeline,
            before.session,
            before.format.id,
            before.end_90k,
        )


def mark_box(mark: Mark) -> bytes:
    """A mark as a box of the file."""
    return box(b"uuid", MARK_ID, msgspec.json.encode(mark))


def hash_box(digest: bytes) -> bytes:
    """The SHA-256 of all bytes before it."""
    return box(b"uuid", HASH_ID, digest)


def codecs_of(fmt: StreamFormat) -> str:
    """The media's name by RFC 6381."""
    return fmt.video.codec_string + (",mp4a.40.2" if fmt.audio and fmt.audio.codec == "aac" else "")


def format_id(*entries: bytes) -> str:
    """Names a format by its sample entries, picture first: the same from memory and from a file."""
    return hashlib.sha256(b"".join(entries)).hexdigest()[:16]
