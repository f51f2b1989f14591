"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.events`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from novavms._async.resource import AsyncResource
from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms.types import Event, EventDetail, ShareCreated

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from novavms._async.pages import AsyncPage
    from novavms._async.resources.events_shares import AsyncEventsSharesResource
    from novavms.types import AiStatus, TriggerType


class AsyncEventsOperations(AsyncResource):
    """`client.events`"""

    @cached_property
    def shares(self) -> AsyncEventsSharesResource:
        from novavms._async.resources.events_shares import AsyncEventsSharesResource

        return AsyncEventsSharesResource(self._transport)

    async def list(
        self,
        *,
        acknowledged: bool | None = None,
        ai_status: AiStatus | None = None,
        camera_id: str | UUID | None = None,
        cursor: str | None = None,
        date_from: str | date | datetime | None = None,
        date_to: str | date | datetime | None = None,
        limit: int | None = None,
        q: str | None = None,
        site_id: str | UUID | None = None,
        starred: bool | None = None,
        tag: str | None = None,
        trigger_type: TriggerType | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> AsyncPage[Event]:
        """List events.

        Args:
            acknowledged: Only seen, or unseen ones.
            ai_status: How far its analysis is.
            camera_id: Only of this camera.
            cursor: `next_cursor` of the page before.
            date_from: An RFC 3339 time, or a day (YYYY-MM-DD) in the time zone of each event's site. From here on; a day from its beginning.
            date_to: An RFC 3339 time, or a day (YYYY-MM-DD) in the time zone of each event's site. Up to, without this time; a day to its end.
            limit: Rows on a page; 1 to 100; default 20.
            q: Part of the note, the summary or the camera's name, in any case; at most 200 characters.
            site_id: Only at this site.
            starred: Only with, or without a star.
            tag: Only events with this tag; at most 100 characters.
            trigger_type: Why it began.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.page(
            "/api/v1/events",
            Event,
            query={
                "acknowledged": acknowledged,
                "ai_status": ai_status,
                "camera_id": camera_id,
                "cursor": cursor,
                "date_from": date_from,
                "date_to": date_to,
                "limit": limit,
                "q": q,
                "site_id": site_id,
                "starred": starred,
                "tag": tag,
                "trigger_type": trigger_type,
            },
            timeout=timeout,
        )

    async def get(self, event_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> EventDetail:
        """Get an event.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "GET", f"/api/v1/events/{segment(event_id)}", EventDetail, timeout=timeout
        )

    async def update(
        self,
        event_id: str | UUID,
        *,
        acknowledged: bool | NotGiven = NOT_GIVEN,
        starred: bool | NotGiven = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> EventDetail:
        """Change an event.

        Needs the role operator or higher.

        Args:
            note: At most 500 characters.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "PATCH",
            f"/api/v1/events/{segment(event_id)}",
            EventDetail,
            body={"acknowledged": acknowledged, "starred": starred, "note": note},
            if_match=if_match,
            timeout=timeout,
        )

    async def delete(
        self, event_id: str | UUID, *, if_match: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Delete an event.

        Needs the role admin or higher.

        Args:
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing(
            "DELETE", f"/api/v1/events/{segment(event_id)}", if_match=if_match, timeout=timeout
        )

    async def clip_url(self, event_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> str:
        """Play an event's clip.

        Redirects to the MP4, by a link that is good for ten minutes and takes byte ranges. 409 while the
        clip is being made.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.location(f"/api/v1/events/{segment(event_id)}/clip", timeout=timeout)

    async def snapshot_url(self, event_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> str:
        """An event's picture.

        Redirects to a JPEG, by a link that is good for ten minutes.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.location(f"/api/v1/events/{segment(event_id)}/snapshot", timeout=timeout)

    async def share(
        self,
        event_id: str | UUID,
        *,
        expires_in: Literal["1h", "24h", "7d", "30d"] | NotGiven = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> ShareCreated:
        """Share an event by a link.

        Whoever has the link sees the event's picture and clip until it runs out or is revoked. It is shown
        this once.

        Needs the role operator or higher.

        Args:
            expires_in: How long the link works; default "24h".
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "POST",
            f"/api/v1/events/{segment(event_id)}/share",
            ShareCreated,
            body={"expires_in": expires_in},
            key=idempotency_key,
            timeout=timeout,
        )
