"""What can go wrong with live view."""

from __future__ import annotations

from novavms_server.kit.errors import Forbidden, InvalidToken, RateLimited


class TicketRefused(InvalidToken):
    sentence = "This address is not valid, or no longer; ask for a new one."


class NotToSee(Forbidden):
    sentence = "Whoever asked for this address may not see the camera any more."


class TooManyWatchers(RateLimited):
    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after_sec=5)
