"""What the platform's admin does beside the API, straight at the database, as its owner: first orgs, first keys."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import errors as pg

from novavms_server.accounts.bootstrap import NewKey, create_key, create_org, create_user
from novavms_server.accounts.login.models import Email
from novavms_server.accounts.passwords import make_temporary
from novavms_server.audit.service import record_as
from novavms_server.kit.clock import SystemClock
from novavms_server.kit.validation import Name, problem_with
from novavms_server.settings import Settings

_UUID = re.compile(r"[0-9a-fA-F-]{36}")


class PlatformError(Exception):
    """Why not, in a sentence."""


class NewOrg(NamedTuple):
    org_id: UUID
    owner_id: UUID
    temporary_password: str | None


@asynccontextmanager
async def _transaction(url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    try:
        async with await psycopg.AsyncConnection.connect(url, connect_timeout=10) as connection:
            yield connection
    except pg.UndefinedTable:
        raise PlatformError("The database has no schema yet: run novavms-server migrate first.") from None
    except psycopg.OperationalError as error:
        raise PlatformError(f"The database can't be reached: {str(error).strip().splitlines()[0]}") from None
    except psycopg.ProgrammingError:
        raise PlatformError(
            "NOVAVMS_DATABASE_URL is no PostgreSQL URL, such as postgresql://user@host/name."
        ) from None


def _check(field: str, value: str, kind: Any) -> None:
    problem = problem_with(field, value, kind)
    if problem:
        raise PlatformError(f"{problem.message}.")


async def create_org_with_owner(
    url: str, name: str, email: str, display_name: str, sandbox: bool, password: str | None
) -> NewOrg:
    """One transaction. Without a password one is made, which the owner must change."""
    for field, value, kind in (
        ("name", name, Name),
        ("owner-email", email, Email),
        ("owner-name", display_name, Name),
    ):
        _check(field, value, kind)
    temporary = make_temporary() if password is None else None
    async with _transaction(url) as connection:
        org_id = await create_org(connection, name, SystemClock().now(), sandbox=sandbox)
        owner_id = await create_user(
            connection, org_id, email, display_name, "owner", password or str(temporary)
        )
        await record_as(
            *(connection, org_id, "system", SystemClock().now(), "org.created", "org", org_id),
            after={"name": name, "owner": owner_id},
        )
        if temporary is not None:
            await connection.execute(
                "UPDATE users SET must_change_password = true WHERE id = %s", (owner_id,)
            )
    return NewOrg(org_id, owner_id, temporary)


async def create_key_of(url: str, org: str, name: str, role: str, sites: list[str]) -> NewKey:
    """A service account of its own with one key."""
    _check("name", name, Name)
    if role not in ("admin", "operator", "viewer"):
        raise PlatformError("role must be one of: admin, operator, viewer.")
    if role != "viewer" and sites:
        raise PlatformError(f"--site is for viewers only: {role}s see all sites.")
    try:
        site_ids = [UUID(site) for site in sites]
    except ValueError:
        raise PlatformError("--site must be a site's id.") from None
    async with _transaction(url) as connection:
        org_id = await _find_org(connection, org)
        try:
            made = await create_key(connection, org_id, name, role, site_ids)
        except pg.ForeignKeyViolation:
            raise PlatformError("There is no such site in the organization.") from None
        except pg.UniqueViolation:
            raise PlatformError(f"The organization has a service account named {name} already.") from None
        await record_as(
            *(connection, org_id, "system", SystemClock().now(), "api_key.created", "api_key", made.key_id),
            after={"service_account": made.service_account_id, "name": name, "role": role},
        )
        return made


async def _find_org(connection: psycopg.AsyncConnection[Any], org: str) -> UUID:
    column = "id" if _UUID.fullmatch(org) else "name"
    try:
        wanted: Any = UUID(org) if column == "id" else org
    except ValueError:
        raise PlatformError(f"There is no organization {org}.") from None
    sql = "SELECT id FROM orgs WHERE id = %s" if column == "id" else "SELECT id FROM orgs WHERE name = %s"
    rows = await (await connection.execute(sql, (wanted,))).fetchall()
    if not rows:
        raise PlatformError(f"There is no organization {org}.")
    if len(rows) > 1:
        raise PlatformError(f"Several organizations are named {org}: give the id.")
    found: UUID = rows[0][0]
    return found


def render_document() -> str:
    """The file sdk/openapi.json. Needs no database: nothing is opened."""
    import json
    import tempfile

    from cryptography.fernet import Fernet

    from novavms_server.api import CONTROLLERS, build_app
    from novavms_server.document import document_of
    from novavms_server.server import build_server

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), secret_keys=Fernet.generate_key().decode())
        app = build_app(build_server(settings, database_url="postgresql://nowhere").services)
        return json.dumps(document_of(app, CONTROLLERS), indent=2, ensure_ascii=False) + "\n"
