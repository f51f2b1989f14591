"""A file on its way to the disk: beside its place under another name, until it is whole."""

from __future__ import annotations

import hashlib
import re
import secrets
from pathlib import Path
from typing import IO

from novavms.errors import DownloadError

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
CHUNK_BYTES = 1 << 18


class Part:
    """The unfinished file. Blocking: for a thread."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; name the file")
        self.path = path
        self.received = 0
        self._place = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        self._file: IO[bytes] = self._place.open("xb")
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.received += len(data)

    def restart(self) -> None:
        """From the first byte."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self.received = 0

    def problem(self, size: int | None, sha256: str | None) -> str | None:
        """Why this is not the file that the server has; None: it is."""
        if size is not None and self.received != size:
            return f"{self.received} bytes of {size}"
        if sha256 is not None and self._hash.hexdigest() != sha256.lower():
            return "its SHA-256 is another"
        return None

    def finish(self) -> Path:
        """In its place."""
        self._file.close()
        self._place.replace(self.path)
        return self.path

    def discard(self) -> None:
        self._file.close()
        self._place.unlink(missing_ok=True)


def start_and_total(content_range: str | None) -> tuple[int | None, int | None]:
    """Of a 206 (RFC 9110, 14.4): where it starts and how long the whole file is; None what it does not say."""
    found = _RANGE.fullmatch((content_range or "").strip())
    if found is None:
        return None, None
    return int(found[1]), None if found[2] == "*" else int(found[2])


def gone(url_path: str, status: int) -> DownloadError:
    return DownloadError(f"{url_path} answered HTTP {status} instead of the file")
