"""Every message between server and gateway.

Times are RFC 3339 UTC strings on the wire (`datetime` here). Ids are UUID strings. Passwords travel only inside
`CameraConfig` and `Check`, from server to gateway, over the gateway's own TLS socket; their structs print `***`.

The conversation:

    gateway  → Hello                                  first message, within 10 s of the socket's opening
    server   → DesiredState                           the answer, and again whenever the version changes
    gateway  → Report(Applied)                        once reconciled
    server   → Request(body, id, deadline)            → gateway Reply(id, …), exactly one
    gateway  → Report(body, id)                       → server Ack(id); unacknowledged ones are sent again
    either   → Ping                                   → Pong; and Telemetry every 15 s is the heartbeat
    server   → Goodbye(reason)                        before it closes: replaced | revoked | shutting_down
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from novavms_protocol.base import Message, Time
from novavms_protocol.live import AnswerOffer, Watch
from novavms_protocol.recording import (
    CutClip,
    HoldFootage,
    LedgerUpdate,
    ListSegments,
    RecordingPlan,
    SendMedia,
    SendThumbnails,
)

PROTOCOL_VERSION = 1

Version = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""Of a desired state."""


# ---- what a camera is, for a gateway ---------------------------------------------------------------------


class CameraIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who an ONVIF camera is, wherever it is: what its last check heard of it. `mac` as aa:bb:cc:dd:ee:ff."""

    serial: str | None = None
    mac: str | None = None
    endpoint_reference: str | None = None
    """Of WS-Discovery, mostly urn:uuid:…"""


class CameraConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One camera in the desired state. `revision` rises with each change of anything here."""

    camera_id: UUID
    revision: int
    name: str
    kind: Literal["rtsp", "onvif"]
    host: str
    port: int
    """ONVIF service port for `onvif`, RTSP port for `rtsp`."""
    rtsp_url: str | None = None
    """Without credentials. For `onvif`: the stream address the last check resolved, if any."""
    username: str | None = None
    password: str | None = None
    enabled: bool = True
    stream_transport: Literal["tcp", "udp", "auto"] = "tcp"
    tls_fingerprint: str | None = None
    """SHA-256 (hexadecimal) of the certificate that rtsps (kind rtsp) or https (kind onvif) has to show; None: any."""
    stream_tls_fingerprint: str | None = None
    """Kind onvif: the same of its rtsps stream."""
    tls_pinned_at: Time | None = None
    """Since when they are known; for messages."""
    recording_stream: Literal["main", "sub"] = "main"
    detection_stream: Literal["main", "sub"] = "sub"
    pre_roll_sec: int = 5
    recording: RecordingPlan = RecordingPlan()
    allow_loopback: bool = False
    """As in `Check`. The gateway judges the address anew before each session: a name may point elsewhere by then."""
    identity: CameraIdentity | None = None
    """What the camera is looked for by when it is missing; a server that sends none takes no `CameraMoved`."""

    def __repr__(self) -> str:
        return (
            f"CameraConfig({self.camera_id}, revision={self.revision}, {self.kind} {self.host}:{self.port})"
        )


class GatewayFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway knows of its own box."""

    hostname: str = ""
    os: str = ""
    arch: str = ""
    cpu_count: int = 0
    memory_bytes: int = 0
    disk_bytes: int = 0
    local_ip: str | None = None
    hardware_id: str | None = None


# ---- requests: server asks, gateway replies ----------------------------------------------------------------


class Check(Message, frozen=True, kw_only=True):
    """Run the connection check. The reply's `result` is a check report (camera-check: ok, reason, stages, …)."""

    kind: Literal["rtsp", "onvif"]
    host: str | None = None
    port: int | None = None
    rtsp_url: str | None = None
    username: str | None = None
    password: str | None = None
    stream_transport: Literal["tcp", "udp", "auto"] = "tcp"
    tls_fingerprint: str | None = None
    """This and the next two: as in `CameraConfig`."""
    stream_tls_fingerprint: str | None = None
    tls_pinned_at: Time | None = None
    allow_loopback: bool = False
    """Only where the server's settings allow it (tests, demo); the gateway never decides this itself."""
    camera_id: UUID | None = None
    """The camera of which this is a change, if one. Where the camera serves no further session, the gateway's own makes room."""

    def __repr__(self) -> str:
        return f"Check({self.kind} {self.host}:{self.port})"


