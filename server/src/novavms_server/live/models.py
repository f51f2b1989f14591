"""How a camera can be watched."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from novavms_protocol.live import Tier

Protocol = Literal["webrtc", "mse", "hls"]
Codec = Literal["h264", "h265"]
EndReason = Literal["revoked", "camera_deleted", "shutting_down", "codec_unsupported", "internal"]


class LiveProtocol(msgspec.Struct, frozen=True, kw_only=True):
    """One way to watch. `codec` is null where the stream has not been seen yet; `reason` says why it is at this place."""

    type: Protocol
    url: str
    tier: Tier
    codec: str | None
    reason: str


class LiveExcluded(msgspec.Struct, frozen=True, kw_only=True):
    """A way that is not offered. `reason` is stable: no_go2rtc, gateway_offline, codec, rights_not_enforceable,
    not_supported."""

    type: Protocol
    reason: str
    message: str


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """Ways to watch, best first. `message` says why where there is none. `token` opens this camera and nothing else."""

    protocols: list[LiveProtocol]
    excluded: list[LiveExcluded]
    token: str
    expires_at: datetime
    message: str | None = None


class LiveCamera(msgspec.Struct, frozen=True, kw_only=True):
    """What live view needs to know of a camera. `sub_codec` is None where it is not known, or there is no sub stream."""

    id: UUID
    org_id: UUID
    site_id: UUID
    gateway_id: UUID | None
    """None: direct mode."""
    type: str
    codec: str | None
    sub_codec: str | None
    stream_name: str | None
    """Direct mode: its name at go2rtc."""
    audio_codec: str | None = None
    """As the last check saw it; None: no sound, or not known."""

    @property
    def has_sub(self) -> bool:
        """Whether it may have a sub stream that can be asked for."""
        return self.gateway_id is not None and self.type == "onvif"
