"""What gateways tell of their ledgers, kept as they tell it. Runs inside the transaction that also keeps the report's id.

A gateway's index has an epoch; rows of one epoch are one `life` here. A row is replaced by one of the same id with a
higher `seq`, so that reports may come twice and in any order. Another epoch begins another life: rows of the older ones
count no more from that moment on, and are removed beside (see `sweep`). What still comes of an epoch that was replaced is
refused, unless a hello names it: an index that was put back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import msgspec

from novavms_protocol import DesiredState, Hello, LedgerRow, LedgerUpdate, Report
from novavms_server.gateways.hub import Describe, GatewayHub
from novavms_server.gateways.models import GatewayRef
from novavms_server.kit.clock import Clock, is_storable
from novavms_server.kit.database import Connection, Database, Query, run, run_all
from novavms_server.kit.jobs import Jobs

ROWS_MAX: Final = 500
"""In one report; a gateway that tells more at once is not understood."""
GAPS_KEPT: Final = timedelta(days=400)
"""How long the server still knows why there was no footage. (Rows of footage stay for as long as the gateway has it.)"""
REMOVED_KEPT: Final = timedelta(days=30)
"""How long the ledger of a gateway stays that was removed: its footage can't be had any more."""
SWEEP_EVERY_SEC: Final = 3600.0
_CHUNK: Final = 5000
_BIG: Final = 2**60
_SIZE_MAX: Final = 2**50
"""Of a row: sums of as many as an answer has are numbers that JSON still takes."""

_PAST = "(l.past_epochs || l.epoch)[greatest(1, cardinality(l.past_epochs) - 6):]"
"""The last eight epochs that were replaced."""
_TELL = f"""
INSERT INTO ledgers AS l (org_id, gateway_id, epoch, told_seq, as_of, updated_at)
VALUES (%(org)s, %(gateway)s, %(epoch)s, %(seq)s, %(as_of)s, %(now)s)
ON CONFLICT (gateway_id) DO UPDATE SET
    epoch = excluded.epoch, updated_at = excluded.updated_at,
    life = l.life + (l.epoch <> excluded.epoch)::integer,
    past_epochs = CASE WHEN l.epoch = excluded.epoch THEN l.past_epochs
        ELSE {_PAST} END,
    told_seq = CASE WHEN l.epoch = excluded.epoch THEN greatest(l.told_seq, excluded.told_seq) ELSE excluded.told_seq END,
    as_of = CASE WHEN l.epoch = excluded.epoch THEN greatest(l.as_of, excluded.as_of) ELSE excluded.as_of END
WHERE excluded.epoch <> ALL (l.past_epochs)
RETURNING life
"""  # noqa: S608
_KEEP = """
INSERT INTO ledger_rows AS k (org_id, gateway_id, life, id, seq, camera_id, stream, kind, start_at, end_at, reason,
    size_bytes, lossy_sec, codec, width, height, has_audio, deleted_at)
SELECT l.org_id, l.gateway_id, l.life, r.id, r.seq, r.camera_id, r.stream, r.kind, r.start, r."end", r.reason,
    r.size_bytes, r.lossy_sec, r.codec, r.width, r.height, r.has_audio, CASE WHEN r.deleted THEN %(now)s END
FROM ledgers l CROSS JOIN jsonb_to_recordset(%(rows)s::jsonb) AS r (id bigint, seq bigint, camera_id uuid, stream text,
    kind text, start timestamptz, "end" timestamptz, reason text, size_bytes bigint,
    lossy_sec double precision, codec text, width integer, height integer, has_audio boolean, deleted boolean)
JOIN cameras c ON c.org_id = l.org_id AND c.id = r.camera_id AND c.gateway_id = l.gateway_id
WHERE l.org_id = %(org)s AND l.gateway_id = %(gateway)s AND l.epoch = %(epoch)s
ON CONFLICT (gateway_id, life, id) DO UPDATE SET seq = excluded.seq, camera_id = excluded.camera_id,
    stream = excluded.stream, kind = excluded.kind, start_at = excluded.start_at, end_at = excluded.end_at,
    reason = excluded.reason, size_bytes = excluded.size_bytes, lossy_sec = excluded.lossy_sec, codec = excluded.codec,
    width = excluded.width, height = excluded.height, has_audio = excluded.has_audio, deleted_at = excluded.deleted_at
WHERE k.seq < excluded.seq
"""
_FOREIGN = """
SELECT EXISTS (SELECT FROM unnest(%(cameras)s::uuid[]) AS told (id) WHERE NOT EXISTS (
    SELECT FROM cameras c WHERE c.org_id = %(org)s AND c.id = told.id AND c.gateway_id = %(gateway)s))
"""
_GREET = f"""
INSERT INTO ledgers AS l (org_id, gateway_id, epoch, updated_at) VALUES (%(org)s, %(gateway)s, %(epoch)s, %(now)s)
ON CONFLICT (gateway_id) DO UPDATE SET
    epoch = excluded.epoch, life = l.life + 1, told_seq = 0, as_of = NULL, updated_at = excluded.updated_at,
    past_epochs = array_remove(
        {_PAST}, excluded.epoch)
WHERE l.epoch <> excluded.epoch
"""  # noqa: S608


