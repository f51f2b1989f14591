"""What the server promises of ledgers, written down small. Its source: server/src/novavms_server/recordings/ledger.py
(`_TELL`, `_KEEP`, `_GREET`, `describe`): rows by (epoch, id), the highest `seq` counts; another epoch replaces all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from nova_simulation.clips import BrokenPromiseError
from novavms_protocol import LedgerRow, LedgerUpdate

PAST = 8


@dataclass
class Ledger:
    """Of one gateway."""

    epoch: UUID | None = None
    past: list[UUID] = field(default_factory=list)
    life: int = 0
    rows: dict[int, LedgerRow] = field(default_factory=dict)
    told_seq: int = 0
    as_of: datetime | None = None
    is_restored: bool = False
    """It was put back to what it was earlier, and the gateway has not heard of it yet."""

    def on_hello(self, epoch: UUID | None) -> None:
        if epoch is not None and epoch != self.epoch:
            self._replace(epoch)
            self.past = [known for known in self.past if known != epoch]

    def on_update(self, body: LedgerUpdate) -> str | None:
        """None, or why it is refused."""
        if body.epoch in self.past:
            return "stale_epoch"
        if body.epoch != self.epoch:
            self._replace(body.epoch)
        for row in body.rows:
            if row.seq > body.through_seq:
                raise BrokenPromiseError("an update claims less than it tells")
            known = self.rows.get(row.id)
            if known is None or known.seq < row.seq:
                self.rows[row.id] = row
            elif known.seq == row.seq and known != row:
                raise BrokenPromiseError(
                    f"R8: row {row.id} was told twice under seq {row.seq}: {known}, {row}"
                )
        self.told_seq = max(self.told_seq, body.through_seq)
        if body.is_complete:
            self.as_of = body.as_of if self.as_of is None else max(self.as_of, body.as_of)
            self.check()
        return None

    def _replace(self, epoch: UUID) -> None:
        if self.epoch is not None:
            self.past = [*self.past, self.epoch][-PAST:]
        self.epoch, self.rows, self.told_seq, self.as_of = epoch, {}, 0, None
        self.life += 1
        self.is_restored = False

    @property
    def standing(self) -> dict[UUID, list[LedgerRow]]:
        """By camera, in order."""
        found: dict[UUID, list[LedgerRow]] = {}
        for row in sorted(self.rows.values(), key=lambda row: row.start):
            if not row.deleted:
                found.setdefault(row.camera_id, []).append(row)
        return found

    def check(self) -> None:
        """No moment is told twice or left out."""
        for rows in self.standing.values():
            for before, after in pairwise(rows):
                if before.end != after.start:
                    raise BrokenPromiseError(f"R3 at the server: {before} is followed by {after}")
