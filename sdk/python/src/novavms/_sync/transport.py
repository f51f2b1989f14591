# Made from _async/ by tools/sdk_python; not to be edited.
"""A request's way out and its answer's way in: credential, connection, retries, errors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from novavms._answer import content_of, error_of, location_of, nothing_of, object_of, unreadable
from novavms._content import Content
from novavms._model import Model, Unreadable
from novavms._request import NOT_GIVEN, Call, NotGiven, Timeout
from novavms._retry import may_have_been_heard, pause_before_retry
from novavms._sync.pages import Page, read_page
from novavms._sync.runtime import sleep
from novavms._sync.session import Session
from novavms.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    NovaVMSError,
)

log = logging.getLogger("novavms")
T = TypeVar("T")
M = TypeVar("M", bound=Model)
CONNECT_SEC = 10.0
_UNHEARD = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def limits_of(timeout: float | None) -> httpx.Timeout:
    """Seconds without a sign of life; for connecting at most ten."""
    return httpx.Timeout(timeout, connect=CONNECT_SEC if timeout is None else min(timeout, CONNECT_SEC))


class Transport:
    """What the resources ask through."""

    def __init__(
        self,
        http: httpx.Client,
        session: Session,
        *,
        base_url: str,
        timeout: float | None,
        max_retries: int,
        headers: dict[str, str],
    ) -> None:
        self.http = http
        self.session = session
        self.base_url = base_url
        self.max_retries = max_retries
        self.limits = limits_of(timeout)
        self._headers = headers

    # ---- what operations are made of -----------------------------------------------------------

    def object(
        self,
        method: str,
        path: str,
        cls: type[M],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | NotGiven | None = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> M:
        """An operation that answers an object."""
        call = Call(method, path, query=query, body=body, key=key, if_match=if_match, timeout=timeout)
        return self.send(call, object_of(cls))

    def nothing(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | NotGiven | None = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> None:
        """An operation that answers nothing."""
        call = Call(method, path, query=query, body=body, key=key, if_match=if_match, timeout=timeout)
        self.send(call, nothing_of)

    def page(
        self,
        path: str,
        cls: type[M],
        *,
        query: Mapping[str, Any] | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Page[M]:
        """An operation that answers a list."""

        def read(response: httpx.Response) -> Page[M]:
            return read_page(response, self, path, cls, query or {}, timeout)

        return self.send(Call("GET", path, query=query, timeout=timeout), read)

    def content(
        self,
        path: str,
        kind: str,
        *,
        query: Mapping[str, Any] | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Content:
        """An operation that answers a file of the media type `kind`."""
        call = Call("GET", path, query=query, timeout=timeout)
        call.headers["Accept"] = kind
        return self.send(call, content_of(kind))

    def location(
        self, path: str, *, query: Mapping[str, Any] | None = None, timeout: Timeout = NOT_GIVEN
    ) -> str:
        """An operation that answers a redirect: where it leads."""
        return self.send(Call("GET", path, query=query, timeout=timeout), location_of)

    # ---- one request, in as many tries as it needs ---------------------------------------------

    def send(self, call: Call, read: Callable[[httpx.Response], T], *, public: bool = False) -> T:
        """What `read` makes of the answer. `public`: without a credential."""
        attempt = 0
        heard = False
        renewed = False
        while True:
            bearer = None if public else self.session.bearer(self)
            response: httpx.Response | None = None
            cause: Exception | None = None
            try:
                response = self.once(call, bearer)
                if not response.is_error:
                    return read(response)
                failure = error_of(response)
                reached = may_have_been_heard(failure)
            except Unreadable as problem:
                assert response is not None
                failure, reached = unreadable(response, str(problem)), True
            except httpx.RequestError as error:
                cause, failure, reached = error, lost(error, call), not isinstance(error, _UNHEARD)
            if response is not None and response.status_code == 404 and call.method == "DELETE" and heard:
                return read(response)  # an earlier try did it
            if not renewed and self._renewed(failure, bearer, public):
                renewed = True
                continue
            heard = heard or reached
            pause = pause_before_retry(
                failure, call, attempt=attempt, max_retries=self.max_retries, heard=heard
            )
            if pause is None:
                raise failure from cause
            attempt += 1
            log.info("%s; try %d of %d in %.1f s", failure, attempt + 1, self.max_retries + 1, pause)
            sleep(pause)

    def once(self, call: Call, bearer: str | None, *, stream: bool = False) -> httpx.Response:
        """One try. Raises httpx's RequestError."""
        headers = {**self._headers, **call.headers}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        request = self.http.build_request(
            call.method,
            self.base_url + call.path + call.query,
            content=call.body,
            headers=headers,
            timeout=self.limits if isinstance(call.timeout, NotGiven) else limits_of(call.timeout),
        )

        # Our credential goes before one that a handed-in client has; redirects are the operations' business.
        if bearer is None:
            return self.http.send(request, stream=stream, follow_redirects=False)
        return self.http.send(request, stream=stream, follow_redirects=False, auth=None)

    def _renewed(self, failure: NovaVMSError, bearer: str | None, public: bool) -> bool:
        if public or not isinstance(failure, AuthenticationError) or failure.code != "invalid_token":
            return False
        return self.session.renew(self, bearer)


def lost(error: httpx.RequestError, call: Call) -> NovaVMSError:
    """The error for a connection that gave no answer. Without the foreign text where that may quote what was sent."""
    what = f"{call.method} {call.path}"
    if isinstance(error, httpx.TimeoutException):
        return APITimeoutError(f"{what}: no answer in time ({type(error).__name__})")
    if isinstance(error, httpx.ConnectError):
        return APIConnectionError(f"{what}: could not connect: {error}")
    return APIConnectionError(f"{what}: the connection was lost ({type(error).__name__})")
