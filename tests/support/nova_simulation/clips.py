"""What the server promises of clips, written down small. Its source: docs/design/clips.md, and server/src/novavms_server/clips/:
states.py (`move`), reports.py (`on_*`), uploads.py (`ticket`, `put`), finishing.py (`finish`), orders.py and keeper.py (`replied`, `overdue`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from novavms_protocol import ClipFailed, ClipReady, ClipState

PART_BYTES: Final = 1500
MARGIN_SEC: Final = 60.0
DELIVERY_SEC: Final = 7 * 86_400.0
IN_FLIGHT_SEC: Final = 10.0
Status = Literal["recording", "uploading", "ready", "failed"]


class BrokenPromiseError(AssertionError):
    """An invariant does not hold."""


@dataclass
class Clip:
    """A row of the server's, and its parts in the store. Times are the server's, in seconds."""

    id: UUID
    camera_id: UUID
    ordered_at: float
    deadline_at: float
    is_cut: bool
    status: Status = "recording"
    reason: str | None = None
    guessed: bool = False
    accepted: bool = False
    was_held: bool = False
    """The gateway had it in its journal."""
    deleted: bool = False
    reported: ClipReady | None = None
    plan: tuple[int, str] | None = None
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    puts: dict[tuple[str, int], int] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    """How it ended, each time: once, but for what was guessed."""
    ready_at: float = float("inf")

    @property
    def is_over(self) -> bool:
        return self.status in ("ready", "failed")

    def move(self, to: Status, reason: str | None = None, *, guessed: bool = False) -> bool:
        """states.change."""
        allowed = {
            "uploading": self.status == "recording" or (self.status == "failed" and self.guessed),
            "ready": not self.is_over,
            "failed": not self.is_over,
        }[to]
        if self.deleted or not allowed or (guessed and self.reported is not None):
            return False
        self.status, self.reason, self.guessed = to, reason, guessed
        if to == "failed":
            self.reported = None
        if self.is_over:
            self.ends.append("guess" if guessed else to)
            if sum(end != "guess" for end in self.ends) > 1:
                raise BrokenPromiseError(f"clip {self.id} ended twice: {self.ends}")
        return True

    # ---- reports ---------------------------------------------------------------------------------------------

    def on_state(self, body: ClipState, now: float) -> None:
        if body.status == "uploading" and self.move("uploading"):
            self.deadline_at = now + DELIVERY_SEC

    def on_ready(self, body: ClipReady) -> None:
        self.move("uploading")
        if self.status == "uploading" and self.reported is None and not self.deleted:
            self.reported = body

    def on_failed(self, body: ClipFailed) -> None:
        if self.guessed:
            self.move("uploading")
        if self.reported is None:
            self.move("failed", body.reason)

    # ---- the store -------------------------------------------------------------------------------------------

    def ticket(self, size: int, sha256: str, now: float) -> list[tuple[int, int, int, bool]] | None:
        """(number, offset, size, done) of each part; None: not wanted."""
        if self.deleted:
            return None
        is_delivered = False
        if (
            self.reported is not None
            or self.status == "ready"
            or (self.status == "failed" and not self.guessed)
        ):
            known = self.reported
            same = known is not None and (known.size_bytes, known.sha256) == (size, sha256)
            if self.status == "failed" or not (same or self.status == "ready"):
                return None
            is_delivered = True
        else:
            self.move("uploading")
            self.plan = (size, sha256)
            self.deadline_at = now + DELIVERY_SEC
        cuts = [
            (n, at, min(PART_BYTES, size - at)) for n, at in enumerate(range(0, size, PART_BYTES), start=1)
        ]
        return [(n, at, length, is_delivered or (sha256, n) in self.parts) for n, at, length in cuts]

    def put(self, sha256: str, number: int, size: int, body: bytes) -> bool:
        """A part is there whole or not at all."""
        if len(body) != size:
            return False
        self.parts[sha256, number] = body
        self.puts[sha256, number] = self.puts.get((sha256, number), 0) + 1
        return True

    def finish(self, now: float) -> None:
        """What is announced is verified: only then it is `ready`."""
        if self.status != "uploading" or self.reported is None or self.deleted:
            return
        facts = self.reported
        numbers = range(1, -(-facts.size_bytes // PART_BYTES) + 1)
        whole = b"".join(self.parts.get((facts.sha256, number), b"") for number in numbers)
        if len(whole) != facts.size_bytes or hashlib.sha256(whole).hexdigest() != facts.sha256:
            raise BrokenPromiseError(f"clip {self.id} was reported, and its parts are not what was announced")
        self.move("failed" if facts.failure_reason else "ready", facts.failure_reason)
        self.ready_at = now
        self.parts.clear()

    def overdue(self, now: float, *, is_online: bool) -> None:
        """Nothing stays in the making for ever."""
        if self.is_over or self.reported is not None or self.deleted or now < self.deadline_at:
            return
        if not self.accepted:
            self.move("failed", "gateway_timeout", guessed=True)
        elif self.status == "recording" and not is_online:
            self.move("uploading")
            self.deadline_at = now + DELIVERY_SEC
        else:
            self.move("failed", "gateway_silent", guessed=True)
