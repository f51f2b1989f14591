"""The objects of the API, made from sdk/openapi.json by tools/sdk_python; not to be edited.

Sets of words are `Literal`s; a newer server may send a word that is not among them, which arrives as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from novavms._model import Model

__all__ = [
    "Accepted",
    "AiStatus",
    "ApiKey",
    "ApiKeyCreated",
    "Camera",
    "CameraData",
    "CameraDetail",
    "CameraItem",
    "CameraStatus",
    "CameraStatusData",
    "CameraStatusItem",
    "CameraSummary",
    "CameraType",
    "CheckReport",
    "CheckStage",
    "CheckStages",
    "CheckWarning",
    "ClientType",
    "Clip",
    "ClipData",
    "ClipItem",
    "ClipStatus",
    "ConnectionMode",
    "Discovered",
    "DiscoveredDevice",
    "Event",
    "EventData",
    "EventDetail",
    "EventItem",
    "Export",
    "ExportStatus",
    "FootageGap",
    "FootageLoss",
    "FootageSpan",
    "Gap",
    "Gateway",
    "GatewayData",
    "GatewayItem",
    "GatewayStatus",
    "GatewayStatusData",
    "GatewayStatusItem",
    "Grid",
    "HardwareFacts",
    "Live",
    "LiveExcluded",
    "LiveProtocol",
    "LoggedInUser",
    "LoginAnswer",
    "Me",
    "MovedTo",
    "Nomination",
    "Org",
    "OtherItem",
    "Paired",
    "PairingCode",
    "PasswordReset",
    "Profile",
    "Recordings",
    "ResetData",
    "ResetItem",
    "Role",
    "ScheduleWindow",
    "ServiceAccount",
    "Session",
    "Share",
    "ShareCreated",
    "SigningKey",
    "Site",
    "StreamItem",
    "StreamTransport",
    "TelemetryPoint",
    "Tier",
    "TriggerType",
    "Triggered",
    "User",
    "UserCreated",
]

AiStatus = Literal["pending", "completed", "skipped", "failed"]
CameraStatus = Literal["online", "offline", "pending", "error", "disabled"]
CameraType = Literal["rtsp", "onvif"]
ClientType = Literal["web", "mobile", "api"]
ExportStatus = Literal["pending", "collecting", "ready", "failed"]
ClipStatus = Literal["recording", "uploading", "ready", "failed"]
ConnectionMode = Literal["gateway", "direct"]
GatewayStatus = Literal["registered", "online", "offline"]
Role = Literal["owner", "admin", "operator", "viewer"]
StreamTransport = Literal["tcp", "udp", "auto"]
Tier = Literal["main", "sub"]
TriggerType = Literal["motion", "ai_tag", "manual"]


@dataclass(frozen=True, kw_only=True, repr=False)
class OtherItem(Model):
    """Of a kind that this version of the library does not know; `name` is the kind's."""

    type: Literal["other"]
    id: str | None
    at: datetime
    name: str
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True, repr=False)
class ScheduleWindow(Model):
    """A stretch of the week to record in, on the site's clock. `end` before or at `start` runs into the next day."""

    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]]
    start: str = "00:00"
    end: str = "24:00"


@dataclass(frozen=True, kw_only=True, repr=False)
class Profile(Model):
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


@dataclass(frozen=True, kw_only=True, repr=False)
class Camera(Model):
    """A camera. No user name and no password: they go in and never come out."""

    id: str
    name: str
    site_id: str
    gateway_id: str | None
    connection_mode: ConnectionMode
    type: CameraType
    status: CameraStatus
    status_reason: str | None
    status_message: str | None
    status_at: datetime
    active_tier: Tier
    stream_transport: StreamTransport
    recording_stream: Tier
    detection_stream: Tier
    recording_mode: Literal["off", "continuous", "events"]
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


@dataclass(frozen=True, kw_only=True, repr=False)
class CheckStage(Model):
    """One step of the connection check. `detail` is a sentence on what was seen."""

    name: str
    ok: bool = True
    ms: float = 0
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class CheckWarning(Model):
    """Works, but will disappoint. `code` is stable."""

    code: str
    message: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class CheckReport(Model):
    """The connection check's outcome. `reason`, `message` and `hint` are those of the first failed stage."""

    ok: bool
    reason: str | None = None
    message: str | None = None
    hint: str | None = None
    elapsed_ms: float = 0
    stages: list[CheckStage] = field(default_factory=list[CheckStage])
    warnings: list[CheckWarning] = field(default_factory=list[CheckWarning])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True, repr=False)
