"""For whoever makes an event's picture."""

from uuid import UUID

from novavms_server.kit.database import Connection


async def set_snapshot(connection: Connection, org_id: UUID, event_id: UUID, key: str) -> None:
    """The picture is in the store under `key`."""
    await connection.execute(
        "UPDATE events SET snapshot_key = %s WHERE org_id = %s AND id = %s", (key, org_id, event_id)
    )
