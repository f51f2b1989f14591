"""What can go wrong with live HLS."""

from __future__ import annotations

from novavms_server.kit.errors import Conflict, NotFound, Unavailable, ValidationError


class NoPicture(Unavailable):
    """`reason` in the body is the camera's."""

    sentence = "No picture comes from the camera; try again."

    def __init__(self, reason: str | None, message: str | None) -> None:
        super().__init__(message, retry_after_sec=2)
        self.extra["reason"] = reason or "no_media"


class TooFarAhead(ValidationError):
    """RFC 8216bis 6.2.5.2."""

    def __init__(self) -> None:
        super().__init__("The playlist is far from there yet: ask for what comes next.")


class CodecUnsupported(Conflict):
    def __init__(self, message: str) -> None:
        super().__init__(message, extra={"reason": "codec_unsupported"})


class PartGone(NotFound):
    sentence = "This part is no more, or not yet: read the playlist again."
