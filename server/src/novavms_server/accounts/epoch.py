"""The org's auth_epoch: raised in the transaction that changes a role, grant, key or session. From the next request on
every remembered caller of the org is looked up anew (see kit.work)."""

from __future__ import annotations

from uuid import UUID

from novavms_server.kit.database import Connection

_RAISE = "UPDATE orgs SET auth_epoch = auth_epoch + 1 WHERE id = %s"


async def raise_epoch(connection: Connection, org_id: UUID) -> None:
    """Last in a transaction: it serializes with the org's other changes of this kind."""
    await connection.execute(_RAISE, (org_id,), prepare=True)
