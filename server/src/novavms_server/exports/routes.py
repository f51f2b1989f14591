"""/exports, and the organization's signing key"""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.response import Redirect

from novavms_server.exports.models import Export, ExportCreate, SigningKey
from novavms_server.exports.service import ExportService
from novavms_server.kit.http import Cursor, FromPath, JSONBody, Limit, NamedDependency, role
from novavms_server.kit.pages import Page
from novavms_server.kit.work import Work


class ExportController(Controller):
    path = "/exports"
    tags = ("Exports",)

    @get("/", opt=role("operator"), operation_id="listExports", summary="List exports")
    async def list_exports(
        self,
        work: NamedDependency[Work],
        exports: NamedDependency[ExportService],
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[Export]:
        return await exports.list(work, cursor, limit)

    @post(
        "/",
        opt=role("operator"),
        status_code=202,
        operation_id="createExport",
        summary="Export footage as evidence",
        description="At most an hour, of one camera (an MP4) or up to 16 (a ZIP), signed with the organization's key. It is made in the "
        "background; one whose gateway is offline waits for it, for a week.",
    )
    async def create_export(
        self,
        work: NamedDependency[Work],
        exports: NamedDependency[ExportService],
        data: JSONBody[ExportCreate],
    ) -> Export:
        return await exports.create(work, data)

    @get("/{export_id:str}", opt=role("operator"), operation_id="getExport", summary="Get an export")
    async def get_export(
        self,
        work: NamedDependency[Work],
        exports: NamedDependency[ExportService],
        export_id: FromPath[UUID],
    ) -> Export:
        return await exports.get(work, export_id)

    @get(
        "/{export_id:str}/download",
        opt=role("operator"),
        status_code=302,
        operation_id="downloadExport",
        summary="Download an export",
        description="Redirects to the file, by a link that is good for ten minutes. 409 while it is being made. "
        "`novavms-verify` checks it offline.",
    )
    async def download_export(
        self,
        work: NamedDependency[Work],
        exports: NamedDependency[ExportService],
        export_id: FromPath[UUID],
    ) -> Redirect:
        return Redirect(await exports.link(work, export_id))

    @delete("/{export_id:str}", opt=role("operator"), operation_id="deleteExport", summary="Delete an export")
    async def delete_export(
        self,
        work: NamedDependency[Work],
        exports: NamedDependency[ExportService],
        export_id: FromPath[UUID],
    ) -> None:
        await exports.delete(work, export_id)


class SigningKeyController(Controller):
    path = "/orgs/current/signing-key"
    tags = ("Exports",)

    @get(
        "/",
        opt=role("viewer"),
        operation_id="getSigningKey",
        summary="The key that exports are signed with",
        description="Its public half. Tell its fingerprint to whoever is to verify your exports.",
    )
    async def get_signing_key(
        self, work: NamedDependency[Work], exports: NamedDependency[ExportService]
    ) -> SigningKey:
        return await exports.signing_key(work)
