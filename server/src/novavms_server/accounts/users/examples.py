"""What the API's document shows of /users."""

from __future__ import annotations

from novavms_server.accounts.errors import EmailTaken
from novavms_server.kit.openapi import Example

_USER = {
    "id": "0198f2a4-7d11-7a52-8c1f-5e6d7c8b9a01",
    "email": "vera@example.com",
    "display_name": "Vera Rubin",
    "role": "viewer",
    "enabled": True,
    "must_change_password": True,
    "site_ids": ["0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e"],
    "last_login_at": None,
    "version": 1,
    "created_at": "2026-03-01T12:00:00Z",
    "updated_at": "2026-03-01T12:00:00Z",
}
_SESSION = {
    "id": "0198f2a4-8e22-7b63-9d20-6f7e8d9cab02",
    "client_type": "web",
    "remember_me": False,
    "user_agent": "Mozilla/5.0",
    "ip": "203.0.113.7",
    "created_at": "2026-03-01T12:00:00Z",
    "last_used_at": "2026-03-01T12:00:00Z",
    "expires_at": "2026-03-08T12:00:00Z",
}

EXAMPLES = {
    "listUsers": Example(response={"data": [_USER], "next_cursor": None, "total": 1}),
    "createUser": Example(
        {
            "email": "vera@example.com",
            "display_name": "Vera Rubin",
            "role": "viewer",
            "site_ids": ["0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e"],
        },
        {"user": _USER, "invitation_sent": False, "temporary_password": "Wq7m-Tk4xNr9%cHu"},
        (EmailTaken,),
    ),
    "getUser": Example(response=_USER),
    "updateUser": Example(
        {"role": "operator"}, {**_USER, "role": "operator", "site_ids": None, "version": 2}
    ),
    "issuePasswordReset": Example(
        response={"reset_token": "pr_made-up-for-this-page", "expires_at": "2026-03-02T12:00:00Z"}
    ),
    "listUserSessions": Example(response={"data": [_SESSION], "next_cursor": None, "total": 1}),
    "getUserSession": Example(response=_SESSION),
}
