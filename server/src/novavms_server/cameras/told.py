"""Cameras, told on the feed."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from novavms_server.cameras.feed_models import CameraData, CameraStatusData, Change
from novavms_server.cameras.models import Camera
from novavms_server.feed.log import NewItem
from novavms_server.kit.database import Query

_STATUS = """
SELECT id, site_id, gateway_id, status, status_reason, status_message, status_at, active_tier, codec, width, height, has_audio
FROM cameras WHERE org_id = %s AND id = ANY(%s) ORDER BY id
"""


def status_of(org_id: UUID, ids: Collection[UUID]) -> Query:
    """As it is told; asked after the change, in the same pipeline."""
    return Query(_STATUS, (org_id, list(ids)), CameraStatusData)


def status_item(told: CameraStatusData) -> NewItem:
    return NewItem("camera_status", told.site_id, told, told.camera_id)


def status_item_of(camera: Camera) -> NewItem:
    """The same of a camera that is at hand."""
    names = ("status", "status_reason", "status_message", "status_at", "active_tier")
    facts = ("codec", "width", "height", "has_audio")
    return status_item(
        CameraStatusData(
            *(camera.id, camera.site_id, camera.gateway_id),
            *(getattr(camera, name) for name in (*names, *facts)),
        )
    )


def camera_item(change: Change, camera: Camera, left_site_id: UUID | None = None) -> NewItem:
    """`left_site_id`: where it stood before."""
    shown = None
    if change != "deleted":  # a list's item: without the report of its check
        shown = Camera(*(getattr(camera, name) for name in Camera.__struct_fields__))
    data = CameraData(change=change, camera_id=camera.id, site_id=camera.site_id, camera=shown)
    return NewItem("camera", camera.site_id, data, camera.id, left_site_id)
