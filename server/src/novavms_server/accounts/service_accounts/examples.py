"""What the API's document shows of /service-accounts. The key is made up."""

from __future__ import annotations

from novavms_server.accounts.errors import ServiceAccountNameTaken
from novavms_server.kit.openapi import Example

_ACCOUNT = {
    "id": "0198f2a4-9f33-7c74-8e31-708f9eadbc03",
    "name": "Alarm centre",
    "role": "operator",
    "site_ids": None,
    "enabled": True,
    "version": 1,
    "created_at": "2026-03-01T12:00:00Z",
    "updated_at": "2026-03-01T12:00:00Z",
}
_KEY = {
    "id": "0198f2a4-a044-7d85-9f42-8190afbecd04",
    "name": "first",
    "prefix": "sk_live_Xk7m",
    "created_at": "2026-03-01T12:00:00Z",
    "expires_at": None,
}

EXAMPLES = {
    "listServiceAccounts": Example(response={"data": [_ACCOUNT], "next_cursor": None, "total": 1}),
    "createServiceAccount": Example(
        {"name": "Alarm centre", "role": "operator"}, _ACCOUNT, (ServiceAccountNameTaken,)
    ),
    "getServiceAccount": Example(response=_ACCOUNT),
    "updateServiceAccount": Example(
        {"enabled": False}, {**_ACCOUNT, "enabled": False, "version": 2}, (ServiceAccountNameTaken,)
    ),
    "listApiKeys": Example(
        response={
            "data": [{**_KEY, "last_used_at": "2026-03-01T12:05:00Z", "revoked_at": None}],
            "next_cursor": None,
            "total": 1,
        }
    ),
    "createApiKey": Example({"name": "first"}, {**_KEY, "key": "sk_live_Xk7m-made-up-for-this-page"}),
}