class MovedTo(Model):
    """Where its gateway found a missing camera. Known by what it says of itself only: nothing has logged in there yet,
    unless `reason` says why the check there failed.
    """

    host: str
    port: int
    found_at: datetime
    matched_by: Literal["endpoint_reference", "mac"]
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class CameraDetail(Model):
    """One camera by itself: a list's item, and `check`, the report of its last connection check.

    Read from the table, `profiles`, `check` and `moved_to` are plain JSON as it was checked and stored; that is how it is shown.
    """

    id: str
    name: str
    site_id: str
    gateway_id: str | None
    connection_mode: ConnectionMode
    type: CameraType
    status: CameraStatus
    status_reason: str | None
    status_message: str | None
    status_at: datetime
    active_tier: Tier
    stream_transport: StreamTransport
    recording_stream: Tier
    detection_stream: Tier
    recording_mode: Literal["off", "continuous", "events"]
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
    check: CheckReport | None | None = None
    moved_to: MovedTo | None | None = None
    """Another address at which it was found while it was missing; to be accepted or dismissed."""
    tls_fingerprint: str | None = None
    """SHA-256 of the certificate that the camera is held to: of rtsps, or (ONVIF) of https. Null: it has shown none."""
    stream_tls_fingerprint: str | None = None
    """ONVIF: the same of the rtsps stream that the camera names."""
    tls_pinned_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class CheckStages(Model):
    """Check stages."""

    stages: list[CheckStage]
    next: int
    ended: bool


@dataclass(frozen=True, kw_only=True, repr=False)
class Triggered(Model):
    """The clip is being recorded; follow it at `GET /events/{event_id}`."""

    event_id: str
    started_at: datetime
    expected_clip_duration_sec: int


@dataclass(frozen=True, kw_only=True, repr=False)
class LiveProtocol(Model):
    """One way to watch. `codec` is null where the stream has not been seen yet; `reason` says why it is at this place."""

    type: Literal["webrtc", "mse", "hls"]
    url: str
    tier: Tier
    codec: str | None
    reason: str


@dataclass(frozen=True, kw_only=True, repr=False)
class LiveExcluded(Model):
    """A way that is not offered. `reason` is stable: no_go2rtc, gateway_offline, codec, rights_not_enforceable,
    not_supported.
    """

    type: Literal["webrtc", "mse", "hls"]
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Live(Model):
    """Ways to watch, best first. `message` says why where there is none. `token` opens this camera and nothing else."""

    _secret: ClassVar[frozenset[str]] = frozenset({"token"})

    protocols: list[LiveProtocol]
    excluded: list[LiveExcluded]
    token: str
    expires_at: datetime
    message: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class FootageSpan(Model):
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


