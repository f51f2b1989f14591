"""A camera as the API shows it, and as callers describe it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import PRINTABLE, Body, Name

ConnectionMode = Literal["gateway", "direct"]
CameraType = Literal["rtsp", "onvif"]
Status = Literal["online", "offline", "pending", "error", "disabled"]
StreamTransport = Literal["tcp", "udp", "auto"]
Tier = Literal["main", "sub"]
Sort = Literal["created_at", "-created_at", "name", "-name"]
RecordingMode = Literal["off", "continuous", "events"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Port = Annotated[int, Meta(ge=1, le=65535)]
Url = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        pattern=PRINTABLE,
        description="rtsp:// or rtsps://; user and password in it are split out and never shown again",
        examples=["rtsp://192.0.2.10:554/stream1"],
    ),
]
Host = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=253,
        pattern=PRINTABLE,
        description="name or IP address",
        examples=["192.0.2.10"],
    ),
]
Username = Annotated[str, Meta(max_length=256, pattern=PRINTABLE, examples=["viewer"])]
Fingerprint = Annotated[
    str,
    Meta(
        max_length=95,
        pattern="^(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$",
        description="SHA-256 of a certificate (DER), in hexadecimal",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]
Password = Annotated[str, Meta(max_length=256, pattern=PRINTABLE, examples=["correct horse battery"])]


class ScheduleWindow(msgspec.Struct, forbid_unknown_fields=True):
    """A stretch of the week to record in, on the site's clock. `end` before or at `start` runs into the next day."""

    days: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    start: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["08:00"])] = "00:00"
    end: Annotated[str, Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", examples=["18:00"])] = "24:00"


_WINDOWS = (
    "must be null (always) or a list of 1 to 50 windows {days, start, end}: days of mon, tue, wed, thu, fri, sat, sun;"
    " start from 00:00 to 23:59, end to 24:00"
)
Schedule = Annotated[
    Annotated[list[ScheduleWindow], Meta(min_length=1, max_length=50)] | None,
    Meta(
        description="When to record continuously, on the site's clock; null: always",
        extra={"words": _WINDOWS},
    ),
]
RetentionDays = Annotated[int, Meta(ge=1, le=3650, description="How long footage is kept on the gateway")]
MIN_RETENTION_BYTES = 100_000_000
RetentionBytes = Annotated[
    Annotated[int, Meta(ge=MIN_RETENTION_BYTES, le=2**53)] | None,
    Meta(
        description="The most that this camera's footage may take on the gateway; null: only the disk's own limit",
        extra={"words": f"must be null or an integer of at least {MIN_RETENTION_BYTES}"},
    ),
]

RTSP_FIELDS = ("rtsp_url", "rtsp_username", "rtsp_password")
ONVIF_FIELDS = ("host", "onvif_username", "onvif_password")
DEFAULT_ONVIF_PORT = 80


class Profile(msgspec.Struct, kw_only=True):
    """One media profile of an ONVIF camera. `bit_rate` in bits per second."""

    token: str
    name: str | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bit_rate: int | None = None
    tier: Tier | None = None
    rtsp_url: str | None = None


class CheckStage(msgspec.Struct):
    """One step of the connection check. `detail` is a sentence on what was seen."""

    name: str
    ok: bool = True
    ms: float = 0
    reason: str | None = None
    detail: str | None = None


class CheckWarning(msgspec.Struct):
    """Works, but will disappoint. `code` is stable."""

    code: str
    message: str = ""


class CheckReport(msgspec.Struct, kw_only=True):
    """The connection check's outcome. `reason`, `message` and `hint` are those of the first failed stage."""

    ok: bool
    reason: str | None = None
    message: str | None = None
    hint: str | None = None
    elapsed_ms: float = 0
    stages: list[CheckStage] = []
    warnings: list[CheckWarning] = []
    facts: dict[str, Any] = {}


class Camera(msgspec.Struct):
    """A camera. No user name and no password: they go in and never come out."""

    id: UUID
    name: str
    site_id: UUID
    gateway_id: UUID | None
    connection_mode: ConnectionMode
    type: CameraType
    status: Status
    status_reason: str | None
    status_message: str | None
    status_at: datetime
    active_tier: Tier
    stream_transport: StreamTransport
    recording_stream: Tier
    detection_stream: Tier
    recording_mode: RecordingMode
    recording_schedule: list[ScheduleWindow] | None
    retention_days: int
    retention_bytes: int | None
    enabled: bool
    host: str
    port: int
    rtsp_url: str | None
    codec: str | None
    width: int | None
    height: int | None
    fps: float | None
    has_audio: bool | None
    manufacturer: str | None
    model: str | None
    firmware: str | None
    profiles: list[Profile]
    last_seen_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class MovedTo(msgspec.Struct, frozen=True, kw_only=True):
    """Where its gateway found a missing camera. Known by what it says of itself only: nothing has logged in there yet,
    unless `reason` says why the check there failed."""

    host: str
    port: int
    found_at: datetime
    matched_by: Literal["endpoint_reference", "mac"]
    reason: str | None = None
    message: str | None = None


class CameraDetail(Camera):
    """One camera by itself: a list's item, and `check`, the report of its last connection check.

    Read from the table, `profiles`, `check` and `moved_to` are plain JSON as it was checked and stored; that is how it is shown.
    """

    check: CheckReport | None = None
    moved_to: MovedTo | None = None
    """Another address at which it was found while it was missing; to be accepted or dismissed."""
    tls_fingerprint: str | None = None
    """SHA-256 of the certificate that the camera is held to: of rtsps, or (ONVIF) of https. Null: it has shown none."""
    stream_tls_fingerprint: str | None = None
    """ONVIF: the same of the rtsps stream that the camera names."""
    tls_pinned_at: datetime | None = None


class _Hidden(Body):
    """A body with passwords in it: its repr names none of its values."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class CameraDescription(_Hidden, kw_only=True):
    """A camera as a person describes it: what the connection check needs."""

    type: CameraType
    connection_mode: ConnectionMode = "gateway"
    gateway_id: UUID | None = None
    rtsp_url: Url | None = None
    rtsp_username: Username | None = None
    rtsp_password: Password | None = None
    host: Host | None = None
    port: Port | None = None
    onvif_username: Username | None = None
    onvif_password: Password | None = None

    def problems(self) -> Iterator[FieldProblem]:
        if self.connection_mode == "gateway" and self.gateway_id is None:
            yield FieldProblem("gateway_id", "gateway_id is required for connection_mode=gateway")
        if self.connection_mode == "direct" and self.gateway_id is not None:
            yield FieldProblem("gateway_id", "gateway_id is only for connection_mode=gateway")
        wanted, foreign = (
            (("rtsp_url",), ONVIF_FIELDS) if self.type == "rtsp" else (ONVIF_FIELDS, RTSP_FIELDS)
        )
        for name in wanted:
            if not getattr(self, name):
                yield FieldProblem(name, f"{name} is required for type={self.type}")
        for name in foreign:
            if getattr(self, name) is not None:
                yield _foreign(name, self.type)
        # 80 is the contract's default of a field that RTSP has no use for: clients that send defaults are let be.
        if self.type == "rtsp" and self.port not in (None, DEFAULT_ONVIF_PORT):
            yield FieldProblem(
                "port", "port is only for type=onvif; an RTSP camera's port is part of rtsp_url"
            )


class _Recorded(CameraDescription, kw_only=True):
    """With how it is to be recorded."""

    recording_mode: RecordingMode | UnsetType = UNSET
    """Left out: `continuous` by a gateway, `events` in direct mode."""
    recording_schedule: Schedule = None
    retention_days: RetentionDays = 30
    retention_bytes: RetentionBytes = None

    def problems(self) -> Iterator[FieldProblem]:
        yield from super().problems()
        yield from recording_problems(self.recording_mode, self.connection_mode)


class CameraTest(_Recorded, kw_only=True):
    """What to check. A body for POST /cameras fits as it is: `site_id` and `name` are not used."""

    site_id: UUID | None = None
    name: Name | None = None


class CameraCreate(_Recorded, kw_only=True):
    """A camera to add."""

    site_id: UUID
    name: Name


class CameraUpdate(_Hidden):
    """What to change; what is left out stays. Every change of address, credentials or transport is checked first.

    `tls_fingerprint` null forgets the certificates that the camera was held to: the ones it shows now are believed. A
    fingerprint lets it show that certificate and no other.
    """

    name: Name | UnsetType = UNSET
    site_id: UUID | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    rtsp_url: Url | UnsetType = UNSET
    rtsp_username: Username | UnsetType | None = UNSET
    rtsp_password: Password | UnsetType | None = UNSET
    host: Host | UnsetType = UNSET
    port: Port | UnsetType = UNSET
    onvif_username: Username | UnsetType = UNSET
    onvif_password: Password | UnsetType = UNSET
    stream_transport: StreamTransport | UnsetType = UNSET
    tls_fingerprint: Fingerprint | UnsetType | None = UNSET
    recording_stream: Tier | UnsetType = UNSET
    detection_stream: Tier | UnsetType = UNSET
    recording_mode: RecordingMode | UnsetType = UNSET
    recording_schedule: Schedule | UnsetType = UNSET
    retention_days: RetentionDays | UnsetType = UNSET
    retention_bytes: RetentionBytes | UnsetType = UNSET

    def problems(self) -> Iterator[FieldProblem]:
        if self.rtsp_url is not UNSET:
            for name in ("host", "port"):
                if getattr(self, name) is not UNSET:
                    yield FieldProblem(name, f"{name} is part of rtsp_url; give one or the other")
        for name in ("onvif_username", "onvif_password"):
            if getattr(self, name) == "":
                yield FieldProblem(name, f"{name} is required for type=onvif")

    def problems_with(self, kind: CameraType, mode: ConnectionMode) -> Iterator[FieldProblem]:
        """Fields that a camera of this type does not have, and recording that its mode can't do."""
        foreign = ("onvif_username", "onvif_password") if kind == "rtsp" else RTSP_FIELDS
        for name in foreign:
            if getattr(self, name) is not UNSET:
                yield _foreign(name, kind)
        yield from recording_problems(self.recording_mode, mode)


def recording_problems(asked: RecordingMode | UnsetType, mode: ConnectionMode) -> Iterator[FieldProblem]:
    """A direct camera has no gateway, and so no disk to record to all the time."""
    if asked == "continuous" and mode == "direct":
        message = "recording_mode=continuous is only for connection_mode=gateway"
        yield FieldProblem("recording_mode", message)


def _foreign(name: str, kind: CameraType) -> FieldProblem:
    other = "onvif" if kind == "rtsp" else "rtsp"
    return FieldProblem(name, f"{name} is only for type={other}")


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is narrowed to."""

    site_id: UUID | None = None
    gateway_id: UUID | None = None
    status: Status | None = None
    type: CameraType | None = None
    connection_mode: ConnectionMode | None = None
    q: str | None = None
    sort: Sort = "-created_at"
