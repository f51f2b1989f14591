"""A gateway's upload: which parts are wanted, which are there, and where each goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from psycopg.types.json import Jsonb

from novavms_server.clips import queries, states
from novavms_server.clips.errors import ClipNotWanted
from novavms_server.clips.models import (
    ClipRow,
    UploadAsk,
    UploadPart,
    UploadTicket,
    bounded_part_bytes,
    cut,
)
from novavms_server.clips.store import Store, part_key, uploads_prefix
from novavms_server.gateways.models import GatewayRef
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database, run

TICKET_VALID: Final = timedelta(hours=1)
DELIVERY_TIME: Final = timedelta(days=7)
"""How long a gateway that was cut off may take to send what it recorded."""


class Gateways(Protocol):
    """What clips need of the gateways' own door."""

    async def identify(self, gateway_id: str, authorization: str | None) -> tuple[GatewayRef, bytes]:
        """Whose token this is. Raises AuthRequired or InvalidToken."""


class Uploads:
    """Stateless; made once."""

    def __init__(self, database: Database, store: Store, clock: Clock, gateways: Gateways) -> None:
        self._gateways = gateways
        self._database = database
        self._store = store
        self._clock = clock

    async def ticket(
        self, gateway_id: UUID, authorization: str | None, clip_id: UUID, asked: UploadAsk
    ) -> UploadTicket:
        """By the gateway's own token. Asking again goes on where the last attempt stopped; with another file it starts over. Raises ClipNotWanted
        and StoreAway. Asked for a clip that is delivered, all parts are `done`."""
        gateway, _ = await self._gateways.identify(str(gateway_id), authorization)
        async with self._database.org(gateway.org_id) as connection:
            part_bytes, is_delivered = await self._accept(connection, gateway, clip_id, asked)
        stored = {}
        if not is_delivered:
            stored = {
                item.key: item.size_bytes for item in await self._store.list_below(uploads_prefix(clip_id))
            }
        expires_at = self._clock.now() + TICKET_VALID
        parts = []
        for number, offset, size in cut(asked.size_bytes, part_bytes):
            key = part_key(clip_id, asked.sha256, part_bytes, number)
            link = await self._store.link("PUT", key, expires_at=expires_at, size_bytes=size)
            done = is_delivered or stored.get(key) == size
            parts.append(UploadPart(number, link.url, link.method, link.headers, offset, size, done))
        return UploadTicket(part_bytes, parts)

    async def _accept(
        self, connection: Connection, gateway: GatewayRef, clip_id: UUID, asked: UploadAsk
    ) -> tuple[int, bool]:
        """The size of its parts; and whether nothing of it is wanted any more because all has come."""
        cursor = await run(connection, queries.by_id(gateway.org_id, clip_id, lock=True))
        row: ClipRow | None = await cursor.fetchone()
        if row is None or row.gateway_id != gateway.id or row.deleted_at is not None:
            raise ClipNotWanted
        upload = row.upload or row.reported or {}
        same = upload.get("sha256") == asked.sha256 and upload.get("size_bytes") == asked.size_bytes
        part_bytes = bounded_part_bytes(asked.size_bytes, asked.part_bytes)
        if row.reported is not None or row.status == "ready" or (row.status == "failed" and not row.guessed):
            if row.status == "failed" or not (same or row.status == "ready"):
                raise ClipNotWanted
            return part_bytes, True
        if same and "part_bytes" in upload:
            part_bytes = upload["part_bytes"]
        now = self._clock.now()
        await states.change(connection, gateway.org_id, clip_id, "uploading", now)
        plan = {"size_bytes": asked.size_bytes, "sha256": asked.sha256, "part_bytes": part_bytes}
        await connection.execute(
            "UPDATE clips SET upload = %s, deadline_at = %s WHERE org_id = %s AND id = %s",
            (Jsonb(plan), now + DELIVERY_TIME, gateway.org_id, clip_id),
        )
        return part_bytes, False
