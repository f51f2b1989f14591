"""Text that comes from a device: any length, any characters."""

from __future__ import annotations


def storable(text: str) -> str:
    """Without what PostgreSQL can't hold: NUL characters, lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def cut(text: str | None, most: int) -> str | None:
    """At most `most` characters of it; None for None and for nothing."""
    return storable(text)[:most] or None if text is not None else None
