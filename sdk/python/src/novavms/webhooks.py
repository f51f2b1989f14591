"""Webhooks: is it NovaVMS that sent this?

    from novavms.webhooks import verify_signature

    verify_signature(request.body, request.headers, secret="whsec_…")   # raises WebhookSignatureError

`X-Webhook-Signature` is the hex HMAC-SHA256 of the raw body under the webhook's secret; `X-Webhook-Timestamp` says when it was sent.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import datetime, timezone

from novavms._model import Unreadable, parse_time
from novavms.errors import WebhookSignatureError

__all__ = ["sign", "verify_signature"]

TOLERANCE_SEC = 300.0
_UNIX = re.compile(r"\d{1,12}(\.\d{1,6})?")


def sign(payload: bytes | str, secret: str) -> str:
    """The signature of a body: for tests of what receives webhooks."""
    body = payload.encode() if isinstance(payload, str) else payload
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify_signature(
    payload: bytes | str,
    headers: Mapping[str, str] | None = None,
    *,
    secret: str,
    signature: str | None = None,
    timestamp: str | datetime | float | None = None,
    tolerance_sec: float | None = TOLERANCE_SEC,
    now: datetime | None = None,
) -> None:
    """Raises WebhookSignatureError unless NovaVMS signed this body with this secret, and lately.

    Args:
        payload: The raw body, as it came. A body that was parsed and written again has another signature.
        headers: The request's headers, in any case; or give `signature` and `timestamp`.
        secret: The webhook's, `whsec_…`.
        signature: `X-Webhook-Signature`.
        timestamp: `X-Webhook-Timestamp`.
        tolerance_sec: How old (or how far ahead) it may be; None: any age.
        now: The time, if not the clock's.
    """
    found = {name.lower(): value for name, value in (headers or {}).items()}
    given = signature if signature is not None else found.get("x-webhook-signature", "")
    if not secret:
        raise ValueError("verify_signature needs the webhook's secret")
    expected = sign(payload, secret)
    if not hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace")):
        raise WebhookSignatureError("The signature is not that of this body under this secret.")
    if tolerance_sec is None:
        return
    sent = _seconds(timestamp if timestamp is not None else found.get("x-webhook-timestamp"))
    clock = time.time() if now is None else now.timestamp()
    if abs(clock - sent) > tolerance_sec:
        raise WebhookSignatureError(
            f"The webhook was sent more than {tolerance_sec:g} seconds ago, or ahead."
        )


def _seconds(value: str | datetime | float | None) -> float:
    """Since 1970. Times come as RFC 3339 or Unix seconds."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
    if value is not None and _UNIX.fullmatch(value.strip()):
        return float(value)
    try:
        return parse_time((value or "").strip()).timestamp()
    except (Unreadable, IndexError):
        raise WebhookSignatureError("The webhook's timestamp is missing or not a time.") from None
