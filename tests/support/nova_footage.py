"""A gateway's ledger in few words, for tests of the server's end of recording."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from nova_gateway import ScriptedGateway
from nova_world import World

from novavms_protocol import LedgerRow, LedgerUpdate


def now() -> datetime:
    return datetime.now(UTC)


async def add_camera(world: World, gateway: ScriptedGateway, **more: Any) -> UUID:
    """An RTSP camera of the gateway, added over HTTP; as old as two years."""
    body = {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": "Door", "type": "rtsp"},
        **{"rtsp_url": "rtsp://192.0.2.11:554/s1", **more},
    }
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    camera_id = UUID(made.json()["id"])
    await world.sql("UPDATE cameras SET created_at = now() - interval '2 years' WHERE id = %s", camera_id)
    return camera_id


class Telling:
    """Rows of one camera's ledger with ids and sequence numbers of their own."""

    def __init__(self, camera_id: UUID, first_id: int = 1) -> None:
        self.camera_id = camera_id
        self.id = first_id - 1
        self.seq = 0

    def row(self, kind: str, start: datetime, end: datetime, **more: Any) -> LedgerRow:
        self.id += 1
        self.seq += 1
        facts: dict[str, Any] = {
            "id": self.id,
            "seq": self.seq,
            "camera_id": self.camera_id,
            "stream": "main",
        }
        if kind == "span":
            facts |= {"size_bytes": 1000, "codec": "h264", "width": 1920, "height": 1080, "has_audio": True}
        else:
            facts |= {"reason": "camera_offline"}
        return LedgerRow(kind=kind, start=start, end=end, **{**facts, **more})  # type: ignore[arg-type]


def update(
    epoch: UUID, rows: Sequence[LedgerRow], as_of: datetime | None = None, **more: Any
) -> LedgerUpdate:
    return LedgerUpdate(
        epoch=epoch,
        rows=list(rows),
        through_seq=more.pop("through_seq", max((row.seq for row in rows), default=0)),
        as_of=as_of or now(),
        **more,
    )


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
