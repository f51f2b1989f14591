"""What an RTSP server's error answer means, as a CameraFault."""

from __future__ import annotations

import re
from typing import Final

from novavms_camera.faults import CameraFault, Reason
from novavms_camera.rtsp.message import Message

_LOCK_HINT: Final = re.compile(
    rb"\block(?:ed|out)?\b|\bblocked\b|too many (?:failed|attempts)", re.IGNORECASE
)
_REASONS: Final[dict[int, Reason]] = {
    404: "path_not_found",
    423: "locked_out",
    453: "too_many_connections",
    461: "transport_unsupported",
    503: "too_many_connections",
}


class MovedFault(CameraFault):
    """The camera sends us elsewhere (3xx). `location` is as it came: judge it before following."""

    def __init__(self, message: str, location: str, status: int) -> None:
        super().__init__("camera_error", message, status=status)
        self.location = location


def fault_of(method: str, answer: Message, *, has_credentials: bool, logged_in: bool) -> CameraFault:
    """The fault that `answer` stands for. `logged_in`: the request carried an answer to a challenge."""
    status = answer.status
    if status == 423 or (status in {401, 403} and hints_at_lock(answer)):
        return CameraFault("locked_out", f"the camera has locked the account ({status})", status=status)
    if status == 401:
        given = "refused user or password" if has_credentials else "wants a user and a password"
        return CameraFault("auth_failed", f"the camera {given} (401)", status=status)
    if status == 403:
        return _forbidden(has_credentials, logged_in)
    if 300 <= status < 400 and answer.get("location"):
        return MovedFault(
            f"the camera redirects {method} ({status})", (answer.get("location") or "")[:2048], status
        )
    reason = _REASONS.get(status, "camera_error")
    if status == 400 and method == "DESCRIBE":
        reason = "path_not_found"  # what several servers say to a path that they don't know; the status tells
    phrase = re.sub(r"[^\x20-\x7e]", "", answer.phrase)[:80]
    return CameraFault(reason, f"the camera answered {method} with {status} {phrase}".rstrip(), status=status)


def _forbidden(has_credentials: bool, logged_in: bool) -> CameraFault:
    """A camera that wants a login says 401 to who has not logged in. One that says 403 there has shut the door beforehand."""
    if has_credentials and not logged_in:
        return CameraFault(
            "locked_out",
            "the camera refuses before any login (403), as it does after too many failed ones",
            status=403,
        )
    return CameraFault("auth_failed", "the camera does not let this user see the stream (403)", status=403)


def hints_at_lock(answer: Message) -> bool:
    """Whether the words of an answer speak of a locked account."""
    told = " ".join([answer.phrase, *answer.headers.get("www-authenticate", [])]).encode()
    return bool(_LOCK_HINT.search(told) or _LOCK_HINT.search(answer.body))
