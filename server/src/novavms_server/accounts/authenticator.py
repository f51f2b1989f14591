"""Who asks: an API key or an access token. Answers are remembered for a minute; `Work` finds out by the org's
auth_epoch, in the same round trip as the request's own query, when a memory is out of date."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from uuid import UUID

from novavms_server.accounts.keys import hash_token, looks_like_key
from novavms_server.accounts.tokens import Tokens
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database, Query
from novavms_server.kit.errors import ApiError, AuthRequired, InvalidToken

_REMEMBER_SEC = 60
_MOST = 10_000
_USED_STEP = timedelta(minutes=5)
"""`last_used_at` of a key is no more exact than this: a read must not cost a write each time."""

_BY_KEY = """
SELECT k.org_id, k.id, a.id, a.role, o.auth_epoch, k.expires_at, k.last_used_at,
       CASE WHEN a.role = 'viewer' THEN array(SELECT site_id FROM service_account_sites s WHERE s.service_account_id = a.id) END
FROM api_keys k JOIN service_accounts a ON a.id = k.service_account_id JOIN orgs o ON o.id = k.org_id
WHERE k.hash = %s AND k.revoked_at IS NULL AND a.enabled AND (k.expires_at IS NULL OR k.expires_at > %s)
"""


_BY_SESSION = """
SELECT u.org_id, u.role, o.auth_epoch, s.expires_at, u.must_change_password,
       CASE WHEN u.role = 'viewer' THEN array(SELECT site_id FROM user_sites g WHERE g.user_id = u.id) END
FROM sessions s JOIN users u ON u.id = s.user_id JOIN orgs o ON o.id = u.org_id
WHERE s.id = %s AND u.id = %s AND u.enabled AND s.expires_at > %s
"""

_USED = "UPDATE api_keys SET last_used_at = %(now)s WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(now)s)"


class TokenAuthenticator:
    """The server's `Authenticator` (see kit.edge)."""

    def __init__(self, database: Database, clock: Clock, tokens: Tokens) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens
        self._remembered: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def identify(self, authorization: str | None, *, fresh: bool = False) -> Caller | ApiError:
        if authorization is None:
            return AuthRequired()
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > 4096:
            return InvalidToken()
        digest = hash_token(token)
        now = self._clock.monotonic()
        if not fresh:
            found = self._remembered.get(digest)
            if found is not None and found[0] > now:
                return found[1]
        known = await (self._by_key(digest) if looks_like_key(token) else self._by_token(token))
        if known is None:
            self._remembered.pop(digest, None)
            return InvalidToken()
        caller, until = known
        life = _REMEMBER_SEC if until is None else (until - self._clock.now()).total_seconds()
        self._remembered[digest] = (now + min(_REMEMBER_SEC, life), caller)
        self._remembered.move_to_end(digest)
        while len(self._remembered) > _MOST:
            self._remembered.popitem(last=False)
        return caller

    async def _by_key(self, digest: bytes) -> tuple[Caller, datetime | None] | None:
        now = self._clock.now()
        rows = (await self._database.look_everywhere(Query(_BY_KEY, (digest, now))))[0]
        if not rows:
            return None
        org_id, key_id, account_id, role, epoch, until, used_at, sites = rows[0]
        if used_at is None or now - used_at > _USED_STEP:
            async with self._database.everywhere() as connection:
                await connection.execute(_USED, {"now": now, "id": key_id}, prepare=True)
        caller = Caller(
            org_id=org_id,
            kind="key",
            id=account_id,
            role=Role[role],
            site_ids=_scope(sites),
            epoch=epoch,
            key_id=key_id,
            expires_at=until,
            label=f"key:{key_id}",
        )
        return caller, until

    async def _by_token(self, token: str) -> tuple[Caller, datetime | None] | None:
        now = self._clock.now()
        claims = self._tokens.read(token, now)
        if claims is None:
            return None
        query = Query(_BY_SESSION, (claims.session_id, claims.user_id, now))
        rows = (await self._database.look_everywhere(query))[0]
        if not rows:
            return None
        org_id, role, epoch, session_ends, must_change, sites = rows[0]
        until = min(claims.expires_at, session_ends)
        caller = Caller(
            org_id=org_id,
            kind="user",
            id=claims.user_id,
            role=Role[role],
            site_ids=_scope(sites),
            epoch=epoch,
            session_id=claims.session_id,
            must_change_password=must_change,
            expires_at=until,
            label=f"user:{claims.user_id}",
        )
        return caller, until


def _scope(sites: list[UUID] | None) -> frozenset[UUID] | None:
    return None if sites is None else frozenset(sites)
