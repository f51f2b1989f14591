"""/events/{id}/clip and /snapshot, the gateways' uploads, and the links into our own store"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put, route
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Redirect
from msgspec import Meta

from novavms_server.clips.models import UploadAsk, UploadTicket
from novavms_server.clips.service import ClipService
from novavms_server.clips.serving import StoreDoor
from novavms_server.clips.uploads import Uploads
from novavms_server.events.service import EventService
from novavms_server.kit.http import PUBLIC, NamedDependency, role
from novavms_server.kit.work import Work

Expires = FromQuery[Annotated[int, Meta(ge=0, le=2**40)]]
Signature = FromQuery[Annotated[str, Meta(max_length=100)]]


class EventClipController(Controller):
    path = "/events/{event_id:str}"
    tags = ("Events",)

    @get(
        "/clip",
        opt=role("viewer"),
        status_code=302,
        operation_id="getEventClip",
        summary="Play an event's clip",
        description="Redirects to the MP4, by a link that is good for ten minutes and takes byte ranges. 409 while the clip is being made.",
    )
    async def get_clip(
        self,
        work: NamedDependency[Work],
        events: NamedDependency[EventService],
        clips: NamedDependency[ClipService],
        event_id: FromPath[UUID],
    ) -> Redirect:
        await events.look(work, event_id)
        return Redirect(await clips.clip_link(work, event_id))

    @get(
        "/snapshot",
        opt=role("viewer"),
        status_code=302,
        operation_id="getEventSnapshot",
        summary="An event's picture",
        description="Redirects to a JPEG, by a link that is good for ten minutes.",
    )
    async def get_snapshot(
        self,
        work: NamedDependency[Work],
        events: NamedDependency[EventService],
        clips: NamedDependency[ClipService],
        event_id: FromPath[UUID],
    ) -> Redirect:
        return Redirect(await clips.snapshot_link(work, await events.look(work, event_id)))


class UploadController(Controller):
    path = "/gateways/{gateway_id:str}/clips/{clip_id:str}"
    include_in_schema = False

    @post("/upload", opt=PUBLIC, status_code=200)
    async def ask_upload(
        self,
        request: Request[Any, Any, Any],
        uploads: NamedDependency[Uploads],
        gateway_id: FromPath[UUID],
        clip_id: FromPath[UUID],
        data: JSONBody[UploadAsk],
    ) -> UploadTicket:
        """By the gateway's own token; see uploads.py."""
        return await uploads.ticket(gateway_id, request.headers.get("authorization"), clip_id, data)


class StoreController(Controller):
    path = "/store"
    include_in_schema = False

    @route("/{key:path}", http_method=["GET", "HEAD"], opt=PUBLIC)
    async def read_object(
        self,
        request: Request[Any, Any, Any],
        store_door: NamedDependency[StoreDoor],
        key: FromPath[str],
        expires: Expires,
        signature: Signature,
        name: FromQuery[Annotated[str, Meta(max_length=300)]] = "",
    ) -> Response[Any]:
        return await store_door.send(request, key, expires=expires, signature=signature, file_name=name)

    @put("/{key:path}", opt=PUBLIC, status_code=204)
    async def write_object(
        self,
        request: Request[Any, Any, Any],
        store_door: NamedDependency[StoreDoor],
        key: FromPath[str],
        expires: Expires,
        signature: Signature,
        size: FromQuery[Annotated[int, Meta(ge=0, le=2**31)]],
    ) -> None:
        await store_door.receive(request, key, expires=expires, size_bytes=size, signature=signature)
