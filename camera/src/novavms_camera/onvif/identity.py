"""Who the devices of a network say they are, asked without a login: for finding a camera again that has another address.

Nothing here ever sends a user or a password. What a device says of itself proves nothing: anybody on the network may say
the same. So an answer is good for two things: to refuse a device that says it is another one, and to ask a person.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from novavms_camera.address import AddressPolicy
from novavms_camera.faults import CameraFault
from novavms_camera.onvif import soap
from novavms_camera.onvif.device import DEVICE_PATH, HTTPS_PORTS, OnvifDevice
from novavms_camera.onvif.discovery import DISCOVERY_PORT, MAX_SCOPES, USUAL_PORTS, FoundDevice, discover
from novavms_camera.onvif.http import HttpConnection

ASK_SEC: Final = 4.0
MAX_ASKED: Final = 256
_AT_ONCE: Final = 16
_PROBES_A_SECOND: Final = 16
"""An HTTP probe of a host that is not there takes 2 s, and 32 run at once."""
_MAC_SCOPE: Final = re.compile(r"^onvif://[^/]*/mac/([0-9a-f:%-]{12,32})/?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidIdentity:
    """What a device tells strangers of itself. The endpoint reference as `reference_key` gives it, the MAC as aa:bb:cc:dd:ee:ff."""

    endpoint_reference: str | None = None
    mac: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An ONVIF service that answers at this address, and who it says it is."""

    host: str
    port: int
    said: SaidIdentity


def reference_key(reference: str | None) -> str | None:
    """An endpoint reference for comparing: makes write urn:uuid:X in one place, uuid:X or X in another, in any case."""
    return (reference or "").strip().lower().removeprefix("urn:").removeprefix("uuid:") or None


def mac_key(text: str | None) -> str | None:
    """A MAC as aa:bb:cc:dd:ee:ff, however it is written; None for what is none, and for all zeros."""
    digits = re.sub(r"[^0-9a-f]", "", (text or "").lower().replace("%3a", ":"))
    if len(digits) != 12 or not digits.strip("0"):
        return None
    return ":".join(digits[index : index + 2] for index in range(0, 12, 2))


async def ask_identity(address: str, port: int) -> SaidIdentity:
    """Asks the ONVIF service at a judged address. Raises CameraFault where none answers, `timeout` after some seconds.

    GetEndpointReference is for everybody (ONVIF Core 5.9.4.3, PRE_AUTH); GetScopes is by some makes. Where a port does
    not speak HTTP, it is asked once more by TLS, whatever certificate it shows: no secret is sent.
    """
    try:
        return await _ask(address, port, tls=port in HTTPS_PORTS)
    except CameraFault as fault:
        if fault.reason not in ("camera_error", "not_onvif") or port in HTTPS_PORTS:
            raise
    return await _ask(address, port, tls=True)


async def _ask(address: str, port: int, *, tls: bool) -> SaidIdentity:
    connection = HttpConnection(address, address, port, tls=tls)
    device = OnvifDevice(connection, None, None, lambda: datetime.now(UTC))
    try:
        async with asyncio.timeout(ASK_SEC):
            await device.read_clock()  # not_onvif, where something else answers
            reference = mac = None
            with contextlib.suppress(CameraFault):
                reference = await device.endpoint_reference()
            with contextlib.suppress(CameraFault):
                body = f'<GetScopes xmlns="{soap.DEVICE_NS}"/>'
                content = await device.call(DEVICE_PATH, body, "GetScopes")
                items = (soap.text_of(element) for element in soap.each(content, "ScopeItem", MAX_SCOPES))
                mac = _mac_of(item for item in items if item)
    except TimeoutError:
        raise CameraFault("timeout", f"{connection.where} did not say in time which device it is.") from None
    finally:
        await connection.close()
    return SaidIdentity(endpoint_reference=reference_key(reference), mac=mac)


async def look_around(
    *,
    policy: AddressPolicy,
    multicast: bool,
    hosts: Sequence[str] = (),
    ports: Sequence[int] = (),
    discovery_port: int = DISCOVERY_PORT,
) -> list[Sighting]:
    """Every ONVIF service that `discover` finds and that answers over HTTP where it was found, with who it says it is.

    One whose answers to discovery and over HTTP name two different devices is left out. Never raises for what devices do.
    """
    probes = len(hosts) * len(ports or USUAL_PORTS)
    found = await discover(
        policy=policy,
        timeout_sec=4.0 + probes / _PROBES_A_SECOND,
        multicast=multicast,
        hosts=hosts,
        ports=ports,
        discovery_port=discovery_port,
    )
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(device: FoundDevice) -> Sighting | None:
        async with gate:
            try:
                asked = await ask_identity(device.host, device.port)
            except CameraFault:
                return None
        told = reference_key(device.endpoint_reference)
        if told and asked.endpoint_reference and told != asked.endpoint_reference:
            return None
        said = SaidIdentity(
            endpoint_reference=asked.endpoint_reference or told, mac=asked.mac or _mac_of(device.scopes)
        )
        return Sighting(host=device.host, port=device.port, said=said)

    sightings = await asyncio.gather(*(one(device) for device in found[:MAX_ASKED]))
    return [sighting for sighting in sightings if sighting is not None]


def _mac_of(scopes: Iterable[str]) -> str | None:
    """Of the scope onvif://www.onvif.org/MAC/…, which several makes tell."""
    matches = (_MAC_SCOPE.match(scope) for scope in scopes)
    return next((mac for match in matches if match and (mac := mac_key(match[1]))), None)
