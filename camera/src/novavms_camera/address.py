"""Which addresses may be dialled, however they are spelt; and a name's address, resolved once.

A camera's address comes from a person, or from another device, and the machine that dials it stands inside networks
that neither should reach: its own loopback, the cloud's metadata service. So every address is judged here before
anything connects, in whatever spelling it came, and the judged address is what is dialled: a second look-up could
answer differently (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import re
import socket
import unicodedata
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from novavms_camera.faults import CameraFault

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str], Awaitable[Sequence[str]]]

METADATA_ADDRESSES: Final[frozenset[Address]] = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, DigitalOcean, OpenStack
        "169.254.170.2",  # AWS container credentials
        "fd00:ec2::254",  # AWS over IPv6
        "fd20:ce::254",  # Google over IPv6
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's host agent, a public address
        "192.0.0.192",  # Oracle
    )
)

_METADATA_NAMES: Final = frozenset(
    {"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"}
)
_LOOPBACK_NAMES: Final = frozenset(
    {"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"}
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052
_NAT64_LOCAL: Final = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_IPV4_COMPATIBLE: Final = IPv6Network("::/96")  # RFC 4291, 2.5.5.1, long dead, still routed by some stacks
_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")
_ISATAP_INTERFACE_IDS: Final = frozenset({0x00005EFE, 0x02005EFE})  # RFC 5214
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True)
class AddressPolicy:
    """What may be dialled. The default suits a gateway: anything on a network, never loopback, link-local or metadata."""

    allow_loopback: bool = False
    """Tests and the demo: opens loopback and nothing else."""
    public_only: bool = False
    """Direct mode: the server stands in the cloud, where private addresses are its neighbours, not cameras."""
    allowed_networks: tuple[Network, ...] = ()
    """The organisation's own networks, let through in spite of `public_only`. Opens nothing of the always-refused."""

    def refuse(self, address: Address) -> str | None:
        """The sentence that says why `address` must not be dialled, or None where it may."""
        for candidate in (address, *embedded_addresses(address)):
            why = self._refuse_one(candidate)
            if why is not None:
                inside = "" if candidate is address else f" (which stands for {candidate})"
                return f"{address}{inside} {why}"
        return None

    def _refuse_one(self, address: Address) -> str | None:
        if address in METADATA_ADDRESSES:
            return "is a cloud metadata address"
        if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
            return "is the unspecified address, which names no device"
        if address.is_loopback:
            return None if self.allow_loopback else "is a loopback address: this machine, not a camera"
        if address.is_link_local:
            return "is a link-local address"
        if address.is_multicast:
            return "is a multicast address, which names no single device"
        if address.version == 4 and int(address) >= 0xF0000000:
            return "is a broadcast or reserved address"
        if self.public_only and not address.is_global and not self._is_allowed(address):
            return "is not a public address, which direct mode needs; add the camera through a gateway"
        return None

    def _is_allowed(self, address: Address) -> bool:
        return any(
            address.version == network.version and address in network for network in self.allowed_networks
        )

    def refuse_host(self, host: str) -> str | None:
        """As `refuse`, for a host as written: judges literals in any spelling and names that need no look-up."""
        name = normalize_host(host)
        if name in _LOOPBACK_NAMES or name.endswith(".localhost"):
            return None if self.allow_loopback else f"{name} is this machine, not a camera"
        if name in _METADATA_NAMES:
            return f"{name} is a cloud metadata service"
        for address in literal_addresses(name):
            why = self.refuse(address)
            if why is not None:
                return why if str(address) == name else f"{name}, in another spelling: {why}"
        return None


def embedded_addresses(address: Address) -> Iterator[IPv4Address]:
    """IPv4 addresses that packets to an IPv6 address may end up at: mapped, compatible, NAT64, 6to4, Teredo, ISATAP."""
    if address.version == 4:
        return
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64 or address in _NAT64_LOCAL or (address in _IPV4_COMPATIBLE and int(low) > 0xFFFF):
        yield low
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP_INTERFACE_IDS:
        yield low


