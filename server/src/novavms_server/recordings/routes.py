"""/cameras/{id}/recordings, and how a whole site was recorded"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.params import QueryParameter

from novavms_server.kit.http import Cursor, FromPath, Limit, NamedDependency, role
from novavms_server.kit.work import Work
from novavms_server.recordings.models import Recordings, SiteRecordings
from novavms_server.recordings.service import RecordingService

_EDGE = "An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone"
RangeFrom = Annotated[
    str | None,
    QueryParameter(name="from", description=f"{_EDGE}, from its beginning. Unset: 24 hours before `to`."),
]
RangeTo = Annotated[
    str | None, QueryParameter(name="to", description=f"{_EDGE}, to its end. Unset, or ahead of now: now.")
]


class RecordingController(Controller):
    path = "/cameras/{camera_id:str}"
    tags = ("Recordings",)

    @get(
        "/recordings",
        opt=role("viewer"),
        operation_id="getCameraRecordings",
        summary="What footage there is of a camera, and why where there is none",
        description=(
            "Spans and gaps together are the whole range, each moment once; at most 366 days. Of deleted cameras, too."
            " It answers also while the gateway is away: what the gateway has not told is a gap `gateway_offline`."
        ),
    )
    async def get_recordings(
        self,
        work: NamedDependency[Work],
        recordings: NamedDependency[RecordingService],
        camera_id: FromPath[UUID],
        range_from: RangeFrom = None,
        range_to: RangeTo = None,
    ) -> Recordings:
        return await recordings.of_camera(work, camera_id, range_from, range_to)


class SiteRecordingController(Controller):
    path = "/sites/{site_id:str}/recordings"
    tags = ("Recordings",)

    @get(
        "/",
        opt=role("viewer"),
        operation_id="getSiteRecordings",
        summary="How the cameras of a site were recorded",
        description="For each camera: how much of the range is there, the longest gap with its reason, and its bytes. At most 31 days.",
    )
    async def get_site_recordings(
        self,
        work: NamedDependency[Work],
        recordings: NamedDependency[RecordingService],
        site_id: FromPath[UUID],
        range_from: RangeFrom = None,
        range_to: RangeTo = None,
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> SiteRecordings:
        return await recordings.of_site(work, site_id, range_from, range_to, cursor, limit)
