"""The gateways' hub, as far as live view asks it."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from novavms_protocol import Reply
from novavms_protocol.messages import RequestBody
from novavms_server.gateways.hub import Socket


class Hub(Protocol):
    async def request(self, gateway_id: UUID, body: RequestBody, *, timeout_sec: float) -> Reply: ...

    def find(self, gateway_id: UUID) -> Socket | None:
        """The gateway's socket; None while it is away."""
