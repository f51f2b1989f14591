"""The one place where a clip changes its status. docs/design/clips.md has the picture.

    recording ──▶ uploading ──▶ ready
        │             │
        └──────┬──────┘
               ▼
            failed ──▶ uploading     only where it failed by the server's own guess, and the gateway shows up with the file

A change that is not in the picture, or of a clip that is deleted, touches no row and answers False: reports come twice,
late and out of order, and none of that is an error.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import sql

from novavms_server.clips.told import tell_clip
from novavms_server.events.models import ClipStatus
from novavms_server.kit.database import Connection

_FROM: Final[dict[ClipStatus, LiteralString]] = {
    "recording": "false",
    "uploading": "status = 'recording' OR (status = 'failed' AND guessed)",
    "ready": "status IN ('recording', 'uploading')",
    "failed": "status IN ('recording', 'uploading')",
}
_GUESSED: Final[LiteralString] = "status IN ('recording', 'uploading') AND reported IS NULL"
"""What the gateway has said of its file is not undone by a guess: it has forgotten the clip by then."""


async def change(
    connection: Connection, org_id: UUID, clip_id: UUID, to: ClipStatus, now: datetime, **columns: Any
) -> bool:
    """In the caller's transaction. `columns` are set along with the status (see the table `clips`)."""
    if to == "uploading":
        columns = {"failure_reason": None, "failure_message": None, "guessed": False, **columns}
    settings = sql.SQL("").join(
        sql.SQL(", {} = {}").format(sql.Identifier(name), sql.Placeholder("set_" + name)) for name in columns
    )
    statement = sql.SQL(
        "UPDATE clips SET status = %(to)s, seq = seq + 1, updated_at = %(now)s{}"
        " WHERE org_id = %(org)s AND id = %(id)s AND deleted_at IS NULL AND ({})"
    ).format(settings, sql.SQL(_GUESSED if to == "failed" and columns.get("guessed") else _FROM[to]))
    given = {"set_" + name: value for name, value in columns.items()}
    cursor = await connection.execute(
        statement, {"to": to, "now": now, "org": org_id, "id": clip_id, **given}
    )
    if cursor.rowcount != 1:
        return False
    await tell_clip(connection, org_id, clip_id, now)
    return True


async def fail(
    connection: Connection,
    org_id: UUID,
    clip_id: UUID,
    now: datetime,
    reason: str,
    message: str,
    *,
    guessed: bool = False,
) -> bool:
    """Nothing is there to play. `guessed`: concluded from silence (gateway_offline, gateway_timeout, gateway_silent,
    lost_by_gateway); parts that came stay, and the gateway may still deliver."""
    return await change(
        connection,
        org_id,
        clip_id,
        "failed",
        now,
        failure_reason=reason[:100],
        failure_message=message[:500],
        guessed=guessed,
        reported=None,
    )
