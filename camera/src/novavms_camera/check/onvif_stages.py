"""Connect to profiles: what the check asks an ONVIF device before it looks at a stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from novavms_camera.check.report import CheckWarning, Facts, ProfileFacts
from novavms_camera.check.stages import Note, StageRecorder
from novavms_camera.faults import CameraFault
from novavms_camera.onvif.device import OnvifDevice
from novavms_camera.onvif.media import MediaProfile, MediaService, choose_tiers, media_profiles, repair_host
from novavms_camera.onvif.stream import open_device
from novavms_camera.rtsp.url import RtspUrl, shown
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource

CONNECT_SEC = 2.5
TLS_SEC = 3.0
CLOCK_SEC = 5.0
LOGIN_SEC = 6.0
IDENTITY_SEC = 1.0
PROFILES_SEC = 6.0
SUB_SEC = 2.0
"""For what is still missing of the sub stream when the main one has been looked at."""
CLOCK_SKEW_SEC = 5.0


@dataclass(slots=True)
class OnvifStages:
    """Fills `facts` and `warnings` as it goes."""

    source: CameraSource
    recorder: StageRecorder
    now: Callable[[], datetime]
    facts: Facts
    warnings: list[CheckWarning]
    signs: set[str]
    _device: OnvifDevice | None = None
    _services: asyncio.Task[dict[str, str]] | None = None
    """Asked together with the identity: neither needs the other's answer."""
    _sub: asyncio.Task[RtspUrl] | None = None
    """Asked while the main stream is looked at already."""
    _profiles: _Chosen | None = None

    async def run(self) -> RtspUrl:
        """The main stream's address, at the host that answered. Raises CameraFault. `finish` is to follow, whatever happens."""
        assert self.facts.address is not None
        device = self._device = open_device(self.source, self.facts.address, self.now)
        where = f"{device.connection.where} (ONVIF)"
        async with self.recorder.stage("connect", CONNECT_SEC) as note:
            await device.connection.connect()
            note.detail = f"TCP to {where}"
        if device.connection.tls:
            async with self.recorder.stage("tls", TLS_SEC) as note:
                await device.connection.start_tls()
                note.detail = self._certificate(device)
        silence = f"{where} accepted the connection, but did not answer within"
        async with self.recorder.stage("clock", CLOCK_SEC) as note:
            note.timeout_message = f"{silence} {CLOCK_SEC:g} s."
            await self._clock(device, note)
        async with self.recorder.stage("login", LOGIN_SEC) as note:
            note.timeout_message = f"{silence} {LOGIN_SEC:g} s."
            await self._login(device, note)
        async with self.recorder.stage("identity", IDENTITY_SEC + 0.5) as note:
            await self._identity(device)
            note.detail = ", ".join(filter(None, (self.facts.serial, self.facts.mac))) or "not told"
        async with self.recorder.stage("profiles", PROFILES_SEC) as note:
            note.timeout_message = f"{silence} {PROFILES_SEC:g} s."
            return await self._main_url(device, note)

    async def finish(self) -> None:
        """What was asked meanwhile becomes facts, and the connection is closed."""
        try:
            sub_url = await self._sub_url()
            if self._profiles is not None:
                self._profiles.tell(self.facts, self.source.password, sub_url)
        finally:
            for task in (self._services, self._sub):
                await _end(task)
            if self._device is not None:
                self.signs |= self._device.signs
                await self._device.connection.close()

    async def _sub_url(self) -> RtspUrl | None:
        """None where the camera does not say: it is of use without its sub stream."""
        if self._sub is None:
            return None
        if not self._sub.done():
            await asyncio.wait({self._sub}, timeout=min(SUB_SEC, self.recorder.remaining_sec))
        if not self._sub.done() or self._sub.cancelled():
            return None
        fault = self._sub.exception()
        if fault is None:
            return self._sub.result()
        if not isinstance(fault, CameraFault):
            raise fault
        return None

    async def _clock(self, device: OnvifDevice, note: Note) -> None:
        try:
            offset = await device.read_clock()
        except CameraFault as fault:
            await self._try_tls(device, note, fault)
            offset = await device.read_clock()
        self.facts.clock_offset_sec = offset
        if offset is None:
            note.detail = "the camera does not tell its time"
            return
        note.detail = f"{round(offset):+d} s"
        if abs(offset) >= CLOCK_SKEW_SEC:
            self.warnings.append(
                CheckWarning(
                    "clock_skew",
                    f"The camera's clock is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}: set its time server (NTP).",
                )
            )

    async def _try_tls(self, device: OnvifDevice, note: Note, fault: CameraFault) -> None:
        """https at any port: with who did not answer plain HTTP as if it wanted TLS. Raises `fault` where it does not."""
        started = time.perf_counter()
        try:
            if not await device.connection.turn_to_tls():
                raise fault
        except CameraFault as failed:
            if failed is not fault:
                note.name = "tls"
            raise
        self.recorder.passed("tls", self._certificate(device), started=started)

    def _certificate(self, device: OnvifDevice) -> str:
        fingerprint = self.facts.tls_fingerprint = device.connection.tls_fingerprint
        return f"certificate {(fingerprint or '')[:16]}…"

    async def _login(self, device: OnvifDevice, note: Note) -> None:
        information = await device.device_information()
        self.facts.manufacturer, self.facts.model = information.manufacturer, information.model
        self.facts.firmware, self.facts.serial = information.firmware, information.serial
        note.detail = {
            "token": "WS-UsernameToken",
            "digest": "HTTP Digest",
            "none": "no login wanted",
        }[device.login_method]

    async def _identity(self, device: OnvifDevice) -> None:
        """Best effort: many cameras know one of the two calls, or neither."""
        mac = asyncio.create_task(device.mac_address())
        reference = asyncio.create_task(device.endpoint_reference())
        self._services = asyncio.create_task(device.service_paths())
        try:
            await asyncio.wait({mac, reference}, timeout=IDENTITY_SEC)
        finally:
            for task in (mac, reference):
                await _end(task)
        self.facts.mac, self.facts.endpoint_reference = _known(mac), _known(reference)

    async def _main_url(self, device: OnvifDevice, note: Note) -> RtspUrl:
        assert self._services is not None
        service, profiles = await media_profiles(device, await self._services)
        main, sub = choose_tiers(profiles)
        self._profiles = chosen = _Chosen(profiles, main, sub)
        self.facts.bit_rate, self.facts.fps = main.bit_rate, main.fps
        if main.gop_frames and main.fps:
            self.facts.keyframe_interval_sec = round(main.gop_frames / main.fps, 2)
        note.detail = f"{len(profiles)} by Media{service.version}, main: {main.token}, sub: {sub.token if sub else 'none'}"
        asked = asyncio.create_task(self._stream_url(service, main))
        if sub is not None:
            self._sub = asyncio.create_task(self._stream_url(service, sub))
            self._sub.add_done_callback(
                lambda task: device.connection.begin_close() if asked.done() else None
            )
        chosen.main_url = await asked
        return chosen.main_url

    async def _stream_url(self, service: MediaService, profile: MediaProfile) -> RtspUrl:
        assert self.facts.address is not None
        given = await service.stream_url(profile.token)
        if given.host not in {self.facts.address, self.source.host} and not any(
            warning.code == "address_rewritten" for warning in self.warnings
        ):
            self.warnings.append(
                CheckWarning(
                    "address_rewritten",
                    f"The camera says its stream is at {given.host}; the address that answered, {self.facts.address}, is used instead.",
                )
            )
        return repair_host(given, self.facts.address)


