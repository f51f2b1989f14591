"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.auth`."""

from __future__ import annotations

from novavms._async.resource import AsyncResource
from novavms._request import NOT_GIVEN, Timeout
from novavms.types import Accepted, Me


class AsyncAuthOperations(AsyncResource):
    """`client.auth`"""

    async def me(self, *, timeout: Timeout = NOT_GIVEN) -> Me:
        """Who am I.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object("GET", "/api/v1/auth/me", Me, timeout=timeout)

    async def change_password(
        self,
        *,
        current_password: str,
        new_password: str,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> None:
        """Change one's password.

        Args:
            current_password: At most 128 characters.
            new_password: At most 128 characters.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing(
            "POST",
            "/api/v1/auth/change-password",
            body={"current_password": current_password, "new_password": new_password},
            key=idempotency_key,
            timeout=timeout,
        )

    async def forgot_password(self, *, email: str, timeout: Timeout = NOT_GIVEN) -> Accepted:
        """Ask for a new password.

        Args:
            email: An email address, compared without case; at most 254 characters.
            timeout: Seconds, for this call; the client's if not given.
        """
        return await self._transport.object(
            "POST", "/api/v1/auth/forgot-password", Accepted, body={"email": email}, timeout=timeout
        )

    async def reset_password(self, *, token: str, new_password: str, timeout: Timeout = NOT_GIVEN) -> None:
        """Set a new password by token.

        Args:
            token: At most 200 characters.
            new_password: At most 128 characters.
            timeout: Seconds, for this call; the client's if not given.
        """
        await self._transport.nothing(
            "POST",
            "/api/v1/auth/reset-password",
            body={"token": token, "new_password": new_password},
            timeout=timeout,
        )
