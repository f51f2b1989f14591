"""What the API's document shows of /orgs/current."""

from __future__ import annotations

from novavms_server.accounts.errors import NominationOpen
from novavms_server.kit.errors import Conflict, NotFound
from novavms_server.kit.openapi import Example

_ORG = {
    "id": "0198f2a4-0000-7000-8000-00000000ac3e",
    "name": "Acme",
    "sandbox": False,
    "moved_cameras": "offer",
    "version": 1,
    "created_at": "2026-03-01T12:00:00Z",
    "updated_at": "2026-03-01T12:00:00Z",
}
_NOMINATION = {
    "user_id": "0198f2a4-7d11-7a52-8c1f-5e6d7c8b9a00",
    "email": "ada@example.com",
    "display_name": "Ada Lovelace",
    "created_at": "2026-03-01T12:00:00Z",
    "expires_at": "2026-03-08T12:00:00Z",
}

EXAMPLES = {
    "getOrg": Example(response=_ORG),
    "updateOrg": Example({"name": "Acme Harbours"}, {**_ORG, "name": "Acme Harbours", "version": 2}),
    "getOwnerNomination": Example(response=_NOMINATION, errors=(NotFound,)),
    "nominateOwner": Example({"user_id": _NOMINATION["user_id"]}, _NOMINATION, (NominationOpen,)),
    "withdrawOwnerNomination": Example(errors=(NotFound,)),
    "acceptOwnerNomination": Example(response=_ORG, errors=(NotFound, Conflict)),
}
