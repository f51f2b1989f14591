# Made from _async/ by tools/sdk_python; not to be edited.
"""`client.auth`: logging in, staying logged in, logging out."""

from __future__ import annotations

from uuid import UUID

from novavms._request import NOT_GIVEN, Call, NotGiven, Timeout
from novavms._sync.resources.auth import AuthOperations
from novavms.types import ClientType, LoginAnswer


class AuthResource(AuthOperations):
    """`client.auth`"""

    def login(
        self,
        email: str,
        password: str,
        *,
        remember_me: bool = False,
        org_id: str | UUID | NotGiven | None = NOT_GIVEN,
        client_type: ClientType = "api",
        timeout: Timeout = NOT_GIVEN,
    ) -> LoginAnswer:
        """Log in. The client asks as this user from here on, and renews its tokens by itself.

        Five tries in 15 minutes for an email. Not tried again after a lost connection: that may have begun a session.

        Args:
            email: An email address, compared without case.
            password: Theirs.
            remember_me: 30 days instead of 7.
            org_id: Which org, for people whose email and password serve in several. Without it: the one used last.
            client_type: `web` gets its refresh token as a cookie.
            timeout: Seconds, for this call; the client's if not given.
        """
        body = {"email": email, "password": password, "remember_me": remember_me, "org_id": org_id}
        call = Call("POST", "/api/v1/auth/login", body={**body, "client_type": client_type}, timeout=timeout)
        return self._transport.send(call, self._transport.session.read, public=True)

    def refresh(self, refresh_token: str | None = None) -> LoginAnswer:
        """Get new tokens now. The client does it by itself when the access token ends.

        Each refresh token is used once; used again, it ends its session.

        Args:
            refresh_token: The client's own if not given.
        """
        return self._transport.session.refresh(self._transport, refresh_token)

    def logout(self, *, idempotency_key: str | None = None, timeout: Timeout = NOT_GIVEN) -> None:
        """Log out: ends the session and forgets its tokens.

        Args:
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing("POST", "/api/v1/auth/logout", key=idempotency_key, timeout=timeout)
        self._transport.session.forget()