@dataclass(frozen=True, kw_only=True, repr=False)
class FootageGap(Model):
    """A stretch without footage, and why."""

    start: datetime
    end: datetime
    duration_sec: float
    reason: Literal[
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


@dataclass(frozen=True, kw_only=True, repr=False)
class FootageLoss(Model):
    """A stretch of a span in which pictures are missing: packets were lost on their way from the camera.

    `lossy_sec`: seconds of it without a picture, each time for at most half a second (longer is a gap, of reason `network`). A
    stretch is as long as the files that lack some, about 10 s; of one that `from` or `to` cuts it is the share.
    """

    start: datetime
    end: datetime
    duration_sec: float
    lossy_sec: float


@dataclass(frozen=True, kw_only=True, repr=False)
class Recordings(Model):
    """One camera's footage in a range: spans and gaps together are all of it, each moment once. `losses`: where the spans lack pictures.

    `as_of`: the gateway has told up to here. `percent_covered` is of the range without its `not_reported_yet` and `no_camera`.
    `next_from`: the range was too much for one answer; ask again from here. Else null.
    """

    camera_id: str
    from_: datetime
    to: datetime
    stream: Tier
    spans: list[FootageSpan]
    gaps: list[FootageGap]
    losses: list[FootageLoss]
    percent_covered: float
    as_of: datetime | None
    next_from: datetime | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Event(Model):
    """Something noticed or asked for. `site_id` is where the camera was then."""

    id: str
    camera_id: str
    camera_name: str
    camera_deleted: bool
    site_id: str
    trigger_type: TriggerType
    triggered_at: datetime
    summary: str | None
    tags: list[str]
    ai_status: AiStatus
    acknowledged: bool
    starred: bool
    snapshot_url: str | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Clip(Model):
    """A stretch of recording that belongs to an event. `url` is there as soon as there is something to play, which a
    `failed` clip may have, too: what was recorded before it broke off.
    """

    id: str
    status: ClipStatus
    url: str | None
    duration_sec: float | None
    gap_sec: float | None
    """Seconds within it of which there is no picture: the connection broke and came back, or packets were lost."""
    size_bytes: int | None
    sha256: str | None
    codec: str | None
    width: int | None
    height: int | None
    has_audio: bool | None
    started_at: datetime | None
    """Time of the first frame; before the clip is there: of the order."""
    failure_reason: str | None
    failure_message: str | None


@dataclass(frozen=True, kw_only=True, repr=False)
class EventDetail(Model):
    """`prev_id` and `next_id` are its neighbours in the list, newest first: the newer and the older one."""

    id: str
    camera_id: str
    camera_name: str
    camera_deleted: bool
    site_id: str
    trigger_type: TriggerType
    triggered_at: datetime
    summary: str | None
    tags: list[str]
    ai_status: AiStatus
    acknowledged: bool
    starred: bool
    snapshot_url: str | None
    narrative: str | None
    note: str | None
    triggered_by: str | None
    acknowledged_at: datetime | None
    clip: Clip | None | None
    prev_id: str | None
    next_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class ShareCreated(Model):
    """`url` is shown this once."""

    _secret: ClassVar[frozenset[str]] = frozenset({"url"})

    id: str
    event_id: str
    url: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class Share(Model):
    """A link to one event. `view_count` counts openings of the page or of what it is made of."""

    id: str
    event_id: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    view_count: int
    last_viewed_at: datetime | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Grid(Model):
    """Which cameras stand where on a wall, as the caller sees it: a camera that was deleted, or that it may not see, is null."""

    id: str
    name: str
    columns: int
    cameras: list[str | None]
    is_shared: bool
    """Everyone of the organization may read it; only who made it, and admins, may change it."""
    is_mine: bool
    """The caller made it."""
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class Site(Model):
    """A place."""

    id: str
    name: str
    timezone: str
    address: str | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class CameraSummary(Model):
    """How one camera was recorded in the range. `size_bytes` and `oldest_at` are of all its footage there is."""

    camera_id: str
    name: str
    status: CameraStatus
    recording_mode: Literal["off", "continuous", "events"]
    is_recording: bool
    percent_covered: float
    longest_gap: FootageGap | None | None
    size_bytes: int
    oldest_at: datetime | None
    as_of: datetime | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Gateway(Model):
    """A box on a site. `version` is its software's; the ETag counts edits and life signs."""

    id: str
    name: str
    site_id: str
    status: GatewayStatus
    status_at: datetime
    version: str | None
    local_ip: str | None
    last_heartbeat_at: datetime | None
    paired_at: datetime | None
    hardware: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    storage_state: Literal["ok", "slow", "making_room", "retention_held", "recording_stopped", "lost"] | None
    """By its newest heartbeat, as the next two; null: it has told none."""
    recording_cameras: int | None
    """Cameras of which footage is being written."""
    recordings_bytes: int | None
    storage_message: str | None = None
    """What the state means and what to do; null where all is well."""


@dataclass(frozen=True, kw_only=True, repr=False)
class PairingCode(Model):
    """`id` is the gateway's. The code is shown this once."""

    _secret: ClassVar[frozenset[str]] = frozenset({"pairing_code"})

    id: str
    pairing_code: str
    expires_at: datetime
    status: GatewayStatus


@dataclass(frozen=True, kw_only=True, repr=False)
class Paired(Model):
    """The gateway's identity. The token is shown this once."""

    _secret: ClassVar[frozenset[str]] = frozenset({"gateway_token"})

    gateway_id: str
    gateway_token: str
    org_id: str
    site_id: str
    name: str


@dataclass(frozen=True, kw_only=True, repr=False)
class HardwareFacts(Model):
    """What a box says of itself when it pairs and at each hello. Newer boxes may say more, which is dropped."""

    hostname: str = ""
    os: str = ""
    arch: str = ""
    cpu_count: int = 0
    memory_bytes: int = 0
    disk_bytes: int = 0
    local_ip: str | None = None
    hardware_id: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class DiscoveredDevice(Model):
    """Discovered device."""

    host: str
    port: int
    xaddrs: list[str] = field(default_factory=list[str])
    endpoint_reference: str | None = None
    name: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    scopes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, kw_only=True, repr=False)
