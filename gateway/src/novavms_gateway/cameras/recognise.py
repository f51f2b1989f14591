"""Which device is which camera: by endpoint reference, else by MAC. Addresses say where a camera was, not who it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, Protocol

from novavms_camera.address import AddressPolicy
from novavms_camera.faults import CameraFault
from novavms_camera.onvif.identity import SaidIdentity, Sighting, mac_key, reference_key
from novavms_gateway.kit.clock import Clock
from novavms_protocol import CameraConfig

PATIENCE_SEC: Final = 20.0
MatchedBy = Literal["endpoint_reference", "mac"]


class AskIdentity(Protocol):
    async def __call__(self, host: str, port: int, policy: AddressPolicy) -> SaidIdentity:
        """Asks the ONVIF service there who it is, without a login. Raises CameraFault."""


class Recogniser:
    """Asked before each session of one camera: another device at its address must not be logged in to, nor be recorded
    under its name. Two cameras that swapped their addresses after a power cut would be, where they share a password.

    Only a device that is known to be another is refused: a new reference alone is none, for cheap cameras make one up at
    every start. One that does not answer is waited for, `PATIENCE_SEC` long, for a camera's ONVIF service starts after its
    video; then it passes, for a camera whose ONVIF service is stuck is still of use, and is asked again (`is_sure`).
    """

    def __init__(self, ask: AskIdentity, cameras: Callable[[], Iterable[CameraConfig]], clock: Clock) -> None:
        self._ask = ask
        self._cameras = cameras
        self._clock = clock
        self._doubted = False
        self._silent_since: float | None = None
        self.is_sure = True
        """Whether the device answered when it was asked last."""

    async def __call__(self, camera: CameraConfig) -> None:
        """Raises CameraFault: other_device; after that, and for some time anyway, whatever keeps it from saying who it is."""
        if camera.kind != "onvif" or _reference(camera) is None:
            return
        try:
            said = await self._ask(
                camera.host, camera.port, AddressPolicy(allow_loopback=camera.allow_loopback)
            )
        except CameraFault:
            self.is_sure, now = False, self._clock.monotonic()
            if self._silent_since is None:
                self._silent_since = now
            if self._doubted or now - self._silent_since < PATIENCE_SEC:
                raise
            return
        self.is_sure, self._silent_since = True, None
        self._doubted = is_other(camera, said, self._cameras())
        if self._doubted:
            raise CameraFault("other_device", f"{camera.host}:{camera.port} is another device by now.")


def is_other(camera: CameraConfig, said: SaidIdentity, cameras: Iterable[CameraConfig]) -> bool:
    """Whether a device is certainly not this camera: it has the reference of another of ours, or another MAC beside
    another reference."""
    reference = said.endpoint_reference
    if reference is None or reference == _reference(camera):
        return False
    if reference in {_reference(other) for other in cameras}:
        return True
    return said.mac is not None and _mac(camera) is not None and said.mac != _mac(camera)


def find(
    camera: CameraConfig,
    address: str | None,
    cameras: Sequence[CameraConfig],
    sightings: Sequence[Sighting],
    mac_at: Callable[[str], str | None],
) -> tuple[Sighting, MatchedBy] | None:
    """Where a missing camera is now; None where it is not seen, is seen at its own `address`, or is not told apart.

    By MAC only a camera that has no endpoint reference; `mac_at` is the neighbour table's word on an IP address.
    """
    reference, mac = _reference(camera), _mac(camera)
    if any(_is_clone(camera, other) for other in cameras):
        return None
    matched_by: MatchedBy = "endpoint_reference" if reference is not None else "mac"
    if reference is not None:
        seen = [sighting for sighting in sightings if sighting.said.endpoint_reference == reference]
    else:
        taken = {_reference(other) for other in cameras} - {None}
        seen = [
            sighting
            for sighting in sightings
            if sighting.said.endpoint_reference not in taken
            and {sighting.said.mac, mac_at(sighting.host)} - {None} == {mac}
        ]
    if any((sighting.host, sighting.port) == (address, camera.port) for sighting in seen):
        return None
    hosts = {sighting.host for sighting in seen}
    if len(hosts) > 1:  # one device by IPv4 and IPv6 is the only riddle that has an answer
        hosts = {host for host in hosts if ":" not in host}
    if len(hosts) != 1:
        return None
    ports = [sighting for sighting in seen if sighting.host in hosts]
    return min(ports, key=lambda sighting: (sighting.port != camera.port, sighting.port)), matched_by


def _is_clone(camera: CameraConfig, other: CameraConfig) -> bool:
    """Another device with the same word for itself: whole series of cheap cameras share one endpoint reference. The
    channels of a recorder share it as well, but are one device, with one serial number and MAC."""
    if other.camera_id == camera.camera_id or other.identity is None or camera.identity is None:
        return False
    reference, mac = _reference(camera), _mac(camera)
    if reference is None:
        return mac is not None and _mac(other) == mac and _serials_differ(camera, other)
    if _reference(other) != reference:
        return False
    return _serials_differ(camera, other) or (None not in {mac, _mac(other)} and mac != _mac(other))


def _serials_differ(camera: CameraConfig, other: CameraConfig) -> bool:
    serials = {each.identity.serial for each in (camera, other) if each.identity is not None}
    return None not in serials and len(serials) == 2


def is_searchable(camera: CameraConfig) -> bool:
    """Whether there is anything to know it by. A camera added by its RTSP address has no identity that we learn."""
    return (
        camera.enabled
        and camera.kind == "onvif"
        and not (_reference(camera) is None and _mac(camera) is None)
    )


def _reference(camera: CameraConfig) -> str | None:
    return reference_key(camera.identity.endpoint_reference) if camera.identity is not None else None


def _mac(camera: CameraConfig) -> str | None:
    return mac_key(camera.identity.mac) if camera.identity is not None else None
