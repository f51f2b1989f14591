"""/users"""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post

from novavms_server.accounts.login.models import Role
from novavms_server.accounts.users.models import (
    PasswordReset,
    Session,
    User,
    UserCreate,
    UserCreated,
    UserUpdate,
)
from novavms_server.accounts.users.service import UserService
from novavms_server.kit.http import (
    Cursor,
    FromPath,
    FromQuery,
    IfMatch,
    JSONBody,
    Limit,
    NamedDependency,
    role,
)
from novavms_server.kit.pages import Page
from novavms_server.kit.versions import etag
from novavms_server.kit.work import Work


class UserController(Controller):
    path = "/users"
    tags = ("Users",)

    @get("/", opt=role("admin"), operation_id="listUsers", summary="List users")
    async def list_users(
        self,
        work: NamedDependency[Work],
        users: NamedDependency[UserService],
        role: FromQuery[Role | None] = None,
        enabled: FromQuery[bool | None] = None,
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[User]:
        return await users.list(work, role, enabled, cursor, limit)

    @post("/", opt=role("admin"), operation_id="createUser", summary="Create a user")
    async def create_user(
        self, work: NamedDependency[Work], users: NamedDependency[UserService], data: JSONBody[UserCreate]
    ) -> Response[UserCreated]:
        """Answers a temporary password, once; it must be changed at the first log-in."""
        made = await users.create(work, data)
        return Response(made, headers={"ETag": etag(made.user.version)})

    @get("/{user_id:str}", opt=role("admin"), operation_id="getUser", summary="Get a user")
    async def get_user(
        self, work: NamedDependency[Work], users: NamedDependency[UserService], user_id: FromPath[UUID]
    ) -> Response[User]:
        user = await users.get(work, user_id)
        return Response(user, headers={"ETag": etag(user.version)})

    @patch("/{user_id:str}", opt=role("admin"), operation_id="updateUser", summary="Change a user")
    async def update_user(
        self,
        work: NamedDependency[Work],
        users: NamedDependency[UserService],
        user_id: FromPath[UUID],
        data: JSONBody[UserUpdate],
        if_match: IfMatch = None,
    ) -> Response[User]:
        """`site_ids` is the whole list. Role, grants and `enabled` hold from the user's next request."""
        user = await users.update(work, user_id, data, if_match)
        return Response(user, headers={"ETag": etag(user.version)})

    @delete("/{user_id:str}", opt=role("admin"), operation_id="deleteUser", summary="Delete a user")
    async def delete_user(
        self,
        work: NamedDependency[Work],
        users: NamedDependency[UserService],
        user_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> None:
        """Ends its sessions. The owner can't be deleted."""
        await users.delete(work, user_id, if_match)

    @post(
        "/{user_id:str}/reset-password",
        opt=role("admin"),
        operation_id="issuePasswordReset",
        summary="Get a token for a user to set a new password",
    )
    async def issue_password_reset(
        self, work: NamedDependency[Work], users: NamedDependency[UserService], user_id: FromPath[UUID]
    ) -> PasswordReset:
        """Shown once, good for 24 hours and one use at POST /auth/reset-password."""
        return await users.reset_password(work, user_id)

    @get(
        "/{user_id:str}/sessions",
        opt=role("admin"),
        operation_id="listUserSessions",
        summary="List a user's sessions",
    )
    async def list_sessions(
        self, work: NamedDependency[Work], users: NamedDependency[UserService], user_id: FromPath[UUID]
    ) -> Page[Session]:
        return await users.sessions(work, user_id)

    @delete(
        "/{user_id:str}/sessions",
        opt=role("admin"),
        operation_id="endUserSessions",
        summary="End all sessions of a user",
    )
    async def end_sessions(
        self, work: NamedDependency[Work], users: NamedDependency[UserService], user_id: FromPath[UUID]
    ) -> None:
        await users.end_sessions(work, user_id)

    @get(
        "/{user_id:str}/sessions/{session_id:str}",
        opt=role("admin"),
        operation_id="getUserSession",
        summary="Get a session",
    )
    async def get_session(
        self,
        work: NamedDependency[Work],
        users: NamedDependency[UserService],
        user_id: FromPath[UUID],
        session_id: FromPath[UUID],
    ) -> Session:
        return await users.session(work, user_id, session_id)

    @delete(
        "/{user_id:str}/sessions/{session_id:str}",
        opt=role("admin"),
        operation_id="endUserSession",
        summary="End a session",
    )
    async def end_session(
        self,
        work: NamedDependency[Work],
        users: NamedDependency[UserService],
        user_id: FromPath[UUID],
        session_id: FromPath[UUID],
    ) -> None:
        """Holds from the session's next request."""
        await users.end_sessions(work, user_id, session_id)
