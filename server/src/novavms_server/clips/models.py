"""A clip as the server works on it, and what a gateway and the server say about its upload. (What the API shows of it
is part of the event: events.models.Clip.)"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from novavms_server.events.models import ClipStatus
from novavms_server.kit.validation import Body

MAX_CLIP_BYTES = 16 * 1024**3
"""An hour of a camera with 35 Mbit/s."""
PART_BYTES = 8 * 1024**2
MAX_PARTS = 1000


@dataclass(frozen=True, slots=True)
class CameraToRecord:
    """What an order needs to know of its camera. `gateway_id` None: a direct-mode camera."""

    id: UUID
    gateway_id: UUID | None


class ClipRow(msgspec.Struct):
    """A clip as the server works on it; columns of `clips`."""

    org_id: UUID
    id: UUID
    event_id: UUID
    camera_id: UUID
    gateway_id: UUID | None
    status: ClipStatus
    failure_reason: str | None
    guessed: bool
    ordered_at: datetime
    accepted_at: datetime | None
    deadline_at: datetime
    store_key: str | None
    upload: dict[str, Any] | None
    reported: dict[str, Any] | None
    snapshot_at: datetime | None
    deleted_at: datetime | None
    purged_at: datetime | None


class Facts(msgspec.Struct):
    """What a recorder says of its finished file: ClipReady, or the capture's ClipFile."""

    size_bytes: int
    sha256: str
    duration_sec: float
    started_at: datetime
    codec: str
    width: int
    height: int
    has_audio: bool = False
    failure_reason: str | None = None
    gap_sec: float = 0.0


class UploadAsk(Body):
    """A gateway wants to send this file."""

    size_bytes: Annotated[int, Meta(ge=1, le=MAX_CLIP_BYTES)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="of the whole file, lower-case hex")]
    part_bytes: Annotated[int, Meta(ge=65_536, le=67_108_864)] = PART_BYTES


class UploadPart(msgspec.Struct):
    """`done`: it is in the store already."""

    number: int
    url: str
    method: str
    headers: dict[str, str]
    offset_bytes: int
    size_bytes: int
    done: bool

    def __repr__(self) -> str:
        return f"UploadPart({self.number})"


class UploadTicket(msgspec.Struct):
    """Where each part goes. The addresses are good for an hour; ask again for new ones."""

    part_bytes: int
    parts: list[UploadPart]


def cut(size_bytes: int, part_bytes: int) -> list[tuple[int, int, int]]:
    """(number from 1, offset, size) of each part."""
    return [
        (number, offset, min(part_bytes, size_bytes - offset))
        for number, offset in enumerate(range(0, size_bytes, part_bytes), 1)
    ]


def bounded_part_bytes(size_bytes: int, asked: int) -> int:
    """At most MAX_PARTS parts, however small they were asked for."""
    return max(asked, -(-size_bytes // MAX_PARTS))
