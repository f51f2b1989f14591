"""Where a camera's stream is now: its RTSP address as told, or as its ONVIF service tells it."""

from __future__ import annotations

from typing import Final, Protocol

from novavms_camera.address import AddressPolicy
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource, Kind, StreamSource, Tier
from novavms_protocol import CameraConfig

STALE: Final = frozenset(
    {"path_not_found", "refused", "unreachable", "timeout", "not_rtsp", "no_video", "dns_failed"}
)
"""Failures after which a resolved address is no longer believed. Not auth_failed: asking again costs a login try."""


class Resolve(Protocol):
    async def __call__(self, source: CameraSource, tier: Tier, policy: AddressPolicy) -> StreamSource:
        """Resolves the host once, judges the address and pins it; asks the ONVIF service of an `onvif` source. Raises CameraFault."""


class StreamFinder:
    """Answers "which stream?" before each session of one camera.

    For ONVIF the last known address is tried first, for it costs the camera nothing; it is asked for anew once that
    failed. Kept in memory only.
    """

    def __init__(self, config: CameraConfig, resolve: Resolve) -> None:
        self._config = config
        self._resolve = resolve
        self._policy = AddressPolicy(allow_loopback=config.allow_loopback)
        # What the check resolved is the main stream's address.
        self._known = config.rtsp_url if config.kind == "rtsp" or config.recording_stream == "main" else None
        self._resolved: StreamSource | None = None

    def failed(self, reason: str | None) -> None:
        """The last session ended so."""
        if self._config.kind == "onvif" and reason in STALE:
            self._known = None
            self._resolved = None

    async def __call__(self) -> StreamSource:
        """Raises CameraFault."""
        config = self._config
        if self._known is not None:
            return await self._resolve(
                self._source("rtsp", self._known), config.recording_stream, self._policy
            )
        if self._resolved is None:
            source = self._source(config.kind, config.rtsp_url)
            self._resolved = await self._resolve(source, config.recording_stream, self._policy)
        return self._resolved

    def _source(self, kind: Kind, rtsp_url: str | None) -> CameraSource:
        config = self._config
        return CameraSource(
            kind=kind,
            host=config.host,
            port=config.port,
            rtsp_url=rtsp_url,
            username=config.username,
            password=None if config.password is None else Secret(config.password),
            transport=config.stream_transport,
        )
