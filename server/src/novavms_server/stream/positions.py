"""Item ids: where a reader is in its org's feed, as a word that only we can read.

An id is one AES block (128 bits): the position, the second it was told at, and four bytes of the org's. So it says nothing
of how much happens in other orgs, whose positions are of the same row of numbers. It is no credential: whoever could make one
up would read nothing that they may not read anyway.

Items are kept for longer than `KEPT`: an id younger than that has lost nothing, whatever has been removed meanwhile; an older
one is answered with a `reset`.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from novavms_server.kit.errors import ValidationError

KEPT: Final = timedelta(hours=24)
"""How long a reader may be away and miss nothing. jobs.py removes items an hour later."""
_BLOCK: Final = struct.Struct(">QI4s")


class Place(NamedTuple):
    position: int
    told_at: datetime


class Positions:
    """Ids of one org are nothing to another: there they are a ValidationError, as a cursor would be."""

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - one block, never two alike
        self._encrypt, self._decrypt = cipher.encryptor(), cipher.decryptor()

    def make(self, org_id: UUID, position: int, told_at: datetime) -> str:
        block = _BLOCK.pack(position, int(told_at.timestamp()), _mark(org_id))
        return base64.urlsafe_b64encode(self._encrypt.update(block)).decode().rstrip("=")

    def read(self, text: str, org_id: UUID) -> Place:
        """Raises ValidationError on `last_event_id`."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            position, seconds, mark = _BLOCK.unpack(self._decrypt.update(raw) if len(raw) == 16 else b"")
        except (ValueError, struct.error):
            mark = None
        if mark != _mark(org_id):
            words = "last_event_id is not the id of an item of this organization's stream"
            raise ValidationError.of("last_event_id", words)
        return Place(position, datetime.fromtimestamp(seconds, UTC))


def _mark(org_id: UUID) -> bytes:
    return hashlib.sha256(org_id.bytes).digest()[:4]
