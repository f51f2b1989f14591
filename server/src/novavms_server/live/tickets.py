"""Addresses to watch by: signed, for one camera, good for an hour to begin, and worth no more than the rights of whoever asked
(see rights.py). They carry no credential."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from novavms_server.kit.clock import Clock
from novavms_server.kit.signing import Signer
from novavms_server.live.errors import TicketRefused


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """What the address says. `kind` and `credential_id` are whose rights it ends with. Where the camera is now, its row says."""

    org_id: UUID
    camera_id: UUID
    kind: str
    credential_id: UUID
    expires_at: datetime

    @property
    def holder(self) -> str:
        """Who watches, for limits."""
        return f"{self.kind}:{self.credential_id}"

    def __repr__(self) -> str:
        return f"Ticket({self.camera_id})"


class Tickets:
    """`key` signs."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._signer = Signer(key)
        self._clock = clock

    def make(self, ticket: Ticket) -> str:
        return self._signer.make(msgspec.msgpack.encode(ticket))

    def whose(self, text: str) -> str | None:
        """Who watches what, for the limits: the same for all addresses that somebody has of a camera. None: none of ours."""
        try:
            ticket = self.open(text, begun=True)
        except TicketRefused:
            return None
        return f"live {ticket.holder} {ticket.camera_id}"

    def open(self, text: str, *, begun: bool = False) -> Ticket:
        """`begun`: it was in time when it was used first. Raises TicketRefused for what is none of ours, or too old."""
        try:
            ticket = msgspec.msgpack.decode(self._signer.open(text), type=Ticket)
        except (ValueError, msgspec.MsgspecError):
            raise TicketRefused from None
        if not begun and self._clock.now() >= ticket.expires_at:
            raise TicketRefused
        return ticket
