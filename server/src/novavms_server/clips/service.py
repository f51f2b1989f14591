"""Clips for requests: order one, show it, give a link to it, let it go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from novavms_server.clips import queries
from novavms_server.clips.errors import ClipNotReady, NoClip, NoSnapshot
from novavms_server.clips.models import CameraToRecord, ClipRow
from novavms_server.clips.orders import PRE_ROLL_SEC, Order, Orders
from novavms_server.clips.store import Store
from novavms_server.clips.told import tell_clip
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query
from novavms_server.kit.ids import new_id
from novavms_server.kit.work import Work

LINK_VALID: Final = timedelta(minutes=10)
MARGIN: Final = timedelta(seconds=60)
"""How long after its end a clip may go without any word of it."""
CUT_SPEED: Final = 10
"""The past is cut at least so many times faster than it happened."""


class ClipService:
    """What events and routes call. `base_url` is put in front of a clip's `url`; it may be empty."""

    def __init__(self, orders: Orders, store: Store, base_url: str = "") -> None:
        self._orders = orders
        self._store = store
        self._base_url = base_url.rstrip("/")

    async def order(
        self, work: Work, event_id: UUID, camera_id: UUID, gateway_id: UUID | None, duration_sec: int
    ) -> None:
        """The clip's row in the request's transaction; the order leaves once that is in. What is lost in between is
        ended by the row's deadline."""
        camera = CameraToRecord(camera_id, gateway_id)
        order = Order(work.caller.org_id, new_id(), event_id, camera, work.now, duration_sec)
        deadline_at = work.now + timedelta(seconds=duration_sec + PRE_ROLL_SEC) + MARGIN
        await self._begin(work, order, {"pre_roll_sec": PRE_ROLL_SEC, "deadline_at": deadline_at})

    async def cut(
        self, work: Work, event_id: UUID, camera_id: UUID, gateway_id: UUID, start: datetime, end: datetime
    ) -> None:
        """As `order`, of what is recorded already: it is there as soon as it is cut."""
        camera, length = CameraToRecord(camera_id, gateway_id), end - start
        order = Order(work.caller.org_id, new_id(), event_id, camera, start, length.total_seconds(), end)
        cutting = {
            "cut_start_at": start,
            "cut_end_at": end,
            "deadline_at": work.now + MARGIN + length / CUT_SPEED,
        }
        await self._begin(work, order, {"pre_roll_sec": 0, **cutting})

    async def _begin(self, work: Work, order: Order, more: dict[str, Any]) -> None:
        values = {
            **{"org_id": order.org_id, "id": order.clip_id, "event_id": order.event_id},
            **{"camera_id": order.camera.id, "gateway_id": order.camera.gateway_id, "status": "recording"},
            **{"asked_sec": order.duration_sec, "started_at": order.triggered_at},
            **{"ordered_at": work.now, "updated_at": work.now, **more},
        }
        names, marks = ", ".join(values), ", ".join(f"%({name})s" for name in values)
        await work.execute(f"INSERT INTO clips ({names}) VALUES ({marks})", values)  # noqa: S608 - names are ours
        await tell_clip(await work.write(), order.org_id, order.clip_id, work.now)
        work.after_commit(lambda: self._orders.send(order))

    def of_event(self, caller: Caller, event_id: UUID) -> Query:
        """One row, an `events.models.Clip`, or none."""
        return queries.of_event(caller, event_id, f"{self._base_url}/api/v1/events/{event_id}/clip")

    def stretch_of(self, caller: Caller, event_id: UUID) -> Query:
        """One row (camera, gateway or None, start, end), the time that the event's clip shows or is to show; or none."""
        return queries.stretch_of_event(caller, event_id)

    def snapshot_url(self, event_id: UUID) -> str:
        return f"{self._base_url}/api/v1/events/{event_id}/snapshot"

    async def clip_link(self, work: Work, event_id: UUID) -> str:
        """Where the MP4 is, for ten minutes. Raises ClipNotReady while it is being made, NoClip where there is none."""
        clip: ClipRow | None = await work.find(queries.row_of_event(work.caller, event_id))
        if clip is None or clip.deleted_at is not None:
            raise NoClip
        if clip.store_key is None:
            if clip.status == "failed":
                raise NoClip(
                    extra={"reason": clip.failure_reason, "status": clip.status},
                )
            raise ClipNotReady(headers={"Retry-After": "2"}, extra={"status": clip.status})
        return (await self._store.link("GET", clip.store_key, expires_at=work.now + LINK_VALID)).url

    async def snapshot_link(self, work: Work, key: str | None) -> str:
        """Where the JPEG is, for ten minutes. Raises NoSnapshot."""
        if key is None:
            raise NoSnapshot
        return (await self._store.link("GET", key, expires_at=work.now + LINK_VALID)).url

    async def remove(self, work: Work, event_id: UUID) -> None:
        """The event is deleted in this transaction: the clip leaves every answer now, its bytes go soon (see keeper)."""
        await work.write()
        clip: ClipRow | None = await work.find(queries.row_of_event(work.caller, event_id))
        if clip is None:
            return
        await work.execute(
            "UPDATE clips SET deleted_at = %s, updated_at = %s WHERE org_id = %s AND id = %s",
            (work.now, work.now, work.caller.org_id, clip.id),
        )
        if clip.gateway_id is not None and clip.status in ("recording", "uploading"):
            gateway_id = clip.gateway_id
            work.after_commit(lambda: self._orders.forget(gateway_id, clip.id))
