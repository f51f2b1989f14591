# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.org`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from novavms._request import NOT_GIVEN, NotGiven, Timeout
from novavms._sync.resource import Resource
from novavms.types import Org, SigningKey

if TYPE_CHECKING:
    from novavms._sync.resources.org_owner_nomination import OrgOwnerNominationResource


class OrgResource(Resource):
    """`client.org`"""

    @cached_property
    def owner_nomination(self) -> OrgOwnerNominationResource:
        from novavms._sync.resources.org_owner_nomination import OrgOwnerNominationResource

        return OrgOwnerNominationResource(self._transport)

    def get(self, *, timeout: Timeout = NOT_GIVEN) -> Org:
        """Get the organization.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object("GET", "/api/v1/orgs/current", Org, timeout=timeout)

    def update(
        self,
        *,
        name: str | NotGiven = NOT_GIVEN,
        moved_cameras: Literal["offer", "apply"] | NotGiven = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Org:
        """Change the organization.

        Needs the role admin or higher.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "PATCH",
            "/api/v1/orgs/current",
            Org,
            body={"name": name, "moved_cameras": moved_cameras},
            if_match=if_match,
            timeout=timeout,
        )

    def signing_key(self, *, timeout: Timeout = NOT_GIVEN) -> SigningKey:
        """The key that exports are signed with.

        Its public half. Tell its fingerprint to whoever is to verify your exports.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object("GET", "/api/v1/orgs/current/signing-key", SigningKey, timeout=timeout)
