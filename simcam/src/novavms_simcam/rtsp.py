"""The camera's RTSP server (RFC 2326): one object per connection, answers in order, media interleaved or over UDP."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from novavms_simcam import sdp
from novavms_simcam.media import Media
from novavms_simcam.playing import Playback
from novavms_simcam.rot import UdpWay
from novavms_simcam.rtsp_answer import HTTP_GARBAGE, METHODS, REASONS, Answer
from novavms_simcam.sinks import InterleavedSink, Sink, UdpSink
from novavms_simcam.wire import BadMessage, Request, RequestReader

if TYPE_CHECKING:
    from novavms_simcam.camera import SimCam

_PORTS: Final = re.compile(r"(interleaved|client_port)=(\d+)(?:-(\d+))?")


class Session:
    """An RTSP session: the tracks set up, and their playback. It belongs to one stream path."""

    def __init__(self, path: str, media: Media, playback: Playback) -> None:
        self.id = secrets.token_hex(8)
        self.path = path
        self.media = media
        self.playback = playback
        self.tracks: dict[str, str] = {}
        """Control name of each track set up, with the URL that SETUP named."""


class RtspConnection(asyncio.Protocol):
    """One client. All of its sessions end with it, as on most cameras."""

    def __init__(self, camera: SimCam, transports: set[asyncio.Transport]) -> None:
        self._camera = camera
        self._transports = transports
        self._reader = RequestReader()
        self._transport: asyncio.Transport | None = None
        self._sessions: dict[str, Session] = {}
        self._ready_at = 0.0
        self._logged_in = False
        self._was_busy = False
        self._heard_at = 0.0
        self._watchdog: asyncio.TimerHandle | None = None

    # -- the connection's life -------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.Transport", transport
        )  # neither asyncio's nor uvloop's derive from it
        self._transports.add(self._transport)
        stats = self._camera.stats
        stats.connections += 1
        stats.connections_total += 1
        self._heard_at = asyncio.get_running_loop().time()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        for session in list(self._sessions.values()):
            self._end(session, say_bye=False)
        self._camera.stats.connections -= 1
        if self._transport is not None:
            self._transports.discard(self._transport)
            self._transport = None

    def _watch(self) -> None:
        """End a connection whose client said nothing, neither request nor RTCP, for the session timeout (RFC 2326 section 12.37)."""
        loop = asyncio.get_running_loop()
        timeout = self._camera.config.session_timeout_sec
        left = self._heard_at + timeout - loop.time()
        if left > 0 or self._camera.faults.silent:
            self._watchdog = loop.call_later(max(left, 1.0), self._watch)
        elif self._transport is not None:
            for session in list(self._sessions.values()):
                self._end(session, say_bye=True)
            self._transport.close()

    def _end(self, session: Session, *, say_bye: bool) -> None:
        self._sessions.pop(session.id, None)
        self._camera.open_sessions.discard(session)
        session.playback.close(say_bye=say_bye)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or self._camera.faults.silent:
            return
        self._heard_at = asyncio.get_running_loop().time()
        if self._camera.faults.not_rtsp:
            transport.write(HTTP_GARBAGE)
            transport.close()
            return
        reports = self._reader.interleaved_frames
        try:
            requests = self._reader.feed(data)
        except BadMessage:
            transport.write(Answer(400).encode("0"))
            transport.close()
            return
        for _ in range(self._reader.interleaved_frames - reports):
            for session in self._sessions.values():
                session.playback.heard_report()
        loop = asyncio.get_running_loop()
        for request in requests:
            self._ready_at = max(self._ready_at, loop.time() + self._slowness(request.method))
            if self._ready_at <= loop.time():
                self._handle(request)
            else:
                loop.call_at(self._ready_at, self._handle, request)

    def _slowness(self, method: str) -> float:
        faults = self._camera.faults
        return faults.slow_answer_sec if faults.slow_stage in {"", method.lower()} else 0.0

    # -- requests --------------------------------------------------------------------------------------
    def _handle(self, request: Request) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._camera.count(request.method)
        cseq = request.headers.get("cseq")
        if cseq is None or not request.version.startswith("RTSP/1."):
            transport.write(Answer(400).encode(cseq or "0"))
            return
        answer = self._refuse(request) or self._dispatch(request)
        delay = self._camera.faults.slow_refusal_sec
        closes = answer.status == 401 and self._camera.faults.close_after_401
        if answer.status == 401 and "authorization" in request.headers and delay:
            loop = asyncio.get_running_loop()
            self._ready_at = loop.time() + delay
            loop.call_at(self._ready_at, self._write, answer.encode(cseq), closes)
        else:
            self._write(answer.encode(cseq), closes)

    def _write(self, data: bytes, closes: bool = False) -> None:
        if self._transport is not None:
            self._transport.write(data)
            if closes:
                self._transport.close()

    def _refuse(self, request: Request) -> Answer | None:
        """The answer to someone who is not, or may not be, logged in. OPTIONS is open to all."""
        if request.method == "OPTIONS":
            return None
        keeper = self._camera.gatekeeper
        if self._camera.faults.other_rtsp_user:
            challenges = keeper.challenges(with_qop=False)
            return Answer(401, [("WWW-Authenticate", value) for value in challenges])
        verdict = keeper.check_header(
            request.method, request.uri, request.headers.get("authorization"), again=self._logged_in
        )
        if verdict == "ok":
            self._logged_in = True
            return None
        if verdict == "locked":
            return Answer(403)
        challenges = keeper.challenges(with_qop=False, stale=verdict == "stale")
        return Answer(401, [("WWW-Authenticate", value) for value in challenges])

    def _dispatch(self, request: Request) -> Answer:
        match request.method:
            case "OPTIONS":
                return Answer(200, [("Public", METHODS)])
            case "DESCRIBE":
                return self._describe(request)
            case "SETUP":
                return self._setup(request)
            case "PLAY" | "PAUSE" | "TEARDOWN":
                return self._control(request)
            case "GET_PARAMETER" | "SET_PARAMETER" if not self._camera.faults.no_keep_alive:
                named = request.headers.get("session")
                return Answer(200) if named is None or self._session(request) else Answer(454)
            case _:
                return Answer(405, [("Allow", METHODS)])

    def _describe(self, request: Request) -> Answer:
        path, _ = _split(request.uri)
        media = self._camera.media_at(path)
        faults = self._camera.faults
        if media is None or faults.wrong_path:
            return Answer(faults.wrong_path if faults.wrong_path in REASONS else 404)
        if faults.busy_once and not self._was_busy:
            self._was_busy = True
            return Answer(503)
        if faults.too_many_connections == "describe":
            return Answer(453)
        target = faults.redirect
        if target and target != path:
            own = f"rtsp://{self._camera.config.host}:{self._camera.rtsp_port}"
            return Answer(302, [("Location", own + target if target.startswith("/") else target)])
        config = self._camera.config
        body = sdp.describe(media, config.name, config.host, self._camera.sdp_session_id, faults)
        base = request.uri.split("?", 1)[0].rstrip("/") + "/"
        return Answer(200, [("Content-Base", base), ("Content-Type", "application/sdp")], body)

    def _setup(self, request: Request) -> Answer:
        path, control = _split(request.uri)
        camera, faults = self._camera, self._camera.faults
        media = camera.media_at(path)
        no_track = control == sdp.AUDIO_CONTROL and (media is None or media.audio is None)
        if (
            media is None
            or faults.wrong_path
            or no_track
            or (control == sdp.VIDEO_CONTROL and faults.no_video)
        ):
            return Answer(faults.wrong_path if faults.wrong_path in REASONS else 404)
        if not control:
            return Answer(459)
        session = self._session(request)
        if "session" in request.headers and session is None:
            return Answer(454)
        full = faults.max_sessions and session is None and len(camera.open_sessions) >= faults.max_sessions
        if faults.one_session_per_stream and session is None:
            full = full or any(other.path == path for other in camera.open_sessions)
        if faults.too_many_connections == "setup" or full:
            return Answer(453)
        playback = session.playback if session is not None else Playback(media, camera.state, self.drop)
        sink = self._sink(request.headers.get("transport", ""), playback)
        if sink is None:
            return Answer(461)
        if session is None:
            session = Session(path, media, playback)
            self._sessions[session.id] = session
            camera.open_sessions.add(session)
            camera.stats.sessions_total += 1
        if control == sdp.AUDIO_CONTROL and media.audio is not None:
            session.playback.add_audio(sink, media.audio)
        else:
            session.playback.add_video(sink)
        session.tracks[control] = request.uri
        timeout = round(camera.config.session_timeout_sec)
        return Answer(200, [("Transport", sink.description), ("Session", f"{session.id};timeout={timeout}")])

    def _sink(self, wishes: str, playback: Playback) -> Sink | None:
        """The first transport of the client's list that the camera has; None is 461."""
        assert self._transport is not None
        faults = self._camera.faults
        for wish in wishes.split(","):
            kind = wish.split(";")[0].strip().upper()
            ports = {m[1]: (int(m[2]), int(m[3] or int(m[2]) + 1)) for m in _PORTS.finditer(wish)}
            if "multicast" in wish.lower():
                continue
            if kind == "RTP/AVP/TCP" and not faults.udp_only:
                rtp, rtcp = ports.get("interleaved", (0, 1))
                if rtp < 256 and rtcp < 256:
                    return InterleavedSink(self._transport, rtp, rtcp, mute=faults.tcp_mute)
            elif kind in {"RTP/AVP", "RTP/AVP/UDP"} and "client_port" in ports and not faults.tcp_only:
                local = self._transport.get_extra_info("sockname")[0]
                peer = self._transport.get_extra_info("peername")[0]
                return UdpSink(local, peer, *ports["client_port"], UdpWay(faults), playback.heard_datagram)
        return None

    def _session(self, request: Request) -> Session | None:
        return self._sessions.get(request.headers.get("session", "").split(";")[0].strip())

    def _control(self, request: Request) -> Answer:
        session = self._session(request)
        if session is None:
            return Answer(455 if not self._sessions and request.method == "PLAY" else 454)
        head = ("Session", session.id)
        if request.method == "TEARDOWN":
            self._camera.stats.teardowns += 1
            self._end(session, say_bye=False)
            return Answer(200, [head])
        if request.method == "PAUSE":
            session.playback.stop()
            return Answer(200, [head])
        if self._camera.faults.too_many_connections == "play":
            return Answer(453)
        firsts = session.playback.play(asyncio.get_running_loop().time())
        info = [
            f"url={session.tracks[name]};seq={first[0]};rtptime={first[1]}"
            for name, first in zip((sdp.VIDEO_CONTROL, sdp.AUDIO_CONTROL), firsts, strict=True)
            if first is not None
        ]
        return Answer(200, [head, ("Range", "npt=now-"), ("RTP-Info", ",".join(info))])


def _split(uri: str) -> tuple[str, str]:
    """The stream's path and the track's control name ("" for the whole) of a request's URL, query left out."""
    path = urlsplit(uri).path.rstrip("/")
    stem, _, last = path.rpartition("/")
    return (stem, last) if last in {sdp.VIDEO_CONTROL, sdp.AUDIO_CONTROL} else (path, "")
