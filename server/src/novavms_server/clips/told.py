"""Clips, told on the feed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from novavms_server.events.feed_models import clip_item
from novavms_server.events.models import Clip
from novavms_server.feed.log import NewItem, tell
from novavms_server.kit.database import Connection, Query, run

_TOLD = """
SELECT e.id, e.camera_id, e.site_id,
    c.id, c.status, CASE WHEN c.store_key IS NOT NULL THEN '/api/v1/events/' || e.id || '/clip' END, c.duration_sec, c.gap_sec,
    c.size_bytes, c.sha256, c.codec, c.width, c.height, c.has_audio, c.started_at, c.failure_reason, c.failure_message
FROM clips c JOIN events e ON e.org_id = c.org_id AND e.id = c.event_id WHERE c.org_id = %s AND c.id = %s
"""


async def tell_clip(connection: Connection, org_id: UUID, clip_id: UUID, at: datetime) -> None:
    """As it is now, in the transaction that changed it."""
    item: NewItem | None = await (await run(connection, Query(_TOLD, (org_id, clip_id), _item))).fetchone()
    if item is not None:
        await tell(connection, org_id, at, item)


def _item(event_id: UUID, camera_id: UUID, site_id: UUID, *clip: Any) -> NewItem:
    return clip_item(event_id, camera_id, site_id, Clip(*clip))
