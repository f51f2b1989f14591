"""TLS to cameras: certificates that nobody vouches for, pinned on first use."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from typing import Final

from novavms_camera.faults import CameraFault

_PIN_HINT: Final = (
    "The camera shows another certificate than before: if it was reset, updated or replaced, save its address or its credentials "
    "once more to trust the new one; if not, somebody may be posing as the camera."
)


def tls_context() -> ssl.SSLContext:
    """For cameras, which sign their own certificates for names that they do not have."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def certificate_fingerprint(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> str | None:
    """SHA-256 of the peer's certificate (DER), 64 hexadecimal digits; None before the handshake."""
    der = ssl_object.getpeercert(binary_form=True)
    return hashlib.sha256(der).hexdigest() if der else None


def judge_fingerprint(seen: str | None, pinned: str) -> None:
    """Raises CameraFault tls_failed where the certificate is not the pinned one. Colons and case do not matter."""
    if not hmac.compare_digest((seen or "").encode(), pinned.replace(":", "").strip().lower().encode()):
        raise CameraFault(
            "tls_failed", "the camera shows another certificate than the pinned one", hint=_PIN_HINT
        )
