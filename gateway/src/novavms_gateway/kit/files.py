"""Writing small files so that a power cut leaves the old one or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_private_folder(folder: Path) -> None:
    """Makes the folder, readable by its owner only; closes it where it stood open. Raises OSError."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(PRIVATE_FOLDER)


def write_private_file(path: Path, content: bytes) -> None:
    """Replaces `path` whole, mode 600 from its first byte. Raises OSError, and then the old file still stands.

    1. a temporary file in the same folder  2. fsync of it  3. rename over `path`  4. fsync of the folder
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes renames and removals inside the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prove_writable(folder: Path, *, size_bytes: int = 4096) -> None:
    """Writes and removes a file of that size, so that a later small write can be counted on. Raises OSError."""
    probe = folder / f".probe.{secrets.token_hex(6)}"
    try:
        write_private_file(probe, bytes(size_bytes))
    finally:
        probe.unlink(missing_ok=True)
