"""What admins can do with service accounts and their keys."""

from __future__ import annotations

from uuid import UUID

import msgspec
from msgspec import UNSET
from psycopg import errors as pg

from novavms_server.accounts.epoch import raise_epoch
from novavms_server.accounts.errors import NotOnYourself, ServiceAccountNameTaken
from novavms_server.accounts.grants import Grants, grant_problems
from novavms_server.accounts.keys import PREFIX_LENGTH, hash_token, make_key
from novavms_server.accounts.service_accounts import queries
from novavms_server.accounts.service_accounts.models import (
    ApiKey,
    ApiKeyCreate,
    ApiKeyCreated,
    ServiceAccount,
    ServiceAccountCreate,
    ServiceAccountUpdate,
)
from novavms_server.audit.service import record
from novavms_server.kit.errors import NotFound, ValidationError
from novavms_server.kit.ids import new_id
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.versions import require_match
from novavms_server.kit.work import Work

MISSING = "There is no such service account in your organization."


class ServiceAccountService:
    """Stateless; made once in `main`."""

    def __init__(self, cursors: Cursors, grants: Grants) -> None:
        self._cursors = cursors
        self._grants = grants

    async def list(self, work: Work, cursor: str | None, limit: int) -> Page[ServiceAccount]:
        """Newest first."""
        belongs = ("service-accounts", work.caller.org_id)
        before = self._cursors.before(cursor, belongs)
        rows, total = await work.read(
            queries.page(work.caller, before, limit + 1), queries.total(work.caller)
        )
        return self._cursors.page(belongs, rows, limit, total[0][0])

    async def get(self, work: Work, account_id: UUID) -> ServiceAccount:
        account: ServiceAccount = await work.get(queries.by_id(work.caller, account_id), MISSING)
        return account

    async def create(self, work: Work, asked: ServiceAccountCreate) -> ServiceAccount:
        account_id = new_id()
        try:
            await work.execute(
                "INSERT INTO service_accounts (org_id, id, name, role, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s)",
                (work.caller.org_id, account_id, asked.name, asked.role, work.now, work.now),
            )
        except pg.UniqueViolation:
            raise ServiceAccountNameTaken from None
        await self._grants.replace(work, "service_account", account_id, asked.site_ids or [])
        account = await self.get(work, account_id)
        await record(work, "service_account.created", "service_account", account_id, after=account)
        return account

    async def update(
        self, work: Work, account_id: UUID, asked: ServiceAccountUpdate, if_match: str | None
    ) -> ServiceAccount:
        """Holds from the next request of its keys."""
        connection = await work.write()
        before: ServiceAccount = await work.get(queries.by_id(work.caller, account_id, lock=True), MISSING)
        require_match(if_match, before.version)
        given = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not UNSET}
        found = list(grant_problems(before.role, given.get("site_ids", before.site_ids)))
        if found:
            raise ValidationError(found)
        if account_id == work.caller.id and given.keys() & {"enabled", "site_ids"}:
            raise NotOnYourself
        try:
            await work.execute(
                "UPDATE service_accounts SET name = %s, enabled = %s, version = version + 1, updated_at = %s"
                " WHERE org_id = %s AND id = %s",
                (
                    *(given.get("name", before.name), given.get("enabled", before.enabled)),
                    *(work.now, work.caller.org_id, account_id),
                ),
            )
        except pg.UniqueViolation:
            raise ServiceAccountNameTaken from None
        if given.get("site_ids") is not None and before.role == "viewer":
            await self._grants.replace(work, "service_account", account_id, given["site_ids"])
        after = await self.get(work, account_id)
        await record(
            work, "service_account.updated", "service_account", account_id, before=before, after=after
        )
        await raise_epoch(connection, work.caller.org_id)
        return after

    async def delete(self, work: Work, account_id: UUID, if_match: str | None) -> None:
        """For good, with its keys."""
        connection = await work.write()
        before: ServiceAccount = await work.get(queries.by_id(work.caller, account_id, lock=True), MISSING)
        if account_id == work.caller.id:
            raise NotOnYourself("A service account can't delete itself.")
        require_match(if_match, before.version)
        await work.execute(
            "DELETE FROM service_accounts WHERE org_id = %s AND id = %s", (work.caller.org_id, account_id)
        )
        await record(work, "service_account.deleted", "service_account", account_id, before=before)
        await raise_epoch(connection, work.caller.org_id)

    async def create_key(self, work: Work, account_id: UUID, asked: ApiKeyCreate) -> ApiKeyCreated:
        """The key is in the answer and nowhere else; only a hash of it is kept."""
        if asked.expires_at is not None and asked.expires_at <= work.now:
            raise ValidationError.of("expires_at", "expires_at must be in the future")
        await work.write()
        await work.get(queries.by_id(work.caller, account_id, lock=True), MISSING)
        sandbox = (await work.get(queries.sandbox(work.caller)))[0]
        key = make_key(sandbox=sandbox)
        made = ApiKeyCreated(new_id(), asked.name, key[:PREFIX_LENGTH], key, work.now, asked.expires_at)
        await work.execute(
            "INSERT INTO api_keys (org_id, id, service_account_id, name, prefix, hash, created_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *(work.caller.org_id, made.id, account_id, made.name, made.prefix, hash_token(key)),
                *(made.created_at, made.expires_at),
            ),
        )
        facts = {"service_account_id": account_id, "name": made.name, "prefix": made.prefix}
        await record(work, "api_key.created", "api_key", made.id, after=facts)
        return made

    async def keys(self, work: Work, account_id: UUID, cursor: str | None, limit: int) -> Page[ApiKey]:
        """Newest first, revoked ones too; prefixes only."""
        belongs = ("api-keys", work.caller.org_id, account_id)
        before = self._cursors.before(cursor, belongs)
        found, rows, total = await work.read(
            queries.by_id(work.caller, account_id),
            queries.keys(work.caller, account_id, before, limit + 1),
            queries.key_total(work.caller, account_id),
        )
        if not found:
            raise NotFound(MISSING)
        return self._cursors.page(belongs, rows, limit, total[0][0])

    async def revoke_key(self, work: Work, account_id: UUID, key_id: UUID) -> None:
        """Holds from the key's next request. A key may revoke itself. Revoking twice changes nothing."""
        connection = await work.write()
        touched = await work.execute(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, %s)"
            " WHERE org_id = %s AND service_account_id = %s AND id = %s",
            (work.now, work.caller.org_id, account_id, key_id),
        )
        if touched != 1:
            raise NotFound("There is no such key.")
        await record(work, "api_key.revoked", "api_key", key_id)
        await raise_epoch(connection, work.caller.org_id)
