"""Signed webhooks: only those of this secret, this body, and now."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timezone
from typing import Any

import pytest

from novavms import WebhookSignatureError
from novavms.webhooks import sign, verify_signature

SECRET = "whsec_made_up_for_this_test"
BODY = b'{"event_type":"event","timestamp":"2026-03-01T12:00:00Z","webhook_id":"w","data":{"a":"\xc3\xbc"}}'
NOW = datetime(2026, 3, 1, 12, 4, tzinfo=timezone.utc)
HEADERS = {
    "X-Webhook-Signature": hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
    "X-Webhook-Timestamp": "2026-03-01T12:00:00Z",
}


def check(payload: Any = BODY, headers: Any = HEADERS, **more: Any) -> None:
    verify_signature(payload, headers, **{"secret": SECRET, "now": NOW, **more})


def test_a_true_one_passes() -> None:
    check()
    check(BODY.decode())
    check(headers={name.lower(): value for name, value in HEADERS.items()})
    check(headers=None, signature=sign(BODY, SECRET), timestamp=1772366400)
    check(headers={**HEADERS, "X-Webhook-Timestamp": "1772366400"})
    check(headers={"X-Webhook-Signature": sign(BODY, SECRET).upper()}, tolerance_sec=None)


@pytest.mark.parametrize(
    "change",
    [
        {"payload": BODY + b" "},
        {"secret": SECRET + "x"},
        {"headers": {}},
        {"headers": None},
        {"headers": {**HEADERS, "X-Webhook-Signature": "ü"}},
        {"headers": {**HEADERS, "X-Webhook-Signature": HEADERS["X-Webhook-Signature"][:-1]}},
        {"headers": {**HEADERS, "X-Webhook-Timestamp": ""}},
        {"headers": {**HEADERS, "X-Webhook-Timestamp": "lately"}},
        {"headers": {"X-Webhook-Signature": HEADERS["X-Webhook-Signature"]}},
        {"tolerance_sec": 200},
        {"now": datetime(2026, 3, 1, 11, 54, tzinfo=timezone.utc)},
    ],
)
def test_another_does_not(change: dict[str, Any]) -> None:
    with pytest.raises(WebhookSignatureError) as raised:
        check(**change)
    assert SECRET not in str(raised.value)


def test_without_a_secret_nothing_is_checked_by_accident() -> None:
    with pytest.raises(ValueError, match="secret"):
        check(secret="")
