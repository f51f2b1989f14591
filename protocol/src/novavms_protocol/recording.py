"""The words of recording: what a camera's recording is to be, the ledger of what it was, and how footage is asked for.

docs/design/recording.md says what is true of them and when.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from novavms_protocol.base import Message, Time

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
GapReason = Literal[
    "camera_offline",
    "frozen",
    "network",
    "disk_full",
    "gateway_restart",
    "auth",
    "disabled",
    "schedule",
    "retention",
    "no_event",
    "storage_lost",
    "unknown",
]
"""Why there is no footage. `network`: pictures were lost on their way from the camera. `no_event`: the camera records events
only, and there was none. `storage_lost`: it was there and the disk, or a file of it, no longer is. `unknown`: honest."""
StreamName = Literal["main", "sub"]


class ScheduleWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the week to record in, on the site's clock. `end` before or at `start` runs into the next day."""

    days: list[Weekday]
    start: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    end: Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")] = "24:00"


class RecordingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a camera is recorded. The stream is `CameraConfig.recording_stream`."""

    mode: Literal["off", "continuous", "events"] = "off"
    schedule: list[ScheduleWindow] | None = None
    """Of `continuous`: None is always."""
    timezone: str = "UTC"
    """IANA name, the site's."""
    retention_days: int = 30
    retention_bytes: int | None = None
    """Of this camera, on this gateway; None: only the volume's own limit."""


# ---- the ledger: gateway tells ------------------------------------------------------------------------------


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one stream's time: footage (`span`) or none, with the reason (`gap`).

    Rows of a stream follow one another without a hole or an overlap, from when the camera came to this gateway. `id` is the
    row's for ever within an `epoch`; a row that is told again with a higher `seq` replaces what was told before; `end` of the
    newest row moves on while it grows.
    """

    id: int
    seq: int
    camera_id: UUID
    stream: StreamName
    kind: Literal["span", "gap"]
    start: Time
    end: Time
    reason: GapReason | None = None
    """Of a gap."""
    size_bytes: int = 0
    lossy_sec: float = 0.0
    """Of a span: seconds of it without a picture, in breaks too short to be gaps (losses on the way from the camera)."""
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    has_audio: bool = False
    deleted: bool = False
    """The row is no more: its time is covered by others of this same or an earlier update."""


class LedgerUpdate(Message, frozen=True, kw_only=True):
    """Rows that changed, lowest `seq` first. `epoch` names the index; another one than before replaces all that was told."""

    epoch: UUID
    rows: list[LedgerRow]
    through_seq: int
    """All changes up to here have now been told."""
    as_of: Time
    """The ledger is true up to this time (only meaningful when `is_complete`)."""
    is_complete: bool = True
    """Nothing else is waiting to be told."""


# ---- footage: server asks -----------------------------------------------------------------------------------


class ListSegments(Message, frozen=True, kw_only=True):
    """Segments that overlap [start, end), oldest first. Reply `result` {"segments": [SegmentInfo…], "more": bool}."""

    camera_id: UUID
    stream: StreamName | None = None
    """None: whichever was recorded."""
    start: Time
    end: Time
    limit: int = 500


class SegmentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One file. Fragmented MP4: `init_bytes` of `ftyp` and `moov`, then fragments."""

    id: int
    stream: StreamName
    start: Time
    end: Time
    duration_sec: float
    size_bytes: int
    init_bytes: int
    codecs: str
    """RFC 6381, for HLS and MSE: `avc1.640028,mp4a.40.2`."""
    width: int
    height: int
    has_audio: bool
    sha256: str | None = None
    """Of the whole file; None while it is being written."""
    is_whole: bool = True
    """False: still being written, `size_bytes` of it can be read."""
    continues: bool = False
    """Timestamps and format go on from the segment before: no discontinuity between the two."""
    lossy_sec: float = 0.0


class SendMedia(Message, frozen=True, kw_only=True):
    """Send bytes of a segment's file to `url` (PUT, the gateway's own token), for somebody who waits for them.
    Reply `result` {} once begun; error `gone` where the file is no more."""

    segment_id: int
    offset_bytes: int
    size_bytes: int
    url: str

    def __repr__(self) -> str:
        return f"SendMedia({self.segment_id}, {self.offset_bytes}+{self.size_bytes})"


class CutClip(Message, frozen=True, kw_only=True):
    """Cut a clip of the past out of the recording. Reply `result` {"started_at"}; its end comes as ClipReady or ClipFailed,
    as RecordClip's. Where there is no footage at all in the range the reply's error is `no_footage`."""

    clip_id: UUID
    event_id: UUID
    camera_id: UUID
    start: Time
    end: Time


class SendThumbnails(Message, frozen=True, kw_only=True):
    """One JPEG of `times` tiles side by side, each the key frame at or before its time, PUT to `url`. Reply `result`
    {"tiles": [time or null …], "width", "height"} once sent; tiles without footage are black."""

    camera_id: UUID
    times: list[Time]
    width: int
    """Of one tile."""
    url: str

    def __repr__(self) -> str:
        return f"SendThumbnails({self.camera_id}, {len(self.times)})"


class HoldFootage(Message, frozen=True, kw_only=True):
    """Keep all footage in [start, end) until it is released, whatever retention says (starred, exported). Idempotent by `hold_id`."""

    hold_id: UUID
    camera_id: UUID
    start: Time
    end: Time
    is_held: bool = True
    """False releases it."""