class Discover(Message, frozen=True, kw_only=True):
    """Find ONVIF devices: WS-Discovery on the LAN, and a unicast probe of each address in `hosts`."""

    timeout_sec: float = 4.0
    hosts: list[str] = msgspec.field(default_factory=list)
    ports: list[int] = msgspec.field(default_factory=list)
    """ONVIF ports tried on each of `hosts`; empty means the usual ones."""
    multicast: bool = True
    allow_loopback: bool = False
    """As in Check: only where the server's settings allow it."""


class RecordClip(Message, frozen=True, kw_only=True):
    """Record a clip now. Reply `result` {"started_at"}; its end comes as ClipReady or ClipFailed."""

    clip_id: UUID
    event_id: UUID
    camera_id: UUID
    triggered_at: Time
    duration_sec: float
    pre_roll_sec: float = 5


class ForgetClip(Message, frozen=True, kw_only=True):
    """The server needs nothing more of this clip (event deleted, or the clip given up)."""

    clip_id: UUID


class Snapshot(Message, frozen=True, kw_only=True):
    """A JPEG of the newest key frame, base64 in `result.jpeg`."""

    camera_id: UUID
    width: int | None = None


RequestBody = (
    Check
    | Discover
    | RecordClip
    | ForgetClip
    | Snapshot
    | ListSegments
    | SendMedia
    | CutClip
    | SendThumbnails
    | HoldFootage
    | Watch
    | AnswerOffer
)


class Request(Message, frozen=True, kw_only=True):
    """`timeout_sec` is how long the caller still waits; a reply after that is thrown away."""

    id: UUID
    timeout_sec: float
    body: RequestBody


class Reply(Message, frozen=True, kw_only=True):
    """Exactly one for each request. `error` is a stable word: unknown_camera, not_online, busy, unsupported, internal, gone, no_footage,
    go2rtc_away, refused."""

    id: UUID
    ok: bool
    result: dict[str, Any] | None = None
    error: str | None = None
    message: str | None = None


class CheckProgress(Message, frozen=True, kw_only=True):
    """One finished stage of a running check, for whoever watches it live. Not acknowledged."""

    id: UUID
    stage: dict[str, Any]


# ---- reports: gateway tells, server acknowledges -------------------------------------------------------------


class CameraStatus(Message, frozen=True, kw_only=True):
    """State of one camera, by its frames. The newest `at` wins; a camera that is not this gateway's is refused."""

    camera_id: UUID
    revision: int
    status: Literal["pending", "online", "offline", "error", "disabled"]
    reason: str | None = None
    message: str | None = None
    at: Time
    last_frame_at: Time | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    has_audio: bool | None = None
    active_tier: Literal["main", "sub"] = "main"
    transport: Literal["tcp", "udp"] | None = None
    keyframe_interval_sec: float | None = None
    """As measured; None until two key frames came."""


class CameraMoved(Message, frozen=True, kw_only=True):
    """A missing camera answers at another address of the gateway's network. Asked without a login: the server decides
    whether its password goes there. Sent again with each search for as long as the camera is missing."""

    camera_id: UUID
    revision: int
    host: str
    """An IP address."""
    port: int
    """Of its ONVIF service."""
    matched_by: Literal["endpoint_reference", "mac"]
    found_at: Time


class ClipState(Message, frozen=True, kw_only=True):
    """A clip's recording ended and its upload begins (`uploading`)."""

    clip_id: UUID
    status: Literal["recording", "uploading"]


class ClipReady(Message, frozen=True, kw_only=True):
    """All parts are in the store. The server verifies size and SHA-256 before it says `ready`."""

    clip_id: UUID
    size_bytes: int
    sha256: str
    duration_sec: float
    started_at: Time
    """Wall-clock time of the first frame, by the camera's RTCP clock where it has one."""
    codec: str
    width: int
    height: int
    has_audio: bool = False
    part_count: int = 1
    failure_reason: str | None = None
    """Set when the clip is shorter than asked: the clip becomes `failed` with this reason and what there is."""
    gap_sec: float = 0.0
    """Seconds within it of which there is no picture."""


