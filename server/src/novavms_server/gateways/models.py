"""A gateway as the API shows it, as callers describe it, and as other domains hold it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_protocol import DiscoveredDevice
from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.validation import Body, Name

Status = Literal["registered", "online", "offline"]
StorageState = Literal["ok", "slow", "making_room", "retention_held", "recording_stopped", "lost"]
"""Of the disk that a gateway records to."""
STORAGE_MESSAGES: Final[dict[StorageState, str]] = {
    "slow": "The disk takes footage too slowly, and some was not recorded: check its health, and what else uses it.",
    "making_room": "The disk is nearly full, and footage is removed before its time: give it more room, or keep footage for fewer days.",
    "retention_held": "More footage is due to go than may go in an hour, so that a wrong clock can't wipe a disk: it goes on by itself; check the gateway's clock, and whether the days to keep were meant.",
    "recording_stopped": "The disk is full and nothing is recorded: free some room on it. Clips on order are still made for as long as they fit.",
    "lost": "The disk with the footage is not there or is another one, and nothing is recorded or removed: mount it again, or make it this gateway's with novavms-gateway new-volume.",
}


@dataclass(frozen=True, slots=True)
class GatewayRef:
    """Which gateway, and where: what handlers of its messages are told. A gateway never moves to another site."""

    org_id: UUID
    site_id: UUID
    id: UUID


class Gateway(msgspec.Struct):
    """A box on a site. `version` is its software's; the ETag counts edits and life signs."""

    id: UUID
    name: str
    site_id: UUID
    status: Status
    status_at: datetime
    version: str | None
    local_ip: str | None
    last_heartbeat_at: datetime | None
    paired_at: datetime | None
    hardware: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    storage_state: StorageState | None
    """By its newest heartbeat, as the next two; null: it has told none."""
    recording_cameras: int | None
    """Cameras of which footage is being written."""
    recordings_bytes: int | None
    storage_message: str | None = None
    """What the state means and what to do; null where all is well."""

    def __post_init__(self) -> None:
        self.storage_message = STORAGE_MESSAGES.get(self.storage_state) if self.storage_state else None


class GatewayRow(msgspec.Struct):
    """What another domain needs of a gateway it holds (`GatewayService.hold`)."""

    id: UUID
    site_id: UUID
    name: str
    status: Status
    state_version: int


class GatewayUpdate(Body):
    name: Name | UnsetType = UNSET


class PairingCodeCreate(Body):
    """A new gateway, or with `gateway_id` the next hardware of one that exists: it takes over that record."""

    site_id: UUID
    name: Name | None = None
    gateway_id: UUID | None = None

    def problems(self) -> Iterator[FieldProblem]:
        if self.name is None and self.gateway_id is None:
            yield FieldProblem("name", "name is required")


class PairingCode(msgspec.Struct):
    """`id` is the gateway's. The code is shown this once."""

    id: UUID
    pairing_code: str
    expires_at: datetime
    status: Status


_Line = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]


class HardwareFacts(msgspec.Struct):
    """What a box says of itself when it pairs and at each hello. Newer boxes may say more, which is dropped."""

    hostname: _Line = ""
    os: _Line = ""
    arch: _Line = ""
    cpu_count: Annotated[int, Meta(ge=0, le=100_000)] = 0
    memory_bytes: Annotated[int, Meta(ge=0, le=2**60)] = 0
    disk_bytes: Annotated[int, Meta(ge=0, le=2**60)] = 0
    local_ip: Annotated[str, Meta(max_length=64, pattern=r"^[0-9A-Fa-f:.%\w-]*$")] | None = None
    hardware_id: _Line | None = None


class PairRequest(Body):
    pairing_code: Annotated[
        str,
        Meta(
            min_length=6,
            max_length=6,
            pattern="^[A-Za-z0-9]*$",
            examples=["A7B3CX"],
            extra={"words": "must be the code as shown: 6 letters and digits"},
        ),
    ]
    version: _Line = ""
    hardware: HardwareFacts = msgspec.field(default_factory=HardwareFacts)


class Paired(msgspec.Struct):
    """The gateway's identity. The token is shown this once."""

    gateway_id: UUID
    gateway_token: str
    org_id: UUID
    site_id: UUID
    name: str


class TelemetryPoint(msgspec.Struct):
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


class DiscoverRequest(Body, frozen=True):  # type: ignore[misc]  # frozen, for it is a default value; its base is not
    """Addresses to ask besides the multicast search of the gateway's own network."""

    hosts: Annotated[list[Annotated[str, Meta(min_length=1, max_length=253)]], Meta(max_length=64)] = (
        msgspec.field(default_factory=list)
    )
    ports: Annotated[list[Annotated[int, Meta(ge=1, le=65535)]], Meta(max_length=16)] = msgspec.field(
        default_factory=list
    )
    timeout_sec: Annotated[float, Meta(ge=1, le=10)] = 4.0


class Discovered(msgspec.Struct):
    """The ONVIF cameras that answered."""

    devices: list[DiscoveredDevice]
