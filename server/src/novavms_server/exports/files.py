"""Files of an export on the disk: room for them, their names, the ZIP of several."""

from __future__ import annotations

import hashlib
import re
import shutil
import zipfile
from collections.abc import Container
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from novavms_protocol import SegmentInfo
from novavms_server.exports.manifest import envelope
from novavms_server.exports.models import ExportRow
from novavms_server.recordings.errors import FootageAway

ROOM_KEPT: Final = 1024**3
"""Bytes of the disk that no export takes."""
_SHA256: Final = re.compile("[0-9a-f]{64}")
_NAME_BYTES: Final = 200
"""Of a file's name: file systems take 255."""


def segment_path(folder: Path, camera_id: UUID, segment: SegmentInfo) -> Path:
    """By its content, too: a gateway that began its index anew gives the same ids to other footage. Raises FootageAway for one that
    can't be had yet, or whose hash is none."""
    if segment.sha256 is None or not segment.is_whole:
        raise FootageAway("still_recording", "The newest footage is still being written.")
    if not _SHA256.fullmatch(segment.sha256):
        raise FootageAway("corrupt_footage", "The gateway's answer was not understood; update its software.")
    return folder / str(camera_id) / f"{segment.id}-{segment.sha256[:32]}.mp4"


def want_room(folder: Path, segments: dict[UUID, list[SegmentInfo]]) -> None:
    """For what is still to come, and for as much again for each of: the cut files, the ZIP, the store. Raises FootageAway."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    to_come = whole = 0
    for camera, listed in segments.items():
        for each in listed:
            whole += each.size_bytes
            to_come += 0 if segment_path(folder, camera, each).exists() else each.size_bytes
    if shutil.disk_usage(folder).free < to_come + 3 * whole + ROOM_KEPT:
        raise FootageAway("server_full", "The server has no room to make this export; it waits for some.")


def file_name(camera: dict[str, Any], at: datetime, taken: Container[str]) -> str:
    """Fit for every file system; on some, `dock` is `Dock` (`taken` is casefolded)."""
    name = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "_", str(camera["name"])).strip(" .") or "camera"
    name = name[:80].encode()[:_NAME_BYTES].decode(errors="ignore").rstrip(" .")
    stem = f"{name} {at:%Y-%m-%d %H%M%S}Z"
    return next(
        full
        for full in (f"{stem}{f' ({number})' if number else ''}.mp4" for number in range(1000))
        if full.casefold() not in taken
    )


def zip_files(
    export: ExportRow, files: list[Path], out: Path, key: Ed25519PrivateKey, claims: dict[str, Any]
) -> Path:
    listed = []
    for file in files:
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        listed.append({"name": file.name, "size_bytes": file.stat().st_size, "sha256": sha256})
    target = out / f"Export {export.from_at:%Y-%m-%d %H%M%S}Z.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("manifest.json", envelope({**claims, "files": listed}, key))
        for file in files:
            archive.write(file, file.name)
    return target
