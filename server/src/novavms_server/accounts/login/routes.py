"""/auth"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import Cookie

from novavms_server.accounts.login.models import (
    Accepted,
    ChangePasswordRequest,
    ForgotPasswordRequest,
    Issued,
    LoginAnswer,
    LoginRequest,
    Me,
    RefreshRequest,
    ResetPasswordRequest,
    Visit,
)
from novavms_server.accounts.login.service import LoginService
from novavms_server.kit.errors import Forbidden
from novavms_server.kit.http import PUBLIC, JSONBody, NamedDependency, exchange_of, role
from novavms_server.kit.work import Work

COOKIE = "novavms_refresh"
COOKIE_PATH = "/api/v1/auth"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OPEN = {"before_password_change": True}
_ASKED = "There is no mail yet: ask an admin of your organization for a new password."

AnyRequest = Request[Any, Any, Any]


class LoginController(Controller):
    path = "/auth"
    tags = ("Auth",)

    @post("/login", status_code=200, opt=PUBLIC, operation_id="login", summary="Log in")
    async def log_in(
        self,
        request: AnyRequest,
        login: NamedDependency[LoginService],
        public_url: NamedDependency[str | None],
        data: JSONBody[LoginRequest],
    ) -> Response[LoginAnswer]:
        """Five tries in 15 minutes for an email. `client_type=web` gets the refresh token as an HttpOnly cookie."""
        if data.client_type == "web":
            refuse_foreign_page(request, public_url)
        return _answer(request, await login.login(data, visit_of(request)))

    @post("/refresh", status_code=200, opt=PUBLIC, operation_id="refreshSession", summary="Get new tokens")
    async def refresh(
        self,
        request: AnyRequest,
        login: NamedDependency[LoginService],
        public_url: NamedDependency[str | None],
        data: JSONBody[RefreshRequest | None] = None,
    ) -> Response[LoginAnswer]:
        """Each refresh token is used once; used again, it ends its session. A web page sends no body: its cookie counts."""
        token = data.refresh_token if data is not None else None
        if token is None:
            refuse_foreign_page(request, public_url)
            token = request.cookies.get(COOKIE)
        return _answer(request, await login.refresh(token, visit_of(request)))

    @post("/logout", status_code=204, opt=role("viewer", **_OPEN), operation_id="logout", summary="Log out")
    async def log_out(
        self, request: AnyRequest, work: NamedDependency[Work], login: NamedDependency[LoginService]
    ) -> Response[None]:
        """Ends the session; its access token is refused from the next request on."""
        await login.logout(work)
        return Response(None, status_code=204, cookies=[_cookie(request, "", 0)])

    @get("/me", opt=role("viewer", **_OPEN), operation_id="getMe", summary="Who am I")
    async def me(self, work: NamedDependency[Work], login: NamedDependency[LoginService]) -> Me:
        """The user, or the service account of an API key."""
        return await login.me(work)

    @post(
        "/change-password",
        status_code=204,
        opt=role("viewer", **_OPEN),
        operation_id="changePassword",
        summary="Change one's password",
    )
    async def change_password(
        self,
        work: NamedDependency[Work],
        login: NamedDependency[LoginService],
        data: JSONBody[ChangePasswordRequest],
    ) -> None:
        """Ends all other sessions of the user."""
        await login.change_password(work, data)

    @post(
        "/forgot-password",
        status_code=202,
        opt=PUBLIC,
        operation_id="forgotPassword",
        summary="Ask for a new password",
    )
    async def forgot_password(
        self, request: AnyRequest, login: NamedDependency[LoginService], data: JSONBody[ForgotPasswordRequest]
    ) -> Accepted:
        """Always the same answer, whether the email is known or not."""
        await login.forgot_password(data.email, visit_of(request))
        return Accepted(_ASKED)

    @post(
        "/reset-password",
        status_code=204,
        opt=PUBLIC,
        operation_id="resetPassword",
        summary="Set a new password by token",
    )
    async def reset_password(
        self, request: AnyRequest, login: NamedDependency[LoginService], data: JSONBody[ResetPasswordRequest]
    ) -> None:
        """With the token that an admin got for the user. Ends all sessions of the user."""
        await login.reset_password(data, visit_of(request))


def visit_of(request: AnyRequest) -> Visit:
    exchange = exchange_of(request)
    return Visit(exchange.client, request.headers.get("user-agent"), exchange.request_id)


def refuse_foreign_page(request: AnyRequest, public_url: str | None) -> None:
    """Against cross-site request forgery, beside SameSite=Strict: a browser names the page that sends, and it must be ours."""
    origin = request.headers.get("origin")
    ours = {request.headers.get("host", "").lower(), urlsplit(public_url or "").netloc.lower()}
    if origin is not None and urlsplit(origin).netloc.lower() not in ours - {""}:
        raise Forbidden("The page that sends this is not of this server.")
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Forbidden("The page that sends this is not of this server.")


def _answer(request: AnyRequest, issued: Issued) -> Response[LoginAnswer]:
    answer = LoginAnswer(issued.access_token, issued.expires_at, issued.user)
    if issued.client_type == "web":
        return Response(answer, cookies=[_cookie(request, issued.refresh_token, issued.session_sec)])
    answer.refresh_token = issued.refresh_token
    return Response(answer)


def _cookie(request: AnyRequest, value: str, max_age_sec: int) -> Cookie:
    """Secure but on plain HTTP to this machine itself, where a browser would drop it."""
    plain = request.url.scheme == "http" and (request.url.hostname or "") in _LOOPBACK
    return Cookie(
        key=COOKIE,
        value=value,
        path=COOKIE_PATH,
        max_age=max_age_sec,
        httponly=True,
        samesite="strict",
        secure=not plain,
    )
