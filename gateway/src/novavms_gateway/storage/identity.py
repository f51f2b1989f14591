"""Who this gateway is: its id, its token and its server, in one private file."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec

from novavms_gateway.kit.files import write_private_file

FILE_NAME = "gateway.json"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What pairing gave us. The token is the gateway's password: it does not print."""

    server_url: str
    """http(s)://host[:port][/prefix], without a slash at its end."""
    gateway_id: UUID
    gateway_token: str
    org_id: UUID
    site_id: UUID
    name: str

    def __repr__(self) -> str:
        return f"Identity({self.gateway_id} at {self.server_url})"

    @property
    def socket_url(self) -> str:
        """ws(s)://…, the address of this gateway's socket."""
        return f"ws{self.server_url.removeprefix('http')}/api/v1/gateways/{self.gateway_id}/ws"

    @property
    def authorization(self) -> str:
        return f"Bearer {self.gateway_token}"


class IdentityUnreadableError(Exception):
    """The identity file is there but is not one of ours."""


def find_identity(data_dir: Path) -> Identity | None:
    """None where this folder was never paired. Raises IdentityUnreadableError, OSError."""
    try:
        content = (data_dir / FILE_NAME).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(content, type=Identity)
    except msgspec.DecodeError:
        # The decoder's own text is left out: it may quote the file.
        raise IdentityUnreadableError(f"{data_dir / FILE_NAME} is damaged") from None


def save_identity(data_dir: Path, identity: Identity) -> None:
    """Replaces the identity whole, mode 600. Raises OSError."""
    write_private_file(data_dir / FILE_NAME, msgspec.json.format(msgspec.json.encode(identity)) + b"\n")