def normalize_host(host: str) -> str:
    """One spelling for a host: no brackets, no trailing dot, lower case, full-width letters and dots made plain.

    A name's characters are folded the way IDNA folds them on the way to DNS: `１２７。0.0.1` is 127.0.0.1 there.
    """
    folded = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    if folded.startswith("[") and folded.endswith("]"):
        folded = folded[1:-1]
    return folded.removesuffix(".")


def literal_addresses(name: str) -> tuple[Address, ...]:
    """Every address that a normalized host may literally mean; empty for a real name.

    More than one only where stacks disagree: a leading zero is octal to `inet_aton` and decimal to others.
    """
    bare, _, _ = name.partition("%")  # a zone (fe80::1%eth0) does not change which address it is
    try:
        return (ip_address(bare),)
    except ValueError:
        pass
    octal, decimal = _ipv4_by_parts(name, octal=True), _ipv4_by_parts(name, octal=False)
    return tuple(dict.fromkeys(address for address in (octal, decimal) if address is not None))


def _ipv4_by_parts(name: str, *, octal: bool) -> IPv4Address | None:
    """The `inet_aton` forms: 1 to 4 parts, hexadecimal, octal or decimal, the last filling what is left."""
    parts = name.split(".")
    if len(parts) > 4:
        return None
    values: list[int] = []
    for part in parts:
        value = _number(part, octal=octal)
        if value is None:
            return None
        values.append(value)
    *heads, last = values
    if any(head > 255 for head in heads) or last >= 256 ** (5 - len(values)):
        return None
    total = last
    for index, head in enumerate(heads):
        total += head << (8 * (3 - index))
    return IPv4Address(total)


def _number(part: str, *, octal: bool) -> int | None:
    if re.fullmatch(r"0x[0-9a-f]{0,16}", part):
        return int(part[2:] or "0", 16)
    if not re.fullmatch(r"[0-9]{1,16}", part):
        return None
    if octal and part.startswith("0") and len(part) > 1:
        return int(part, 8) if re.fullmatch(r"[0-7]+", part) else None
    return int(part)


def canonical_host(host: str) -> str:
    """The host as it is stored and dialled: an address in its standard form, or an ASCII (IDNA) name in lower case.

    Raises CameraFault(invalid_url) for what is neither, or what different systems read as different addresses.
    """
    name = normalize_host(host)
    if not name or len(name) > 253:
        raise CameraFault("invalid_url", "The host is missing or longer than 253 characters.")
    meanings = literal_addresses(name)
    if len(meanings) > 1:
        raise CameraFault("invalid_url", f"The address {name} is ambiguous: write it without leading zeros.")
    if meanings:
        if "%" in name:
            raise CameraFault("invalid_url", "An address with a zone (%) cannot be used.")
        return str(meanings[0])
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_name = ""
    labels = ascii_name.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise CameraFault("invalid_url", "The host is neither a valid name nor an IP address.")
    return ascii_name


def network(text: str) -> Network:
    """A network in CIDR form. Raises ValueError."""
    return ip_network(text, strict=False)


async def system_resolver(host: str) -> Sequence[str]:
    """All addresses of a name by the operating system, in its order of preference. Raises OSError."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


async def resolve_address(
    host: str, policy: AddressPolicy | None, *, resolver: Resolver = system_resolver
) -> Address:
    """The one address to dial for `host`; None as policy judges nothing (the address was judged before).

    Every address of a name is judged, not only the first: one forbidden among them is a trap, and refused.
    IPv4 is preferred: cameras on IPv6 are few, and a router that announces a dead IPv6 is common.
    Raises CameraFault dns_failed, address_forbidden or invalid_url.
    """
    name = canonical_host(host)
    literal = literal_addresses(name)
    if literal:
        addresses: list[Address] = [literal[0]]
    else:
        try:
            texts = await resolver(name)
            addresses = [ip_address(text.partition("%")[0]) for text in texts]
        except (OSError, UnicodeError, ValueError):
            texts, addresses = (), []
        if not addresses:
            raise CameraFault("dns_failed", f"The name {name} has no address.")
    for address in addresses:
        why = policy.refuse(address) if policy is not None else None
        if why is not None:
            raise CameraFault("address_forbidden", why if literal else f"{name} resolves to {why}.")
    return next((address for address in addresses if address.version == 4), addresses[0])