class ClipFailed(Message, frozen=True, kw_only=True):
    """Nothing could be recorded. `reason`: camera_offline, gateway_restart, disk_full, store_unavailable, internal."""

    clip_id: UUID
    reason: str
    message: str = ""


class Telemetry(Message, frozen=True, kw_only=True):
    """The heartbeat, at least every 15 s."""

    at: Time
    uptime_sec: float
    cpu_percent: float
    memory_bytes: int
    disk_free_bytes: int
    disk_total_bytes: int
    cameras_online: int
    cameras_total: int
    bytes_received: int = 0
    reports_waiting: int = 0
    clips_waiting: int = 0
    version: str = ""
    storage_state: str | None = None
    """Of the volume of footage: ok, slow, making_room, retention_held, recording_stopped, lost. None: a gateway without one."""
    recording_cameras: int = 0
    """Cameras of which a segment is being written now."""
    recordings_bytes: int = 0


class Applied(Message, frozen=True, kw_only=True):
    """The desired state of this version is now what runs."""

    state_version: Version


ReportBody = (
    CameraStatus | CameraMoved | ClipState | ClipReady | ClipFailed | Telemetry | Applied | LedgerUpdate
)


class Report(Message, frozen=True, kw_only=True):
    """`id` is unique for ever; the server drops repeats by it."""

    id: UUID
    body: ReportBody


# ---- the rest -------------------------------------------------------------------------------------------------


class Hello(Message, frozen=True, kw_only=True):
    protocol: int
    version: str
    facts: GatewayFacts
    applied_version: Version | None = None
    backlog: int = 0
    """Reports and clips still waiting on the gateway's disk."""
    clips: list[UUID] = msgspec.field(default_factory=list)
    """Clips the gateway still holds (recording, waiting, uploading); any other that the server believes to be in
    the making on this gateway is lost, and fails."""
    ledger_epoch: UUID | None = None
    """Of the gateway's recording index, where it records."""
    has_go2rtc: bool = False
    """One is set beside it: it takes `AnswerOffer`."""


class DesiredState(Message, frozen=True, kw_only=True):
    """All cameras this gateway has to run, and nothing else. Newer versions replace older ones whole."""

    version: int
    cameras: list[CameraConfig]
    ledger_seq: int | None = None
    """How far the server knows the ledger of the epoch that the hello named; None: nothing of it."""


class Ack(Message, frozen=True, kw_only=True):
    """The report is safe at the server, or refused for good (`refused` says why); either way: forget it."""

    id: UUID
    refused: str | None = None


class Ping(Message, frozen=True, kw_only=True):
    nonce: int = 0


class Pong(Message, frozen=True, kw_only=True):
    nonce: int = 0


class Goodbye(Message, frozen=True, kw_only=True):
    reason: Literal["replaced", "revoked", "shutting_down", "protocol"]
    message: str = ""


class DiscoveredDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a Discover reply's `result.devices`."""

    host: str
    port: int
    xaddrs: list[str] = []
    endpoint_reference: str | None = None
    name: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    scopes: list[str] = []


FromGateway = Hello | Reply | Report | CheckProgress | Ping | Pong
FromServer = DesiredState | Request | Ack | Ping | Pong | Goodbye

_encoder = msgspec.json.Encoder()
_from_gateway: msgspec.json.Decoder[FromGateway] = msgspec.json.Decoder(FromGateway)
_from_server: msgspec.json.Decoder[FromServer] = msgspec.json.Decoder(FromServer)


def encode(message: FromGateway | FromServer) -> str:
    """The message as JSON text. Datetimes must be aware."""
    return _encoder.encode(message).decode()


def decode_from_gateway(text: str | bytes) -> FromGateway:
    """Raises msgspec.ValidationError (or DecodeError) on anything that is no gateway message."""
    return _from_gateway.decode(text)


def decode_from_server(text: str | bytes) -> FromServer:
    """Raises msgspec.ValidationError (or DecodeError) on anything that is no server message."""
    return _from_server.decode(text)
