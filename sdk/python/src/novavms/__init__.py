"""NovaVMS for Python: cameras, sites, gateways, events and clips.

    from novavms import Client

    with Client(api_key="sk_live_…") as client:
        for camera in client.cameras.list():
            print(camera.name, camera.status)

`AsyncClient` has the same surface for asyncio. Objects are in `novavms.types`, errors in `novavms.errors`.
"""

from novavms._async.client import AsyncClient
from novavms._async.pages import AsyncPage
from novavms._content import Content
from novavms._request import NOT_GIVEN, NotGiven
from novavms._sync.client import Client
from novavms._sync.pages import Page
from novavms._tokens import Tokens
from novavms._version import __version__
from novavms.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    CameraCheckError,
    CameraStateError,
    ClipFailedError,
    ConflictError,
    DownloadError,
    ErrorDetail,
    ExportFailedError,
    InternalServerError,
    NotFoundError,
    NovaVMSError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    ResponseError,
    ServiceUnavailableError,
    WaitTimeoutError,
    WebhookSignatureError,
)

__all__ = [
    "NOT_GIVEN",
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AsyncClient",
    "AsyncPage",
    "AuthenticationError",
    "BadRequestError",
    "CameraCheckError",
    "CameraStateError",
    "Client",
    "ClipFailedError",
    "ConflictError",
    "Content",
    "DownloadError",
    "ErrorDetail",
    "ExportFailedError",
    "InternalServerError",
    "NotFoundError",
    "NotGiven",
    "NovaVMSError",
    "Page",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseError",
    "ServiceUnavailableError",
    "Tokens",
    "WaitTimeoutError",
    "WebhookSignatureError",
    "__version__",
]
