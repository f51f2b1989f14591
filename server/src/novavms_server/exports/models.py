"""An export as callers ask for it and as the API shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, field

from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import PRINTABLE, Body

Status = Literal["pending", "collecting", "ready", "failed"]
LONGEST: Final = timedelta(hours=1)
Case = Annotated[str, Meta(min_length=1, max_length=100, pattern=PRINTABLE, examples=["4711/26"])]
Moment = Annotated[datetime, Meta(tz=True)]


class ExportCreate(Body):
    """One of `camera_id` and `camera_ids`; several cameras give a ZIP."""

    from_: Moment = field(name="from")
    to: Moment
    camera_id: UUID | None = None
    camera_ids: Annotated[list[UUID], Meta(min_length=1, max_length=16)] | None = None
    case_reference: Case | None = None
    note: Annotated[str, Meta(max_length=500)] | None = None

    @property
    def cameras(self) -> list[UUID]:
        return list(dict.fromkeys(self.camera_ids or [])) or [UUID(str(self.camera_id))]

    def problems(self) -> Iterator[FieldProblem]:
        if (self.camera_id is None) == (self.camera_ids is None):
            yield FieldProblem("camera_id", "camera_id or camera_ids is required, and not both")
        if self.to <= self.from_:
            yield FieldProblem("to", "to must be later than from")
        elif self.to - self.from_ > LONGEST:
            yield FieldProblem("to", "to must be at most 1 hour after from")


class Gap(msgspec.Struct):
    """A stretch without footage."""

    camera_id: UUID
    start: datetime
    end: datetime
    reason: str


class Export(msgspec.Struct):
    """`progress` from 0 to 1. `status_reason` of a pending one says what it waits for."""

    id: UUID
    camera_ids: list[UUID]
    from_: datetime = field(name="from")
    to: datetime
    case_reference: str | None
    note: str | None
    created_by: str
    status: Status
    status_reason: str | None
    status_message: str | None
    progress: float
    gaps: list[Gap]
    file_name: str | None
    size_bytes: int | None
    sha256: str | None
    key_fingerprint: str | None
    url: str | None
    created_at: datetime
    ready_at: datetime | None


class ExportRow(msgspec.Struct):
    """Columns of `exports`."""

    org_id: UUID
    id: UUID
    camera_ids: list[UUID]
    from_at: datetime
    to_at: datetime
    case_reference: str | None
    note: str | None
    created_by: str
    status: Status
    status_reason: str | None
    status_message: str | None
    progress: float
    gaps: list[dict[str, Any]]
    file_name: str | None
    store_key: str | None
    size_bytes: int | None
    sha256: str | None
    fingerprint: str | None
    deadline_at: datetime
    created_at: datetime
    ready_at: datetime | None
    deleted_at: datetime | None


class SigningKey(msgspec.Struct):
    """The public half of the key that the organization's exports are signed with (Ed25519). `fingerprint`: SHA-256 of the
    32 bytes, what `novavms-verify --fingerprint` wants."""

    algorithm: Literal["Ed25519"]
    public_key: Annotated[str, Meta(description="Base64 of the 32 bytes.")]
    fingerprint: str
    created_at: datetime
