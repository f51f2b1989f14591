"""What can go wrong with gateways."""

from __future__ import annotations

from novavms_server.kit.errors import Conflict, NotFound, Unavailable


class GatewayOffline(Conflict):
    """No socket of that gateway, or it broke while we waited. Whoever asks on behalf of a camera translates it."""

    sentence = "The gateway is offline: check its power and its network, then try again."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, extra={"reason": "gateway_offline"})


class GatewayTimeout(Unavailable):
    """The gateway has a socket, but its reply did not come in time."""

    sentence = "The gateway did not answer in time; try again."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, retry_after_sec=5)
        self.extra["reason"] = "gateway_timeout"


class GatewayRefused(Unavailable):
    """The gateway answered that it can't, or answered what nobody understands."""

    sentence = "The gateway could not do this right now; try again."


class GatewayInUse(Conflict):
    sentence = "Cameras are still on this gateway; move or delete them first."


class UnknownPairingCode(NotFound):
    sentence = "This pairing code is unknown, used or expired; make a new one."
