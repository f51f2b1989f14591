"""/cameras"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import QueryParameter
from msgspec import Meta

from novavms_server.cameras.models import (
    Camera,
    CameraCreate,
    CameraDetail,
    CameraTest,
    CameraType,
    CameraUpdate,
    CheckReport,
    ConnectionMode,
    Filters,
    Sort,
    Status,
)
from novavms_server.cameras.moving import MoveService
from novavms_server.cameras.service import CameraService, OnDuplicate
from novavms_server.cameras.watching import CheckStages, CheckWatches
from novavms_server.kit.http import Cursor, FromPath, IfMatch, JSONBody, Limit, NamedDependency, role
from novavms_server.kit.pages import Page
from novavms_server.kit.work import Work

SiteFilter = Annotated[UUID | None, QueryParameter(description="Only cameras on this site.")]
GatewayFilter = Annotated[UUID | None, QueryParameter(description="Only cameras of this gateway.")]
StatusFilter = Annotated[Status | None, QueryParameter(description="Only cameras in this state.")]
TypeFilter = Annotated[CameraType | None, QueryParameter(description="Only cameras of this type.")]
ModeFilter = Annotated[ConnectionMode | None, QueryParameter(description="Only cameras connected this way.")]
NameSearch = Annotated[
    Annotated[str, Meta(max_length=100)] | None,
    QueryParameter(
        max_length=100, description="Only cameras with this in their name, upper and lower case alike."
    ),
]
Order = Annotated[Sort, QueryParameter(description="`-` for descending.")]
Width = Annotated[
    Annotated[int, Meta(ge=16, le=3840)] | None,
    QueryParameter(ge=16, le=3840, description="Pixels; unset: as recorded."),
]
Duplicates = Annotated[
    OnDuplicate,
    QueryParameter(description="`reject`: 409 where the same stream of the same camera is added already."),
]


CheckId = Annotated[
    UUID | None,
    QueryParameter(
        description="Made up by you: the stages can then be followed at `/cameras/checks/{check_id}`."
    ),
]
After = Annotated[
    Annotated[int, Meta(ge=0, le=1000)],
    QueryParameter(ge=0, le=1000, description="How many stages you have seen: `next` of the answer before."),
]
WaitSec = Annotated[
    Annotated[float, Meta(ge=0, le=20)],
    QueryParameter(ge=0, le=20, description="How long to wait for more, in seconds."),
]


def _answer(camera: CameraDetail, tag: str) -> Response[CameraDetail]:
    return Response(camera, headers={"ETag": tag})


class CameraController(Controller):
    path = "/cameras"
    tags = ("Cameras",)

    @get(
        "/",
        opt=role("viewer"),
        operation_id="listCameras",
        summary="List cameras",
        description="A viewer's are those of the sites it was granted; naming another site is 403.",
    )
    async def list_cameras(
        self,
        work: NamedDependency[Work],
        cameras: NamedDependency[CameraService],
        site_id: SiteFilter = None,
        gateway_id: GatewayFilter = None,
        status: StatusFilter = None,
        type: TypeFilter = None,  # noqa: A002 - the contract's word
        connection_mode: ModeFilter = None,
        q: NameSearch = None,
        sort: Order = "-created_at",
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[Camera]:
        filters = Filters(
            site_id=site_id,
            gateway_id=gateway_id,
            status=status,
            type=type,
            connection_mode=connection_mode,
            q=q or None,
            sort=sort,
        )
        return await cameras.list(work, filters, cursor, limit)

    @post(
        "/",
        opt=role("operator"),
        operation_id="createCamera",
        summary="Add a camera",
        description=(
            "Gateway-bound: the gateway checks address and credentials before the answer, up to 15 s; a failed check is a"
            " 400 with `reason`, `hint` and the whole report as `check`, and nothing of the camera stays. Direct: answers"
            " at once with status `pending`."
        ),
    )
    async def create_camera(
        self,
        work: NamedDependency[Work],
        cameras: NamedDependency[CameraService],
        data: JSONBody[CameraCreate],
        checks: NamedDependency[CheckWatches],
        on_duplicate: Duplicates = "warn",
        check_id: CheckId = None,
    ) -> Response[CameraDetail]:
        with checks.open(work.caller.org_id, check_id) as on_stage:
            return _answer(*await cameras.create(work, data, on_duplicate, on_stage))

    @post(
        "/test",
        opt=role("operator"),
        status_code=200,
        operation_id="testCamera",
        summary="Check a camera without adding it",
        description="The report is a 200 whether or not the camera works: see its `ok`.",
    )
    async def test_camera(
        self,
        work: NamedDependency[Work],
        cameras: NamedDependency[CameraService],
        checks: NamedDependency[CheckWatches],
        data: JSONBody[CameraTest],
        check_id: CheckId = None,
    ) -> CheckReport:
        with checks.open(work.caller.org_id, check_id) as on_stage:
            return msgspec.convert(await cameras.test(work, data, on_stage), CheckReport)

    @get(
        "/checks/{check_id:str}",
        opt=role("operator"),
        operation_id="getCheckStages",
        summary="Follow a running check",
        description=(
            "The stages of a check that was begun with this `check_id`, as they pass: waits until there are more than `after`,"
            " or `wait_sec` is over. 404 before it began and from a minute after its end; the report itself is in the answer"
            " of the request that began it."
        ),
    )
    async def get_check_stages(
        self,
        work: NamedDependency[Work],
        checks: NamedDependency[CheckWatches],
        check_id: FromPath[UUID],
        after: After = 0,
        wait_sec: WaitSec = 0,
    ) -> CheckStages:
        await work.read()  # is the caller still who it was
        return await checks.read(work.caller.org_id, check_id, after, wait_sec)

    @get("/{camera_id:str}", opt=role("viewer"), operation_id="getCamera", summary="Get a camera")
    async def get_camera(
        self,
        work: NamedDependency[Work],
        cameras: NamedDependency[CameraService],
        camera_id: FromPath[UUID],
    ) -> Response[CameraDetail]:
        return _answer(*await cameras.get(work, camera_id))

    @patch(
        "/{camera_id:str}",
        opt=role("operator"),
        operation_id="updateCamera",
        summary="Change a camera",
        description=(
            "A change of address, credentials or transport of a gateway-bound camera is checked first; where the check"
            " fails, the answer is a 400 and the camera stays exactly as it was."
        ),
    )
    async def update_camera(
        self,
        work: NamedDependency[Work],
        cameras: NamedDependency[CameraService],
        camera_id: FromPath[UUID],
        checks: NamedDependency[CheckWatches],
        data: JSONBody[CameraUpdate],
        if_match: IfMatch = None,
        check_id: CheckId = None,
    ) -> Response[CameraDetail]:
        with checks.open(work.caller.org_id, check_id) as on_stage:
            return _answer(*await cameras.update(work, camera_id, data, if_match, on_stage))

    @delete(
        "/{camera_id:str}",
        opt=role("operator"),
        operation_id="deleteCamera",
        summary="Delete a camera",
        description="Its events and recordings stay readable.",
    )
    async def delete_camera(
        self,
        work: NamedDependency[Work],
        cameras: NamedDependency[CameraService],
        camera_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> None:
        await cameras.delete(work, camera_id, if_match)

    @post(
        "/{camera_id:str}/accept-move",
        opt=role("operator"),
        status_code=200,
        operation_id="acceptCameraMove",
        summary="Let a camera be where it was found",
        description=(
            "`moved_to` names the address at which its gateway found a missing camera. It is checked there with its own"
            " login, up to 15 s; where that fails, or another device answers, the answer is a 400 and nothing changes."
        ),
    )
    async def accept_move(
        self,
        work: NamedDependency[Work],
        moves: NamedDependency[MoveService],
        camera_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> Response[CameraDetail]:
        return _answer(*await moves.accept(work, camera_id, if_match))

    @delete(
        "/{camera_id:str}/move",
        opt=role("operator"),
        operation_id="dismissCameraMove",
        summary="Dismiss the address at which a camera was found",
        description="The same address is not offered again until the camera was back.",
    )
    async def dismiss_move(
        self,
        work: NamedDependency[Work],
        moves: NamedDependency[MoveService],
        camera_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> None:
        await moves.dismiss(work, camera_id, if_match)

    @get(
        "/{camera_id:str}/snapshot",
        opt=role("viewer"),
        media_type="image/jpeg",
        operation_id="getCameraSnapshot",
        summary="A picture now (JPEG)",
    )
    async def get_snapshot(
        self,
        work: NamedDependency[Work],
        cameras: NamedDependency[CameraService],
        camera_id: FromPath[UUID],
        width: Width = None,
    ) -> Response[bytes]:
        return Response(await cameras.snapshot(work, camera_id, width), media_type="image/jpeg")
