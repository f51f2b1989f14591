"""What a simulated camera is: its name and login, its footage, its faces, its identity."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from novavms_simcam.faults import Faults

Auth = Literal["digest", "basic", "both", "digest-sha256", "digest-both", "none"]
Audio = Literal["aac", "pcma", "pcmu", "none"]

DEFAULT_USERNAME: Final = "admin"
DEFAULT_PASSWORD: Final = "simcam-Passw0rd"  # noqa: S105 - a toy's documented default, only ever on loopback


@dataclass(slots=True, kw_only=True)
class SimCamConfig:
    """One camera. Ports: 0 picks a free one; `onvif_port=None` is a camera without ONVIF; `discovery_port` is UDP (3702 by standard).
    `rtsps_port` is RTSP over TLS beside plain RTSP, with a self-signed certificate (322 by standard); None is a camera without it.
    `onvif_https`: the ONVIF port speaks https, with the same certificate.

    `media` is bundled footage ("h264", "h265") or a file of one's own (H.264 or H.265; any container that FFmpeg reads).
    The identity (serial, MAC, endpoint reference) is made from the name, so that it is the same at the next start.
    """

    name: str = "Simulated camera"
    username: str = DEFAULT_USERNAME
    password: str = field(default=DEFAULT_PASSWORD, repr=False)
    media: Literal["h264", "h265"] | Path = "h264"
    audio: Audio = "aac"
    host: str = "127.0.0.1"
    rtsp_port: int = 0
    rtsps_port: int | None = None
    onvif_port: int | None = 0
    onvif_https: bool = False
    discovery_port: int | None = None
    auth: Auth = "digest"
    manufacturer: str = "NovaVMS"
    model: str = "SimCam"
    firmware: str = "1.0.0"
    serial: str = ""
    mac: str = ""
    endpoint_reference: str = ""
    session_timeout_sec: float = 60.0
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.name.encode()).hexdigest()
        self.serial = self.serial or f"SC{digest[:12].upper()}"
        # 02: a locally administered address, so that it is no maker's (IEEE 802, U/L bit)
        self.mac = self.mac or ":".join(["02", *(digest[i : i + 2] for i in range(12, 22, 2))])
        self.endpoint_reference = (
            self.endpoint_reference
            or f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'novavms-simcam:{self.name}')}"
        )
