"""The signed envelope: where it is in a file, and what it says. docs/design/evidence.md is its format."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT: Final = "novavms-evidence-1"
BOX_TYPE: Final = UUID("e3c5ed86-6a1b-5c2f-9d0e-6e6f7661766d")
FIELDS: Final = frozenset({"format", "manifest", "signature", "public_key"})
ENVELOPE_MAX_BYTES: Final = 64 * 1024 * 1024
"""An hour in 10 s segments needs some 200 kB; more than this is no manifest of ours."""


class EvidenceError(Exception):
    """There is no evidence here, or it cannot be read; `str` is a sentence."""


@dataclass(frozen=True)
class Envelope:
    """What was signed. `offset` is where its box begins: all before it is the file that is vouched for."""

    manifest_bytes: bytes
    signature: bytes
    public_key: bytes
    offset: int
    end: int

    @property
    def manifest(self) -> dict[str, Any]:
        """Raises EvidenceError where the signed bytes are no manifest."""
        try:
            manifest = json.loads(self.manifest_bytes, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise EvidenceError("The manifest is not JSON.") from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise EvidenceError(f"The manifest is not of the format {FORMAT}.")
        return manifest

    def is_signed(self) -> bool:
        """Whether the holder of `public_key` signed exactly these bytes (Ed25519, RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(self.signature, self.manifest_bytes)
        except (InvalidSignature, ValueError):
            return False
        return True


def fingerprint(public_key: bytes) -> str:
    """SHA-256 of the 32 bytes of an Ed25519 public key, as hex."""
    return hashlib.sha256(public_key).hexdigest()


def read_envelope(text: bytes, *, offset: int, end: int) -> Envelope:
    """Raises EvidenceError."""
    try:
        fields = json.loads(text, object_pairs_hook=_once)
        if fields["format"] != FORMAT:
            raise EvidenceError(f"This is evidence of another format than {FORMAT}: {fields['format']!r}.")
        if set(fields) != FIELDS:
            raise ValueError("other fields than an envelope's")
        manifest, signature, key = (
            base64.b64decode(fields[name], validate=True) for name in ("manifest", "signature", "public_key")
        )
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise EvidenceError("The evidence box is damaged.") from error
    return Envelope(manifest, signature, key, offset, end)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name given twice, readers take one or the other: nobody could say what was signed. Raises ValueError."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def find_envelope(file: BinaryIO, size_bytes: int) -> Envelope:
    """Walks the boxes of an MP4 (ISO/IEC 14496-12 4.2) to the evidence. Raises EvidenceError."""
    at = 0
    while at + 8 <= size_bytes:
        file.seek(at)
        head = file.read(32)
        length, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size_bytes - at
        if length < header:
            raise EvidenceError(f"This is no MP4, or it is damaged at byte {at}.")
        if kind == b"uuid" and head[header : header + 16] == BOX_TYPE.bytes:
            body = length - header - 16
            if at + length > size_bytes or body > ENVELOPE_MAX_BYTES:
                raise EvidenceError("The evidence box is cut off.")
            file.seek(at + header + 16)
            return read_envelope(file.read(body), offset=at, end=at + length)
        at += length
    if at > size_bytes:
        raise EvidenceError("The file is cut off before its evidence.")
    raise EvidenceError(
        "There is no evidence in this file: it was not exported as evidence, or that was removed."
    )
