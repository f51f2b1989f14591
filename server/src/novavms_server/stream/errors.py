"""What can go wrong with streams."""

from novavms_server.kit.errors import RateLimited, Unavailable


class TooManyStreams(RateLimited):
    sentence = "Too many streams are open already; close one."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.sentence, retry_after_sec=10)


class ClosingDown(Unavailable):
    sentence = "The server is shutting down; connect again in a moment."
