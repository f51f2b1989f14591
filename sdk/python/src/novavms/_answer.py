"""An HTTP answer, read: into JSON, or into the error that it is."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from novavms._content import Content
from novavms._model import Model, Unreadable, is_list, is_object, read
from novavms.errors import (
    BY_STATUS,
    APIError,
    BadRequestError,
    CameraCheckError,
    ErrorDetail,
    InternalServerError,
    NovaVMSError,
    ResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    import httpx

    from novavms.types import CheckReport

    M = TypeVar("M", bound=Model)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SPEAK_FOR_THEMSELVES = frozenset({408, 413, 429})
"""Beside 5xx: what a proxy says by its status alone, whatever page it sends along."""


def json_of(response: httpx.Response) -> Any:
    """Raises Unreadable for anything but a 2xx with JSON."""
    if not 200 <= response.status_code < 300:
        raise Unreadable("not a success")
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON, or cut off") from None


def object_of(cls: type[M]) -> Callable[[httpx.Response], M]:
    """Reads an answer as one object, with its ETag."""

    def run(response: httpx.Response) -> M:
        return read(cls, json_of(response), response.headers.get("etag"))

    return run


def nothing_of(response: httpx.Response) -> None:
    """Of a 204."""


def content_of(kind: str) -> Callable[[httpx.Response], Content]:
    """Reads an answer as a file whose media type begins with `kind`."""

    def run(response: httpx.Response) -> Content:
        if not response.headers.get("content-type", "").startswith(kind):
            raise Unreadable(f"the body is not {kind}…")
        content = Content(response.content)
        content.headers = response.headers
        return content

    return run


def location_of(response: httpx.Response) -> str:
    """Where a redirect leads."""
    target = response.headers.get("location")
    if response.status_code not in REDIRECTS or not target:
        raise Unreadable("not a redirect")
    return str(response.url.join(target))


def unreadable(response: httpx.Response, problem: str) -> ResponseError:
    """Its body is left out: whose page that is, nobody knows."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip() or None
    status = response.status_code
    message = f"{response.request.method} {response.url.path} answered what this library cannot read: HTTP {status}, {kind}: {problem}"
    return ResponseError(message, status=status, content_type=kind)


def error_of(response: httpx.Response) -> NovaVMSError:
    """The error that an answer is, which is not the success that was asked for."""
    status = response.status_code
    if status in REDIRECTS:
        return unreadable(response, "a redirect; is base_url right, with https?")
    body = _body(response)
    if body is not None:
        return _api_error(response, body)
    if status >= 500 or status in _SPEAK_FOR_THEMSELVES:
        return _class_of(status)(
            f"HTTP {status} without a readable error, perhaps from a proxy",
            status=status,
            code=f"http_{status}",
            request_id=response.headers.get("x-request-id"),
            retry_after=retry_after(response),
        )
    return unreadable(response, "an error of another server? Is base_url right?")


def _body(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    if not is_object(body):
        return None
    whole = isinstance(body.get("error"), str) and isinstance(body.get("message"), str)
    return body if whole and response.status_code >= 400 else None


def _class_of(status: int) -> type[APIError]:
    return BY_STATUS.get(status) or (InternalServerError if status >= 500 else APIError)


def _api_error(response: httpx.Response, body: dict[str, Any]) -> APIError:
    status = response.status_code
    cls = _class_of(status)
    reason, hint = _text(body, "reason"), _text(body, "hint")
    check = _report(body.get("check"))
    if cls is BadRequestError and reason is not None and check is not None:
        cls = CameraCheckError
    return cls(
        body["message"],
        status=status,
        code=body["error"],
        request_id=_text(body, "request_id") or response.headers.get("x-request-id"),
        details=_details(body.get("details")),
        reason=reason,
        hint=hint,
        check=check,
        retry_after=retry_after(response),
    )


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None


def _details(value: Any) -> list[ErrorDetail]:
    if not is_list(value):
        return []
    found = [one for one in value if is_object(one)]
    return [ErrorDetail(str(one.get("field", "")), str(one.get("message", ""))) for one in found]


def _report(value: Any) -> CheckReport | None:
    if value is None:
        return None
    from novavms.types import CheckReport

    try:
        return read(CheckReport, value)
    except Unreadable:
        return None


def retry_after(response: httpx.Response) -> float | None:
    """Seconds; the header may also be a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    until = http_date(value)
    if until is None:
        return None
    now = http_date(response.headers.get("date")) or datetime.now(timezone.utc)
    return max(0.0, (until - now).total_seconds())


def http_date(value: str | None) -> datetime | None:
    """A header's time, or None."""
    if value is None:
        return None
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
