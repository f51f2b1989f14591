"""SQL about direct-mode cameras, for jobs and the watch: no request's, so each begins with the org or looks at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from novavms_server.cameras.queries import one_direct
from novavms_server.kit.database import Query

NAME_PREFIX: Final = "nova_"
"""What the names of our streams at go2rtc begin with."""


class Seen(NamedTuple):
    """A direct camera that is to be watched."""

    org_id: UUID
    id: UUID
    revision: int


TO_WATCH = Query(
    "SELECT org_id, id, revision FROM cameras WHERE connection_mode = 'direct' AND deleted_at IS NULL AND enabled"
    " AND status IN ('online', 'offline') ORDER BY id",
    (),
    Seen,
)
STREAM_NAMES = Query(
    "SELECT stream_name FROM cameras WHERE connection_mode = 'direct' AND deleted_at IS NULL AND stream_name IS NOT NULL"
)
WITHOUT_JOB = Query(
    "SELECT org_id, id FROM cameras c WHERE connection_mode = 'direct' AND deleted_at IS NULL AND enabled"
    " AND status IN ('pending', 'error') AND NOT EXISTS (SELECT FROM jobs j WHERE j.org_id = c.org_id"
    " AND j.lock = 'camera:' || c.id AND j.failed_at IS NULL) LIMIT 100"
)
"""What waits for a check that nobody will run: its job was given up, or a backup brought the camera back without it."""


def last_seen(ids: list[UUID], at: list[datetime]) -> tuple[str, tuple[Any, ...]]:
    return (
        "UPDATE cameras c SET last_seen_at = greatest(c.last_seen_at, u.at) FROM unnest(%s::uuid[], %s::timestamptz[]) AS u (id, at)"
        " WHERE c.id = u.id AND c.deleted_at IS NULL",
        (ids, at),
    )


__all__ = ["STREAM_NAMES", "TO_WATCH", "WITHOUT_JOB", "Seen", "last_seen", "one_direct"]
