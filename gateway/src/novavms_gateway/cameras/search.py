"""Looking for cameras that are missing at their address: cheap devices get a new one from DHCP, and nobody tells us.

A camera that has been away for a minute is looked for; then again after pauses that double, up to ten minutes, all that
are missing in one search. Devices are only asked what they tell everybody: no search ever sends a user or a password.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final, NoReturn, Protocol

from novavms_camera.address import AddressPolicy, resolve_address
from novavms_camera.faults import CameraFault
from novavms_camera.onvif.discovery import USUAL_PORTS
from novavms_camera.onvif.identity import Sighting
from novavms_gateway.cameras.fleet import Fleet
from novavms_gateway.cameras.recognise import find, is_searchable
from novavms_gateway.kit.clock import Clock
from novavms_gateway.settings import Settings
from novavms_protocol import CameraConfig, CameraMoved

log = logging.getLogger(__name__)

MAY_HAVE_MOVED: Final = frozenset(
    {
        *("unreachable", "refused", "timeout", "dns_failed", "connection_lost"),  # nobody is there
        *("other_device", "tls_failed", "auth_failed", "not_onvif", "not_rtsp"),  # somebody else may be
        *("path_not_found", "no_profiles", "camera_error"),
    }
)
"""Not locked_out, frozen, too_many_connections and the like: those are said by the camera itself."""
LONGEST_PAUSE: Final = 10
"""In units of `search_after_sec`."""


class LookAround(Protocol):
    async def __call__(
        self, *, policy: AddressPolicy, multicast: bool, hosts: Sequence[str], ports: Sequence[int]
    ) -> list[Sighting]:
        """Who is on the network."""


class Search:
    """`on_moved` hears of each missing camera that was found elsewhere, with every search anew."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        clock: Clock,
        settings: Settings,
        look_around: LookAround,
        mac_at: Callable[[str], str | None],
        on_moved: Callable[[CameraMoved], None],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._fleet = fleet
        self._clock = clock
        self._settings = settings
        self._look_around = look_around
        self._mac_at = mac_at
        self._on_moved = on_moved
        self._draw = draw
        self._missing_since: dict[object, float] = {}
        self._searched_for: frozenset[object] = frozenset()
        self._pause_sec = float(settings.search_after_sec)
        self._searched_at = self._next_at = float("-inf")

    async def run(self) -> NoReturn:
        """Until cancelled."""
        if self._settings.search_after_sec == 0:
            await asyncio.Event().wait()
        while True:
            await self._clock.sleep(max(0.25, self._settings.search_after_sec / 4))
            missing = self._missing()
            if missing and self._is_due(missing):
                try:
                    await self._search(missing)
                except Exception:
                    # A bug of ours in the search must not take the cameras with it that run.
                    log.exception("search for missing cameras failed")

    def _missing(self) -> list[CameraConfig]:
        """Cameras that have been away for long enough."""
        now = self._clock.monotonic()
        away = [camera for camera in self._fleet.cameras if is_searchable(camera) and self._is_away(camera)]
        since = self._missing_since
        self._missing_since = {camera.camera_id: since.get(camera.camera_id, now) for camera in away}
        return [
            camera
            for camera in away
            if now - self._missing_since[camera.camera_id] >= self._settings.search_after_sec
        ]

    def _is_away(self, camera: CameraConfig) -> bool:
        watch = self._fleet.find(camera.camera_id)
        if watch is None:
            return False
        status = watch.stream.status
        return status.state in ("offline", "error") and status.reason in MAY_HAVE_MOVED

    def _is_due(self, missing: list[CameraConfig]) -> bool:
        """One that is missing since the last search makes the pauses begin anew, but no two searches follow at once."""
        now, shortest = self._clock.monotonic(), float(self._settings.search_after_sec)
        ids: frozenset[object] = frozenset(camera.camera_id for camera in missing)
        if ids - self._searched_for:
            self._pause_sec = shortest
            self._next_at = min(self._next_at, self._searched_at + shortest)
        if now < self._next_at:
            return False
        self._searched_for, self._searched_at = ids, now
        self._next_at = now + self._pause_sec * (0.75 + self._draw() / 2)
        self._pause_sec = min(self._pause_sec * 2, shortest * LONGEST_PAUSE)
        return True

    async def _search(self, missing: list[CameraConfig]) -> None:
        """The cameras' own hosts are asked as well: a service may have another port, and a neighbour may have swapped."""
        settings = self._settings
        policy = AddressPolicy(allow_loopback=any(camera.allow_loopback for camera in missing))
        sightings = await self._look_around(
            policy=policy,
            multicast=settings.search_multicast,
            hosts=[*dict.fromkeys(camera.host for camera in missing), *settings.search_hosts],
            ports=settings.search_ports
            or list(dict.fromkeys((*USUAL_PORTS, *(camera.port for camera in missing)))),
        )
        found_at, found_count = self._clock.now(), 0
        for camera in missing:
            address = await _address_of(camera, policy)
            found = find(camera, address, self._fleet.cameras, sightings, self._mac_at)
            if found is None:
                continue
            sighting, matched_by = found
            found_count += 1
            self._on_moved(
                CameraMoved(
                    camera_id=camera.camera_id,
                    revision=camera.revision,
                    host=sighting.host,
                    port=sighting.port,
                    matched_by=matched_by,
                    found_at=found_at,
                )
            )
        facts = {"missing": len(missing), "devices": len(sightings), "found": found_count}
        log.info("searched for missing cameras", extra={"facts": facts})


async def _address_of(camera: CameraConfig, policy: AddressPolicy) -> str | None:
    """Where the camera is supposed to be; None for a name without an address."""
    try:
        return str(await resolve_address(camera.host, policy))
    except CameraFault:
        return None
