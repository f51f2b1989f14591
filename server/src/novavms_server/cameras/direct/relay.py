"""What go2rtc is to dial for a camera: an address that was judged, never a name.

go2rtc stands beside the server and resolves a name whenever a viewer comes. A name that meant a camera when it was checked could by
then mean this machine, or the cloud's metadata (DNS rebinding), and go2rtc judges nothing. So names are resolved and judged here, again
and again, and go2rtc is given the IP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from novavms_camera.address import (
    Resolver,
    literal_addresses,
    normalize_host,
    resolve_address,
    system_resolver,
)
from novavms_camera.faults import CameraFault
from novavms_camera.go2rtc import source_url
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource
from novavms_server.cameras.sources import AddressRules
from novavms_server.kit.clock import Clock

LOOK_AGAIN_SEC: Final = 60.0
"""So long a name's address is believed."""


class _Known(NamedTuple):
    """Of a name: the address that was last good (or empty), and why it is not now, if so. Believed `until` (monotonic seconds)."""

    address: str
    fault: CameraFault | None
    until: float


class Relay:
    """Made once."""

    def __init__(self, rules: AddressRules, clock: Clock, *, resolver: Resolver = system_resolver) -> None:
        self._policy = rules.policy("direct")
        self._clock = clock
        self._resolver = resolver
        self._known: dict[str, _Known] = {}
        self._used: set[str] = set()

    async def source(self, camera: CameraSource, url: str) -> Secret:
        """The address for go2rtc, credentials and all. Raises CameraFault dns_failed, address_forbidden, invalid_url."""
        address = await self._address(RtspUrl.parse(url).host)
        return source_url(url, camera.username, camera.password, address=address)

    def forget_unused(self) -> None:
        """Names that nobody asked for since the last call."""
        self._known = {host: known for host, known in self._known.items() if host in self._used}
        self._used.clear()

    async def _address(self, host: str) -> str:
        if literal_addresses(normalize_host(host)):
            return str(await resolve_address(host, self._policy))
        self._used.add(host)
        known = self._known.get(host)
        if known is None or known.until <= self._clock.monotonic():
            known = self._known[host] = await self._look_up(host, "" if known is None else known.address)
        if known.fault is not None:
            raise CameraFault(known.fault.reason, known.fault.message)
        return known.address

    async def _look_up(self, host: str, before: str) -> _Known:
        found: list[str] = []
        fault: CameraFault | None = None

        async def resolve(name: str) -> Sequence[str]:
            found[:] = await self._resolver(name)
            return found

        try:
            address = str(await resolve_address(host, self._policy, resolver=resolve))
        except CameraFault as error:
            fault, address = error, before
        # One of several: to take another would take the picture from those who watch
        chosen = before if before in found else address
        return _Known(chosen, fault, self._clock.monotonic() + LOOK_AGAIN_SEC)