class Ledgers:
    """`register` before the server starts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._describe: Describe | None = None

    def register(self, hub: GatewayHub, jobs: Jobs) -> None:
        """From now on gateways' ledgers are kept, and they are told how far."""
        hub.on_report(LedgerUpdate, self.on_update)
        hub.on_hello(self.on_hello)
        self._describe, hub.describe = hub.describe, self.describe
        jobs.periodic("ledgers", SWEEP_EVERY_SEC, self.sweep)

    async def on_update(
        self, connection: Connection, gateway: GatewayRef, body: LedgerUpdate, report: Report
    ) -> str | None:
        """One round trip. Refused: `stale_epoch`; `invalid` and `unknown_camera`, where rows make no sense or are of cameras
        that are not this gateway's: the others are kept, for the gateway tells none of them again."""
        del report
        if len(body.rows) > ROWS_MAX or not 0 <= body.through_seq <= _BIG:
            return "invalid"
        now = self._clock.now()
        newest: dict[int, LedgerRow] = {}
        good = [row for row in body.rows if _believable(row)]
        for row in good:
            if row.id not in newest or newest[row.id].seq < row.seq:
                newest[row.id] = row
        params: dict[str, Any] = {
            "org": gateway.org_id,
            "gateway": gateway.id,
            "epoch": body.epoch,
            "seq": body.through_seq,
            "as_of": min(body.as_of, now) if body.is_complete else None,
            "now": now,
            "rows": msgspec.json.encode(list(newest.values())).decode(),
            "cameras": list({row.camera_id for row in newest.values()}),
        }
        taken, _, foreign = await run_all(
            connection, [Query(_TELL, params), Query(_KEEP, params), Query(_FOREIGN, params)]
        )
        if not taken:
            return "stale_epoch"
        if len(good) < len(body.rows):
            return "invalid"
        return "unknown_camera" if foreign[0][0] else None

    async def on_hello(self, connection: Connection, gateway: GatewayRef, hello: Hello) -> None:
        """What the gateway has now is what counts."""
        if hello.ledger_epoch is not None:
            params = {"org": gateway.org_id, "gateway": gateway.id, "epoch": hello.ledger_epoch}
            await run(connection, Query(_GREET, {**params, "now": self._clock.now()}))

    async def describe(self, connection: Connection, gateway: GatewayRef) -> DesiredState:
        """The hub's `describe`, with how far the ledger is known."""
        assert self._describe is not None, "registered"
        state = await self._describe(connection, gateway)
        query = Query(
            "SELECT told_seq FROM ledgers WHERE org_id = %s AND gateway_id = %s", (gateway.org_id, gateway.id)
        )
        row = await (await run(connection, query)).fetchone()
        return msgspec.structs.replace(state, ledger_seq=(row[0] or None) if row else None)

    async def sweep(self) -> None:
        """Removes rows of older lives, what the gateways deleted two days ago, and reasons of very long ago."""
        now = self._clock.now()
        rows = (
            await self._database.look_everywhere(
                Query("SELECT gateway_id, life FROM ledgers WHERE life > greatest(swept_life, 1)")
            )
        )[0]
        for gateway_id, life in rows:
            await self._delete("gateway_id = %s AND life < %s", gateway_id, life)
            async with self._database.everywhere() as connection:
                await connection.execute(
                    "UPDATE ledgers SET swept_life = greatest(swept_life, %s) WHERE gateway_id = %s",
                    (life, gateway_id),
                )
        removed = Query(
            "SELECT gateway_id FROM ledgers JOIN gateways g ON g.id = gateway_id WHERE g.deleted_at < %s",
            (now - REMOVED_KEPT,),
        )
        for (gateway_id,) in (await self._database.look_everywhere(removed))[0]:
            await self._delete("gateway_id = %s", gateway_id)
            async with self._database.everywhere() as connection:
                await connection.execute("DELETE FROM ledgers WHERE gateway_id = %s", (gateway_id,))
        await self._delete("deleted_at < %s", now - timedelta(days=2))
        await self._delete("kind = 'gap' AND end_at < %s", now - GAPS_KEPT)

    async def _delete(self, condition: str, *params: Any) -> None:
        """A chunk at a time, so that nobody waits long for a lock."""
        statement = f"DELETE FROM ledger_rows WHERE ctid = ANY(ARRAY(SELECT ctid FROM ledger_rows WHERE {condition} LIMIT {_CHUNK}))"  # noqa: S608
        while True:
            async with self._database.everywhere() as connection:
                if (await connection.execute(statement.encode(), params)).rowcount < _CHUNK:
                    return


def _believable(row: LedgerRow) -> bool:
    return (
        0 <= row.id <= _BIG
        and 0 <= row.seq <= _BIG
        and is_storable(row.start)
        and is_storable(row.end)
        and row.start <= row.end
        and 0 <= row.size_bytes <= _SIZE_MAX
        and 0 <= row.lossy_sec <= (row.end - row.start).total_seconds() + 1
        and 0 <= (row.width or 0) < 65_536
        and 0 <= (row.height or 0) < 65_536
        and len(row.codec or "") <= 60
        and (row.codec or "").isprintable()
        and (row.reason is not None) == (row.kind == "gap")
    )