class Discovered(Model):
    """The ONVIF cameras that answered."""

    devices: list[DiscoveredDevice]


@dataclass(frozen=True, kw_only=True, repr=False)
class TelemetryPoint(Model):
    """How a gateway was, at one time; thinned to one point a minute."""

    at: datetime
    uptime_sec: float = 0
    cpu_percent: float = 0
    memory_bytes: int = 0
    disk_free_bytes: int = 0
    disk_total_bytes: int = 0
    cameras_online: int = 0
    cameras_total: int = 0
    bytes_received: int = 0
    reports_waiting: int = 0
    clips_waiting: int = 0
    storage_state: str | None = None
    recording_cameras: int = 0
    recordings_bytes: int = 0


@dataclass(frozen=True, kw_only=True, repr=False)
class Me(Model):
    """Me."""

    kind: Literal["user", "service_account"]
    id: str
    email: str | None
    """null for a service account."""
    display_name: str
    role: Role
    org_id: str
    org_name: str
    site_ids: list[str] | None
    """null: all sites of the org."""
    must_change_password: bool


@dataclass(frozen=True, kw_only=True, repr=False)
class Accepted(Model):
    """Accepted."""

    message: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Gap(Model):
    """A stretch without footage."""

    camera_id: str
    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Export(Model):
    """`progress` from 0 to 1. `status_reason` of a pending one says what it waits for."""

    id: str
    camera_ids: list[str]
    from_: datetime
    to: datetime
    case_reference: str | None
    note: str | None
    created_by: str
    status: ExportStatus
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


@dataclass(frozen=True, kw_only=True, repr=False)
class User(Model):
    """A person in the org."""

    id: str
    email: str
    display_name: str
    role: Role
    enabled: bool
    must_change_password: bool
    site_ids: list[str] | None
    """Of a viewer: the sites it sees. null: all."""
    last_login_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class UserCreated(Model):
    """User created."""

    _secret: ClassVar[frozenset[str]] = frozenset({"temporary_password"})

    user: User
    invitation_sent: bool
    """False where no mail is configured; then there is a temporary password to hand over."""
    temporary_password: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class PasswordReset(Model):
    """Password reset."""

    _secret: ClassVar[frozenset[str]] = frozenset({"reset_token"})

    reset_token: str
    """For POST /auth/reset-password, once. Shown only here."""
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class Session(Model):
    """A place where a user is logged in."""

    id: str
    client_type: ClientType
    remember_me: bool
    user_agent: str | None
    ip: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class ServiceAccount(Model):
    """A program that calls the API. Its role is fixed."""

    id: str
    name: str
    role: Literal["admin", "operator", "viewer"]
    site_ids: list[str] | None
    """Of a viewer: the sites it sees. null: all."""
    enabled: bool
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class ApiKey(Model):
    """A key, without its secret."""

    id: str
    name: str | None
    prefix: str
    """The first 12 characters, to tell keys apart."""
    created_at: datetime
    last_used_at: datetime | None
    """To within five minutes."""
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True, repr=False)
class ApiKeyCreated(Model):
    """Api key created."""

    _secret: ClassVar[frozenset[str]] = frozenset({"key"})

    id: str
    name: str | None
    prefix: str
    key: str
    """Shown only here."""
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Org(Model):
    """The caller's organization."""

    id: str
    name: str
    sandbox: bool
    """Its API keys begin with sk_test_."""
    moved_cameras: Literal["offer", "apply"]
    """What happens when a gateway finds a missing camera at another address: `offer` it to people, or `apply` it."""
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class SigningKey(Model):
    """The public half of the key that the organization's exports are signed with (Ed25519). `fingerprint`: SHA-256 of the
    32 bytes, what `novavms-verify --fingerprint` wants.
    """

    algorithm: Literal["Ed25519"]
    public_key: str
    """Base64 of the 32 bytes."""
    fingerprint: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class Nomination(Model):
    """The owner wants this admin to be the owner."""

    user_id: str
    email: str
    display_name: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class LoggedInUser(Model):
    """Logged in user."""

    id: str
    email: str
    display_name: str
    role: Role
    org_id: str
    must_change_password: bool
    """True: only /auth/me, /auth/change-password and /auth/logout are open until it is done."""


