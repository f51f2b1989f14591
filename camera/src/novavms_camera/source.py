"""Where a camera is and how to log in: what callers hand to the check and the capture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from novavms_camera.address import AddressPolicy
from novavms_camera.secret import Secret

Kind = Literal["rtsp", "onvif"]
Transport = Literal["tcp", "udp", "auto"]
"""How media comes. `auto`: over TCP; where the camera refuses that, or says nothing on it, over UDP."""
TRANSPORTS: Final[dict[Transport, tuple[Literal["tcp", "udp"], ...]]] = {
    "tcp": ("tcp",),
    "udp": ("udp",),
    "auto": ("tcp", "udp"),
}
"""What is tried, in this order."""
Tier = Literal["main", "sub"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSource:
    """A camera as a person described it. `rtsp_url` never holds credentials; `host`/`port` are the ONVIF service's."""

    kind: Kind
    host: str
    port: int
    rtsp_url: str | None = None
    username: str | None = None
    password: Secret | None = None
    transport: Transport = "tcp"
    tls_fingerprint: str | None = None
    """SHA-256 of the certificate that rtsps (kind rtsp) or https (kind onvif) has to show; None: believed at first sight.
    An `onvif` source with one is never spoken to without TLS."""
    stream_tls_fingerprint: str | None = None
    """Kind onvif: of the certificate that the rtsps stream, which the device names, has to show."""
    tls_pinned_at: datetime | None = None
    """Since when they are known; for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSource:
    """One RTSP stream. `url` never holds credentials; `address` pins the IP that was checked, if one was."""

    url: str
    username: str | None = None
    password: Secret | None = None
    transport: Transport = "tcp"
    address: str | None = None
    tls_fingerprint: str | None = None
    """As in CameraSource, for rtsps."""
    tls_pinned_at: datetime | None = None
    tier: Tier = "main"
    """Which of the camera's streams it is; the one of an `rtsp` source counts as main."""
    redirects: AddressPolicy | None = None
    """Where the camera may send us by an RTSP redirect; None: nowhere."""
