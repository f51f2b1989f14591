"""Who asks: API keys now, access tokens beside them. Answers are remembered for a minute; `Work` finds out by the org's
auth_epoch, in the same round trip as the request's own query, when a memory is out of date."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from novavms_server.accounts.keys import hash_token, looks_like_key
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database, Query
from novavms_server.kit.errors import ApiError, AuthRequired, InvalidToken

_REMEMBER_SEC = 60
_MOST = 10_000

_BY_KEY = """
SELECT k.org_id, k.id, a.id, a.role, o.auth_epoch,
       CASE WHEN a.role = 'viewer' THEN array(SELECT site_id FROM service_account_sites s WHERE s.service_account_id = a.id) END
FROM api_keys k JOIN service_accounts a ON a.id = k.service_account_id JOIN orgs o ON o.id = k.org_id
WHERE k.hash = %s AND k.revoked_at IS NULL AND a.enabled AND (k.expires_at IS NULL OR k.expires_at > %s)
"""


class TokenAuthenticator:
    """The server's `Authenticator` (see kit.edge)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
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
        caller = await self._by_key(digest) if looks_like_key(token) else None
        if caller is None:
            self._remembered.pop(digest, None)
            return InvalidToken()
        self._remembered[digest] = (now + _REMEMBER_SEC, caller)
        while len(self._remembered) > _MOST:
            self._remembered.popitem(last=False)
        return caller

    async def _by_key(self, digest: bytes) -> Caller | None:
        rows = (await self._database.look_everywhere(Query(_BY_KEY, (digest, self._clock.now()))))[0]
        if not rows:
            return None
        org_id, key_id, account_id, role, epoch, sites = rows[0]
        return Caller(
            org_id=org_id,
            kind="key",
            id=account_id,
            role=Role[role],
            site_ids=_scope(sites),
            epoch=epoch,
            key_id=key_id,
            label=f"key:{key_id}",
        )


def _scope(sites: list[UUID] | None) -> frozenset[UUID] | None:
    return None if sites is None else frozenset(sites)
