"""What one can do with sites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from psycopg import errors as pg

from novavms_server.audit.service import record
from novavms_server.kit.errors import Forbidden
from novavms_server.kit.ids import new_id
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.versions import require_match
from novavms_server.kit.work import Work
from novavms_server.sites import queries
from novavms_server.sites.errors import SiteInUse, SiteNameTaken
from novavms_server.sites.models import Site, SiteCreate, SiteUpdate

MISSING = "There is no such site in your organization."


class SiteService:
    """Made once in `main`. `on_timezone` is told, within the transaction, that a site's clock is another: by whoever has
    told it on. Set before the server starts."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors
        self.on_timezone: Callable[[Work, UUID], Awaitable[None]] | None = None

    async def list(self, work: Work, cursor: str | None, limit: int) -> Page[Site]:
        """Newest first; a viewer's are those it was granted."""
        belongs = ("sites", work.caller.org_id)
        before = self._cursors.before(cursor, belongs)
        rows, total = await work.read(
            queries.page(work.caller, before, limit + 1), queries.total(work.caller)
        )
        return self._cursors.page(belongs, rows, limit, total[0][0])

    async def get(self, work: Work, site_id: UUID) -> Site:
        """NotFound outside the org, Forbidden outside a viewer's grants."""
        site: Site = await work.get(queries.by_id(work.caller, site_id), MISSING)
        if not work.caller.sees(site_id):
            raise Forbidden
        return site

    async def create(self, work: Work, asked: SiteCreate) -> Site:
        site = Site(new_id(), asked.name, asked.timezone, asked.address, 1, work.now, work.now)
        try:
            await work.execute(
                "INSERT INTO sites (org_id, id, name, timezone, address, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (
                    work.caller.org_id,
                    site.id,
                    site.name,
                    site.timezone,
                    site.address,
                    site.created_at,
                    site.updated_at,
                ),
            )
        except pg.UniqueViolation:
            raise SiteNameTaken from None
        await record(work, "site.created", "site", site.id, after=site)
        return site

    async def update(self, work: Work, site_id: UUID, asked: SiteUpdate, if_match: str | None) -> Site:
        await work.write()
        before: Site = await work.get(queries.by_id(work.caller, site_id, lock=True), MISSING)
        require_match(if_match, before.version)
        changes = {
            name: value for name, value in msgspec.structs.asdict(asked).items() if value is not msgspec.UNSET
        }
        if all(getattr(before, name) == value for name, value in changes.items()):
            return before
        after = msgspec.structs.replace(before, **changes, version=before.version + 1, updated_at=work.now)
        try:
            await work.execute(
                "UPDATE sites SET name = %s, timezone = %s, address = %s, version = %s, updated_at = %s WHERE org_id = %s AND id = %s",
                (
                    after.name,
                    after.timezone,
                    after.address,
                    after.version,
                    after.updated_at,
                    work.caller.org_id,
                    site_id,
                ),
            )
        except pg.UniqueViolation:
            raise SiteNameTaken from None
        if after.timezone != before.timezone and self.on_timezone is not None:
            await self.on_timezone(work, site_id)
        await record(work, "site.updated", "site", site_id, before=before, after=after)
        return after

    async def delete(self, work: Work, site_id: UUID, if_match: str | None) -> None:
        """Soft. Refused while cameras or gateways are on it; whoever adds one holds the site's row (`hold`)."""
        await work.write()
        before: Site = await work.get(queries.by_id(work.caller, site_id, lock=True), MISSING)
        require_match(if_match, before.version)
        if (await work.list(queries.in_use(work.caller, site_id)))[0][0]:
            raise SiteInUse
        await work.execute(
            "UPDATE sites SET deleted_at = %s, updated_at = %s WHERE org_id = %s AND id = %s",
            (work.now, work.now, work.caller.org_id, site_id),
        )
        await work.execute("DELETE FROM user_sites WHERE site_id = %s", (site_id,))
        await work.execute("DELETE FROM service_account_sites WHERE site_id = %s", (site_id,))
        await work.execute("UPDATE orgs SET auth_epoch = auth_epoch + 1 WHERE id = %s", (work.caller.org_id,))
        await record(work, "site.deleted", "site", site_id, before=before)

    async def hold(self, work: Work, site_id: UUID) -> None:
        """For whoever puts something on the site: it lives, and can't be deleted before the transaction ends."""
        await work.write()
        await work.get(queries.hold(work.caller, site_id), MISSING)
