"""Where a camera's stream is now: its RTSP address as told, or as its ONVIF service tells it."""

from __future__ import annotations

from typing import Final, Protocol

from novavms_camera.address import AddressPolicy
from novavms_camera.faults import CameraFault
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


class Recognise(Protocol):
    async def __call__(self, camera: CameraConfig) -> None:
        """Raises CameraFault other_device where another device answers at the camera's address."""


class StreamFinder:
    """Answers "which stream?" before each session of one camera.

    For ONVIF the last known address is tried first, for it costs the camera nothing; it is asked for anew once that
    failed. Kept in memory only. Before either, `recognise` is asked whether it is still the same camera.

    `only`: that tier's stream and no other; without it the camera's `recording_stream`, or main where there is no sub stream.
    """

    def __init__(
        self,
        config: CameraConfig,
        resolve: Resolve,
        recognise: Recognise | None = None,
        *,
        only: Tier | None = None,
    ) -> None:
        self._config = config
        self._only = only
        self._wished: Tier = only or config.recording_stream
        self.tier: Tier = "main" if config.kind == "rtsp" else self._wished
        """Which stream it was when it was asked last."""
        self._resolve = resolve
        self._recognise = recognise
        self._held_back = False
        self._policy = AddressPolicy(allow_loopback=config.allow_loopback)
        # What the check resolved is the main stream's address.
        self._known = config.rtsp_url if config.kind == "rtsp" or self._wished == "main" else None
        self._resolved: StreamSource | None = None

    def failed(self, reason: str | None) -> None:
        """The last session ended so."""
        if self._config.kind == "onvif" and reason in STALE and not self._held_back:
            self._known = None
            self._resolved = None

    async def __call__(self) -> StreamSource:
        """Raises CameraFault."""
        config = self._config
        if self._recognise is not None:
            self._held_back = (
                True  # until it is known who is there, nothing is learnt of the stream's address
            )
            await self._recognise(config)
            self._held_back = False
        if self._known is not None:
            return await self._resolve(self._source("rtsp", self._known), self._wished, self._policy)
        if self._resolved is None:
            source = self._source(config.kind, config.rtsp_url)
            found = await self._resolve(source, self._wished, self._policy)
            if self._only not in {None, found.tier}:
                raise CameraFault("no_profiles", "The camera has no sub stream.")
            self._resolved = found
            self.tier = found.tier
        return self._resolved

    def _source(self, kind: Kind, rtsp_url: str | None) -> CameraSource:
        """As `rtsp`, an ONVIF camera is its stream alone, and that is held to its own certificate."""
        config = self._config
        is_stream = config.kind == "onvif" and kind == "rtsp"
        return CameraSource(
            kind=kind,
            host=config.host,
            port=config.port,
            rtsp_url=rtsp_url,
            username=config.username,
            password=None if config.password is None else Secret(config.password),
            transport=config.stream_transport,
            tls_fingerprint=config.stream_tls_fingerprint if is_stream else config.tls_fingerprint,
            stream_tls_fingerprint=config.stream_tls_fingerprint,
            tls_pinned_at=config.tls_pinned_at,
        )
