"""`Range` of RFC 9110, section 14: which bytes of a file to send."""

from __future__ import annotations

import re
from typing import Final

from novavms_server.clips.errors import RangeNotSatisfiable

_SPEC: Final = re.compile(r"(\d{0,18})-(\d{0,18})")
_MOST: Final = 16


def wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """(start, end) with `end` exclusive; None: the whole file (no range, or one that is not understood, which RFC 9110
    says to ignore). Several ranges are sent as the one that spans them. Raises RangeNotSatisfiable."""
    if header is None:
        return None
    unit, _, specs = header.partition("=")
    parts = specs.split(",")
    if unit.strip().lower() != "bytes" or not specs or len(parts) > _MOST:
        return None
    found = []
    for part in parts:
        match = _SPEC.fullmatch(part.strip())
        if match is None or match[0] == "-":
            return None
        first, last = match[1], match[2]
        if not first:  # the last n bytes
            start, end = max(0, size - int(last)), size
        else:
            start, end = int(first), min(size, int(last) + 1) if last else size
            if last and int(last) < int(first):
                return None
        if start < min(end, size):
            found.append((start, end))
    if not found:
        raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return min(start for start, _ in found), max(end for _, end in found)
