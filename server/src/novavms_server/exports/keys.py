"""The org's signing key: made when it is first wanted, kept sealed, never given out."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from novavms_server.exports.models import SigningKey
from novavms_server.kit.database import Connection
from novavms_server.kit.seal import Sealer


async def load_or_make(
    connection: Connection, sealer: Sealer, org_id: UUID, now: datetime
) -> tuple[Ed25519PrivateKey, SigningKey]:
    """In the caller's transaction, inside the org. Of two at once, both get the same."""
    fresh = Ed25519PrivateKey.generate()
    await connection.execute(
        "INSERT INTO org_signing_keys (org_id, private_key, public_key, created_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            org_id,
            sealer.seal(fresh.private_bytes_raw()),
            fresh.public_key().public_bytes_raw(),
            now,
        ),
    )
    cursor = await connection.execute(
        "SELECT private_key, public_key, created_at FROM org_signing_keys WHERE org_id = %s", (org_id,)
    )
    row = await cursor.fetchone()
    assert row is not None, "inserted above"
    private = Ed25519PrivateKey.from_private_bytes(sealer.open(row[0]))
    public = bytes(row[1])
    shown = SigningKey(
        "Ed25519", base64.b64encode(public).decode(), hashlib.sha256(public).hexdigest(), row[2]
    )
    return private, shown