@dataclass(slots=True)
class _Chosen:
    """The profiles, and which of them are the streams."""

    profiles: list[MediaProfile]
    main: MediaProfile
    sub: MediaProfile | None
    main_url: RtspUrl | None = None

    def tell(self, facts: Facts, password: Secret | None, sub_url: RtspUrl | None) -> None:
        main, urls = self.main, {self.main.token: self.main_url}
        if self.sub is not None:
            urls[self.sub.token] = sub_url
        facts.profiles = [
            _facts_of(profile, main, self.sub, password, urls.get(profile.token)) for profile in self.profiles
        ]
        facts.sub_stream_url = shown(str(sub_url), password) if sub_url is not None else None


async def _end(task: asyncio.Task[Any] | None) -> None:
    """What became of it is of no interest any more."""
    if task is None:
        return
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # else asyncio complains of one that nobody looked at


def _known(task: asyncio.Task[str | None]) -> str | None:
    """What the camera told, None where it did not. Raises what is no fault of its."""
    if task.cancelled():
        return None
    fault = task.exception()
    if fault is not None and not isinstance(fault, CameraFault):
        raise fault
    return None if fault is not None else task.result()


def _facts_of(
    profile: MediaProfile,
    main: MediaProfile,
    sub: MediaProfile | None,
    password: Secret | None,
    url: RtspUrl | None = None,
) -> ProfileFacts:
    return ProfileFacts(
        token=profile.token,
        name=profile.name,
        codec=profile.codec,
        width=profile.width,
        height=profile.height,
        fps=profile.fps,
        bit_rate=profile.bit_rate,
        tier="main" if profile is main else "sub" if profile is sub else None,
        rtsp_url=shown(str(url), password) if url is not None else None,
    )
