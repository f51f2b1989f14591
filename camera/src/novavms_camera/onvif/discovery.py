"""Finding ONVIF devices: WS-Discovery by multicast and to single hosts, and an ONVIF probe over HTTP.

Sources: WS-Discovery (OASIS 1.1; devices speak the 2005/04 draft), ONVIF Core 7.3. Answers come from strangers: their
number and size are bounded, and an address that an answer names is reported, but never dialled in place of the one
that it came from.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from novavms_camera.address import AddressPolicy, resolve_address
from novavms_camera.faults import CameraFault
from novavms_camera.onvif import soap
from novavms_camera.onvif.device import DEVICE_PATH, HTTPS_PORTS, OnvifDevice
from novavms_camera.onvif.http import HttpConnection

MULTICAST_GROUP = "239.255.255.250"
DISCOVERY_PORT = 3702
USUAL_PORTS = (80, 8000, 8080, 2020, 8899)
"""80 most makes, 8000 Reolink, 8080 several, 2020 Tapo, 8899 cheap boards of many names."""

MAX_DEVICES = 1000
MAX_DATAGRAM_BYTES = 16 * 1024
MAX_HOSTS = 256
MAX_XADDRS = 16
MAX_SCOPES = 64
_PROBES_AT_ONCE = 32
_SENDS = 2
"""UDP is lossy: each probe goes out twice."""

_PROBE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
    "<s:Header><a:MessageID>urn:uuid:{id}</a:MessageID>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>"
    "<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice:
    """A device that answered. `host` is the address the answer came from; `xaddrs` is what the device says of itself."""

    host: str
    port: int
    xaddrs: tuple[str, ...] = ()
    endpoint_reference: str | None = None
    name: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    scopes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """Devices so far, merged by endpoint reference, else by address and port."""

    devices: dict[tuple[str, int], FoundDevice] = field(default_factory=dict)

    def add(self, device: FoundDevice) -> None:
        key = (device.host, device.port)
        known = self.devices.get(key) or self._same_reference(device)
        if known is None:
            if len(self.devices) < MAX_DEVICES:
                self.devices[key] = device
            return
        self.devices[known.host, known.port] = replace(
            known,
            xaddrs=known.xaddrs or device.xaddrs,
            endpoint_reference=known.endpoint_reference or device.endpoint_reference,
            name=known.name or device.name,
            manufacturer=known.manufacturer or device.manufacturer,
            model=known.model or device.model,
            scopes=known.scopes or device.scopes,
        )

    def _same_reference(self, device: FoundDevice) -> FoundDevice | None:
        """The same device heard on another of its addresses. Only WS-Discovery answers carry a reference."""
        if device.endpoint_reference is None:
            return None
        return next(
            (
                known
                for known in self.devices.values()
                if known.endpoint_reference == device.endpoint_reference
            ),
            None,
        )


async def discover(
    *,
    policy: AddressPolicy,
    timeout_sec: float = 4,
    multicast: bool = True,
    hosts: Sequence[str] = (),
    ports: Sequence[int] = (),
    discovery_port: int = DISCOVERY_PORT,
) -> list[FoundDevice]:
    """ONVIF devices on the LAN (`multicast`), and at each of `hosts`, within `timeout_sec`.

    `hosts` get a unicast WS-Discovery probe, and an ONVIF call without credentials over HTTP on each of `ports`
    (empty: the usual ones). Addresses that `policy` forbids are neither asked nor reported, nor are names that do not
    resolve. Never raises for what devices or the network do.
    """
    found = _Found()
    addresses = await _judged(hosts[:MAX_HOSTS], policy, timeout_sec)
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_sec):
                async with asyncio.TaskGroup() as tasks:
                    if multicast or addresses:
                        targets = [*([MULTICAST_GROUP] if multicast else []), *addresses]
                        tasks.create_task(
                            _listen(stack, targets, discovery_port, found, policy, wait=multicast)
                        )
                    if addresses:
                        tasks.create_task(_probe_all(addresses, ports or USUAL_PORTS, found))
    return sorted(found.devices.values(), key=lambda device: (ip_address(device.host).packed, device.port))


async def _judged(hosts: Iterable[str], policy: AddressPolicy, timeout_sec: float) -> list[str]:
    async def one(host: str) -> str | None:
        try:
            async with asyncio.timeout(timeout_sec):
                return str(await resolve_address(host, policy))
        except (CameraFault, TimeoutError):
            return None

    answers = await asyncio.gather(*(one(host) for host in hosts))
    return list(dict.fromkeys(answer for answer in answers if answer is not None))


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, on_answer: Callable[[bytes, str], None]) -> None:
        self._on_answer = on_answer

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if len(data) <= MAX_DATAGRAM_BYTES:
            self._on_answer(data, str(addr[0]).partition("%")[0])

    def error_received(self, exc: Exception) -> None:
        """A host without the service: ICMP says so. Silence would mean the same."""


async def _listen(
    stack: contextlib.AsyncExitStack,
    targets: Sequence[str],
    port: int,
    found: _Found,
    policy: AddressPolicy,
    *,
    wait: bool,
) -> None:
    """Send probes and take answers until cancelled; without multicast only until every target has had a second."""
    messages = [str(uuid.uuid4()) for _ in range(_SENDS)]

    def take(data: bytes, sender: str) -> None:
        for device in judge_answer(data, sender, policy, relates_to=messages):
            found.add(device)

    loop = asyncio.get_running_loop()
    senders = []
    for family, local in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104 - answers only
        wanted = [target for target in targets if (":" in target) == (family == socket.AF_INET6)]
        if not wanted:
            continue
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Listener(take), local_addr=(local, 0), family=family
            )
        except OSError:
            continue  # a machine without this family
        stack.callback(transport.close)
        if family == socket.AF_INET:
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        senders.append((transport, wanted))
    for message in messages:
        for transport, wanted in senders:
            for target in wanted:
                transport.sendto(_PROBE.format(id=message).encode(), (target, port))
        await asyncio.sleep(0.4)
    if wait:
        await asyncio.Event().wait()  # until the caller's time is over


def judge_answer(
    data: bytes, sender: str, policy: AddressPolicy, *, relates_to: Sequence[str]
) -> list[FoundDevice]:
    """The devices of a datagram from an address that may be dialled; none from any other."""
    if policy.refuse(ip_address(sender)) is not None:
        return []
    return parse_probe_matches(data, sender, relates_to=relates_to)


def parse_probe_matches(data: bytes, sender: str, *, relates_to: Sequence[str]) -> list[FoundDevice]:
    """The devices of one ProbeMatches datagram that answers one of our probes (their UUIDs); else none."""
    root = soap.parse_xml(data)
    if root is None:
        return []
    related = next((soap.text_of(element) for element in soap.each(root, "RelatesTo", 1)), None)
    if related is None or related.lower().rpartition(":")[2] not in relates_to:
        return []  # an answer to somebody else, or a guess by somebody off the path
    return [_from_match(match, sender) for match in soap.each(root, "ProbeMatch", 8)]


def _from_match(match: Element, sender: str) -> FoundDevice:
    xaddrs = _words(match, "XAddrs", MAX_XADDRS)
    scopes = _words(match, "Scopes", MAX_SCOPES)
    return FoundDevice(
        host=sender,
        port=_port(xaddrs, sender),
        xaddrs=xaddrs,
        endpoint_reference=soap.text_at(match, "EndpointReference", "Address"),
        name=_scope(scopes, "name"),
        manufacturer=_scope(scopes, "manufacturer") or _scope(scopes, "mfr"),
        model=_scope(scopes, "hardware"),
        scopes=scopes,
    )


def _words(parent: Element, name: str, limit: int) -> tuple[str, ...]:
    element = soap.child(parent, name)
    words = (element.text or "").split() if element is not None else []
    return tuple(word[: soap.MAX_TEXT] for word in words[:limit])


def _scope(scopes: Sequence[str], name: str) -> str | None:
    """The value of onvif://www.onvif.org/NAME/VALUE."""
    for scope in scopes:
        head, _, value = scope.partition(f"/{name}/")
        if value and head.lower().startswith("onvif://"):
            return unquote(value, errors="replace").strip("/")[: soap.MAX_TEXT] or None
    return None


