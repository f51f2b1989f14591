# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.sites`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms._sync.resource import Resource
from novavms.types import CameraSummary, Site

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from novavms._sync.pages import Page


class SitesResource(Resource):
    """`client.sites`"""

    def list(
        self, *, cursor: str | None = None, limit: int | None = None, timeout: Timeout = NOT_GIVEN
    ) -> Page[Site]:
        """List sites.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.page(
            "/api/v1/sites", Site, query={"cursor": cursor, "limit": limit}, timeout=timeout
        )

    def create(
        self,
        *,
        name: str,
        timezone: str | NotGiven = NOT_GIVEN,
        address: str | NotGiven | None = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Site:
        """Create a site.

        Needs the role admin or higher.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            timezone: IANA name; at most 64 characters; default "UTC".
            address: At most 500 characters.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            "/api/v1/sites",
            Site,
            body={"name": name, "timezone": timezone, "address": address},
            key=idempotency_key,
            timeout=timeout,
        )

    def get(self, site_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> Site:
        """Get a site.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object("GET", f"/api/v1/sites/{segment(site_id)}", Site, timeout=timeout)

    def update(
        self,
        site_id: str | UUID,
        *,
        name: str | NotGiven = NOT_GIVEN,
        timezone: str | NotGiven = NOT_GIVEN,
        address: str | NotGiven | None = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Site:
        """Change a site.

        Needs the role admin or higher.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            timezone: IANA name; at most 64 characters.
            address: At most 500 characters.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "PATCH",
            f"/api/v1/sites/{segment(site_id)}",
            Site,
            body={"name": name, "timezone": timezone, "address": address},
            if_match=if_match,
            timeout=timeout,
        )

    def delete(
        self, site_id: str | UUID, *, if_match: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Delete a site.

        Needs the role admin or higher.

        Args:
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing(
            "DELETE", f"/api/v1/sites/{segment(site_id)}", if_match=if_match, timeout=timeout
        )

    def recordings(
        self,
        site_id: str | UUID,
        *,
        cursor: str | None = None,
        from_: str | date | datetime | None = None,
        limit: int | None = None,
        to: str | date | datetime | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Page[CameraSummary]:
        """How the cameras of a site were recorded.

        For each camera: how much of the range is there, the longest gap with its reason, and its bytes. At
        most 31 days.

        Args:
            cursor: `next_cursor` of the page before.
            from_: An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone, from its beginning. Unset: 24 hours before `to`
            limit: Rows on a page; 1 to 100; default 20.
            to: An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone, to its end. Unset, or ahead of now: now.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.page(
            f"/api/v1/sites/{segment(site_id)}/recordings",
            CameraSummary,
            query={"cursor": cursor, "from": from_, "limit": limit, "to": to},
            timeout=timeout,
        )
