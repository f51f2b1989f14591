"""The signed manifest of an exported file, as docs/design/evidence.md has it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from novavms_camera.capture.cutting import Cut
from novavms_camera.capture.model import VIDEO_RATE
from novavms_protocol import SegmentInfo
from novavms_server.exports.footage import Gap
from novavms_server.recordings.errors import FootageAway

FORMAT: Final = "novavms-evidence-1"
BOX_TYPE: Final = UUID("e3c5ed86-6a1b-5c2f-9d0e-6e6f7661766d")
HOLE: Final = timedelta(seconds=1)
"""Shorter ones lie between any two pictures of a slow camera, or come of clocks that were corrected."""
_NO_WORD: Final = ("unknown", "not_reported_yet", "gateway_offline")
"""What is said of moments that the gateway's ledger has told nothing of."""
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of `mdat`: what one segment gave, to the second. `zero` is the time of day of the cut's time 0."""

    start: datetime
    end: datetime
    offset: int
    size_bytes: int
    segment_sha256: str


def envelope(manifest: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The signature is over the very bytes that travel."""
    text = msgspec.json.encode(manifest)
    fields = {
        "format": FORMAT,
        "manifest": base64.b64encode(text).decode(),
        "signature": base64.b64encode(key.sign(text)).decode(),
        "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
    }
    return msgspec.json.encode(fields)


def evidence_box(text: bytes) -> bytes:
    return (24 + len(text)).to_bytes(4, "big") + b"uuid" + BOX_TYPE.bytes + text


def pieces_of(cut: Cut, zero: datetime, sha256s: dict[Path, str]) -> list[Piece]:
    """Seconds of the file, gathered by the segment that each begins in. `sha256s`: of the segments, as recorded."""
    found: list[Piece] = []
    part = 0
    for stretch in cut.written.stretches:
        while part + 1 < len(cut.parts) and cut.parts[part + 1].start_90k <= stretch.start_90k:
            part += 1
        sha256 = sha256s[cut.parts[part].path]
        start = zero + timedelta(seconds=max(stretch.start_90k, cut.parts[0].start_90k) / VIDEO_RATE)
        end = start + timedelta(seconds=1)
        if found and found[-1].segment_sha256 == sha256:
            last = found[-1]
            found[-1] = Piece(last.start, end, last.offset, last.size_bytes + stretch.size_bytes, sha256)
        else:
            found.append(Piece(start, end, stretch.offset, stretch.size_bytes, sha256))
    return found


def want_told(told: Sequence[Gap], segments: Sequence[SegmentInfo]) -> None:
    """Raises FootageAway where the gateway has footage that its ledger is still to tell of: of what may have been lost within
    it, too."""
    if segments and any(reason == "not_reported_yet" for _, _, reason in told):
        raise FootageAway(
            "not_reported_yet", "The gateway is about to tell of the last moments; it goes on then."
        )


def with_holes(
    told: Sequence[Gap], segments: Sequence[SegmentInfo], start: datetime, end: datetime
) -> list[Gap]:
    """The gaps that the ledger tells, and those that it does not tell although there is no segment, `unknown`: what was removed
    meanwhile, or was never there. Where the ledger has no word and there is a segment, there is no gap."""
    told = [gap for gap in told if gap[2] not in _NO_WORD]
    holes: list[Gap] = []
    at = start
    for low, high in sorted([(each.start, each.end) for each in segments] + [gap[:2] for gap in told]):
        if min(low, end) - at > HOLE:
            holes.append((at, min(low, end), "unknown"))
        at = max(at, high)
    if end - at > HOLE:
        holes.append((at, end, "unknown"))
    return sorted([*told, *holes])


def left_out(cut: Cut, end: datetime) -> list[Gap]:
    """What was recorded and is not in the file: one file has one format."""
    reason, reach = cut.clip.failure_reason, cut.clip.started_at + timedelta(seconds=cut.clip.duration_sec)
    return [(reach, end, reason)] if reason is not None and reach < end else []


def losses_of(cut: Cut, zero: datetime, end: datetime) -> list[dict[str, Any]]:
    """Pictures that the camera sent and that did not arrive whole: the stretches without one that can be decoded, however short, and how
    many pictures each is short of. What is over half a second is in the ledger, too, as a gap."""
    found: list[dict[str, Any]] = []
    for part in cut.parts:
        shift = part.start_90k - part.facts.start_90k
        for loss in part.facts.losses:
            since = zero + timedelta(seconds=(loss.start_90k + shift) / VIDEO_RATE)
            until = zero + timedelta(seconds=(loss.end_90k + shift) / VIDEO_RATE)
            if since < end and until > zero:
                found.append({"start": since, "end": until, "pictures": loss.damaged + loss.skipped})
    return found


def shown_gaps(gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    """As manifest and API have them."""
    return [{"start": start, "end": end, "reason": reason} for start, end, reason in gaps]


def clock_of(cut: Cut, checked_offset_sec: float | None) -> dict[str, Any]:
    """How the times are known, and the camera's clock minus ours: as the footage itself has it (`rtcp`), else as the camera's
    last check read it (`onvif`)."""
    marks = [mark for part in cut.parts for mark in part.facts.clocks]
    read = [mark.camera_offset_sec for mark in marks if mark.camera_offset_sec is not None]
    offset_sec, by = (read[0], "rtcp") if read else (checked_offset_sec, "onvif")
    return {
        "source": marks[0].source,
        "uncertainty_sec": marks[0].uncertainty_sec,
        "offset_ms": None if offset_sec is None else round(1000 * offset_sec),
        "offset_by": None if offset_sec is None else by,
    }


def describe(path: Path, head_bytes: int, pieces: Sequence[Piece]) -> dict[str, Any]:
    """`file`, `head` and `pieces` of a manifest, hashed from the file as it lies on the disk. Blocks."""
    with path.open("rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest()
        listed, chain = [], bytes(32)
        for piece in pieces:
            chain = hashlib.sha256(chain + bytes.fromhex(piece.segment_sha256)).digest()
            listed.append(
                {
                    "start": piece.start,
                    "end": piece.end,
                    "offset_bytes": piece.offset,
                    "size_bytes": piece.size_bytes,
                    "sha256": _stretch_sha256(file, piece.offset, piece.size_bytes),
                    "segment_sha256": piece.segment_sha256,
                    "chain": chain.hex(),
                }
            )
        head = _stretch_sha256(file, 0, head_bytes)
    return {
        "file": {"name": path.name, "size_bytes": path.stat().st_size, "sha256": whole},
        "head": {"offset_bytes": 0, "size_bytes": head_bytes, "sha256": head},
        "pieces": listed,
    }


def _stretch_sha256(file: Any, offset: int, size: int) -> str:
    digest = hashlib.sha256()
    file.seek(offset)
    while size > 0 and (chunk := file.read(min(size, _CHUNK))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()
