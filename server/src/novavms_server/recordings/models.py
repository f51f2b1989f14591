"""Recordings as the API shows them, and as callers ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from novavms_server.cameras.models import RecordingMode, Status, Tier
from novavms_server.events.models import Note
from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import Body

Reason = Literal[
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
    "gateway_offline",
    "not_reported_yet",
    "no_camera",
]
"""The gateway's words (novavms_protocol.recording), and three of the server's: `gateway_offline`, what the gateway recorded
since it went away is not known; `not_reported_yet`, the last moments; `no_camera`, before it was added or after it was deleted."""
Moment = Annotated[
    datetime,
    Meta(tz=True, description="An RFC 3339 time with its zone", examples=["2026-03-01T12:00:00Z"]),
]
Percent = Annotated[float, Meta(ge=0, le=100)]


class FootageSpan(msgspec.Struct, kw_only=True):
    """A stretch with footage. `size_bytes` of a stretch that `from` or `to` cuts is its share."""

    start: datetime
    end: datetime
    duration_sec: float
    size_bytes: int
    stream: Tier
    codec: str | None
    width: int | None
    height: int | None
    has_audio: bool


class FootageGap(msgspec.Struct):
    """A stretch without footage, and why."""

    start: datetime
    end: datetime
    duration_sec: float
    reason: Reason


class FootageLoss(msgspec.Struct):
    """A stretch of a span in which pictures are missing: packets were lost on their way from the camera.

    `lossy_sec`: seconds of it without a picture, each time for at most half a second (longer is a gap, of reason `network`). A
    stretch is as long as the files that lack some, about 10 s; of one that `from` or `to` cuts it is the share.
    """

    start: datetime
    end: datetime
    duration_sec: float
    lossy_sec: float


class Recordings(msgspec.Struct, kw_only=True, rename={"from_": "from"}):
    """One camera's footage in a range: spans and gaps together are all of it, each moment once. `losses`: where the spans lack pictures.

    `as_of`: the gateway has told up to here. `percent_covered` is of the range without its `not_reported_yet` and `no_camera`.
    `next_from`: the range was too much for one answer; ask again from here. Else null.
    """

    camera_id: UUID
    from_: datetime
    to: datetime
    stream: Tier
    spans: list[FootageSpan]
    gaps: list[FootageGap]
    losses: list[FootageLoss]
    percent_covered: Percent
    as_of: datetime | None
    next_from: datetime | None


class CameraSummary(msgspec.Struct, kw_only=True):
    """How one camera was recorded in the range. `size_bytes` and `oldest_at` are of all its footage there is."""

    camera_id: UUID
    name: str
    status: Status
    recording_mode: RecordingMode
    is_recording: bool
    percent_covered: Percent
    longest_gap: FootageGap | None
    size_bytes: int
    oldest_at: datetime | None
    as_of: datetime | None


class SiteRecordings(msgspec.Struct, kw_only=True, rename={"from_": "from"}):
    """A page of a site's cameras, newest first, each with how it was recorded in the range."""

    site_id: UUID
    from_: datetime
    to: datetime
    data: list[CameraSummary]
    next_cursor: str | None
    total: int


CLIP_MAX = timedelta(hours=1)


class ClipCreate(Body, rename={"from_": "from"}):
    """A stretch of the past, at most an hour."""

    from_: Moment
    to: Moment
    note: Note | None = None

    def problems(self) -> Iterator[FieldProblem]:
        if self.from_ >= self.to:
            yield FieldProblem("to", "to must be after from")
        elif self.to - self.from_ > CLIP_MAX:
            yield FieldProblem("to", "to must be at most an hour after from")
        elif self.to - self.from_ < timedelta(seconds=1):
            yield FieldProblem("to", "to must be at least a second after from")


class CameraOnRecord(msgspec.Struct):
    """What a question about a camera's footage needs to know of it. Deleted cameras, too."""

    id: UUID
    name: str
    site_id: UUID
    gateway_id: UUID | None
    status: Status
    recording_mode: RecordingMode
    recording_stream: Tier
    created_at: datetime
    deleted_at: datetime | None
    timezone: str
    gateway_status: str | None
    life: int | None
    as_of: datetime | None
