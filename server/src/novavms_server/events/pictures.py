"""For whoever makes an event's picture."""

from datetime import datetime
from uuid import UUID

from novavms_server.events import queries
from novavms_server.events.feed_models import event_item
from novavms_server.events.models import EventRow
from novavms_server.feed.log import tell
from novavms_server.kit.database import Connection, run


async def set_snapshot(connection: Connection, org_id: UUID, event_id: UUID, key: str, now: datetime) -> None:
    """The picture is in the store under `key`."""
    await connection.execute(
        "UPDATE events SET snapshot_key = %s WHERE org_id = %s AND id = %s", (key, org_id, event_id)
    )
    row: EventRow | None = await (await run(connection, queries.one(org_id, event_id))).fetchone()
    if row is not None:
        await tell(connection, org_id, now, event_item("updated", row))
