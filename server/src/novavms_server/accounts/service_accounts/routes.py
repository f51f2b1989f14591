"""/service-accounts"""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post

from novavms_server.accounts.service_accounts.models import (
    ApiKey,
    ApiKeyCreate,
    ApiKeyCreated,
    ServiceAccount,
    ServiceAccountCreate,
    ServiceAccountUpdate,
)
from novavms_server.accounts.service_accounts.service import ServiceAccountService
from novavms_server.kit.http import Cursor, FromPath, IfMatch, JSONBody, Limit, NamedDependency, role
from novavms_server.kit.pages import Page
from novavms_server.kit.versions import etag
from novavms_server.kit.work import Work

Accounts = NamedDependency[ServiceAccountService]


def _answer(account: ServiceAccount) -> Response[ServiceAccount]:
    return Response(account, headers={"ETag": etag(account.version)})


class ServiceAccountController(Controller):
    path = "/service-accounts"
    tags = ("Service accounts",)

    @get("/", opt=role("admin"), operation_id="listServiceAccounts", summary="List service accounts")
    async def list_accounts(
        self,
        work: NamedDependency[Work],
        service_accounts: Accounts,
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[ServiceAccount]:
        return await service_accounts.list(work, cursor, limit)

    @post("/", opt=role("admin"), operation_id="createServiceAccount", summary="Create a service account")
    async def create_account(
        self, work: NamedDependency[Work], service_accounts: Accounts, data: JSONBody[ServiceAccountCreate]
    ) -> Response[ServiceAccount]:
        return _answer(await service_accounts.create(work, data))

    @get(
        "/{account_id:str}",
        opt=role("admin"),
        operation_id="getServiceAccount",
        summary="Get a service account",
    )
    async def get_account(
        self, work: NamedDependency[Work], service_accounts: Accounts, account_id: FromPath[UUID]
    ) -> Response[ServiceAccount]:
        return _answer(await service_accounts.get(work, account_id))

    @patch(
        "/{account_id:str}",
        opt=role("admin"),
        operation_id="updateServiceAccount",
        summary="Change a service account",
    )
    async def update_account(
        self,
        work: NamedDependency[Work],
        service_accounts: Accounts,
        account_id: FromPath[UUID],
        data: JSONBody[ServiceAccountUpdate],
        if_match: IfMatch = None,
    ) -> Response[ServiceAccount]:
        """The role is fixed; `site_ids` is the whole list."""
        return _answer(await service_accounts.update(work, account_id, data, if_match))

    @delete(
        "/{account_id:str}",
        opt=role("admin"),
        operation_id="deleteServiceAccount",
        summary="Delete a service account",
    )
    async def delete_account(
        self,
        work: NamedDependency[Work],
        service_accounts: Accounts,
        account_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> None:
        """With its keys, which are refused from their next request on."""
        await service_accounts.delete(work, account_id, if_match)

    @get("/{account_id:str}/keys", opt=role("admin"), operation_id="listApiKeys", summary="List keys")
    async def list_keys(
        self,
        work: NamedDependency[Work],
        service_accounts: Accounts,
        account_id: FromPath[UUID],
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[ApiKey]:
        """By their prefix; the keys themselves are shown only when they are made."""
        return await service_accounts.keys(work, account_id, cursor, limit)

    @post("/{account_id:str}/keys", opt=role("admin"), operation_id="createApiKey", summary="Make a key")
    async def create_key(
        self,
        work: NamedDependency[Work],
        service_accounts: Accounts,
        account_id: FromPath[UUID],
        data: JSONBody[ApiKeyCreate | None] = None,
    ) -> ApiKeyCreated:
        """Shown once. Its first 12 characters are its public prefix."""
        return await service_accounts.create_key(work, account_id, data or ApiKeyCreate())

    @delete(
        "/{account_id:str}/keys/{key_id:str}",
        opt=role("admin"),
        operation_id="revokeApiKey",
        summary="Revoke a key",
    )
    async def revoke_key(
        self,
        work: NamedDependency[Work],
        service_accounts: Accounts,
        account_id: FromPath[UUID],
        key_id: FromPath[UUID],
    ) -> None:
        """Holds from the key's next request."""
        await service_accounts.revoke_key(work, account_id, key_id)
