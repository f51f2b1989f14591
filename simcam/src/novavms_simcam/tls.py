"""The camera's certificates: self-signed, as nearly all cameras' are, and made anew with the camera."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, cast

VALID: Final = timedelta(days=3650)
HANDSHAKE_FAILURE: Final = bytes((21, 3, 3, 0, 2, 2, 40))
"""A TLS record (RFC 8446, 5.1 and 6): alert, fatal, handshake_failure."""


class NoHandshake(asyncio.Protocol):
    """A connection to a TLS port on which no handshake succeeds: each is refused by an alert, or (`hangs`) never answered."""

    def __init__(self, transports: set[asyncio.Transport], *, hangs: bool) -> None:
        self._transports = transports
        self._hangs = hangs
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.Transport", transport
        )  # neither asyncio's nor uvloop's derive from it
        self._transports.add(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None and not self._hangs:
            self._transport.write(HANDSHAKE_FAILURE)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._transports.discard(self._transport)
            self._transport = None


class Certificates:
    """A server's TLS context whose certificate can be changed while it listens: new connections see the new one."""

    def __init__(self, name: str, host: str) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._pems = (_self_signed(name, host), _self_signed(name, host))
        self._shown = -1
        self.show(new=False)

    def show(self, *, new: bool) -> None:
        """The camera's own certificate, or another that it is not known by."""
        if self._shown == int(new):
            return
        self._shown = int(new)
        with tempfile.TemporaryDirectory(
            prefix="novavms-simcam-"
        ) as folder:  # ssl reads keys from files only
            path = Path(folder) / "camera.pem"
            path.write_bytes(self._pems[self._shown])
            self.context.load_cert_chain(path)

    @property
    def der(self) -> bytes:
        """The certificate shown now, in DER: what a client that pins it has seen."""
        pem = self._pems[self._shown].decode()
        return ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])


def _self_signed(name: str, host: str) -> bytes:
    """A key and a certificate for it, PEM. Names and dates say nothing: clients of cameras can only pin."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64] or "camera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
