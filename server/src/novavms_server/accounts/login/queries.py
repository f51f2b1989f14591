"""SQL of /auth. Most of it looks across orgs: before the password is right nobody knows which org is asked for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query

MOST_ORGS = 3
"""So many accounts of one email are tried; with more, `org_id` says which."""


class Account(msgspec.Struct):
    """A user as logging in needs it."""

    id: UUID
    org_id: UUID
    email: str
    display_name: str
    role: str
    enabled: bool
    must_change_password: bool
    password_hash: str


_ACCOUNT = "id, org_id, email, display_name, role, enabled, must_change_password, password_hash"


def candidates(email: str, org_id: UUID | None) -> Query:
    return Query(
        f"SELECT {_ACCOUNT} FROM users WHERE lower(email) = lower(%(email)s)"  # noqa: S608
        " AND (%(org)s::uuid IS NULL OR org_id = %(org)s)"
        f" ORDER BY enabled DESC, last_login_at DESC NULLS LAST, id LIMIT {MOST_ORGS}",
        {"email": email, "org": org_id},
        Account,
    )


def locked_account(user_id: UUID) -> Query:
    return Query(f"SELECT {_ACCOUNT} FROM users WHERE id = %s FOR UPDATE", (user_id,), Account)  # noqa: S608


def refresh_token(digest: bytes) -> Query:
    return Query(
        "SELECT t.used_at, s.id, s.org_id, s.user_id, s.client_type, s.remember_me, s.expires_at"
        " FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.hash = %s FOR UPDATE OF t",
        (digest,),
    )


def open_reset(digest: bytes, now: datetime) -> Query:
    return Query(
        "SELECT r.org_id, r.user_id FROM password_resets r JOIN users u ON u.id = r.user_id"
        " WHERE r.hash = %s AND r.used_at IS NULL AND r.expires_at > %s FOR UPDATE OF r, u",
        (digest, now),
    )


def me(caller: Caller) -> Query:
    if caller.kind == "user":
        return Query(
            "SELECT u.email, u.display_name, o.name FROM users u JOIN orgs o ON o.id = u.org_id"
            " WHERE u.org_id = %s AND u.id = %s",
            (caller.org_id, caller.id),
        )
    return Query(
        "SELECT NULL::text, a.name, o.name FROM service_accounts a JOIN orgs o ON o.id = a.org_id"
        " WHERE a.org_id = %s AND a.id = %s",
        (caller.org_id, caller.id),
    )


def own_password(caller: Caller) -> Query:
    return Query("SELECT password_hash FROM users WHERE org_id = %s AND id = %s", (caller.org_id, caller.id))
