"""From a camera as a person described it to the one RTSP stream of a tier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from novavms_camera.address import AddressPolicy, resolve_address
from novavms_camera.faults import CameraFault
from novavms_camera.onvif.device import HTTPS_PORTS, OnvifDevice
from novavms_camera.onvif.http import HttpConnection
from novavms_camera.onvif.media import choose_tiers, media_profiles, repair_host
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.source import CameraSource, StreamSource, Tier


def open_device(source: CameraSource, address: str, now: Callable[[], datetime]) -> OnvifDevice:
    """A device at a judged address; nothing is sent yet. Close its `connection` when done."""
    connection = HttpConnection(
        source.host,
        address,
        source.port,
        tls=source.port in HTTPS_PORTS or source.tls_fingerprint is not None,
        tls_fingerprint=source.tls_fingerprint,
        tls_pinned_at=source.tls_pinned_at,
    )
    return OnvifDevice(connection, source.username, source.password, now)


async def resolve_stream(
    source: CameraSource,
    tier: Tier,
    *,
    policy: AddressPolicy | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> StreamSource:
    """The stream of `tier`; a device without a sub stream gives its main one, and says so in `tier`. `rtsp` sources have the
    one they name.

    The host is resolved once and the answer pinned in `address`; `policy` judges it, None judges nothing. An ONVIF
    device is logged in to, with at most two failed tries; the caller bounds the time. Raises CameraFault.
    """
    if source.kind == "rtsp":
        if source.rtsp_url is None:
            raise CameraFault("invalid_url", "rtsp_url is missing.")
        address = str(await resolve_address(RtspUrl.parse(source.rtsp_url).host, policy))
        return stream_source(source, source.rtsp_url, address, redirects=policy)
    address = str(await resolve_address(source.host, policy))
    device = open_device(source, address, now)
    try:
        await device.read_clock()
        service, profiles = await media_profiles(device)
        main, sub = choose_tiers(profiles)
        chosen = sub if tier == "sub" and sub is not None else main
        url = await service.stream_url(chosen.token)
    finally:
        await device.connection.close()
    given: Tier = "main" if chosen is main else "sub"
    return stream_source(source, str(repair_host(url, address)), address, redirects=policy, tier=given)


def stream_source(
    source: CameraSource,
    url: RtspUrl | str,
    address: str,
    *,
    redirects: AddressPolicy | None = None,
    tier: Tier = "main",
) -> StreamSource:
    """The stream at `url` with the source's credentials and transport, pinned to `address`.

    An `onvif` source's https and its rtsps may show different certificates.
    """
    return StreamSource(
        url=str(url),
        username=source.username,
        password=source.password,
        transport=source.transport,
        address=address,
        tls_fingerprint=source.tls_fingerprint if source.kind == "rtsp" else source.stream_tls_fingerprint,
        tls_pinned_at=source.tls_pinned_at,
        redirects=redirects,
        tier=tier,
    )
