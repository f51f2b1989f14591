"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.service_accounts.keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novavms._async.resource import AsyncResource
from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms.types import ApiKey, ApiKeyCreated

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from novavms._async.pages import AsyncPage


class AsyncServiceAccountsKeysResource(AsyncResource):
    """`client.service_accounts.keys`"""

    async def list(
        self,
        account_id: str | UUID,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> AsyncPage[ApiKey]:
        """List keys.

        Needs the role admin or higher.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.page(
            f"/api/v1/service-accounts/{segment(account_id)}/keys",
            ApiKey,
            query={"cursor": cursor, "limit": limit},
            timeout=timeout,
        )

    async def create(
        self,
        account_id: str | UUID,
        *,
        name: str | NotGiven | None = NOT_GIVEN,
        expires_at: datetime | str | NotGiven | None = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> ApiKeyCreated:
        """Make a key.

        Needs the role admin or higher.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            expires_at: Unset: never.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "POST",
            f"/api/v1/service-accounts/{segment(account_id)}/keys",
            ApiKeyCreated,
            body={"name": name, "expires_at": expires_at},
            key=idempotency_key,
            timeout=timeout,
        )

    async def revoke(
        self, account_id: str | UUID, key_id: str | UUID, *, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Revoke a key.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing(
            "DELETE",
            f"/api/v1/service-accounts/{segment(account_id)}/keys/{segment(key_id)}",
            timeout=timeout,
        )
