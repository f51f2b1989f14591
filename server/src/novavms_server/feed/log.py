"""Telling the feed: `tell` in the transaction of the change, or `telling` as one more query of its pipeline.

Only what a reader can see as changed is told: heartbeats, and reports that say the same again, are not. What is told is
complete by itself; its addresses are kept relative to this server and completed when they are read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, get_args
from uuid import UUID

import msgspec
from msgspec import Meta

from novavms_server.kit.database import Connection, Query, run

ItemType = Literal["camera", "camera_status", "gateway", "gateway_status", "event", "clip", "alert"]
Moment = Annotated[datetime, Meta(tz=True)]
ITEM_TYPES: tuple[str, ...] = get_args(ItemType)


class NewItem(NamedTuple):
    """What is to be told. `left_site_id`: to readers that see only this site, the object is told as gone from it."""

    type: ItemType
    site_id: UUID
    data: Any
    """A struct or a dict, as readers will get it."""
    camera_id: UUID | None = None
    left_site_id: UUID | None = None


_TELL = """
INSERT INTO feed_items (org_id, at, type, site_id, left_site_id, camera_id, data)
SELECT %(org)s, %(at)s, type, site_id, left_site_id, camera_id, data::json
FROM unnest(%(types)s::text[], %(sites)s::uuid[], %(left)s::uuid[], %(cameras)s::uuid[], %(data)s::text[])
    WITH ORDINALITY AS told (type, site_id, left_site_id, camera_id, data, n) ORDER BY n
"""


def telling(org_id: UUID, at: datetime, *items: NewItem) -> Query:
    """All of them in one statement, told in this order once the transaction is in."""
    return Query(
        _TELL,
        {
            "org": org_id,
            "at": at,
            "types": [item.type for item in items],
            "sites": [item.site_id for item in items],
            "left": [item.left_site_id for item in items],
            "cameras": [item.camera_id for item in items],
            "data": [msgspec.json.encode(item.data).decode() for item in items],
        },
    )


async def tell(connection: Connection, org_id: UUID, at: datetime, *items: NewItem) -> None:
    """In the caller's transaction."""
    if items:
        await run(connection, telling(org_id, at, *items))
