"""What a camera offers: a lenient SDP reader (RFC 4566, RFC 2326 appendix C) that leaves out what it can't read."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from novavms_camera.faults import CameraFault

_MAX_MEDIAS: Final = 32
_BANDWIDTH: Final = "b="
"""Before a section's bandwidths, which stand among its attributes."""
_UNITS: Final = {"AS": 1000, "TIAS": 1}
"""Bits a second (RFC 4566 section 5.8, RFC 3890)."""
# RFC 3551 section 6: payload types that need no rtpmap
_STATIC: Final[dict[int, tuple[str, int]]] = {
    0: ("PCMU", 8000),
    8: ("PCMA", 8000),
    14: ("MPA", 90000),
    26: ("JPEG", 90000),
    32: ("MPV", 90000),
}
_RTPMAP: Final = re.compile(r"(\d{1,3})\s+([A-Za-z0-9_.+-]+)(?:/(\d{1,9}))?(?:/(\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class Media:
    """One track. `encoding` is upper case ("H264"); `control` is the absolute address for SETUP; `fmtp` has lower-case names.

    `bit_rate` (bits a second) and `frame_rate` are what the camera says of them, which is what it was set to.
    """

    kind: str
    payload_type: int
    encoding: str
    clock_rate: int
    channels: int = 1
    fmtp: dict[str, str] = field(default_factory=dict)
    control: str = ""
    protocol: str = "RTP/AVP"
    direction: str = "sendrecv"
    bit_rate: int | None = None
    frame_rate: float | None = None

    def parameter_sets(self) -> list[bytes]:
        """The NAL units given beforehand: sprop-parameter-sets (RFC 6184), sprop-vps/sps/pps (RFC 7798)."""
        texts = [self.fmtp.get(f"sprop-{name}", "") for name in ("vps", "sps", "pps", "parameter-sets")]
        units: list[bytes] = []
        for text in ",".join(texts).split(","):
            try:
                unit = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True)
            except (binascii.Error, ValueError):
                continue
            if unit:
                units.append(unit)
        return units


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """All tracks in their order; `control` is the address for PLAY and TEARDOWN."""

    medias: tuple[Media, ...]
    control: str

    @property
    def video(self) -> Media | None:
        """The first video track that we can record, else the first one."""
        videos = [m for m in self.medias if m.kind == "video"]
        return next((m for m in videos if m.encoding in {"H264", "H265"}), videos[0] if videos else None)

    @property
    def audio(self) -> Media | None:
        """The audio track that we can record, or None. `sendonly` is the client's to send: the camera's loudspeaker."""
        known = {"MPEG4-GENERIC", "MP4A-LATM", "PCMA", "PCMU"}
        directions = {"sendrecv", "recvonly"}
        return next(
            (
                m
                for m in self.medias
                if m.kind == "audio" and m.encoding in known and m.direction in directions
            ),
            None,
        )


def parse_sdp(body: bytes, base: str) -> SessionDescription:
    """Reads a DESCRIBE answer; `base` is its Content-Base, Content-Location or the request's address.

    Raises CameraFault malformed_stream when it is no SDP at all.
    """
    lines = [line.strip() for line in body.decode("utf-8", "replace").replace("\r", "\n").split("\n")]
    pairs = [(line[0], line[2:].strip()) for line in lines if len(line) > 1 and line[1] == "="]
    session: list[str] = []
    sections: list[tuple[str, list[str]]] = []
    for kind, value in pairs:
        if kind == "m":
            sections.append((value, []))
        elif kind == "a":
            (sections[-1][1] if sections else session).append(value)
        elif kind == "b" and sections:
            sections[-1][1].append(f"{_BANDWIDTH}{value}")
    control = resolve_control(_attribute(session, "control"), base)
    direction = _direction(session, "sendrecv")
    found = [_media(line, attributes, control, direction) for line, attributes in sections[:_MAX_MEDIAS]]
    medias = tuple(m for m in found if m is not None)
    if not medias and (found or not any(kind == "v" for kind, _ in pairs)):
        raise CameraFault("malformed_stream", "the camera's stream description (SDP) is not readable")
    return SessionDescription(medias, control)


def resolve_control(control: str | None, base: str) -> str:
    """RFC 2326 C.1.1, as cameras do it: a relative control is appended behind the query too."""
    if not control or control == "*":
        return base
    if re.match(r"(?i)rtsps?://", control):
        return control
    return base + control if base.endswith("/") else f"{base}/{control.removeprefix('/')}"


def _media(line: str, attributes: list[str], base: str, direction: str) -> Media | None:
    words = line.split()
    if len(words) < 4 or not words[3].isdigit() or not words[3].isascii() or len(words[3]) > 3:
        return None
    payload_type = int(words[3])
    encoding, rate, channels = _rtpmap(attributes, payload_type)
    return Media(
        kind=words[0].lower(),
        payload_type=payload_type,
        encoding=encoding,
        clock_rate=rate,
        channels=channels,
        fmtp=_fmtp(attributes, payload_type),
        control=resolve_control(_attribute(attributes, "control"), base),
        protocol=words[2].upper(),
        direction=_direction(attributes, direction),
        bit_rate=_bit_rate(attributes),
        frame_rate=_frame_rate(attributes),
    )


def _bit_rate(attributes: list[str]) -> int | None:
    for attribute in attributes:
        kind, _, number = attribute.removeprefix(_BANDWIDTH).partition(":")
        if (
            attribute.startswith(_BANDWIDTH)
            and kind in _UNITS
            and re.fullmatch("[0-9]{1,9}", number.strip(), re.ASCII)
        ):
            return int(number) * _UNITS[kind] or None
    return None


def _frame_rate(attributes: list[str]) -> float | None:
    """RFC 4566 section 6; some cameras write a comma."""
    text = (_attribute(attributes, "framerate") or "").replace(",", ".")
    return float(text) or None if re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text, re.ASCII) else None


def _rtpmap(attributes: list[str], payload_type: int) -> tuple[str, int, int]:
    for attribute in attributes:
        name, _, value = attribute.partition(":")
        match = _RTPMAP.match(value.strip()) if name == "rtpmap" else None
        if match and int(match[1]) == payload_type:
            encoding = {"HEVC": "H265"}.get(match[2].upper(), match[2].upper())
            return encoding, int(match[3] or 0) or 90_000, int(match[4] or 1) or 1
    encoding, rate = _STATIC.get(payload_type, ("", 90_000))
    return encoding, rate, 1


def _fmtp(attributes: list[str], payload_type: int) -> dict[str, str]:
    values: dict[str, str] = {}
    for attribute in attributes:
        name, _, value = attribute.partition(":")
        number, _, text = value.strip().partition(" ")
        if name != "fmtp" or number != str(payload_type):
            continue
        for part in text.split(";"):
            key, equals, item = part.strip().partition("=")
            if equals:
                values[key.strip().lower()] = item.strip()
    return values


def _attribute(attributes: list[str], name: str) -> str | None:
    return next((a.partition(":")[2].strip() for a in attributes if a.partition(":")[0] == name), None)


def _direction(attributes: list[str], default: str) -> str:
    known = {"sendrecv", "sendonly", "recvonly", "inactive"}
    return next((a for a in attributes if a in known), default)
