"""Which sites a viewer sees. Grants bind viewers only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Literal
from uuid import UUID

from novavms_server.kit.errors import FieldProblem
from novavms_server.kit.work import Work

HoldSite = Callable[[Work, UUID], Awaitable[None]]
"""Raises NotFound unless the site lives; keeps it alive to the end of the transaction. (Sites stand above accounts, so
this is handed in.)"""

_TABLES = {
    "user": ("user_sites", "user_id"),
    "service_account": ("service_account_sites", "service_account_id"),
}


class Grants:
    """Writes whole lists of grants."""

    def __init__(self, hold_site: HoldSite) -> None:
        self._hold_site = hold_site

    async def replace(
        self, work: Work, kind: Literal["user", "service_account"], subject_id: UUID, site_ids: Iterable[UUID]
    ) -> None:
        """NotFound when one of the sites is not in the org."""
        table, column = _TABLES[kind]
        await work.execute(
            f"DELETE FROM {table} WHERE org_id = %s AND {column} = %s",  # noqa: S608
            (work.caller.org_id, subject_id),
        )
        for site_id in sorted(set(site_ids)):
            await self._hold_site(work, site_id)
            await work.execute(
                f"INSERT INTO {table} (org_id, {column}, site_id) VALUES (%s, %s, %s)",  # noqa: S608
                (work.caller.org_id, subject_id, site_id),
            )


def grant_problems(role: str, site_ids: list[UUID] | None) -> Iterator[FieldProblem]:
    """A viewer has a list (empty: sees nothing yet), nobody else has one."""
    if role == "viewer" and site_ids is None:
        yield FieldProblem("site_ids", "site_ids is required for viewers: the sites they may see")
    if role != "viewer" and site_ids:
        yield FieldProblem("site_ids", f"site_ids is for viewers only: {role}s see all sites")
