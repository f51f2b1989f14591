"""WS-Discovery (ONVIF Core section 7): answers Probes that come to the camera's own address. It joins no multicast group."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Final, cast
from xml.sax.saxutils import escape

from novavms_simcam import onvif_device
from novavms_simcam.soap import NotSoap, envelope, parse

if TYPE_CHECKING:
    from novavms_simcam.camera import SimCam

MATCHES: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches"
ANONYMOUS: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_TYPES: Final = frozenset({"NetworkVideoTransmitter", "Device"})


class DiscoveryResponder(asyncio.DatagramProtocol):
    """One camera's answer to a Probe; anything else is ignored."""

    def __init__(self, camera: SimCam, host: str) -> None:
        self._camera = camera
        self._host = host
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.DatagramTransport", transport
        )  # neither asyncio's nor uvloop's derive from it

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if self._transport is None or not self._camera.is_plugged or self._camera.faults.silent:
            return
        try:
            call = parse(data)
        except NotSoap:
            return
        wanted = call.text("Types").split()
        if call.name != "Probe" or not all(w.rpartition(":")[2] in _TYPES for w in wanted):
            return
        if not _scopes_match(call.text("Scopes").split(), onvif_device.scopes(self._camera)):
            return
        self._camera.count("d:Probe")
        loop = asyncio.get_running_loop()
        loop.call_later(self._camera.faults.slow_answer_sec, self._send, self._matches(call.message_id), addr)

    def _send(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)

    def _matches(self, relates_to: str) -> bytes:
        camera = self._camera
        base = onvif_device.base_url(camera, self._host)
        header = (
            f"<wsa:MessageID>urn:uuid:{uuid.uuid4()}</wsa:MessageID><wsa:RelatesTo>{escape(relates_to)}</wsa:RelatesTo>"
            f"<wsa:To>{ANONYMOUS}</wsa:To><wsa:Action>{MATCHES}</wsa:Action>"
        )
        body = (
            "<d:ProbeMatches><d:ProbeMatch><wsa:EndpointReference>"
            f"<wsa:Address>{escape(camera.config.endpoint_reference)}</wsa:Address></wsa:EndpointReference>"
            "<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>"
            f"<d:Scopes>{escape(' '.join(onvif_device.scopes(camera)))}</d:Scopes>"
            f"<d:XAddrs>{escape(base)}/device_service</d:XAddrs>"
            "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches>"
        )
        return envelope(body, header)


def _scopes_match(wanted: list[str], own: list[str]) -> bool:
    """Each wanted scope is a prefix, by whole path segments, of one of ours (WS-Discovery, the rfc2396 rule)."""
    return all(any(o == w.rstrip("/") or o.startswith(w.rstrip("/") + "/") for o in own) for w in wanted)
