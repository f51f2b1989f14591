"""/sites"""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post

from novavms_server.kit.http import Cursor, FromPath, IfMatch, JSONBody, Limit, NamedDependency, role
from novavms_server.kit.pages import Page
from novavms_server.kit.versions import etag
from novavms_server.kit.work import Work
from novavms_server.sites.models import Site, SiteCreate, SiteUpdate
from novavms_server.sites.service import SiteService


def _answer(site: Site) -> Response[Site]:
    return Response(site, headers={"ETag": etag(site.version)})


class SiteController(Controller):
    path = "/sites"
    tags = ("Sites",)

    @get("/", opt=role("viewer"), operation_id="listSites", summary="List sites")
    async def list_sites(
        self,
        work: NamedDependency[Work],
        sites: NamedDependency[SiteService],
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[Site]:
        return await sites.list(work, cursor, limit)

    @post("/", opt=role("admin"), operation_id="createSite", summary="Create a site")
    async def create_site(
        self, work: NamedDependency[Work], sites: NamedDependency[SiteService], data: JSONBody[SiteCreate]
    ) -> Response[Site]:
        return _answer(await sites.create(work, data))

    @get("/{site_id:str}", opt=role("viewer"), operation_id="getSite", summary="Get a site")
    async def get_site(
        self, work: NamedDependency[Work], sites: NamedDependency[SiteService], site_id: FromPath[UUID]
    ) -> Response[Site]:
        return _answer(await sites.get(work, site_id))

    @patch("/{site_id:str}", opt=role("admin"), operation_id="updateSite", summary="Change a site")
    async def update_site(
        self,
        work: NamedDependency[Work],
        sites: NamedDependency[SiteService],
        site_id: FromPath[UUID],
        data: JSONBody[SiteUpdate],
        if_match: IfMatch = None,
    ) -> Response[Site]:
        return _answer(await sites.update(work, site_id, data, if_match))

    @delete("/{site_id:str}", opt=role("admin"), operation_id="deleteSite", summary="Delete a site")
    async def delete_site(
        self,
        work: NamedDependency[Work],
        sites: NamedDependency[SiteService],
        site_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> None:
        await sites.delete(work, site_id, if_match)
