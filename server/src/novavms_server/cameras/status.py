"""What a camera is doing, as its gateway (or direct mode) tells it.

Rules: only cameras of that gateway; a report about an older revision of the camera is refused; of a gateway's reports the
one with the newest `at` wins, by the gateway's clock, which is taken as no later than ours; a disabled or deleted camera
has no other state. What the server itself says (gateway_offline) holds until the next report, whatever that one's time:
a gateway that comes back tells all its cameras anew, with the times at which their states began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from novavms_camera.check import LONG_GOP_SEC, is_interval_news, long_gop_message
from novavms_protocol import CameraStatus, Report
from novavms_server.cameras import queries
from novavms_server.cameras.device_text import cut
from novavms_server.cameras.models import Status, Tier
from novavms_server.cameras.told import status_item, status_of
from novavms_server.feed.log import tell
from novavms_server.gateways.models import GatewayRef
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Query, run, run_all

GATEWAY_OFFLINE_MESSAGE = "The camera's gateway does not reach the server."
_MESSAGE_MAX, _WORD_MAX = 500, 60
"""Characters that are kept of a device's texts; longer ones are cut."""
_INTERVAL_STEP_SEC, _INTERVAL_MAX_SEC = 0.5, 3600.0
"""Key-frame intervals that differ by no more than the first are the same; above the second there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """What is said of one camera. None of a fact: not known, and what was known stays."""

    status: Status
    at: datetime
    reason: str | None = None
    message: str | None = None
    revision: int | None = None
    """Of the camera's settings that this is about; None: the current ones."""
    gateway_id: UUID | None = None
    """Who says so; None: the server itself."""
    last_frame_at: datetime | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    has_audio: bool | None = None
    active_tier: Tier | None = None
    keyframe_interval_sec: float | None = None
    """As measured. Kept in the camera's last check, where a check that ended at the first key frame could not know it."""


_FIND = """
SELECT gateway_id, enabled, revision, status_reported_at, status, status_reason,
    (last_check #>> '{facts,keyframe_interval_sec}')::double precision, codec, width, height, has_audio, active_tier
FROM cameras WHERE org_id = %s AND id = %s AND deleted_at IS NULL FOR NO KEY UPDATE
"""
_CHANGE = """
UPDATE cameras SET status = %(status)s, status_reason = %(reason)s, status_message = %(message)s,
    status_at = CASE WHEN %(turned)s THEN greatest(status_at, %(at)s) ELSE status_at END, status_reported_at = coalesce(%(reported)s, status_reported_at),
    status_seq = status_seq + %(seen)s, last_seen_at = greatest(last_seen_at, %(last_frame_at)s),
    codec = coalesce(%(codec)s, codec), width = coalesce(%(width)s, width), height = coalesce(%(height)s, height),
    fps = coalesce(%(fps)s, fps), has_audio = coalesce(%(has_audio)s, has_audio),
    active_tier = coalesce(%(active_tier)s, active_tier),
    last_check = CASE WHEN %(interval)s::double precision IS NULL THEN last_check ELSE jsonb_set(
        jsonb_set(last_check, '{facts,keyframe_interval_sec}', to_jsonb(%(interval)s::double precision)), '{warnings}',
        jsonb_path_query_array(last_check, '$.warnings[*] ? (@.code != "long_gop")') || %(long_gop)s::jsonb) END,
    moved_to = CASE WHEN %(status)s::text = 'online' THEN NULL ELSE moved_to END,
    move_dismissed = CASE WHEN %(status)s::text = 'online' THEN NULL ELSE move_dismissed END
WHERE org_id = %(org)s AND id = %(id)s
"""
_SEEN = ("codec", "width", "height", "has_audio", "active_tier")


