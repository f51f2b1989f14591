"""Runs the stages in order. Never raises for the camera's sake, and leaves no session and no connection open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from novavms_camera.address import AddressPolicy, resolve_address
from novavms_camera.capture.session import choose_video
from novavms_camera.check.media import (
    CODEC_NAMES,
    FirstKeyFrame,
    SilenceFault,
    audio_codec,
    first_key_frame,
)
from novavms_camera.check.onvif_stages import OnvifStages
from novavms_camera.check.report import (
    LONG_GOP_SEC,
    CheckReport,
    CheckWarning,
    Facts,
    Stage,
    StageName,
    WarningCode,
    long_gop_message,
)
from novavms_camera.check.stages import Note, StageRecorder
from novavms_camera.faults import HINTS, CameraFault
from novavms_camera.makes import hint_for, recognise
from novavms_camera.onvif.stream import stream_source
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.sdp import SessionDescription
from novavms_camera.rtsp.url import RtspUrl, shown
from novavms_camera.source import TRANSPORTS, CameraSource

RESOLVE_SEC = 5.0
CONNECT_SEC = 2.0
DESCRIBE_SEC = 8.0
"""Two logins, of which a wrong one is answered only after 2 s by some; each answer has RTSP_ANSWER_SEC at most."""
RTSP_ANSWER_SEC = 5.0
ONLY_ONVIF_HINT = (
    "The ONVIF login is right, but the camera's RTSP refuses it: give this user the right to see video (live view) in the camera, "
    "set RTSP authentication to the same users, or use another user."
)
NO_LOGIN_HINT = (
    "The camera wants a login and none was given: enter a user of the camera's own and its password."
)
TEARDOWN_RESERVE_SEC = 0.5
"""Kept of the overall cap for the TEARDOWN."""

Clock = Callable[[], datetime]


async def check_camera(
    source: CameraSource,
    *,
    policy: AddressPolicy,
    on_stage: Callable[[Stage], None] | None = None,
    time_cap_sec: float = 15,
    clock: Clock | None = None,
) -> CheckReport:
    """Prove that `source` can be watched: address, login, profiles, stream, first key frame.

    Never raises for what the camera or the network does: the report says it. `on_stage` hears of each stage as it
    ends. `clock` gives UTC, and is compared with the camera's. Cancelled, it ends the session before it goes.
    """
    recorder = StageRecorder(time_cap_sec - TEARDOWN_RESERVE_SEC, on_stage)
    check = _Check(source, policy, recorder, clock or (lambda: datetime.now(UTC)))
    fault: CameraFault | None = None
    try:
        await check.run()
    except CameraFault as caught:
        fault = caught
    return CheckReport(
        ok=fault is None,
        reason=fault.reason if fault is not None else None,
        message=fault.message if fault is not None else None,
        hint=check.hint(fault) if fault is not None else None,
        elapsed_ms=recorder.elapsed_ms,
        stages=recorder.stages,
        warnings=check.warnings,
        facts=check.facts,
    )


@dataclass(slots=True)
class _Check:
    source: CameraSource
    policy: AddressPolicy
    recorder: StageRecorder
    now: Clock
    facts: Facts = field(default_factory=Facts)
    warnings: list[CheckWarning] = field(default_factory=list)
    signs: set[str] = field(default_factory=set)
    """What the camera's answers say of its make."""

    def hint(self, fault: CameraFault) -> str:
        """What to do: as the camera's make wants it, where the fault does not know better."""
        if fault.hint != HINTS[fault.reason]:
            return fault.hint
        if fault.reason == "auth_failed" and not self.source.username:
            return NO_LOGIN_HINT
        told = (self.facts.manufacturer or "", self.facts.model or "", *self.signs)
        make = recognise(told, port=self.source.port if self.source.kind == "onvif" else None)
        return hint_for(fault.reason, make) or fault.hint

    async def run(self) -> None:
        await self._judge_and_resolve()
        if self.source.kind == "rtsp":
            assert self.source.rtsp_url is not None
            await self._stream(RtspUrl.parse(self.source.rtsp_url), connects_first=True)
            return
        onvif = OnvifStages(self.source, self.recorder, self.now, self.facts, self.warnings, self.signs)
        try:
            await self._stream(await onvif.run(), connects_first=False)
        finally:
            await onvif.finish()

    async def _judge_and_resolve(self) -> None:
        async with self.recorder.stage("policy", 1.0):
            if self.source.kind == "rtsp":
                if self.source.rtsp_url is None:
                    raise CameraFault("invalid_url", "rtsp_url is missing.")
                host = RtspUrl.parse(self.source.rtsp_url).host
            else:
                host = self.source.host
            why = self.policy.refuse_host(host)
            if why is not None:
                raise CameraFault("address_forbidden", f"{why}.")
        async with self.recorder.stage("resolve", RESOLVE_SEC) as note:
            note.timeout_message = f"The name {host} was not resolved within {RESOLVE_SEC:g} s."
            address = str(await resolve_address(host, self.policy))
            note.detail = address if address == host else f"{host} is {address}"
            self.facts.address = address

    async def _stream(self, url: RtspUrl, *, connects_first: bool) -> None:
        """Connect, describe and media over one RTSP connection. After ONVIF, connecting is part of describe."""
        self.facts.stream_url = shown(str(url), self.source.password)
        client = self._client(url)
        where = f"{self.facts.address}:{url.port} (RTSP)"
        try:
            if connects_first:
                await self._connect(client, url, where)
            async with self._rtsp_stage("describe", DESCRIBE_SEC, where) as note:
                if not connects_first:
                    await self._open(client, note)
                description = await self._describe(client, note)
            async with self._rtsp_stage("media", self.recorder.remaining_sec, where) as note:
                await self._media(client, url, description, note)
        except CameraFault as fault:
            if fault.reason == "auth_failed" and not connects_first and self.source.username is not None:
                raise CameraFault(
                    fault.reason, fault.message, hint=ONLY_ONVIF_HINT, status=fault.status
                ) from None
            raise
        finally:
            self.signs |= client.signs
            await client.teardown()

    def _client(self, url: RtspUrl) -> RtspClient:
        assert self.facts.address is not None
        return RtspClient(
            stream_source(self.source, url, self.facts.address, redirects=self.policy),
            connect_timeout=CONNECT_SEC,
            request_timeout=RTSP_ANSWER_SEC,
            read_interval=0,  # the first key frame is waited for, and a second is all that is read
        )

    async def _connect(self, client: RtspClient, url: RtspUrl, where: str) -> None:
        tls = url.scheme == "rtsps"
        async with self._rtsp_stage(
            "connect", CONNECT_SEC + (RTSP_ANSWER_SEC if tls else 0.5), where
        ) as note:
            note.detail = f"TCP{' and TLS' if tls else ''} to {where}"
            await self._open(client, note)

    async def _open(self, client: RtspClient, note: Note) -> None:
        try:
            await client.open()
        except CameraFault as fault:
            if fault.reason == "tls_failed":
                if note.name == "connect":
                    self.recorder.passed("connect")
                note.name = "tls"
            raise
        if self.source.kind == "rtsp":
            self.facts.tls_fingerprint = client.tls_fingerprint
        else:
            self.facts.stream_tls_fingerprint = client.tls_fingerprint

    @asynccontextmanager
    async def _rtsp_stage(self, name: StageName, cap_sec: float, where: str) -> AsyncIterator[Note]:
        """A stage whose faults say which address and port they are about."""
        async with self.recorder.stage(name, cap_sec) as note:
            note.timeout_message = f"{where} did not finish in time."
            try:
                yield note
            except CameraFault as fault:
                message = fault.message.rstrip(".")
                raise CameraFault(
                    fault.reason, f"{where}: {message}.", hint=fault.hint, status=fault.status
                ) from fault

    async def _describe(self, client: RtspClient, note: Note) -> SessionDescription:
        asked = client.url
        await client.learn_methods()
        description = await client.describe()
        codec, recordable = audio_codec(description)
        self.facts.has_audio, self.facts.audio_codec = codec is not None, codec
        if not recordable:
            self._warn(
                "audio_unsupported",
                f"The camera's audio is {codec}, which is not recorded; set it to AAC or G.711.",
            )
        media = choose_video(description)
        self.facts.codec = media.encoding.lower()
        self.facts.bit_rate = self.facts.bit_rate or media.bit_rate
        self.facts.fps = self.facts.fps or media.frame_rate
        if self.facts.codec == "h265":
            self._warn(
                "h265_browser_limited",
                "The stream is H.265: some browsers cannot play it, and live view may need a conversion.",
            )
        note.detail = f"{CODEC_NAMES[self.facts.codec]}, audio: {codec or 'none'}"
        if client.url != asked:
            note.detail += f", redirected to {shown(client.url, self.source.password)}"
        return description

    async def _media(
        self, client: RtspClient, url: RtspUrl, description: SessionDescription, note: Note
    ) -> None:
        note.timeout_reason = "no_media"
        note.timeout_message = f"{self.facts.address} (RTSP): the session plays, but no key frame came within the time of the check."
        frame = await self._first_key_frame(client, url, description)
        facts, seen = self.facts, frame.facts
        facts.transport, facts.codec, facts.width, facts.height = (
            seen.transport,
            seen.codec,
            seen.width,
            seen.height,
        )
        facts.fps = seen.fps or facts.fps
        note.detail = (
            f"{CODEC_NAMES[seen.codec]} {seen.width}x{seen.height} over {seen.transport.upper()}, "
            f"key frame after {frame.wait_sec:.2f} s"
        )
        interval = max(facts.keyframe_interval_sec or 0.0, frame.wait_sec)
        if interval > LONG_GOP_SEC:
            self._warn("long_gop", long_gop_message(interval))

    async def _first_key_frame(
        self, client: RtspClient, url: RtspUrl, description: SessionDescription
    ) -> FirstKeyFrame:
        """By the transport that was asked for; `auto`: where TCP is refused, or nothing comes over it, by UDP."""
        wanted = self.source.transport
        try:
            return await first_key_frame(client, description, self.recorder.remaining_sec, TRANSPORTS[wanted])
        except CameraFault as fault:
            silent = isinstance(fault, SilenceFault) and fault.transport == "tcp"
            if wanted == "tcp" and fault.reason == "transport_unsupported":
                raise CameraFault(
                    fault.reason, f"TCP was asked for, but {fault.message}", status=fault.status
                ) from None
            if wanted != "auto" or not (silent or fault.status == 200):
                raise
            first = fault
        await client.teardown()
        second = self._client(url)  # a new session: servers take a new transport for a track ill
        try:
            await second.open()
            again = await second.describe()
            return await first_key_frame(second, again, self.recorder.remaining_sec, ("udp",))
        except CameraFault as fault:
            if isinstance(fault, SilenceFault) and isinstance(first, SilenceFault):
                raise SilenceFault("udp", tcp_too=True) from None
            raise (first if fault.reason == "transport_unsupported" else fault) from None
        finally:
            await second.teardown()

    def _warn(self, code: WarningCode, message: str) -> None:
        self.warnings.append(CheckWarning(code, message))
