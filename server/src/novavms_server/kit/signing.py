"""Texts for addresses that only we can have made: some bytes, and a code over them (HMAC-SHA-256, cut to 16 bytes)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

_MAC_BYTES: Final = 16
MOST_CHARS: Final = 1000


class Signer:
    """`key` signs. What was signed can be read by everybody."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, packed: bytes) -> str:
        """A text that `open` takes."""
        return _text(self._mac(packed) + packed)

    def open(self, text: str) -> bytes:
        """What was given to `make`. Raises ValueError for what is none of ours."""
        if len(text) > MOST_CHARS:
            raise ValueError("too long")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        packed = raw[_MAC_BYTES:]
        if not hmac.compare_digest(raw[:_MAC_BYTES], self._mac(packed)):
            raise ValueError("signed by nobody here")
        return packed

    def sign(self, text: str) -> str:
        """The code alone, of what an address names beside it."""
        return _text(self._mac(text.encode()))

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, hashlib.sha256)[:_MAC_BYTES]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