@dataclass(frozen=True, kw_only=True, repr=False)
class LoginAnswer(Model):
    """Login answer."""

    _secret: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token"})

    access_token: str
    """JWT for `Authorization: Bearer`, 15 minutes."""
    expires_at: datetime
    user: LoggedInUser
    refresh_token: str | None = None
    """Not for `client_type=web`, which gets it as an HttpOnly cookie."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ResetData(Model):
    """Read your lists anew: the id that you gave is too old, what came after it can't be told any more."""

    reason: Literal["too_old"]


@dataclass(frozen=True, kw_only=True, repr=False)
class ResetItem(Model):
    """Comes after `hello`, where something is lost."""

    type: Literal["reset"]
    id: str
    at: datetime
    data: ResetData


@dataclass(frozen=True, kw_only=True, repr=False)
class CameraStatusData(Model):
    """A camera's state, or the stream in use, or its picture's facts changed. `since` is when it got into this state."""

    camera_id: str
    site_id: str
    gateway_id: str | None
    status: CameraStatus
    reason: str | None
    message: str | None
    since: datetime
    active_tier: Tier
    codec: str | None
    width: int | None
    height: int | None
    has_audio: bool | None


@dataclass(frozen=True, kw_only=True, repr=False)
class CameraStatusItem(Model):
    """What a camera does."""

    type: Literal["camera_status"]
    id: str
    at: datetime
    data: CameraStatusData


@dataclass(frozen=True, kw_only=True, repr=False)
class CameraData(Model):
    """A camera was added, changed by a person, or deleted: then `camera` is null. To a viewer that sees only the site that a
    camera has left, it is told as deleted there.
    """

    change: Literal["created", "deleted", "updated"]
    camera_id: str
    site_id: str
    camera: Camera | None | None


@dataclass(frozen=True, kw_only=True, repr=False)
class CameraItem(Model):
    """What people do to cameras."""

    type: Literal["camera"]
    id: str
    at: datetime
    data: CameraData


@dataclass(frozen=True, kw_only=True, repr=False)
class GatewayStatusData(Model):
    """A gateway came or went. `since` is when it got into this state. Heartbeats are not told."""

    gateway_id: str
    site_id: str
    status: GatewayStatus
    since: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class GatewayStatusItem(Model):
    """What a gateway does."""

    type: Literal["gateway_status"]
    id: str
    at: datetime
    data: GatewayStatusData


@dataclass(frozen=True, kw_only=True, repr=False)
class GatewayData(Model):
    """A gateway was made, renamed, paired (`updated`), or deleted: then `name` is null."""

    change: Literal["created", "deleted", "updated"]
    gateway_id: str
    site_id: str
    name: str | None


@dataclass(frozen=True, kw_only=True, repr=False)
class GatewayItem(Model):
    """What people do to gateways."""

    type: Literal["gateway"]
    id: str
    at: datetime
    data: GatewayData


@dataclass(frozen=True, kw_only=True, repr=False)
class EventData(Model):
    """An event happened, was changed (acknowledged, starred, noted, got its picture) or deleted: then `event` is null."""

    change: Literal["created", "deleted", "updated"]
    event_id: str
    camera_id: str
    site_id: str
    event: Event | None | None


@dataclass(frozen=True, kw_only=True, repr=False)
class EventItem(Model):
    """An event."""

    type: Literal["event"]
    id: str
    at: datetime
    data: EventData


@dataclass(frozen=True, kw_only=True, repr=False)
class ClipData(Model):
    """An event's clip has another status: it is being recorded or uploaded, is ready, or failed with a reason."""

    event_id: str
    camera_id: str
    site_id: str
    clip: Clip


@dataclass(frozen=True, kw_only=True, repr=False)
class ClipItem(Model):
    """An event's clip."""

    type: Literal["clip"]
    id: str
    at: datetime
    data: ClipData


StreamItem = (
    ResetItem
    | CameraStatusItem
    | CameraItem
    | GatewayStatusItem
    | GatewayItem
    | EventItem
    | ClipItem
    | OtherItem
)
"""Something that happened, as the live stream tells it. `type` says which."""
STREAM_ITEMS: dict[str, type[Model]] = {
    "reset": ResetItem,
    "camera_status": CameraStatusItem,
    "camera": CameraItem,
    "gateway_status": GatewayStatusItem,
    "gateway": GatewayItem,
    "event": EventItem,
    "clip": ClipItem,
}
