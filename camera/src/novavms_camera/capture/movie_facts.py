"""Facts for people in a movie's `udta`, where players and media tools look for them (as QuickTime and FFmpeg write them)."""

from __future__ import annotations

from typing import Final

from novavms_camera.capture.boxes import box, full_box

_TEXT: Final = (1).to_bytes(4, "big") + bytes(4)
"""Type 1 is UTF-8; then the locale, none."""
_KINDS: Final = {"title": b"\xa9nam", "comment": b"\xa9cmt", "date": b"\xa9day", "author": b"\xa9ART"}


def facts_box(**texts: str) -> bytes:
    """A `udta` box of `title`, `comment`, `date`, `author`; empty ones are left out."""
    items = [box(_KINDS[name], box(b"data", _TEXT, text.encode())) for name, text in texts.items() if text]
    if not items:
        return b""
    handler = full_box(b"hdlr", 0, 0, bytes(4), b"mdir", b"appl", bytes(9))
    return box(b"udta", full_box(b"meta", 0, 0, handler, box(b"ilst", *items)))
