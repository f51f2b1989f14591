"""TLS to cameras: certificates that nobody vouches for, pinned on first use."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from datetime import datetime
from typing import Final

from novavms_camera.faults import CameraFault

CHANGED_HINT: Final = (
    "The camera shows another certificate than before. If it was reset, updated or replaced, set the camera's tls_fingerprint to null "
    "(or to the new fingerprint) to trust the new one; if not, somebody may be posing as the camera: no password was sent."
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


def judge_fingerprint(seen: str | None, pinned: str, since: datetime | None = None) -> None:
    """Raises CameraFault tls_failed where the certificate is not the one pinned (`since` then). Colons and case do not matter."""
    if hmac.compare_digest((seen or "").encode(), pinned.replace(":", "").strip().lower().encode()):
        return
    when = f"the one known since {since:%Y-%m-%d}" if since is not None else "the pinned one"
    raise CameraFault(
        "tls_failed",
        f"the camera shows another certificate than {when}: now its SHA-256 is {seen}",
        hint=CHANGED_HINT,
    )
