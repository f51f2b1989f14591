"""`record` is called by every write that a person or a key makes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from novavms_server.kit.database import Connection
from novavms_server.kit.ids import new_id
from novavms_server.kit.work import Work

SECRET_FIELDS = frozenset(
    {"rtsp_password", "onvif_password", "password", "new_password", "credentials", "token", "secret"}
)


async def record(
    work: Work,
    action: str,
    target_type: str,
    target_id: UUID | None,
    *,
    before: Any = None,
    after: Any = None,
) -> None:
    """`action` is `camera.created`; `before` and `after` are structs or dicts, their secret fields replaced by `***`."""
    await record_as(
        await work.write(),
        work.caller.org_id,
        work.caller.label,
        work.now,
        action,
        target_type,
        target_id,
        request_id=work.request_id,
        before=before,
        after=after,
    )


async def record_as(
    connection: Connection,
    org_id: UUID,
    actor: str,
    at: datetime,
    action: str,
    target_type: str,
    target_id: UUID | None,
    *,
    request_id: str | None = None,
    before: Any = None,
    after: Any = None,
) -> None:
    """The same for what is no authenticated request's: a log-in, a gateway's report, a job. `actor`: `user:<id>`,
    `key:<id>`, `gateway:<id>` or `system`."""
    await connection.execute(
        "INSERT INTO audit_log (org_id, id, at, actor, action, target_type, target_id, before, after, request_id)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            org_id,
            new_id(),
            at,
            actor,
            action,
            target_type,
            target_id,
            _clean(before),
            _clean(after),
            request_id,
        ),
        prepare=True,
    )


def _clean(value: Any) -> Jsonb | None:
    if value is None:
        return None
    plain = msgspec.to_builtins(value)
    return Jsonb(
        {name: "***" if name in SECRET_FIELDS and item is not None else item for name, item in plain.items()}
    )
