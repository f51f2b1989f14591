"""/cameras/{id}/recordings, and how a whole site was recorded"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put, route
from litestar.params import QueryParameter
from litestar.response import Redirect
from msgspec import Meta

from novavms_server.events.models import Triggered
from novavms_server.kit.http import PUBLIC, Cursor, FromPath, JSONBody, Limit, NamedDependency, role
from novavms_server.kit.work import Work
from novavms_server.recordings.door import Poured, RelayDoor
from novavms_server.recordings.models import ClipCreate, Recordings, SiteRecordings
from novavms_server.recordings.past_clips import PastClips
from novavms_server.recordings.playback import Playback
from novavms_server.recordings.playlist import time_text
from novavms_server.recordings.service import RecordingService
from novavms_server.recordings.thumbnails import Thumbnails

_EDGE = "An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone"
RangeFrom = Annotated[
    str | None,
    QueryParameter(name="from", description=f"{_EDGE}, from its beginning. Unset: 24 hours before `to`."),
]
RangeTo = Annotated[
    str | None, QueryParameter(name="to", description=f"{_EDGE}, to its end. Unset, or ahead of now: now.")
]
PlayFrom = Annotated[
    str | None,
    QueryParameter(name="from", description=f"{_EDGE}: where to begin. Unset: an hour before `to`."),
]
PlayTo = Annotated[
    str | None, QueryParameter(name="to", description=f"{_EDGE}. Unset: an hour after `from`.")
]
TileCount = Annotated[int, Meta(ge=1, le=60), QueryParameter(ge=1, le=60, description="How many tiles.")]
TileWidth = Annotated[
    int, Meta(ge=32, le=640), QueryParameter(ge=32, le=640, description="Of one tile, in pixels.")
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

    @get(
        "/playback",
        opt=role("viewer"),
        status_code=302,
        operation_id="getCameraPlayback",
        summary="Play recorded footage (HLS)",
        description=(
            "Redirects to an HLS playlist (fragmented MP4) of the footage from `from` on: at most 24 hours, an hour where `to`"
            " is not given. The address is good for six hours, and no longer than the caller's right to see the camera. Bytes"
            " come straight from the gateway: 503 with `reason` while it is away. 404 with the gap's `reason` where there is none."
        ),
    )
    async def get_playback(
        self,
        work: NamedDependency[Work],
        playback: NamedDependency[Playback],
        camera_id: FromPath[UUID],
        range_from: PlayFrom = None,
        range_to: PlayTo = None,
    ) -> Redirect:
        return Redirect(await playback.address(work, camera_id, range_from, range_to))

    @post(
        "/clips",
        opt=role("operator"),
        status_code=202,
        operation_id="createCameraClip",
        summary="Cut a clip out of the recording",
        description=(
            "Of any past moment, at most an hour: an event with a clip, which is followed as a triggered one's at"
            " `GET /events/{event_id}`. 409 with the gap's `reason` where nothing was recorded; what is missing within"
            " is the clip's `gap_sec`. 503 with `reason` while the gateway is away."
        ),
    )
    async def create_clip(
        self,
        work: NamedDependency[Work],
        past_clips: NamedDependency[PastClips],
        camera_id: FromPath[UUID],
        data: JSONBody[ClipCreate],
    ) -> Triggered:
        return await past_clips.create(work, camera_id, data)

    @get(
        "/thumbnails",
        opt=role("viewer"),
        media_type="image/jpeg",
        operation_id="getCameraThumbnails",
        summary="A strip of pictures for a timeline (JPEG)",
        description=(
            "One JPEG of `count` tiles side by side, each the middle of its share of the range; at most 31 days. Headers:"
            " `X-Thumbnail-Times`, the time of each tile's picture, separated by commas, empty where there is no footage"
            " (the tile is black); `X-Thumbnail-Width` and `-Height` of one tile. 404 with the gap's `reason` where there is"
            " nothing at all, 503 with `reason` while the gateway is away."
        ),
    )
    async def get_thumbnails(
        self,
        work: NamedDependency[Work],
        thumbnails: NamedDependency[Thumbnails],
        camera_id: FromPath[UUID],
        range_from: PlayFrom = None,
        range_to: PlayTo = None,
        count: TileCount = 10,
        width: TileWidth = 160,
    ) -> Response[bytes]:
        strip = await thumbnails.strip(work, camera_id, range_from, range_to, count, width)
        times = ["" if at is None else time_text(at) for at in strip.tiles]
        headers = {
            "X-Thumbnail-Times": ",".join(times),
            "X-Thumbnail-Width": str(strip.width),
            "X-Thumbnail-Height": str(strip.height),
            "Cache-Control": "private, max-age=30",
        }
        return Response(strip.jpeg, media_type="image/jpeg", headers=headers)


class PlayController(Controller):
    """What players ask for. The address is the credential; see tickets.py."""

    path = "/play/{ticket:str}"
    include_in_schema = False

    @route("/index.m3u8", http_method=["GET", "HEAD"], opt=PUBLIC)
    async def get_playlist(self, playback: NamedDependency[Playback], ticket: FromPath[str]) -> Response[str]:
        return await playback.playlist(ticket)

    @route("/{name:str}", http_method=["GET", "HEAD"], opt=PUBLIC)
    async def get_file(
        self,
        request: Request[Any, Any, Any],
        playback: NamedDependency[Playback],
        ticket: FromPath[str],
        name: FromPath[str],
    ) -> Poured:
        return await playback.file(request, ticket, name)


class RelayController(Controller):
    """Where gateways PUT what somebody waits for; see relay.py."""

    path = "/relay"
    include_in_schema = False

    @put("/{token:str}", opt=PUBLIC, status_code=204)
    async def receive(
        self,
        request: Request[Any, Any, Any],
        relay_door: NamedDependency[RelayDoor],
        token: FromPath[str],
    ) -> None:
        await relay_door.receive(request, token)


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
