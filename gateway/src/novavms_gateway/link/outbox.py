"""Reports on their way to the server.

Two shelves. Clip reports come from the journal: kept on disk and sent again until acknowledged. Of everything else
(camera states, telemetry, the applied version) only the newest of its key counts: kept in memory, replaced in place,
so that a camera that flaps while the uplink is away costs one message when it is back, and no wear on a flash card.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from novavms_gateway.kit.clock import Clock
from novavms_gateway.storage.journal import Journal
from novavms_protocol import Applied, CameraMoved, CameraStatus, LedgerUpdate, Report, Telemetry

RESEND_AFTER_SEC: Final = 30.0
"""An acknowledgement that is this late on a living connection is taken for lost."""
IN_FLIGHT_MAX: Final = 64
"""Reports sent and not yet acknowledged: a long backlog must not fill the socket before fresher things."""


@dataclass(slots=True)
class _Entry:
    report: Report
    key: str | None = None
    """Set on the memory shelf."""
    sent_at: float | None = None
    """Monotonic seconds, on the present connection."""
    on_done: Callable[[], None] | None = None

    @property
    def rank(self) -> int:
        """What is true now first, then what happened, then the ledger, which is long after a time without uplink."""
        if self.key is None:
            return 1
        return 2 if isinstance(self.report.body, LedgerUpdate) else 0


class Outbox:
    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._entries: dict[UUID, _Entry] = {}
        self._by_key: dict[str, UUID] = {}
        self._changed = asyncio.Event()
        journal.on_report = self._add_stored

    async def load(self) -> None:
        """Takes in what the journal still holds from before."""
        for report in await self._journal.reports():
            self._entries[report.id] = _Entry(report)
        self._changed.set()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def stored(self) -> int:
        """How many of them are on disk."""
        return len(self._entries) - len(self._by_key)

    def put_newest(
        self,
        key: str,
        body: CameraStatus | CameraMoved | Telemetry | Applied | LedgerUpdate,
        *,
        on_done: Callable[[], None] | None = None,
    ) -> None:
        """Replaces what waits under `key`, sent or not: an acknowledgement of the older one changes nothing then.

        `on_done` is called once the server has it, or has refused it for good.
        """
        self.drop(key)
        report = Report(id=uuid4(), body=body)
        self._entries[report.id] = _Entry(report, key=key, on_done=on_done)
        self._by_key[key] = report.id
        self._changed.set()

    def drop(self, key: str) -> None:
        """Nobody needs to hear this any more (a camera that was removed)."""
        before = self._by_key.pop(key, None)
        if before is not None:
            del self._entries[before]

    async def acknowledged(self, report_id: UUID) -> None:
        """The server has it, or refused it for good. Repeats and unknown ids do nothing."""
        entry = self._entries.pop(report_id, None)
        if entry is None:
            return
        if entry.key is None:
            await self._journal.settle(report_id)
        else:
            del self._by_key[entry.key]
        if entry.on_done is not None:
            entry.on_done()
        self._changed.set()

    def forget(self, clip_id: UUID) -> None:
        """A clip that the server no longer wants needs no report either; the journal dropped its own already."""
        gone = [
            report_id
            for report_id, entry in self._entries.items()
            if getattr(entry.report.body, "clip_id", None) == clip_id
        ]
        for report_id in gone:
            del self._entries[report_id]

    def begin_connection(self) -> None:
        """What was sent and not acknowledged before may be lost: all of it is due again."""
        for entry in self._entries.values():
            entry.sent_at = None
        self._changed.set()

    def take_due(self) -> list[Report]:
        """Reports to send now, by rank, and of one rank the oldest first; they count as sent."""
        now = self._clock.monotonic()
        due: list[Report] = []
        in_flight = 0
        for entry in sorted(self._entries.values(), key=lambda entry: entry.rank):
            if entry.sent_at is not None and now - entry.sent_at < RESEND_AFTER_SEC:
                in_flight += 1
                continue
            if in_flight + len(due) >= IN_FLIGHT_MAX:
                break
            entry.sent_at = now
            due.append(entry.report)
        return due

    async def wait(self) -> None:
        """Until `take_due` may give something."""
        sent = [entry.sent_at for entry in self._entries.values() if entry.sent_at is not None]
        pause = max(0.0, min(sent) + RESEND_AFTER_SEC - self._clock.monotonic()) if sent else None
        try:
            async with asyncio.timeout(pause):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    def _add_stored(self, report: Report) -> None:
        self._entries[report.id] = _Entry(report)
        self._changed.set()
