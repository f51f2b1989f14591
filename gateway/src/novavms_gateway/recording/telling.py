"""The ledger on its way to the server: what changed since it last acknowledged, one update at a time, until all is told."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import Final, cast
from uuid import UUID

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.tasks import race
from novavms_gateway.link.outbox import Outbox
from novavms_gateway.storage import ledger_rows
from novavms_gateway.storage.footage import moment
from novavms_gateway.storage.index import Index, get_meta, set_meta
from novavms_gateway.storage.ledger import SECOND_US
from novavms_gateway.storage.ledger_rows import TellableRow
from novavms_protocol import GapReason, LedgerRow, LedgerUpdate, StreamName

log = logging.getLogger(__name__)

ROWS_MAX: Final = 500
GATHER_SEC: Final = 3.0
"""From a new row to its telling: what happens together is told together."""
GROWTH_EVERY_SEC: Final = 30.0
"""Rows that only grow are told again this often."""
KEY: Final = "ledger"


class Teller:
    """`news` when a row was begun, `resume` when the server greets; `run` tells.

    What was acknowledged (meta `told`) survives a restart. Rows that are gone are kept (`ledger_gone`) until they were told.
    """

    def __init__(self, index: Index, outbox: Outbox, clock: Clock) -> None:
        self._index = index
        self._outbox = outbox
        self._clock = clock
        self._server_seq: int | None = None
        self._greeted = asyncio.Event()
        self._news = asyncio.Event()

    def news(self) -> None:
        """There is a new row: it is told soon, and not with the next growth."""
        self._news.set()

    def resume(self, server_seq: int | None) -> None:
        """A connection was greeted: the server knows the ledger up to there; None: nothing of it."""
        self._server_seq = server_seq
        self._outbox.drop(KEY)  # it was made for the connection before
        self._greeted.set()

    async def run(self) -> None:
        """For ever; cancel to stop."""
        await self._greeted.wait()
        while True:
            self._greeted.clear()
            await race(self._tell_on(), self._greeted.wait())

    async def _tell_on(self) -> None:
        """On one connection, for as long as it lasts."""
        told = await self._begin()
        while True:
            self._news.clear()
            update = await self._index.read(lambda db: self._update(db, told))  # noqa: B023
            if update.rows:
                await self._send(update)
                told = update.through_seq
                await self._index.change(lambda db: _settle(db, told))  # noqa: B023
            if update.is_complete:
                await self._pause()

    async def _begin(self) -> int:
        """From where to tell. A server or an index that forgot something it had said is told all anew, under a new epoch."""
        known = self._server_seq
        told, newest = await self._index.read(
            lambda db: (int(get_meta(db, "told") or 0), ledger_rows.newest_seq(db))
        )
        if not known:
            return 0
        if told <= known <= newest:
            return known
        log.warning(
            "the ledger is told anew", extra={"facts": {"known": known, "told": told, "newest": newest}}
        )
        await self._index.renew_epoch()
        return 0

    def _update(self, db: sqlite3.Connection, told: int) -> LedgerUpdate:
        rows = ledger_rows.changed_since(db, told, ROWS_MAX)
        is_complete = len(rows) < ROWS_MAX
        until = ledger_rows.true_until(db)
        return LedgerUpdate(
            epoch=self._index.epoch,
            rows=[_row(row) for row in rows],
            through_seq=rows[-1].seq if rows else told,
            as_of=self._clock.now() if until is None else moment(until),
            is_complete=is_complete,
        )

    async def _send(self, update: LedgerUpdate) -> None:
        """When the server has it, or has refused it for good."""
        done = asyncio.Event()
        self._outbox.put_newest(KEY, update, on_done=done.set)
        await done.wait()

    async def _pause(self) -> None:
        async def gathered() -> None:
            await self._news.wait()
            await self._clock.sleep(GATHER_SEC)

        await race(gathered(), self._clock.sleep(GROWTH_EVERY_SEC))


def _settle(db: sqlite3.Connection, told: int) -> None:
    set_meta(db, "told", str(told))
    db.execute("DELETE FROM ledger_gone WHERE seq <= ?", (told,))


def _row(row: TellableRow) -> LedgerRow:
    return LedgerRow(
        id=row.id,
        seq=row.seq,
        camera_id=UUID(row.camera_id),
        stream=cast("StreamName", row.stream),
        kind="span" if row.reason is None else "gap",
        start=moment(row.start_us),
        end=moment(row.end_us),
        reason=cast("GapReason | None", row.reason),
        size_bytes=row.size,
        lossy_sec=round(row.lossy_us / SECOND_US, 3),
        codec=row.codec,
        width=row.width,
        height=row.height,
        has_audio=row.has_audio,
        deleted=row.is_gone,
    )
