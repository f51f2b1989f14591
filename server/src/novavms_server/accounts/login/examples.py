"""What the API's document shows of /auth. The tokens are made up."""

from __future__ import annotations

from novavms_server.accounts.errors import AccountDisabled, InvalidCredentials
from novavms_server.kit.errors import Forbidden, InvalidToken
from novavms_server.kit.openapi import Example

_ACCESS = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk4ZjJhNCJ9.c2lnbmF0dXJl"
_REFRESH = "rt_made-up-for-this-page"
_USER = {
    "id": "0198f2a4-7d11-7a52-8c1f-5e6d7c8b9a00",
    "email": "ada@example.com",
    "display_name": "Ada Lovelace",
    "role": "admin",
    "org_id": "0198f2a4-0000-7000-8000-00000000ac3e",
    "must_change_password": False,
}
_ANSWER = {
    "access_token": _ACCESS,
    "expires_at": "2026-03-01T12:15:00Z",
    "user": _USER,
    "refresh_token": _REFRESH,
}

EXAMPLES = {
    "login": Example(
        {"email": "ada@example.com", "password": "Correct-Horse-1", "client_type": "api"},
        _ANSWER,
        (InvalidCredentials, AccountDisabled, Forbidden),
    ),
    "refreshSession": Example({"refresh_token": _REFRESH}, _ANSWER, (InvalidToken, Forbidden)),
    "getMe": Example(
        response={
            "kind": "user",
            "id": _USER["id"],
            "email": "ada@example.com",
            "display_name": "Ada Lovelace",
            "role": "admin",
            "org_id": _USER["org_id"],
            "org_name": "Acme",
            "site_ids": None,
            "must_change_password": False,
        }
    ),
    "changePassword": Example({"current_password": "Correct-Horse-1", "new_password": "Better-Horse-2"}),
    "forgotPassword": Example({"email": "ada@example.com"}),
    "resetPassword": Example({"token": "pr_made-up-for-this-page", "new_password": "Better-Horse-2"}),
}
