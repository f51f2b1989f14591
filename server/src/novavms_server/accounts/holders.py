"""Who an address of ours was made for, as of now: a signed address carries no credential, but ends with its maker's rights."""

from __future__ import annotations

from uuid import UUID

from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Query

_KEY = """
SELECT k.org_id, a.id, a.role, o.auth_epoch, false,
       CASE WHEN a.role = 'viewer' THEN array(SELECT site_id FROM service_account_sites s WHERE s.service_account_id = a.id) END
FROM api_keys k JOIN service_accounts a ON a.id = k.service_account_id JOIN orgs o ON o.id = k.org_id
WHERE k.org_id = %s AND k.id = %s AND k.revoked_at IS NULL AND a.enabled AND (k.expires_at IS NULL OR k.expires_at > %s)
"""
_SESSION = """
SELECT u.org_id, u.id, u.role, o.auth_epoch, u.must_change_password,
       CASE WHEN u.role = 'viewer' THEN array(SELECT site_id FROM user_sites g WHERE g.user_id = u.id) END
FROM sessions s JOIN users u ON u.id = s.user_id JOIN orgs o ON o.id = u.org_id
WHERE u.org_id = %s AND s.id = %s AND u.enabled AND s.expires_at > %s
"""


def credential_of(caller: Caller) -> tuple[str, UUID]:
    """What of a caller an address remembers: `key` or `user`, and the key's or session's id."""
    found = caller.key_id if caller.kind == "key" else caller.session_id
    assert found is not None, "every caller came by a key or a session"
    return caller.kind, found


def holder(org_id: UUID, kind: str, credential_id: UUID, clock: Clock) -> Query:
    """One row, a Caller with the powers of now; none where key or session have ended. Across orgs: for the system's pool."""

    def caller(
        org: UUID, who: UUID, role: str, epoch: int, must_change: bool, sites: list[UUID] | None
    ) -> Caller:
        return Caller(
            org_id=org,
            kind=kind,
            id=who,
            role=Role[role],
            site_ids=None if sites is None else frozenset(sites),
            epoch=epoch,
            session_id=credential_id if kind == "user" else None,
            key_id=credential_id if kind == "key" else None,
            must_change_password=must_change,
            label=f"key:{credential_id}" if kind == "key" else f"user:{who}",
        )

    return Query(_KEY if kind == "key" else _SESSION, (org_id, credential_id, clock.now()), caller)
