"""What the platform's admin does from the command line: an org with its first owner, a key."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from novavms_server.accounts.keys import PREFIX_LENGTH, hash_token, make_key
from novavms_server.accounts.passwords import make_hasher
from novavms_server.kit.database import Connection
from novavms_server.kit.ids import new_id


class NewKey(NamedTuple):
    service_account_id: UUID
    key_id: UUID
    key: str


async def create_org(connection: Connection, name: str, now: datetime, *, sandbox: bool = False) -> UUID:
    org_id = new_id()
    await connection.execute(
        "INSERT INTO orgs (id, name, sandbox, created_at, updated_at) VALUES (%s, %s, %s, %s, %s)",
        (org_id, name, sandbox, now, now),
    )
    return org_id


async def create_user(
    connection: Connection,
    org_id: UUID,
    email: str,
    display_name: str,
    role: str,
    password: str,
    site_ids: list[UUID] | None = None,
) -> UUID:
    """The password is hashed with argon2id; its rules are the caller's business."""
    user_id = new_id()
    await connection.execute(
        "INSERT INTO users (org_id, id, email, display_name, role, password_hash) VALUES (%s, %s, %s, %s, %s, %s)",
        (org_id, user_id, email, display_name, role, make_hasher().hash(password)),
    )
    for site_id in site_ids or []:
        await connection.execute(
            "INSERT INTO user_sites (org_id, user_id, site_id) VALUES (%s, %s, %s)",
            (org_id, user_id, site_id),
        )
    return user_id


async def create_key(
    connection: Connection, org_id: UUID, name: str, role: str, site_ids: list[UUID] | None = None
) -> NewKey:
    """A service account of its own, with one key."""
    cursor = await connection.execute("SELECT sandbox FROM orgs WHERE id = %s", (org_id,))
    row = await cursor.fetchone()
    key = make_key(sandbox=bool(row and row[0]))
    account_id, key_id = new_id(), new_id()
    await connection.execute(
        "INSERT INTO service_accounts (org_id, id, name, role) VALUES (%s, %s, %s, %s)",
        (org_id, account_id, name, role),
    )
    for site_id in site_ids or []:
        await connection.execute(
            "INSERT INTO service_account_sites (org_id, service_account_id, site_id) VALUES (%s, %s, %s)",
            (org_id, account_id, site_id),
        )
    await connection.execute(
        "INSERT INTO api_keys (org_id, id, service_account_id, name, prefix, hash) VALUES (%s, %s, %s, %s, %s, %s)",
        (org_id, key_id, account_id, name, key[:PREFIX_LENGTH], hash_token(key)),
    )
    return NewKey(account_id, key_id, key)
