"""What can go wrong with cameras."""

from __future__ import annotations

from typing import Any

from novavms_server.kit.errors import ApiError, Conflict, ValidationError


class CheckFailed(ValidationError):
    """The connection check failed, or the address was refused before anything connected. The body has `reason`, `hint`
    and `check`, the whole report."""

    def __init__(self, report: dict[str, Any], field: str | None = None) -> None:
        extra: dict[str, Any] = {"reason": report["reason"], "hint": report["hint"], "check": report}
        message = report["message"] or "The camera's connection check failed."
        if field is not None:
            extra["details"] = [{"field": field, "message": message}]
        super().__init__(message, extra=extra)


class DuplicateDevice(Conflict):
    sentence = "The same stream of the same camera is in your organization already."


class CameraChanged(Conflict):
    sentence = "The camera was changed while its connection was being checked; read it again."


class NoMove(Conflict):
    sentence = "There is no other address of this camera to accept."


class NotOnline(ApiError):
    """There is no picture now."""

    status = 409
    code = "conflict"
    sentence = "The camera shows no picture right now."