def _port(xaddrs: Sequence[str], sender: str) -> int:
    """The port of the XAddr that names the answering address, else of the first one that has one, else 80."""
    ports: list[int] = []
    for xaddr in xaddrs:
        try:
            parts = urlsplit(xaddr)
            port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        except (ValueError, KeyError):
            continue
        if parts.hostname == sender:
            return port
        ports.append(port)
    return ports[0] if ports else 80


async def _probe_all(addresses: Sequence[str], ports: Sequence[int], found: _Found) -> None:
    gate = asyncio.Semaphore(_PROBES_AT_ONCE)

    async def one(address: str, port: int) -> None:
        async with gate:
            device = await _probe_http(address, port)
        if device is not None:
            found.add(device)

    async with asyncio.TaskGroup() as tasks:
        for address in addresses:
            for port in ports:
                tasks.create_task(one(address, port))


async def _probe_http(address: str, port: int) -> FoundDevice | None:
    """Ask for the clock, which needs no login, then for the scopes, which some give without one. By https, where the port wants it."""
    connection = HttpConnection(address, address, port, tls=port in HTTPS_PORTS)
    device = OnvifDevice(connection, None, None, lambda: datetime.now(UTC))
    try:
        try:
            await device.read_clock()
        except CameraFault:
            if not await connection.turn_to_tls():
                raise
            await device.read_clock()
        scopes: tuple[str, ...] = ()
        with contextlib.suppress(CameraFault):
            body = f'<GetScopes xmlns="{soap.DEVICE_NS}"/>'
            content = await device.call(DEVICE_PATH, body, "GetScopes")
            items = (soap.text_of(element) for element in soap.each(content, "ScopeItem", MAX_SCOPES))
            scopes = tuple(item for item in items if item)
    except CameraFault:
        return None
    finally:
        await connection.close()
    return FoundDevice(
        host=address,
        port=port,
        name=_scope(scopes, "name"),
        manufacturer=_scope(scopes, "manufacturer") or _scope(scopes, "mfr"),
        model=_scope(scopes, "hardware"),
        scopes=scopes,
    )
