"""/events, and /cameras/{id}/trigger"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import QueryParameter

from novavms_server.events.models import (
    AiStatus,
    Event,
    EventDetail,
    EventFilter,
    EventUpdate,
    Trigger,
    Triggered,
    TriggerType,
)
from novavms_server.events.service import EventService
from novavms_server.kit.http import Cursor, FromPath, IfMatch, JSONBody, Limit, NamedDependency, role
from novavms_server.kit.pages import Page
from novavms_server.kit.work import Work

_DAYS = "An RFC 3339 time, or a day (YYYY-MM-DD) in the time zone of each event's site."
DateFrom = Annotated[
    str | None, QueryParameter(description=_DAYS + " From here on; a day from its beginning.")
]
DateTo = Annotated[
    str | None, QueryParameter(description=_DAYS + " Up to, without this time; a day to its end.")
]
Tag = Annotated[str | None, QueryParameter(max_length=100, description="Only events with this tag.")]
Search = Annotated[
    str | None,
    QueryParameter(
        max_length=200, description="Part of the note, the summary or the camera's name, in any case."
    ),
]


_PLAIN = Trigger()


class TriggerController(Controller):
    path = "/cameras/{camera_id:str}/trigger"
    tags = ("Cameras",)

    @post(
        "/",
        opt=role("operator", body_may_be_empty=True),
        status_code=202,
        operation_id="triggerCamera",
        summary="Record a clip now",
        description="Once in 5 seconds for each camera, whoever asks.",
    )
    async def trigger_camera(
        self,
        work: NamedDependency[Work],
        events: NamedDependency[EventService],
        camera_id: FromPath[UUID],
        data: JSONBody[Trigger] = _PLAIN,
    ) -> Triggered:
        return await events.trigger(work, camera_id, data)


class EventController(Controller):
    path = "/events"
    tags = ("Events",)

    @get("/", opt=role("viewer"), operation_id="listEvents", summary="List events")
    async def list_events(
        self,
        work: NamedDependency[Work],
        events: NamedDependency[EventService],
        camera_id: Annotated[UUID | None, QueryParameter(description="Only of this camera.")] = None,
        site_id: Annotated[UUID | None, QueryParameter(description="Only at this site.")] = None,
        date_from: DateFrom = None,
        date_to: DateTo = None,
        trigger_type: Annotated[TriggerType | None, QueryParameter(description="Why it began.")] = None,
        ai_status: Annotated[AiStatus | None, QueryParameter(description="How far its analysis is.")] = None,
        starred: Annotated[bool | None, QueryParameter(description="Only with, or without a star.")] = None,
        acknowledged: Annotated[bool | None, QueryParameter(description="Only seen, or unseen ones.")] = None,
        tag: Tag = None,
        q: Search = None,
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[Event]:
        asked = EventFilter(
            camera_id, site_id, date_from, date_to, trigger_type, ai_status, starred, acknowledged, tag, q
        )
        return await events.list(work, asked, cursor, limit)

    @get(
        "/{event_id:str}",
        opt=role("viewer", tagged=True),
        operation_id="getEvent",
        summary="Get an event",
    )
    async def get_event(
        self, work: NamedDependency[Work], events: NamedDependency[EventService], event_id: FromPath[UUID]
    ) -> Response[EventDetail]:
        event, tag = await events.get(work, event_id)
        return Response(event, headers={"ETag": tag})

    @patch(
        "/{event_id:str}",
        opt=role("operator", tagged=True),
        operation_id="updateEvent",
        summary="Change an event",
    )
    async def update_event(
        self,
        work: NamedDependency[Work],
        events: NamedDependency[EventService],
        event_id: FromPath[UUID],
        data: JSONBody[EventUpdate],
        if_match: IfMatch = None,
    ) -> Response[EventDetail]:
        event, tag = await events.update(work, event_id, data, if_match)
        return Response(event, headers={"ETag": tag})

    @delete("/{event_id:str}", opt=role("admin"), operation_id="deleteEvent", summary="Delete an event")
    async def delete_event(
        self,
        work: NamedDependency[Work],
        events: NamedDependency[EventService],
        event_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> None:
        await events.delete(work, event_id, if_match)
