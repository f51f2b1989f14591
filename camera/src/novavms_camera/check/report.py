"""What a connection check found: the JSON that callers get, as types."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from novavms_camera.faults import Reason
from novavms_camera.source import Tier

StageName = Literal[
    "policy", "resolve", "connect", "tls", "clock", "login", "identity", "profiles", "describe", "media"
]
"""In the order they run. `rtsp` sources skip clock to profiles; `tls` shows only where the connection uses it."""

WarningCode = Literal[
    "duplicate_device",
    "clock_skew",
    "long_gop",
    "h265_browser_limited",
    "audio_unsupported",
    "address_rewritten",
]
"""`duplicate_device` is found by the server, which knows the organisation's other cameras."""


class Stage(msgspec.Struct, frozen=True):
    """One step of the check. `detail` is a sentence on what was seen."""

    name: str
    ok: bool
    ms: float
    reason: Reason | None = None
    detail: str | None = None


class CheckWarning(msgspec.Struct, frozen=True):
    """Works, but will disappoint. `code` is stable."""

    code: WarningCode
    message: str


LONG_GOP_SEC: Final = 4.0


def long_gop_message(interval_sec: float) -> str:
    """Of the warning `long_gop`; `interval_sec` may be the least that it can be."""
    return (
        f"Key frames are {interval_sec:.0f} s or more apart: live view and clips begin that late. "
        "Set the key-frame interval to 1 or 2 s."
    )


def is_interval_news(measured_sec: float | None, told_sec: float | None) -> bool:
    """Whether a key-frame interval that was measured is worth telling after the one that was told: smart codecs' wobble."""
    if measured_sec is None:
        return False
    return told_sec is None or (measured_sec > LONG_GOP_SEC) != (told_sec > LONG_GOP_SEC)


class ProfileFacts(msgspec.Struct, frozen=True):
    """One media profile of an ONVIF device. `bit_rate` in bits per second; `rtsp_url` without credentials."""

    token: str
    name: str | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bit_rate: int | None = None
    tier: Tier | None = None
    rtsp_url: str | None = None


class Facts(msgspec.Struct):
    """What is known of the camera; None where it did not say. Filled stage by stage, so a failed check has some."""

    transport: str | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    keyframe_interval_sec: float | None = None
    bit_rate: int | None = None
    """Bits per second, as configured in the camera."""
    has_audio: bool | None = None
    audio_codec: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    serial: str | None = None
    mac: str | None = None
    endpoint_reference: str | None = None
    """The device's WS-Discovery identity, usually urn:uuid:…"""
    clock_offset_sec: float | None = None
    """The camera's clock minus ours."""
    address: str | None = None
    """The IP address that was judged and dialled."""
    tls_fingerprint: str | None = None
    """SHA-256 (hexadecimal) of the certificate that the camera's rtsps or ONVIF https showed; to be pinned."""
    stream_tls_fingerprint: str | None = None
    """The same of the rtsps stream that an ONVIF camera named."""
    stream_url: str | None = None
    sub_stream_url: str | None = None
    profiles: list[ProfileFacts] = []


class CheckReport(msgspec.Struct):
    """The outcome. `reason`, `message` and `hint` are those of the first failed stage."""

    ok: bool
    reason: Reason | None
    message: str | None
    hint: str | None
    elapsed_ms: float
    stages: list[Stage]
    warnings: list[CheckWarning]
    facts: Facts

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: `{"ok", "reason", "message", "hint", "elapsed_ms", "stages", "warnings", "facts"}`."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain
