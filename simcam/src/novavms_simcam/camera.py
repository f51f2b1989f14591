"""A simulated camera, and many of them in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from novavms_simcam import media as footage
from novavms_simcam.auth import Gatekeeper, LoginAttempts
from novavms_simcam.config import SimCamConfig
from novavms_simcam.discovery import DiscoveryResponder
from novavms_simcam.faults import Faults, FaultValue
from novavms_simcam.http import HttpConnection
from novavms_simcam.media import Media
from novavms_simcam.onvif import OnvifFace
from novavms_simcam.playing import CameraState, Stats
from novavms_simcam.port import Port
from novavms_simcam.rtsp import RtspConnection, Session
from novavms_simcam.tls import Certificates, NoHandshake

STREAMS: Final = ("main", "sub")


class SimCam:
    """One camera: `async with SimCam(config) as cam` has it listening inside the block. Everything runs in the caller's event loop."""

    def __init__(self, config: SimCamConfig | None = None) -> None:
        self.config = config or SimCamConfig()
        self.gatekeeper = Gatekeeper(self.config)
        self.stats = Stats()
        self.state = CameraState(self.config.faults, self.stats, self.gatekeeper.now)
        self.open_sessions: set[Session] = set()
        self.media: dict[str, Media] = {}
        self.sdp_session_id = 1
        self.is_plugged = False
        self._rtsp: Port | None = None
        self._rtsps: Port | None = None
        self._certificates: Certificates | None = None
        self._onvif: Port | None = None
        self._udp: asyncio.DatagramTransport | None = None

    # -- life ------------------------------------------------------------------------------------------
    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Read the footage, take the ports, listen. OSError when a port is taken; ValueError for footage that can't be played."""
        if not self.media:
            self.media = await asyncio.to_thread(_load, self.config)
        try:
            self._rtsp = Port(self.config.host, self.config.rtsp_port, lambda t: RtspConnection(self, t))
            if self.config.rtsps_port is not None or self.config.onvif_https:
                self._certificates = Certificates(self.config.name, self.config.host)
            if self.config.rtsps_port is not None:
                self._rtsps = Port(
                    self.config.host,
                    self.config.rtsps_port,
                    lambda t: self._no_handshake(t) or RtspConnection(self, t),
                )
            if self.config.onvif_port is not None:
                face = OnvifFace(self)
                self._onvif = Port(
                    self.config.host,
                    self.config.onvif_port,
                    lambda t: (
                        (self.config.onvif_https and self._no_handshake(t)) or HttpConnection(face.handle, t)
                    ),
                )
            if self.config.discovery_port is not None:
                self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: DiscoveryResponder(self, self.config.host),
                    local_addr=(self.config.host, self.config.discovery_port),
                )
            self.is_plugged = True
            self._match_ports()
            for port in self._ports():
                await port.opened()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything and give the ports back."""
        self.is_plugged = False
        for port in self._ports():
            port.release()
        if self._udp is not None:
            self._udp.close()
        await asyncio.sleep(0)  # lets aborted transports close their sockets
        await asyncio.sleep(0)
        self._rtsp = self._rtsps = self._onvif = self._udp = None

    # -- what it is ------------------------------------------------------------------------------------
    @property
    def rtsp_port(self) -> int:
        return self._rtsp.number if self._rtsp else self.config.rtsp_port

    @property
    def rtsps_port(self) -> int | None:
        return self._rtsps.number if self._rtsps else self.config.rtsps_port

    @property
    def certificate(self) -> bytes | None:
        """What the TLS ports show now, in DER; None without one."""
        return self._certificates.der if self._certificates else None

    @property
    def onvif_port(self) -> int | None:
        return self._onvif.number if self._onvif else self.config.onvif_port

    @property
    def onvif_scheme(self) -> Literal["http", "https"]:
        return "https" if self.config.onvif_https else "http"

    @property
    def discovery_port(self) -> int | None:
        """The UDP port that answers Probes, None without discovery."""
        return int(self._udp.get_extra_info("sockname")[1]) if self._udp else None

    @property
    def rtsp_url(self) -> str:
        """The main stream's URL, without credentials."""
        return self.stream_url("main")

    def stream_url(self, tier: Literal["main", "sub"]) -> str:
        return f"rtsp://{self.config.host}:{self.rtsp_port}/stream/{tier}"

    @property
    def rtsps_url(self) -> str | None:
        """The main stream's URL over TLS, without credentials; None without an rtsps port."""
        port = self.rtsps_port
        return None if port is None else f"rtsps://{self.config.host}:{port}/stream/main"

    @property
    def login_attempts(self) -> LoginAttempts:
        """Logins tried so far, on all faces: an int with the parts `failed` and `ok`."""
        return LoginAttempts(self.gatekeeper.failed, self.gatekeeper.ok)

    @property
    def sessions(self) -> int:
        """RTSP sessions open now (SETUP done, neither TEARDOWN nor disconnect)."""
        return len(self.open_sessions)

    @property
    def faults(self) -> Faults:
        return self.config.faults

    def media_at(self, path: str) -> Media | None:
        """What a stream path plays; None for a path that does not exist."""
        tier = path.removeprefix("/stream/") if path.startswith("/stream/") else ""
        if tier == "main" and self.faults.b_frames:
            return footage.load(footage.footage_path("b-frames-h264"), self.config.audio)
        if tier == "main" and self.faults.gop_10s:
            return footage.load(footage.footage_path("long-gop-h264"), self.config.audio)
        if self.faults.format_change == "sets":  # the sizes must be the same
            tier = tier and "sub"
        return self.media.get(tier)

    def snapshot(self, tier: str) -> bytes:
        return footage.snapshot_jpeg(_footage_files(self.config)[tier])

    def count(self, request: str) -> None:
        self.stats.requests[request] = self.stats.requests.get(request, 0) + 1

    # -- what happens to it ----------------------------------------------------------------------------
    async def unplug(self, *, silent: bool = False) -> None:
        """Pull the plug: ports refuse, connections are reset. `silent`: connections stand and nothing more is said (half-open TCP)."""
        self.unplug_now(silent=silent)
        await asyncio.sleep(0)

    async def plug(self) -> None:
        """Put the plug in: the same ports listen again. What hung since a silent unplug is reset, as after a reboot."""
        self.plug_now()
        for port in self._ports():
            await port.opened()

    def unplug_now(self, *, silent: bool = False) -> None:
        """`unplug`, for callers that can't wait."""
        if silent:
            self.faults.set("silent")
        else:
            self.is_plugged = False
        self._match_ports()

    def plug_now(self) -> None:
        """`plug`, for callers that can't wait: connections succeed from now on, and are served a moment later."""
        if self.faults.silent:
            self.faults.clear("silent")
            for port in self._ports():
                port.abort_connections()
        self.is_plugged = True
        self._match_ports()

    def freeze(self) -> None:
        """Media stops; connections stand and requests are answered."""
        self.state.frozen = True

    def thaw(self) -> None:
        """Media goes on, from a key frame, its timestamps as late as the freeze was long."""
        self.state.frozen = False

    async def drop_sessions(self) -> None:
        """Reset every RTSP connection; new ones are welcome."""
        self.drop_sessions_now()
        await asyncio.sleep(0)

    def drop_sessions_now(self) -> None:
        """`drop_sessions`, for callers that can't wait."""
        for port in (self._rtsp, self._rtsps):
            if port is not None:
                port.abort_connections()

    def set_fault(self, name: str, value: FaultValue | None = True) -> None:
        """Switch a fault on, to a value, or off (False); see `Faults`. ValueError for an unknown one."""
        self.faults.set(name, value)
        self._match_ports()

    def clear_faults(self, name: str | None = None) -> None:
        """Switch off one fault, or all; an account that locks_after had locked is open again."""
        self.faults.clear(name)
        if name in {None, "locks_after"}:
            self.gatekeeper.unlock()
        self._match_ports()

    def _match_ports(self) -> None:
        """Open and close the ports so that they are as the plug and the fault `refuse` say."""
        refused = self.faults.refuse
        if self._certificates is not None:
            self._certificates.show(new=self.faults.new_certificate)
            tls = None if self.faults.tls_broken else self._certificates.context
            for secure in self._tls_ports():
                if secure.tls is not tls:
                    secure.close()
                    secure.tls = tls
        for name, port in (("rtsp", self._rtsp), ("rtsp", self._rtsps), ("onvif", self._onvif)):
            if port is None:
                continue
            if self.is_plugged and refused not in {"all", name}:
                port.open()
            else:
                port.close()

    def _no_handshake(self, transports: set[asyncio.Transport]) -> NoHandshake | None:
        """What a TLS port does where `tls_broken` is more than a lack of TLS."""
        broken = self.faults.tls_broken
        return NoHandshake(transports, hangs=broken == "hang") if broken in {"hang", "alert"} else None

    def _tls_ports(self) -> list[Port]:
        ports = (self._rtsps, self._onvif if self.config.onvif_https else None)
        return [port for port in ports if port is not None]

    def _ports(self) -> list[Port]:
        return [port for port in (self._rtsp, self._rtsps, self._onvif) if port is not None]


class SimCamFleet:
    """Many cameras in one process and one event loop; they share the footage in memory. `async with SimCamFleet(configs) as fleet`."""

    def __init__(self, configs: Sequence[SimCamConfig]) -> None:
        self.cameras = [SimCam(config) for config in configs]

    @classmethod
    def of(cls, count: int, *, name: str = "Simulated camera", **fields: object) -> SimCamFleet:
        """`count` cameras alike but for their names (and so their identities); `fields` go to SimCamConfig."""
        configs = [SimCamConfig(name=f"{name} {i + 1}", **fields) for i in range(count)]  # type: ignore[arg-type]
        for config in configs:
            config.faults = replace(config.faults)  # each its own, also when one was given for all
        return cls(configs)

    async def __aenter__(self) -> Self:
        try:
            for camera in self.cameras:
                await camera.start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        for camera in self.cameras:
            await camera.stop()


def _footage_files(config: SimCamConfig) -> dict[str, Path]:
    """The file behind each stream. Bundled footage has a smaller sub stream; a file of one's own plays on both."""
    if isinstance(config.media, Path):
        return dict.fromkeys(STREAMS, config.media)
    return {"main": footage.footage_path(config.media), "sub": footage.footage_path("sub-h264")}


def _load(config: SimCamConfig) -> dict[str, Media]:
    return {tier: footage.load(path, config.audio) for tier, path in _footage_files(config).items()}
