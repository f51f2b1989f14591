"""Pairing: a code from the console becomes this box's identity, once.

A code works once, so everything that can fail on our side is tried before it is spent.

  1. the folder is made private and proved writable   2. an identity already there stops us, unless forced
  3. the code goes to the server, the identity comes back   4. it is written whole, mode 600
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from novavms_gateway.kit.files import make_private_folder, prove_writable
from novavms_gateway.storage.identity import (
    Identity,
    IdentityUnreadableError,
    find_identity,
    save_identity,
)
from novavms_protocol import GatewayFacts

TIMEOUT_SEC: Final = 20.0


class PairingError(Exception):
    """Pairing did not happen; `str` is a sentence that says why and what to do."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    gateway_id: UUID
    gateway_token: str
    org_id: UUID
    site_id: UUID
    name: str


class _Problem(msgspec.Struct):
    error: str = ""
    message: str = ""


def clean_server_url(text: str) -> str:
    """http(s)://host[:port][/prefix] without the slash at its end. Raises PairingError."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise PairingError("The server's address is not a valid URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PairingError("The server's address must look like https://novavms.example.com.")
    if parts.username is not None or parts.query or parts.fragment:
        raise PairingError("The server's address must have no user, no query and no fragment.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"


def prepare_folder(data_dir: Path, *, force: bool) -> None:
    """Steps 1 and 2. Raises PairingError."""
    try:
        make_private_folder(data_dir)
        prove_writable(data_dir)
    except OSError as error:
        raise PairingError(
            f"The folder {data_dir} cannot be written ({error.strerror}); choose another with --data-dir. "
            "The code was not used."
        ) from error
    try:
        present = find_identity(data_dir)
    except (IdentityUnreadableError, OSError) as error:
        if force:
            return
        raise PairingError(f"{error}. Pair anew with --force. The code was not used.") from error
    if present is not None and not force:
        raise PairingError(
            f"This gateway is already paired with {present.server_url} as “{present.name}”. Use --force to pair "
            "it anew; what it still owes that server is lost then. The code was not used."
        )


def pair(
    *, server_url: str, code: str, data_dir: Path, facts: GatewayFacts, version: str, force: bool = False
) -> Identity:
    """Raises PairingError."""
    server_url = clean_server_url(server_url)
    prepare_folder(data_dir, force=force)
    answer = _spend(server_url, code, facts, version)
    identity = Identity(
        server_url=server_url,
        gateway_id=answer.gateway_id,
        gateway_token=answer.gateway_token,
        org_id=answer.org_id,
        site_id=answer.site_id,
        name=answer.name,
    )
    try:
        save_identity(data_dir, identity)
    except OSError as error:
        raise PairingError(
            f"The code was accepted, but the identity could not be written ({error.strerror}). Make room in "
            f"{data_dir} and pair again with a new code."
        ) from error
    return identity


def _spend(server_url: str, code: str, facts: GatewayFacts, version: str) -> _Answer:
    body = {
        "pairing_code": code.strip().upper(),
        "version": version,
        "hardware": msgspec.structs.asdict(facts),
    }
    try:
        response = httpx.post(f"{server_url}/api/v1/gateways/pair", json=body, timeout=TIMEOUT_SEC)
    except httpx.TimeoutException as error:
        raise PairingError(f"The server {server_url} did not answer in {TIMEOUT_SEC:.0f} s.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PairingError(
            f"The server {server_url} cannot be reached ({type(error).__name__}): check the address, the network "
            "and the firewall."
        ) from error
    if response.status_code in (200, 201):
        try:
            return msgspec.json.decode(response.content, type=_Answer)
        except msgspec.DecodeError:
            raise PairingError("The server's answer was not understood: is this a NovaVMS server?") from None
    raise PairingError(_sentence(response))


def _sentence(response: httpx.Response) -> str:
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem()
    match response.status_code, problem.error:
        case 404, "not_found":
            return "This pairing code is unknown, used or expired (codes live 10 minutes): make a new one in the console."
        case 400, "validation_error":
            return f"The server does not take this pairing code: {problem.message}"
        case 429, _:
            wait = response.headers.get("Retry-After", "")
            return f"Too many tries; try again in {wait if wait.isdigit() else '60'} s."
        case status, _ if status >= 500:
            return f"The server has trouble of its own ({status}); try again in a minute."
        case status, "":
            return f"The address answered with {status}, but not like a NovaVMS server: check --server."
        case _:
            return f"The server refused: {problem.message}"
