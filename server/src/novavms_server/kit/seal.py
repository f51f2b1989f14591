"""Secrets at rest: sealed with Fernet keys that can be rotated."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealBroken(Exception):
    """Sealed with a key that is not (or no longer) among ours, or altered."""


class Sealer:
    """Seals with the first key, opens with any. Keys are Fernet keys (32 bytes, URL-safe base64)."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("at least one key is needed")
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._root = base64.urlsafe_b64decode(keys[-1])

    def seal(self, clear: bytes) -> bytes:
        return self._fernet.encrypt(clear)

    def open(self, sealed: bytes) -> bytes:
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SealBroken("sealed with a key that is not among NOVAVMS_SECRET_KEYS") from None

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (token signatures, cursors, URLs), from the oldest key: stable while new keys are
        put in front of it."""
        return hmac.new(self._root, purpose.encode(), hashlib.sha256).digest()


def load_or_make_key(path: Path) -> str:
    """The key in `path`, made on first use (mode 600). Safe when two processes do it at once."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    key = Fernet.generate_key().decode()
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
