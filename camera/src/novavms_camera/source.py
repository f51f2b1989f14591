"""Where a camera is and how to log in: what callers hand to the check and the capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from novavms_camera.secret import Secret

Kind = Literal["rtsp", "onvif"]
Transport = Literal["tcp", "udp", "auto"]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSource:
    """One RTSP stream. `url` never holds credentials; `address` pins the IP that was checked, if one was."""

    url: str
    username: str | None = None
    password: Secret | None = None
    transport: Transport = "tcp"
    address: str | None = None
