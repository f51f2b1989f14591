# Made from _async/ by tools/sdk_python; not to be edited.
"""What all resources have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novavms._sync.transport import Transport


class Resource:
    """A part of the API, as an attribute of the client."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
