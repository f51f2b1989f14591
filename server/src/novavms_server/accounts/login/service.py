"""What one can do at /auth.

Logging in gives the same answer in the same time for an unknown email and a wrong password: always as many argon2
computations as the most accounts an email may have (`MOST_ORGS`), whether they exist or not.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from novavms_server.accounts import sessions
from novavms_server.accounts.attempts import Attempts
from novavms_server.accounts.epoch import raise_epoch
from novavms_server.accounts.errors import AccountDisabled, InvalidCredentials, UsersOnly
from novavms_server.accounts.keys import hash_token
from novavms_server.accounts.login import queries
from novavms_server.accounts.login.models import (
    ChangePasswordRequest,
    Issued,
    LoggedInUser,
    LoginRequest,
    Me,
    ResetPasswordRequest,
    Visit,
)
from novavms_server.accounts.login.queries import Account
from novavms_server.accounts.passwords import Passwords
from novavms_server.accounts.tokens import Tokens
from novavms_server.audit.service import record, record_as
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database, Query, run
from novavms_server.kit.errors import InvalidToken, ValidationError
from novavms_server.kit.work import Work

log = logging.getLogger("novavms.accounts")


class LoginService:
    """Made once in `main`."""

    def __init__(
        self, database: Database, clock: Clock, passwords: Passwords, tokens: Tokens, attempts: Attempts
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._tokens = tokens
        self._attempts = attempts

    async def login(self, asked: LoginRequest, visit: Visit) -> Issued:
        """Raises RateLimited, InvalidCredentials, and AccountDisabled once the password was right."""
        await self._attempts.begin(asked.email)
        account = await self._authenticate(asked)
        if not account.enabled:
            raise AccountDisabled
        rehashed = (
            await self._passwords.hash(asked.password)
            if self._passwords.outdated(account.password_hash)
            else account.password_hash
        )
        now = self._clock.now()
        async with self._database.everywhere() as connection:
            current = await _one(connection, queries.locked_account(account.id))
            if current is None or current.password_hash != account.password_hash or not current.enabled:
                raise InvalidCredentials  # changed in this very moment
            session = await sessions.begin(
                connection,
                org_id=current.org_id,
                user_id=current.id,
                client_type=asked.client_type,
                remember_me=asked.remember_me,
                ip=visit.ip,
                user_agent=visit.user_agent,
                now=now,
            )
            await connection.execute(
                "UPDATE users SET last_login_at = %s, password_hash = %s WHERE id = %s",
                (now, rehashed, current.id),
                prepare=True,
            )
            await self._record(connection, current, "user.logged_in", visit, now)
        await self._attempts.forget(asked.email)
        return self._issue(
            current, session.id, session.refresh_token, asked.client_type, asked.remember_me, now
        )

    async def _authenticate(self, asked: LoginRequest) -> Account:
        accounts = (await self._database.look_everywhere(queries.candidates(asked.email, asked.org_id)))[0]
        for number in range(queries.MOST_ORGS):
            account = accounts[number] if number < len(accounts) else None
            if await self._passwords.verify(account.password_hash if account else None, asked.password):
                assert account is not None
                right: Account = account
                return right
        raise InvalidCredentials

    async def refresh(self, token: str | None, visit: Visit) -> Issued:
        """Raises InvalidToken; for a token used before, also ends its session (see accounts.sessions)."""
        arrived = self._clock.now()
        if not token:
            raise InvalidToken(
                "There is no refresh token: send it in the body, or as the cookie of a web session."
            )
        async with self._database.everywhere() as connection:
            found = await self._carry_on(connection, token, arrived, visit)
        if found is None:  # after the transaction: the session's end must stay
            raise InvalidToken("The refresh token is unknown, expired, or was used before.")
        return found

    async def _carry_on(
        self, connection: Connection, token: str, arrived: datetime, visit: Visit
    ) -> Issued | None:
        row = await _one(connection, queries.refresh_token(hash_token(token)))
        if row is None:
            return None
        used_at, session_id, org_id, user_id, client_type, remember_me, expires_at = row
        account = await _one(connection, queries.locked_account(user_id))
        now = self._clock.now()
        if account is None or not account.enabled or expires_at <= now:
            return None
        if used_at is not None and arrived > used_at:
            await sessions.end(connection, org_id, user_id, only=session_id)
            await self._record(connection, account, "session.ended_by_reuse", visit, now)
            log.warning("a refresh token was used twice; session %s is ended", session_id)
            return None
        successor = self._tokens.successor(token)
        if used_at is None:
            await connection.execute(
                "UPDATE refresh_tokens SET used_at = %s WHERE hash = %s",
                (now, hash_token(token)),
                prepare=True,
            )
            await sessions.add_refresh_token(connection, org_id, session_id, successor, now)
            await connection.execute(
                "UPDATE sessions SET last_used_at = %s, expires_at = %s WHERE id = %s",
                (now, now + sessions.life(remember_me), session_id),
                prepare=True,
            )
        return self._issue(account, session_id, successor, client_type, remember_me, now)

    def _issue(
        self,
        account: Account,
        session_id: UUID,
        refresh: str,
        client_type: str,
        remember_me: bool,
        now: datetime,
    ) -> Issued:
        access, expires_at = self._tokens.issue(account.id, session_id, now)
        user = LoggedInUser(
            account.id,
            account.email,
            account.display_name,
            account.role,  # type: ignore[arg-type]
            account.org_id,
            account.must_change_password,
        )
        return Issued(
            access, expires_at, refresh, client_type, int(sessions.life(remember_me).total_seconds()), user
        )

    async def logout(self, work: Work) -> None:
        """Ends the session that the access token is of."""
        if work.caller.session_id is None:
            raise UsersOnly
        connection = await work.write()
        await sessions.end(connection, work.caller.org_id, work.caller.id, only=work.caller.session_id)
        await record(work, "user.logged_out", "user", work.caller.id)

    async def me(self, work: Work) -> Me:
        email, name, org_name = await work.get(queries.me(work.caller))
        caller = work.caller
        return Me(
            kind="user" if caller.kind == "user" else "service_account",
            id=caller.id,
            email=email,
            display_name=name,
            role=caller.role.name,  # type: ignore[arg-type]
            org_id=caller.org_id,
            org_name=org_name,
            site_ids=None if caller.site_ids is None else sorted(caller.site_ids),
            must_change_password=caller.must_change_password,
        )

    async def change_password(self, work: Work, asked: ChangePasswordRequest) -> None:
        """Ends the user's other sessions. A wrong current password is a 400, limited like logging in."""
        caller = work.caller
        if caller.kind != "user":
            raise UsersOnly
        await self._attempts.begin(caller.label)
        stored = (await work.get(queries.own_password(caller)))[0]
        if not await self._passwords.verify(stored, asked.current_password):
            raise ValidationError.of("current_password", "current_password is wrong")
        hashed = await self._passwords.hash(asked.new_password)
        touched = await work.execute(
            "UPDATE users SET password_hash = %s, must_change_password = false, updated_at = %s, version = version + 1"
            " WHERE org_id = %s AND id = %s AND password_hash = %s",
            (hashed, work.now, caller.org_id, caller.id, stored),
        )
        if touched != 1:
            raise ValidationError.of("current_password", "current_password is wrong")
        connection = await work.write()
        await sessions.end(connection, caller.org_id, caller.id, but=caller.session_id)
        await raise_epoch(connection, caller.org_id)
        await record(work, "user.password_changed", "user", caller.id)
        work.after_commit(lambda: self._attempts.forget(caller.label))

    async def forgot_password(self, email: str, visit: Visit) -> None:
        """There is no mail transport: the wish goes into the audit log, where an admin finds it. The caller learns nothing."""
        await self._attempts.begin("forgot " + email)
        log.info("request %s: a password reset was asked; no mail is configured", visit.request_id)
        now = self._clock.now()
        async with self._database.everywhere() as connection:
            accounts = await (await run(connection, queries.candidates(email, None))).fetchall()
            for account in accounts:
                await self._record(connection, account, "user.password_reset_asked", visit, now)

    async def reset_password(self, asked: ResetPasswordRequest, visit: Visit) -> None:
        """With the token that an admin got from /users/{id}/reset-password. Ends all sessions of the user."""
        hashed = await self._passwords.hash(asked.new_password)
        now = self._clock.now()
        digest = hash_token(asked.token)
        async with self._database.everywhere() as connection:
            row = await _one(connection, queries.open_reset(digest, now))
            if row is None:
                raise ValidationError.of("token", "token is wrong, expired or used")
            org_id, user_id = row
            await connection.execute("UPDATE password_resets SET used_at = %s WHERE hash = %s", (now, digest))
            await connection.execute(
                "UPDATE users SET password_hash = %s, must_change_password = false, updated_at = %s, version = version + 1"
                " WHERE id = %s",
                (hashed, now, user_id),
            )
            await sessions.end(connection, org_id, user_id)
            account = await _one(connection, queries.locked_account(user_id))
            assert account is not None
            await self._record(connection, account, "user.password_reset", visit, now)
            await raise_epoch(connection, org_id)
        await self._attempts.forget(account.email)

    async def _record(
        self, connection: Connection, account: Account, action: str, visit: Visit, now: datetime
    ) -> None:
        facts = {"ip": visit.ip, "user_agent": (visit.user_agent or "")[:300]}
        await record_as(
            *(connection, account.org_id, f"user:{account.id}", now, action, "user", account.id),
            request_id=visit.request_id,
            after=facts,
        )


async def _one(connection: Connection, query: Query) -> Any | None:
    return await (await run(connection, query)).fetchone()
