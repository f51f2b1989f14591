"""/events/{id}/share, /events/{id}/shares, and what a shared link opens"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.response import Redirect

from novavms_server.kit.errors import ApiError
from novavms_server.kit.http import (
    PUBLIC,
    Cursor,
    FromPath,
    JSONBody,
    Limit,
    NamedDependency,
    exchange_of,
    role,
)
from novavms_server.kit.pages import Page
from novavms_server.kit.work import Work
from novavms_server.shares.models import Share, ShareCreate, ShareCreated
from novavms_server.shares.page import HEADERS, render, render_failure
from novavms_server.shares.service import ShareService


class ShareController(Controller):
    path = "/events/{event_id:str}"
    tags = ("Events",)

    @post(
        "/share",
        opt=role("operator"),
        operation_id="shareEvent",
        summary="Share an event by a link",
        description="Whoever has the link sees the event's picture and clip until it runs out or is revoked. It is shown this once.",
    )
    async def share_event(
        self,
        work: NamedDependency[Work],
        shares: NamedDependency[ShareService],
        event_id: FromPath[UUID],
        data: JSONBody[ShareCreate],
    ) -> ShareCreated:
        return await shares.create(work, event_id, data)

    @get(
        "/shares",
        opt=role("operator"),
        operation_id="listEventShares",
        summary="List an event's shared links",
        description="Newest first, also those that ran out or were revoked.",
    )
    async def list_shares(
        self,
        work: NamedDependency[Work],
        shares: NamedDependency[ShareService],
        event_id: FromPath[UUID],
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[Share]:
        return await shares.list(work, event_id, cursor, limit)

    @delete(
        "/shares/{share_id:str}",
        opt=role("operator"),
        operation_id="revokeEventShare",
        summary="Revoke a shared link",
    )
    async def revoke_share(
        self,
        work: NamedDependency[Work],
        shares: NamedDependency[ShareService],
        event_id: FromPath[UUID],
        share_id: FromPath[UUID],
    ) -> None:
        await shares.revoke(work, event_id, share_id)


class SharedController(Controller):
    """The link itself is the credential."""

    path = "/shared/{token:str}"
    include_in_schema = False

    @get("/", opt=PUBLIC)
    async def show(
        self, request: Request[Any, Any, Any], shares: NamedDependency[ShareService], token: FromPath[str]
    ) -> Response[Any]:
        """A page for browsers, JSON for the rest."""
        for_people = "text/html" in request.headers.get("accept", "")
        try:
            event = await shares.show(token, exchange_of(request).request_id)
        except ApiError as error:
            if not for_people:
                raise
            text = render_failure(error.message)
            return Response(text, status_code=error.status, media_type="text/html", headers=HEADERS)
        if for_people:
            return Response(render(event), media_type="text/html", headers=HEADERS)
        return Response(msgspec.json.encode(event), media_type="application/json", headers=HEADERS)

    @get("/clip", opt=PUBLIC, status_code=302)
    async def clip(
        self, request: Request[Any, Any, Any], shares: NamedDependency[ShareService], token: FromPath[str]
    ) -> Redirect:
        return Redirect(await shares.clip_link(token, exchange_of(request).request_id), headers=HEADERS)

    @get("/snapshot", opt=PUBLIC, status_code=302)
    async def snapshot(
        self, request: Request[Any, Any, Any], shares: NamedDependency[ShareService], token: FromPath[str]
    ) -> Redirect:
        return Redirect(await shares.snapshot_link(token, exchange_of(request).request_id), headers=HEADERS)
