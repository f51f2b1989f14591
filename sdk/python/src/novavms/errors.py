"""What can go wrong, as classes.

    NovaVMSError
    ├── APIError                     the server said no: status, code, message, request_id, details
    │   ├── BadRequestError          400
    │   │   └── CameraCheckError     400, the connection check failed: reason, hint, check
    │   ├── AuthenticationError      401
    │   ├── PermissionDeniedError    403
    │   ├── NotFoundError            404
    │   ├── ConflictError            409
    │   ├── PayloadTooLargeError     413
    │   ├── RateLimitError           429: retry_after
    │   └── InternalServerError      500 and above
    │       └── ServiceUnavailableError   503
    ├── APIConnectionError           no answer came
    │   └── APITimeoutError          … in time
    ├── ResponseError                what came is not this API's: a proxy's page, a broken body
    ├── DownloadError                a file came, and is not whole
    ├── WaitTimeoutError             what was waited for did not happen in time
    ├── CameraStateError             a camera that is waited for needs a person: camera
    ├── ClipFailedError              a clip that is waited for was not made: clip
    ├── ExportFailedError            an export that is waited for was not made: export
    └── WebhookSignatureError        a webhook that NovaVMS did not send, or not now

None of them shows a key, a token or a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from novavms.types import CameraDetail, CheckReport, Clip, Export


class NovaVMSError(Exception):
    """Everything that this library raises on its own account."""


class ErrorDetail(NamedTuple):
    """One bad field of a request."""

    field: str
    message: str


class APIError(NovaVMSError):
    """The server answered, with an error."""

    status: int
    """HTTP status."""
    code: str
    """Stable; match on this: `validation_error`, `not_found`, …"""
    message: str
    """For people."""
    request_id: str | None
    """Finds the request in the server's log."""
    details: list[ErrorDetail]
    """Of a `validation_error`: all bad fields."""
    reason: str | None
    """The cause, where the server knows one: of a failed connection check `auth_failed`, of a gap in a recording `frozen`."""
    hint: str | None
    """Of a failed connection check: what to do."""
    check: CheckReport | None
    """Of a failed connection check: the whole report."""
    retry_after: float | None
    """Seconds after which to ask again, where the server says so."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        request_id: str | None = None,
        details: list[ErrorDetail] | None = None,
        reason: str | None = None,
        hint: str | None = None,
        check: CheckReport | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.details = details or []
        self.reason = reason
        self.hint = hint
        self.check = check
        self.retry_after = retry_after

    def __str__(self) -> str:
        facts = [str(self.status), self.code, *(word for word in (self.reason, self.request_id) if word)]
        return f"{self.message} ({', '.join(facts)})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[APIError], args: tuple[Any, ...], state: dict[str, Any]) -> APIError:
    """Errors cross process borders (multiprocessing, task queues)."""
    made = cls.__new__(cls, *args)
    made.__dict__.update(state)
    return made


class BadRequestError(APIError):
    """400: the request is wrong; see `details`."""


class CameraCheckError(BadRequestError):
    """400: the camera did not pass the connection check; see `reason`, `hint` and `check`. Nothing was changed."""


class AuthenticationError(APIError):
    """401: no credential, or one that is not (or no longer) good."""


class PermissionDeniedError(APIError):
    """403: the role or the site grants do not allow it."""


class NotFoundError(APIError):
    """404: no such object in the caller's org."""


class ConflictError(APIError):
    """409: the state of things is another than the request assumes; with `if_match`, somebody was faster."""


class PayloadTooLargeError(APIError):
    """413: more than 1 MiB."""


class RateLimitError(APIError):
    """429: too many requests; see `retry_after`."""


class InternalServerError(APIError):
    """500 and above: the server's fault."""


class ServiceUnavailableError(InternalServerError):
    """503: the server cannot answer now."""


class APIConnectionError(NovaVMSError):
    """No answer: not connected, cut off, or refused. What was asked may have been done or not."""


class APITimeoutError(APIConnectionError):
    """No answer in time."""


class ResponseError(NovaVMSError):
    """An answer that is not this API's."""

    status: int
    content_type: str | None

    def __init__(self, message: str, *, status: int, content_type: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.content_type = content_type

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class DownloadError(NovaVMSError):
    """The file is not what the server says it is, or it could not be had whole. Nothing was left at the path."""


class WaitTimeoutError(NovaVMSError, TimeoutError):
    """What was waited for did not happen in time."""


class CameraStateError(NovaVMSError):
    """The camera went into a state that it does not leave by itself."""

    camera: CameraDetail

    def __init__(self, message: str, camera: CameraDetail) -> None:
        super().__init__(message, camera)
        self.camera = camera

    def __str__(self) -> str:
        return str(self.args[0])


class ClipFailedError(NovaVMSError):
    """There is no whole clip and there will be none. `clip.url` is there if a part of it can be played."""

    clip: Clip | None

    def __init__(self, message: str, clip: Clip | None) -> None:
        super().__init__(message, clip)
        self.clip = clip

    def __str__(self) -> str:
        return str(self.args[0])


class ExportFailedError(NovaVMSError):
    """The export was not made and will not be."""

    export: Export

    def __init__(self, message: str, export: Export) -> None:
        super().__init__(message, export)
        self.export = export

    def __str__(self) -> str:
        return str(self.args[0])


class WebhookSignatureError(NovaVMSError):
    """The webhook was not sent by NovaVMS with this secret, or too long ago."""


BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: PayloadTooLargeError,
    429: RateLimitError,
    503: ServiceUnavailableError,
}
