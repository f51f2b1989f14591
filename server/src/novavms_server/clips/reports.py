"""What gateways say about their clips. Runs inside the transaction that also keeps the report's id."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from novavms_protocol import ClipFailed, ClipReady, ClipState, Hello, Report
from novavms_server.clips import queries, states
from novavms_server.clips.models import MAX_CLIP_BYTES, ClipRow, Facts
from novavms_server.clips.uploads import DELIVERY_TIME
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import GatewayRef
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, run

UNKNOWN: Final = "unknown_clip"
ORDER_IN_FLIGHT: Final = timedelta(seconds=10)
"""An order this young may have crossed with the gateway's hello."""
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Reports:
    """`register` before the server starts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def register(self, hub: GatewayHub) -> None:
        hub.on_report(ClipState, self.on_state)
        hub.on_report(ClipReady, self.on_ready)
        hub.on_report(ClipFailed, self.on_failed)
        hub.on_hello(self.on_hello)

    async def on_state(
        self, connection: Connection, gateway: GatewayRef, body: ClipState, report: Report
    ) -> str | None:
        """The recording is over; the file may take days to come."""
        del report
        if await self._find(connection, gateway, body.clip_id) is None:
            return UNKNOWN
        now = self._clock.now()
        if body.status == "uploading":
            await states.change(
                connection, gateway.org_id, body.clip_id, "uploading", now, deadline_at=now + DELIVERY_TIME
            )
        return None

    async def on_ready(
        self, connection: Connection, gateway: GatewayRef, body: ClipReady, report: Report
    ) -> str | None:
        """Only noted: the bytes are verified beside, and nothing is `ready` before."""
        del report
        row = await self._find(connection, gateway, body.clip_id)
        if row is None:
            return UNKNOWN
        now = self._clock.now()
        await states.change(connection, gateway.org_id, body.clip_id, "uploading", now)
        facts = Facts(**{name: getattr(body, name) for name in Facts.__struct_fields__})
        if not _believable(facts):
            await states.fail(
                connection,
                gateway.org_id,
                body.clip_id,
                now,
                "corrupt_upload",
                "The gateway's facts make no sense.",
            )
            return None
        await connection.execute(
            "UPDATE clips SET reported = %s, lease_until = NULL"
            " WHERE org_id = %s AND id = %s AND status = 'uploading' AND reported IS NULL AND deleted_at IS NULL",
            (Jsonb(msgspec.to_builtins(facts)), gateway.org_id, body.clip_id),
        )
        return None

    async def on_failed(
        self, connection: Connection, gateway: GatewayRef, body: ClipFailed, report: Report
    ) -> str | None:
        """Final: the gateway itself says that there is nothing."""
        del report
        row = await self._find(connection, gateway, body.clip_id)
        if row is None:
            return UNKNOWN
        now = self._clock.now()
        if row.guessed:  # our guess is replaced by what is known
            await states.change(connection, gateway.org_id, body.clip_id, "uploading", now)
        if row.reported is None:
            reason = body.reason if _WORD.fullmatch(body.reason) else "internal"
            message = body.message or "The gateway could not record the clip."
            await states.fail(connection, gateway.org_id, body.clip_id, now, reason, message)
        return None

    async def on_hello(self, connection: Connection, gateway: GatewayRef, hello: Hello) -> None:
        """What it should hold and does not is lost. (What it holds and we do not want, its upload will be told.)"""
        now = self._clock.now()
        held = set(hello.clips)
        cursor = await run(connection, queries.unfinished_of_gateway(gateway.id, now - ORDER_IN_FLIGHT))
        for org_id, clip_id in await cursor.fetchall():
            if clip_id not in held:
                message = "The gateway came back without this clip."
                await states.fail(connection, org_id, clip_id, now, "lost_by_gateway", message, guessed=True)

    async def _find(self, connection: Connection, gateway: GatewayRef, clip_id: UUID) -> ClipRow | None:
        """Only this gateway's own clips exist for it."""
        cursor = await run(connection, queries.by_id(gateway.org_id, clip_id, lock=True))
        row: ClipRow | None = await cursor.fetchone()
        return row if row is not None and row.gateway_id == gateway.id else None


def _believable(facts: Facts) -> bool:
    return (
        0 < facts.size_bytes <= MAX_CLIP_BYTES
        and 0 <= facts.duration_sec < 86_400
        and 0 <= facts.gap_sec < 86_400
        and 0 < facts.width < 65_536
        and 0 < facts.height < 65_536
        and len(facts.codec) <= 20
        and re.fullmatch("[0-9a-f]{64}", facts.sha256) is not None
        and facts.started_at.tzinfo is not None
        and (facts.failure_reason is None or _WORD.fullmatch(facts.failure_reason) is not None)
    )
