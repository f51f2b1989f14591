"""What can go wrong with live view."""

from __future__ import annotations

from novavms_server.kit.errors import Forbidden, InvalidToken, RateLimited, Unavailable


class TicketRefused(InvalidToken):
    sentence = "This address is not valid, or no longer; ask for a new one."


class NotToSee(Forbidden):
    sentence = "Whoever asked for this address may not see the camera any more."


class TooManyWatchers(RateLimited):
    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after_sec=5)


class WebRtcAway(Unavailable):
    """`reason` in the body: why nobody answers an offer now."""

    sentence = "go2rtc can't be reached right now; try again, or watch another way."

    def __init__(self, reason: str = "go2rtc_away", message: str | None = None) -> None:
        super().__init__(message, retry_after_sec=5)
        self.extra["reason"] = reason
