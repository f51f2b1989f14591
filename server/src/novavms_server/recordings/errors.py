"""What can go wrong with recordings."""

from __future__ import annotations

from novavms_server.kit.errors import ApiError, Conflict, Forbidden, NotFound, Unavailable


class NoFootage(NotFound):
    """`reason` in the body is the longest gap's."""

    sentence = "There is no footage of this camera in that range."


class NothingToCut(Conflict):
    """`reason` in the body is the longest gap's."""

    sentence = "There is no footage of this camera in that range."


class FootageGone(NotFound):
    sentence = "This footage is no more."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, extra={"reason": "gone"})


class FootageAway(Unavailable):
    """It is on a gateway that can't be asked now. `reason`: gateway_offline, gateway_timeout, busy, unsupported."""

    sentence = "The gateway that has the footage can't send it right now; try again."

    def __init__(self, reason: str, message: str | None = None, *, retry_after_sec: int = 5) -> None:
        super().__init__(message, retry_after_sec=retry_after_sec)
        self.reason = reason
        self.extra["reason"] = reason


class RelayBusy(FootageAway):
    def __init__(self) -> None:
        super().__init__("busy", "The gateway already sends as much as it can; try again.", retry_after_sec=1)


class RelayBroken(FootageAway):
    """Also raised in the middle of an answer, which then just ends."""

    def __init__(self) -> None:
        super().__init__("gateway_offline", "The gateway's transfer broke off; try again.")


class RelayUnknown(NotFound):
    sentence = "Nobody waits at this address (any more)."


class RelayEnded(ApiError):
    """To the gateway: who waited has gone. The connection is closed, for the rest of the body is not wanted."""

    status = 410
    code = "gone"
    sentence = "Nobody waits for the rest."

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class PlaybackRefused(Forbidden):
    sentence = "This address is not valid, or no longer; ask for a new one."
