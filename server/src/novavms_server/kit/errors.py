"""Errors are declared: a status, a stable word, one sentence. One renderer, in `edge`.

    ApiError
    ├── ValidationError   400 validation_error     (details: every bad field)
    ├── AuthRequired      401 auth_required
    ├── InvalidToken      401 invalid_token
    ├── Forbidden         403 forbidden
    ├── NotFound          404 not_found
    ├── Conflict          409 conflict
    ├── RateLimited       429 rate_limited         (Retry-After)
    ├── Internal          500 internal_error
    └── Unavailable       503 unavailable          (Retry-After)

A domain adds its own in its `errors.py`, by subclassing and naming `status` and `code`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple


class FieldProblem(NamedTuple):
    """One bad field of a request. `message` is a whole sentence part that names the field."""

    field: str
    message: str


class ApiError(Exception):
    """Base of every answer that is not a success."""

    status: ClassVar[int]
    code: ClassVar[str]
    sentence: ClassVar[str] = ""

    def __init__(
        self,
        message: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or self.sentence
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        """Further members of the error body, e.g. `reason` and `check`."""
        super().__init__(self.message)

    def body(self, request_id: str) -> dict[str, Any]:
        return {"error": self.code, "message": self.message, "request_id": request_id, **self.extra}


class ValidationError(ApiError):
    status = 400
    code = "validation_error"
    sentence = "The request is not valid."

    def __init__(
        self, problems: Iterable[FieldProblem] | str, *, extra: Mapping[str, Any] | None = None
    ) -> None:
        if isinstance(problems, str):
            super().__init__(problems, extra=extra)
            return
        found = list(problems)
        details = [{"field": problem.field, "message": problem.message} for problem in found]
        super().__init__(found[0].message if found else None, extra={"details": details, **(extra or {})})

    @classmethod
    def of(cls, field: str, message: str) -> ValidationError:
        """One bad field."""
        return cls([FieldProblem(field, message)])


class AuthRequired(ApiError):
    status = 401
    code = "auth_required"
    sentence = "Send an API key or access token in the header: Authorization: Bearer …"


class InvalidToken(ApiError):
    status = 401
    code = "invalid_token"
    sentence = "The API key or access token is malformed, expired or revoked."


class Forbidden(ApiError):
    status = 403
    code = "forbidden"
    sentence = "Your role or your site grants do not allow this."


class NotFound(ApiError):
    status = 404
    code = "not_found"
    sentence = "There is no such object."


class MethodNotAllowed(ApiError):
    status = 405
    code = "method_not_allowed"
    sentence = "This path does not take this method."


class Conflict(ApiError):
    status = 409
    code = "conflict"
    sentence = "The object is in another state than the request assumes."


class PayloadTooLarge(ApiError):
    status = 413
    code = "payload_too_large"
    sentence = "The body is larger than 1 MiB."


class UnsupportedMediaType(ApiError):
    status = 415
    code = "unsupported_media_type"
    sentence = "Send the body as application/json."


class RateLimited(ApiError):
    status = 429
    code = "rate_limited"
    sentence = "Too many requests; wait as long as Retry-After says."

    def __init__(self, message: str | None = None, *, retry_after_sec: int) -> None:
        super().__init__(message, headers={"Retry-After": str(max(1, retry_after_sec))})


class Internal(ApiError):
    status = 500
    code = "internal_error"
    sentence = "Something of ours failed; the request id finds it in our log."


class Unavailable(ApiError):
    status = 503
    code = "unavailable"
    sentence = "The service is not available right now; try again."

    def __init__(self, message: str | None = None, *, retry_after_sec: int = 5) -> None:
        super().__init__(message, headers={"Retry-After": str(max(1, retry_after_sec))})
