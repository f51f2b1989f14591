"""What all resources have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novavms._async.transport import AsyncTransport


class AsyncResource:
    """A part of the API, as an attribute of the client."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
