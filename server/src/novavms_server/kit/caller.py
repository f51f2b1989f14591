"""Who asks: the result of authentication, and the ladder of roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from uuid import UUID


class Role(IntEnum):
    """Each has the powers of those below it."""

    viewer = 1
    operator = 2
    admin = 3
    owner = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user or service account, as of `epoch` (see nova_enter in the schema)."""

    org_id: UUID
    kind: str
    """`user` or `key`"""
    id: UUID
    """The user, or the API key's service account."""
    role: Role
    site_ids: frozenset[UUID] | None
    """None: all sites of the org. A set: only these (viewers); empty sees nothing."""
    epoch: int
    session_id: UUID | None = None
    key_id: UUID | None = None
    must_change_password: bool = False
    expires_at: datetime | None = None
    """When the credential itself ends; None: when somebody ends it."""
    label: str = field(default="")
    """`user:<id>` or `key:<key id>`: the name in audit entries, idempotency keys and rate limits."""

    def same_powers(self, other: Caller) -> bool:
        return (
            self.org_id == other.org_id
            and self.id == other.id
            and self.role == other.role
            and self.site_ids == other.site_ids
            and self.must_change_password == other.must_change_password
        )

    def sees(self, site_id: UUID) -> bool:
        return self.site_ids is None or site_id in self.site_ids

    def site_filter(self) -> list[UUID] | None:
        """For SQL: `(%(sites)s::uuid[] IS NULL OR site_id = ANY(%(sites)s))`."""
        return None if self.site_ids is None else list(self.site_ids)