async def apply_status(
    connection: Connection, org_id: UUID, camera_id: UUID, change: StatusChange, *, now: datetime
) -> str | None:
    """Take `change` in. None, or why it was not taken: unknown_camera, stale_revision, stale, disabled.

    `connection` is a transaction inside the org.
    """
    found = await (await run(connection, Query(_FIND, (org_id, camera_id)))).fetchone()
    if found is None:
        return "unknown_camera"
    gateway_id, enabled, revision, reported_at, status, reason, known_interval, *facts = found
    if change.gateway_id is not None and gateway_id != change.gateway_id:
        return "unknown_camera"
    if not enabled:
        return "disabled"
    if change.revision is not None and change.revision != revision:
        return "stale_revision"
    at = min(change.at, now)
    by_gateway = change.gateway_id is not None
    if by_gateway and reported_at is not None and at < reported_at:
        return "stale"
    message, told_reason = cut(change.message, _MESSAGE_MAX), cut(change.reason, _WORD_MAX)
    change = replace(change, codec=cut(change.codec, _WORD_MAX))
    turned = (status, reason) != (change.status, told_reason)
    told = [getattr(change, name) for name in _SEEN]
    interval = _interval(change.keyframe_interval_sec, known_interval)
    learned = any(new is not None and new != old for new, old in zip(told, facts, strict=True))
    params = {name: getattr(change, name) for name in (*_SEEN, "status", "fps")}
    params |= {
        "reason": told_reason,
        "message": message,
        "at": at,
        "reported": at if by_gateway else None,
        "turned": turned,
    }
    params |= {"seen": int(turned or learned or interval is not None), "org": org_id, "id": camera_id}
    params |= {"interval": interval, "long_gop": Jsonb(long_gop(interval))}
    params["last_frame_at"] = None if change.last_frame_at is None else min(change.last_frame_at, now)
    statements = [Query(_CHANGE, params)]
    if turned:
        statements.append(queries.log(org_id, [camera_id], now, change.status, told_reason, message))
    if turned or learned:
        statements.append(status_of(org_id, [camera_id]))
    news = (await run_all(connection, statements))[-1]
    if turned or learned:
        await tell(connection, org_id, now, *map(status_item, news))
    return None


def _interval(told_sec: float | None, known_sec: float | None) -> float | None:
    """What is news of it; a device's word is believed where it can be."""
    if told_sec is None or not 0 < told_sec < _INTERVAL_MAX_SEC:
        return None
    moved = abs(told_sec - (known_sec or 0.0)) > _INTERVAL_STEP_SEC
    return told_sec if moved or is_interval_news(told_sec, known_sec) else None


def long_gop(interval_sec: float | None) -> list[dict[str, str]]:
    """The check's warning, where it is one."""
    if interval_sec is None or interval_sec <= LONG_GOP_SEC:
        return []
    return [{"code": "long_gop", "message": long_gop_message(interval_sec)}]


_GATEWAY_OFFLINE = """
UPDATE cameras SET status = 'offline', status_reason = 'gateway_offline', status_message = %(message)s, status_at = %(at)s,
    status_seq = status_seq + 1
WHERE org_id = %(org)s AND gateway_id = %(gateway)s AND deleted_at IS NULL AND enabled
    AND (status, status_reason) IS DISTINCT FROM ('offline', 'gateway_offline')
RETURNING id
"""


async def gateway_went_offline(connection: Connection, gateway: GatewayRef, now: datetime) -> list[UUID]:
    """All its enabled cameras, in one statement. Answers those that turned."""
    params = {"message": GATEWAY_OFFLINE_MESSAGE, "at": now, "org": gateway.org_id, "gateway": gateway.id}
    turned = [row[0] for row in await (await run(connection, Query(_GATEWAY_OFFLINE, params))).fetchall()]
    if turned:
        said = queries.log(gateway.org_id, turned, now, "offline", "gateway_offline", GATEWAY_OFFLINE_MESSAGE)
        _, news = await run_all(connection, [said, status_of(gateway.org_id, turned)])
        await tell(connection, gateway.org_id, now, *map(status_item, news))
    return turned


class StatusReports:
    """Listens at the gateways' hub."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def take_in(
        self, connection: Connection, gateway: GatewayRef, body: CameraStatus, report: Report
    ) -> str | None:
        """hub.on_report(CameraStatus, …)."""
        del report
        if body.status == "disabled":
            return "disabled"  # is the server's to say
        change = StatusChange(
            status=body.status,
            at=body.at,
            reason=body.reason,
            message=body.message,
            revision=body.revision,
            gateway_id=gateway.id,
            last_frame_at=body.last_frame_at,
            codec=body.codec,
            width=body.width,
            height=body.height,
            fps=body.fps,
            has_audio=body.has_audio,
            active_tier=body.active_tier,
            keyframe_interval_sec=body.keyframe_interval_sec,
        )
        return await apply_status(connection, gateway.org_id, body.camera_id, change, now=self._clock.now())

    async def gateway_offline(self, connection: Connection, gateway: GatewayRef) -> None:
        """hub.on_offline."""
        await gateway_went_offline(connection, gateway, self._clock.now())
