"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.service_accounts`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from novavms._async.resource import AsyncResource
from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms.types import ServiceAccount

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from novavms._async.pages import AsyncPage
    from novavms._async.resources.service_accounts_keys import AsyncServiceAccountsKeysResource


class AsyncServiceAccountsResource(AsyncResource):
    """`client.service_accounts`"""

    @cached_property
    def keys(self) -> AsyncServiceAccountsKeysResource:
        from novavms._async.resources.service_accounts_keys import AsyncServiceAccountsKeysResource

        return AsyncServiceAccountsKeysResource(self._transport)

    async def list(
        self, *, cursor: str | None = None, limit: int | None = None, timeout: Timeout = NOT_GIVEN
    ) -> AsyncPage[ServiceAccount]:
        """List service accounts.

        Needs the role admin or higher.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.page(
            "/api/v1/service-accounts",
            ServiceAccount,
            query={"cursor": cursor, "limit": limit},
            timeout=timeout,
        )

    async def create(
        self,
        *,
        name: str,
        role: Literal["admin", "operator", "viewer"],
        site_ids: Sequence[str | UUID] | NotGiven | None = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> ServiceAccount:
        """Create a service account.

        Needs the role admin or higher.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            site_ids: Required for viewers.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "POST",
            "/api/v1/service-accounts",
            ServiceAccount,
            body={"name": name, "role": role, "site_ids": site_ids},
            key=idempotency_key,
            timeout=timeout,
        )

    async def get(self, account_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> ServiceAccount:
        """Get a service account.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "GET", f"/api/v1/service-accounts/{segment(account_id)}", ServiceAccount, timeout=timeout
        )

    async def update(
        self,
        account_id: str | UUID,
        *,
        name: str | NotGiven = NOT_GIVEN,
        enabled: bool | NotGiven = NOT_GIVEN,
        site_ids: Sequence[str | UUID] | NotGiven = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> ServiceAccount:
        """Change a service account.

        Needs the role admin or higher.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            site_ids: The whole list; viewers only.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "PATCH",
            f"/api/v1/service-accounts/{segment(account_id)}",
            ServiceAccount,
            body={"name": name, "enabled": enabled, "site_ids": site_ids},
            if_match=if_match,
            timeout=timeout,
        )

    async def delete(
        self, account_id: str | UUID, *, if_match: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Delete a service account.

        Needs the role admin or higher.

        Args:
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing(
            "DELETE", f"/api/v1/service-accounts/{segment(account_id)}", if_match=if_match, timeout=timeout
        )
