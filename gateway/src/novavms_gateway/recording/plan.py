"""Whether a camera is to be recorded at this moment, and if there is no footage, why: pure, from what is known."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from novavms_camera.capture import StreamStatus
from novavms_gateway.recording.schedule import is_open, stretches, zone
from novavms_protocol import GapReason, RecordingPlan

FREEZES: Final = frozenset({"frozen", "no_media"})
"""The camera answers and plays, and no picture comes."""
LOGINS: Final = frozenset({"auth_failed", "locked_out"})
LOSSES: Final = frozenset({"malformed_stream"})


def unwanted(plan: RecordingPlan, at: datetime, *, is_enabled: bool, has_event: bool) -> GapReason | None:
    """Why a person wants no footage now; None: it is wanted."""
    if not is_enabled or plan.mode == "off":
        return "disabled"
    if plan.mode == "events":
        return None if has_event else "no_event"
    return None if is_open(plan.schedule, at, zone(plan.timezone)) else "schedule"


def reason_of(reason: str | None) -> GapReason:
    """The ledger's word for what ended or prevents a session."""
    if reason in LOGINS:
        return "auth"
    if reason in FREEZES:
        return "frozen"
    if reason in LOSSES:
        return "network"
    return "camera_offline"


def missing(status: StreamStatus | None) -> GapReason | None:
    """Why a stream that is wanted gives nothing; None: it does, or will with its next key frame, or nothing is known yet."""
    if status is None or status.state in ("online", "pending"):
        return None
    return reason_of(status.reason)


def away(
    plan: RecordingPlan, start: datetime, end: datetime, *, is_enabled: bool
) -> list[tuple[datetime, datetime, GapReason]]:
    """What to say of a time in which the gateway did not run: what was not wanted anyway is not its fault."""
    if not is_enabled or plan.mode == "off":
        return [(start, end, "disabled")]
    windows = plan.schedule if plan.mode == "continuous" else None
    return [
        (begin, stop, "gateway_restart" if is_open else "schedule")
        for begin, stop, is_open in stretches(windows, start, end, zone(plan.timezone))
    ]
