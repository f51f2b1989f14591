# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.org.owner_nomination`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novavms._request import NOT_GIVEN, Timeout
from novavms._sync.resource import Resource
from novavms.types import Nomination, Org

if TYPE_CHECKING:
    from uuid import UUID


class OrgOwnerNominationResource(Resource):
    """`client.org.owner_nomination`"""

    def get(self, *, timeout: Timeout = NOT_GIVEN) -> Nomination:
        """Get the open nomination.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "GET", "/api/v1/orgs/current/owner-nomination", Nomination, timeout=timeout
        )

    def nominate(
        self, *, user_id: str | UUID, idempotency_key: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> Nomination:
        """Nominate a new owner.

        Needs the role owner.

        Args:
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            "/api/v1/orgs/current/owner-nomination",
            Nomination,
            body={"user_id": user_id},
            key=idempotency_key,
            timeout=timeout,
        )

    def withdraw(self, *, timeout: Timeout = NOT_GIVEN) -> None:
        """Withdraw or decline the nomination.

        Needs the role admin or higher.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing("DELETE", "/api/v1/orgs/current/owner-nomination", timeout=timeout)

    def accept(self, *, idempotency_key: str | None = None, timeout: Timeout = NOT_GIVEN) -> Org:
        """Accept the nomination.

        Needs the role admin or higher.

        Args:
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST", "/api/v1/orgs/current/owner-nomination/accept", Org, key=idempotency_key, timeout=timeout
        )
