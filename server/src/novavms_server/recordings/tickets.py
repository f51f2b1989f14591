"""Addresses to play by: signed, for one camera and one stretch, good for some hours, and never longer than the rights of whoever
asked. They carry no credential: a player that is given one can do nothing else with it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from novavms_server.accounts.holders import holder
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database, Query
from novavms_server.kit.signing import Signer
from novavms_server.recordings.errors import FootageGone, PlaybackRefused


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """What the address says. `kind` and `credential_id` are whose rights it ends with."""

    org_id: UUID
    camera_id: UUID
    gateway_id: UUID
    life: int
    start: datetime
    end: datetime
    kind: str
    credential_id: UUID
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Ticket({self.camera_id})"


_NOW = """
SELECT c.site_id, c.recording_stream, l.life FROM cameras c LEFT JOIN ledgers l ON l.gateway_id = c.gateway_id
WHERE c.org_id = %s AND c.id = %s
"""


class Tickets:
    """`key` signs."""

    def __init__(self, key: bytes, database: Database, clock: Clock) -> None:
        self._signer = Signer(key)
        self._database = database
        self._clock = clock

    def make(self, ticket: Ticket) -> str:
        return self._signer.make(msgspec.msgpack.encode(ticket))

    def sign(self, text: str) -> str:
        """For what an address names beside its ticket."""
        return self._signer.sign(text)

    def whose(self, text: str) -> str | None:
        """Who plays what, for the limits: the same for all addresses that somebody has of a camera. None: none of ours, or too old."""
        try:
            ticket = self._open(text)
        except PlaybackRefused:
            return None
        return f"play {ticket.kind}:{ticket.credential_id} {ticket.camera_id}"

    async def read(self, text: str) -> tuple[Ticket, str]:
        """The ticket, and the camera's stream for recording. One round trip. Raises PlaybackRefused when it is none of ours, too
        old, or whoever asked for it may not see the camera any more; FootageGone where the gateway began its index anew."""
        ticket = self._open(text)
        callers, cameras = await self._database.look_everywhere(
            holder(ticket.org_id, ticket.kind, ticket.credential_id, self._clock),
            Query(_NOW, (ticket.org_id, ticket.camera_id)),
        )
        if not callers or callers[0].must_change_password or not cameras:
            raise PlaybackRefused
        site_id, stream, life = cameras[0]
        if not callers[0].sees(site_id):
            raise PlaybackRefused
        if (life or 0) != ticket.life:
            raise FootageGone("The gateway began its index anew; ask for a new address.")
        return ticket, stream

    def _open(self, text: str) -> Ticket:
        try:
            ticket = msgspec.msgpack.decode(self._signer.open(text), type=Ticket)
        except (ValueError, msgspec.MsgspecError):
            raise PlaybackRefused from None
        if self._clock.now() >= ticket.expires_at:
            raise PlaybackRefused
        return ticket
