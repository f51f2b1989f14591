"""Connect to profiles: what the check asks an ONVIF device before it looks at a stream."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from novavms_camera.check.report import CheckWarning, Facts, ProfileFacts, StageName
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

    async def run(self) -> RtspUrl:
        """The main stream's address, at the host that answered. Raises CameraFault."""
        assert self.facts.address is not None
        device = open_device(self.source, self.facts.address, self.now)
        where = f"{device.connection.where} (ONVIF)"
        try:
            async with self.recorder.stage("connect", CONNECT_SEC) as note:
                await device.connection.connect()
                note.detail = f"TCP to {where}"
            if device.connection.tls:
                async with self.recorder.stage("tls", TLS_SEC) as note:
                    await device.connection.start_tls()
                    note.detail = self._certificate(device)
            async with self._stage("clock", CLOCK_SEC, where) as note:
                await self._clock(device, note)
            async with self._stage("login", LOGIN_SEC, where) as note:
                await self._login(device, note)
            async with self.recorder.stage("identity", IDENTITY_SEC + 0.5) as note:
                await self._identity(device)
                note.detail = ", ".join(filter(None, (self.facts.serial, self.facts.mac))) or "not told"
            async with self._stage("profiles", PROFILES_SEC, where) as note:
                return await self._profiles(device, note)
        finally:
            self.signs |= device.signs
            await device.connection.close()

    @contextlib.asynccontextmanager
    async def _stage(self, name: StageName, cap_sec: float, where: str) -> AsyncIterator[Note]:
        async with self.recorder.stage(name, cap_sec) as note:
            note.timeout_message = (
                f"{where} accepted the connection, but did not answer within {cap_sec:g} s."
            )
            yield note

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
        note.detail = f"{offset:+.0f} s"
        if abs(offset) >= CLOCK_SKEW_SEC:
            self.warnings.append(
                CheckWarning(
                    "clock_skew",
                    f"The camera's clock is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}: set its time server (NTP).",
                )
            )

    async def _try_tls(self, device: OnvifDevice, note: Note, fault: CameraFault) -> None:
        """https at any port: to who did not answer plain HTTP as if it wanted TLS. Raises `fault` where it does not."""
        connection, started = device.connection, time.perf_counter()
        sign = connection.tls_sign
        if connection.tls or sign == "none":
            raise fault
        connection.tls = True
        try:
            await connection.connect()
            await connection.start_tls()
        except CameraFault as failed:
            if sign != "sure" or failed.reason != "tls_failed":
                raise fault from None
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
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDENTITY_SEC):
                with contextlib.suppress(CameraFault):
                    self.facts.mac = await device.mac_address()
                with contextlib.suppress(CameraFault):
                    self.facts.endpoint_reference = await device.endpoint_reference()

    async def _profiles(self, device: OnvifDevice, note: Note) -> RtspUrl:
        service, profiles = await media_profiles(device)
        main, sub = choose_tiers(profiles)
        password = self.source.password
        note.detail = f"{len(profiles)} by Media{service.version}, main: {main.token}, sub: {sub.token if sub else 'none'}"
        try:
            main_url = await self._stream_url(service, main)
            sub_url: RtspUrl | None = None
            if sub is not None:
                with contextlib.suppress(CameraFault):  # a camera is of use without its sub stream
                    sub_url = await self._stream_url(service, sub)
        finally:
            self.facts.profiles = [_facts_of(profile, main, sub, password) for profile in profiles]
        urls = {main.token: main_url, **({sub.token: sub_url} if sub is not None else {})}
        self.facts.profiles = [
            _facts_of(profile, main, sub, password, urls.get(profile.token)) for profile in profiles
        ]
        self.facts.sub_stream_url = shown(str(sub_url), password) if sub_url is not None else None
        self.facts.bit_rate, self.facts.fps = main.bit_rate, main.fps
        if main.gop_frames and main.fps:
            self.facts.keyframe_interval_sec = round(main.gop_frames / main.fps, 2)
        return main_url

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
