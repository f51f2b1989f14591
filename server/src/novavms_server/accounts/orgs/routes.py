"""/orgs/current"""

from __future__ import annotations

from litestar import Controller, Response, delete, get, patch, post

from novavms_server.accounts.orgs.models import Nomination, NominationCreate, Org, OrgUpdate
from novavms_server.accounts.orgs.service import OrgService
from novavms_server.kit.http import IfMatch, JSONBody, NamedDependency, role
from novavms_server.kit.versions import etag
from novavms_server.kit.work import Work


def _answer(org: Org) -> Response[Org]:
    return Response(org, headers={"ETag": etag(org.version)})


class OrgController(Controller):
    path = "/orgs/current"
    tags = ("Organization",)

    @get("/", opt=role("viewer"), operation_id="getOrg", summary="Get the organization")
    async def get_org(self, work: NamedDependency[Work], orgs: NamedDependency[OrgService]) -> Response[Org]:
        return _answer(await orgs.get(work))

    @patch("/", opt=role("admin"), operation_id="updateOrg", summary="Change the organization")
    async def update_org(
        self,
        work: NamedDependency[Work],
        orgs: NamedDependency[OrgService],
        data: JSONBody[OrgUpdate],
        if_match: IfMatch = None,
    ) -> Response[Org]:
        return _answer(await orgs.update(work, data, if_match))

    @get(
        "/owner-nomination",
        opt=role("admin"),
        operation_id="getOwnerNomination",
        summary="Get the open nomination",
    )
    async def get_nomination(
        self, work: NamedDependency[Work], orgs: NamedDependency[OrgService]
    ) -> Nomination:
        return await orgs.nomination(work)

    @post(
        "/owner-nomination", opt=role("owner"), operation_id="nominateOwner", summary="Nominate a new owner"
    )
    async def nominate(
        self, work: NamedDependency[Work], orgs: NamedDependency[OrgService], data: JSONBody[NominationCreate]
    ) -> Nomination:
        """An enabled admin, who has 7 days to accept. One nomination at a time."""
        return await orgs.nominate(work, data)

    @delete(
        "/owner-nomination",
        opt=role("admin"),
        operation_id="withdrawOwnerNomination",
        summary="Withdraw or decline the nomination",
    )
    async def withdraw(self, work: NamedDependency[Work], orgs: NamedDependency[OrgService]) -> None:
        await orgs.withdraw(work)

    @post(
        "/owner-nomination/accept",
        status_code=200,
        opt=role("admin"),
        operation_id="acceptOwnerNomination",
        summary="Accept the nomination",
    )
    async def accept(self, work: NamedDependency[Work], orgs: NamedDependency[OrgService]) -> Response[Org]:
        """The caller becomes the owner and the former owner an admin, in one step."""
        return _answer(await orgs.accept(work))
