"""Sessions: begun by logging in, carried on by refresh tokens, ended by logging out, by an admin, or by a stolen token.

A session lives 7 days (30 with remember_me) from its last refresh. A user has five at most; a sixth ends the oldest.
Each refresh token is used once. Used again it ends its session, because two hold it and one of them is a thief; with one
exception: a request that had arrived before the token was first used (two tabs of a page in the same moment) gets the same
successor as the first one. Such a pair can't be told from one caller, and makes no second chain.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from novavms_server.accounts.epoch import raise_epoch
from novavms_server.accounts.keys import hash_token
from novavms_server.accounts.tokens import Tokens
from novavms_server.kit.database import Connection
from novavms_server.kit.ids import new_id

MOST = 5


def life(remember_me: bool) -> timedelta:
    return timedelta(days=30 if remember_me else 7)


class NewSession(NamedTuple):
    id: UUID
    refresh_token: str


async def begin(
    connection: Connection,
    *,
    org_id: UUID,
    user_id: UUID,
    client_type: str,
    remember_me: bool,
    ip: str,
    user_agent: str | None,
    now: datetime,
) -> NewSession:
    """The user's row is locked by the caller, so that two at once count right."""
    await connection.execute(
        "DELETE FROM sessions WHERE user_id = %s AND expires_at <= %s", (user_id, now), prepare=True
    )
    session = NewSession(new_id(), Tokens.first_refresh_token())
    await connection.execute(
        "INSERT INTO sessions (org_id, id, user_id, client_type, remember_me, user_agent, ip, created_at, last_used_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(org_id, session.id, user_id, client_type, remember_me),
            *((user_agent or "")[:300] or None, ip[:64], now, now, now + life(remember_me)),
        ),
        prepare=True,
    )
    await add_refresh_token(connection, org_id, session.id, session.refresh_token, now)
    cursor = await connection.execute(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = %s ORDER BY created_at DESC, id DESC OFFSET %s)",
        (user_id, MOST),
        prepare=True,
    )
    if cursor.rowcount:
        await raise_epoch(connection, org_id)
    return session


async def add_refresh_token(
    connection: Connection, org_id: UUID, session_id: UUID, token: str, now: datetime
) -> None:
    await connection.execute(
        "INSERT INTO refresh_tokens (org_id, hash, session_id, created_at) VALUES (%s, %s, %s, %s)",
        (org_id, hash_token(token), session_id, now),
        prepare=True,
    )


async def end(
    connection: Connection, org_id: UUID, user_id: UUID, *, but: UUID | None = None, only: UUID | None = None
) -> int:
    """End sessions of a user: all, all `but` one, or `only` one. Answers how many. Holds from the next request."""
    cursor = await connection.execute(
        "DELETE FROM sessions WHERE org_id = %(org)s AND user_id = %(user)s"
        " AND (%(but)s::uuid IS NULL OR id <> %(but)s) AND (%(only)s::uuid IS NULL OR id = %(only)s)",
        {"org": org_id, "user": user_id, "but": but, "only": only},
        prepare=True,
    )
    if cursor.rowcount:
        await raise_epoch(connection, org_id)
    return cursor.rowcount
