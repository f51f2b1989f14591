"""/stream"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, WebSocket, get, websocket
from litestar.params import HeaderParameter, QueryParameter

from novavms_server.kit.http import SOCKET, NamedDependency, role
from novavms_server.kit.work import Work
from novavms_server.stream.asked import read_types
from novavms_server.stream.doors import EventStream, StreamDoor
from novavms_server.stream.models import StreamItem
from novavms_server.stream.reader import Wanted
from novavms_server.stream.service import Streams

_ID = "The id of the last item that was received: what came after it is told first."
_DESCRIPTION = """\
Server-sent events: `event` is the type of a StreamItem, `id` its id, and `data` its `data` with its time, `at`. `hello` comes \
first, then what happens, with a comment every 15 s. To read on where one was, send the newest `id` as `Last-Event-ID`: for 24 \
hours nothing is missed; after that `reset` says so. An item may come twice. Viewers are told of the sites that they were \
granted; a change of role, grant or key holds within 5 s. `end` says why the stream ends. At most 20 streams of a key or user (429).

By WebSocket the same items come as messages. Send `Authorization`, or where that can't be set (browsers) \
`{"type": "auth", "token": "…"}` as the first message."""
Types = Annotated[
    str | None,
    QueryParameter(
        description="Only these, separated by commas: camera, camera_status, gateway, gateway_status, event, clip, alert."
    ),
]
LastEventId = Annotated[str | None, HeaderParameter(name="Last-Event-ID", description=_ID)]
LastEventIdQuery = Annotated[
    str | None, QueryParameter(name="last_event_id", description=_ID + " For whoever can't set the header.")
]


class StreamController(Controller):
    path = "/stream"
    tags = ("Stream",)

    @get(
        "/",
        opt=role("viewer", items={"StreamItem": StreamItem}),
        operation_id="streamChanges",
        summary="What changes, as it happens",
        description=_DESCRIPTION,
        media_type="text/event-stream",
    )
    async def stream_changes(
        self,
        request: Request[Any, Any, Any],
        work: NamedDependency[Work],
        streams: NamedDependency[Streams],
        types: Types = None,
        camera_id: Annotated[UUID | None, QueryParameter(description="Only of this camera.")] = None,
        site_id: Annotated[UUID | None, QueryParameter(description="Only at this site.")] = None,
        last_event_id: LastEventId = None,
        last_event_id_query: LastEventIdQuery = None,
    ) -> EventStream:
        wanted = Wanted(read_types(types), camera_id, site_id)
        authorization = request.headers["authorization"]
        last = last_event_id or last_event_id_query
        return EventStream(streams, await streams.open(work.caller, authorization, wanted, last))

    @websocket("/", opt=SOCKET)
    async def stream_socket(
        self, socket: WebSocket[Any, Any, Any], stream_door: NamedDependency[StreamDoor]
    ) -> None:
        await stream_door.serve(socket)
