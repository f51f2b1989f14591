"""Every fault that the camera can have: one line each in `Faults`, which is also what the CLI, the README and the control server show.

To add one: add a field here, read it where it bites, and add its row to README.md (a test holds the two together).
"""

from __future__ import annotations

import math
from dataclasses import Field, dataclass, field, fields
from typing import Any, Final

FaultValue = bool | int | float | str

STAGES: Final = (
    *("clock", "login", "identity", "profiles"),
    *("options", "describe", "setup", "play", "teardown"),
)
"""What `slow_stage` knows: groups of ONVIF calls, and RTSP methods."""

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


def _fault(off: Any, on: Any, what: str, *, choices: tuple[str, ...] = ()) -> Any:
    """A fault's line: its value when off, the value that its bare name stands for, what the camera then does."""
    return field(default=off, metadata={"on": on, "what": what, "choices": choices})


@dataclass(slots=True)
class Faults:
    """What is wrong with the camera now. All off by default; `set` takes what people and JSON write."""

    # -- reaching it
    refuse: str = _fault(
        "",
        "all",
        "Ports closed: connecting is refused, open connections are cut. Which: all, rtsp or onvif.",
        choices=("all", "rtsp", "onvif"),
    )
    silent: bool = _fault(
        False, True, "TCP connections are accepted and stand, but nothing is ever said on them (half-open)."
    )
    slow_answer_sec: float = _fault(
        0.0, 3.0, "Every RTSP, ONVIF and discovery answer comes this many seconds late (see `slow_stage`)."
    )
    slow_stage: str = _fault(
        "",
        "describe",
        "`slow_answer_sec` delays only these answers: clock, login, identity or profiles (ONVIF), options, describe, setup, play or teardown (RTSP).",
        choices=STAGES,
    )
    tls_broken: str = _fault(
        "",
        "plain",
        "The TLS ports (rtsps, ONVIF with https) do none: they speak in clear (plain), say nothing (hang), or refuse every handshake by an alert (alert).",
        choices=("plain", "hang", "alert"),
    )
    new_certificate: bool = _fault(
        False,
        True,
        "The TLS ports (rtsps, ONVIF with https) show another self-signed certificate than the camera's own.",
    )
    not_rtsp: bool = _fault(
        False, True, "The RTSP port speaks HTTP: 400 and a page of HTML, then the connection closes."
    )
    not_onvif: bool = _fault(False, True, "The ONVIF port is an ordinary web server: 404 and a page of HTML.")
    broken_xml: bool = _fault(
        False, True, "ONVIF answers are cut off in mid-element and hold bytes that are not UTF-8."
    )
    slow_body_sec: float = _fault(
        0.0, 2.0, "The bodies of ONVIF answers dribble in, spread over this many seconds."
    )
    huge_answer: bool = _fault(False, True, "ONVIF answers are well-formed, but hold 4 MiB that say nothing.")
    wrong_charset: str = _fault(
        "",
        "latin1",
        "The model's name has foreign letters, and ONVIF answers are encoded in Latin-1 (latin1) or GB2312 (gb2312) but declare UTF-8, or rightly declare ISO-8859-1 (declared), or begin with a byte order mark (bom).",
        choices=("latin1", "gb2312", "declared", "bom"),
    )
    drop_every_sec: float = _fault(
        0.0, 30.0, "Each RTSP connection is reset this many seconds after its PLAY."
    )
    # -- logging in
    locks_after: int = _fault(
        0,
        3,
        "After this many failed logins (RTSP and ONVIF together) the account is locked, also for the right password: RTSP 403, ONVIF HTTP 403 with ter:OperationProhibited.",
    )
    lock_sec: float = _fault(1800.0, 5.0, "How long a lock of locks_after lasts.")
    slow_refusal_sec: float = _fault(0.0, 2.0, "A wrong password is answered only after this many seconds.")
    stale_nonce: bool = _fault(
        False, True, "Each Digest nonce is good for one request; the next gets 401 with stale=true."
    )
    digest_qop: bool = _fault(
        False,
        True,
        'RTSP challenges for Digest MD5 ask for qop="auth" too, and wherever qop is used a counter nc that does not grow is stale.',
    )
    close_after_401: bool = _fault(
        False, True, "The connection is closed after each 401, RTSP and ONVIF, as some cameras do."
    )
    other_rtsp_user: bool = _fault(
        False,
        True,
        "ONVIF lets the user in, RTSP does not (401; not counted as a failed login): as where the two have separate accounts.",
    )
    no_rights: bool = _fault(
        False,
        True,
        "The user may log in over ONVIF, but the media services refuse it with ter:NotAuthorized.",
    )
    clock_offset_sec: float = _fault(
        0.0, 10800.0, "The camera's clock is this far ahead (negative: behind), in ONVIF and in RTCP."
    )
    not_authorized_status: int = _fault(
        400,
        500,
        "The HTTP status beside ter:NotAuthorized for a wrong WS-UsernameToken (200, 400, 401, 403 or 500).",
    )
    no_ws_token: bool = _fault(
        False, True, "ONVIF ignores WS-UsernameToken and asks for HTTP authentication with 401."
    )
    # -- ONVIF
    media2_only: bool = _fault(
        False, True, "Only Media2 is offered; calls to Media1 get ter:ActionNotSupported."
    )
    media1_only: bool = _fault(
        False, True, "Only Media1 is offered; calls to Media2 get ter:ActionNotSupported."
    )
    no_profiles: bool = _fault(False, True, "GetProfiles answers with an empty list.")
    stream_uri_host: str = _fault("", "0.0.0.0", "GetStreamUri names this host instead of the camera's own.")  # noqa: S104
    stream_uri_rtsps: bool = _fault(
        False, True, "GetStreamUri names the rtsps port, where the camera has one."
    )
    xaddr_host: str = _fault(
        "", "192.0.2.77", "GetCapabilities, GetServices and discovery name this host in their XAddrs."
    )
    # -- RTSP
    wrong_path: int = _fault(
        0, 404, "Every stream path is unknown; answered with this RTSP status (404 or 400)."
    )
    busy_once: bool = _fault(
        False,
        True,
        "The first DESCRIBE that could be answered in each connection gets 503 Service Unavailable.",
    )
    redirect: str = _fault(
        "",
        "rtsp://192.0.2.77:554/stream/main",
        "DESCRIBE gets 302 Found to this address; one that begins with / is on the camera itself.",
    )
    too_many_connections: str = _fault(
        "",
        "setup",
        "453 Not Enough Bandwidth. At which request: describe, setup or play.",
        choices=("describe", "setup", "play"),
    )
    max_sessions: int = _fault(0, 1, "453 at SETUP when this many RTSP sessions are open.")
    udp_only: bool = _fault(False, True, "SETUP over TCP gets 461 Unsupported Transport.")
    tcp_only: bool = _fault(False, True, "SETUP over UDP gets 461 Unsupported Transport.")
    tcp_mute: bool = _fault(
        False, True, "Over TCP, SETUP and PLAY get 200, but no packet ever comes; UDP works."
    )
    udp_blocked: bool = _fault(
        False, True, "Over UDP, SETUP and PLAY get 200, but no packet ever arrives, as behind a firewall."
    )
    udp_loss_percent: float = _fault(
        0.0, 5.0, "So many of a hundred UDP packets are lost (the same ones in every run)."
    )
    udp_reorder_percent: float = _fault(
        0.0,
        10.0,
        "So many of a hundred UDP packets arrive after their successor (the same ones in every run).",
    )
    no_keep_alive: bool = _fault(
        False, True, "GET_PARAMETER and SET_PARAMETER get 405; only OPTIONS keeps a session alive."
    )
    malformed_sdp: str = _fault(
        "",
        "garbage",
        "DESCRIBE answers with: garbage (not SDP, not UTF-8), bad_sprop (parameter sets that are not base64) or no_sprop (parameter sets only in band).",
        choices=("garbage", "bad_sprop", "no_sprop"),
    )
    # -- media
    no_video: bool = _fault(False, True, "The SDP has no video track.")
    mjpeg: bool = _fault(
        False, True, "The SDP offers Motion JPEG instead of H.264/H.265; no video packets follow."
    )
    odd_audio: bool = _fault(
        False, True, "The SDP's sound is G.726, which recorders and browsers do not play."
    )
    no_media: bool = _fault(False, True, "PLAY gets 200, but no packet ever comes.")
    start_mid_gop: bool = _fault(
        False,
        True,
        "PLAY starts half-way between two key frames, as most real cameras do, instead of on a key frame.",
    )
    long_gop: float = _fault(
        0.0,
        10.0,
        "Key frames are withheld until this many seconds have passed since the last (the picture smears meanwhile).",
    )
    freeze_after_sec: float = _fault(
        0.0, 10.0, "Media stops this many seconds after each PLAY; RTSP requests are still answered."
    )
    malformed_rtp: bool = _fault(
        False,
        True,
        "Before each frame comes one bad RTP packet: wrong version, cut short, empty, broken fragments, unknown NAL types.",
    )
    malformed_framing: bool = _fault(
        False, True, "Once, 2 s after PLAY, bytes that belong to no packet break the interleaved TCP framing."
    )
    no_rtcp: bool = _fault(
        False, True, "No RTCP sender reports, so nothing tells the stream's wall-clock time."
    )
    needs_reports_sec: float = _fault(
        0.0, 15.0, "Media stops when no RTCP receiver report came for this many seconds, until one comes."
    )
    one_session_per_stream: bool = _fault(
        False, True, "453 at SETUP when the stream already has a session: main and sub have one each."
    )
    sequence_wrap: bool = _fault(False, True, "RTP sequence numbers begin 100 before their highest, 65535.")
    timestamp_wrap_sec: float = _fault(
        0.0, 3.0, "RTP timestamps pass their highest, 4294967295, this many seconds after the first PLAY."
    )
    timestamp_jump_sec: float = _fault(
        0.0,
        3600.0,
        "Once, 4 s after each PLAY, the RTP timestamps of picture and sound leap by this many seconds (negative: back).",
    )
    rtp_clock_percent: float = _fault(
        0.0,
        150.0,
        "The picture's RTP timestamps count at this percentage of the rate that the SDP says, in RTCP, too.",
    )
    audio_late_sec: float = _fault(0.0, 3.0, "Sound begins this many seconds after PLAY.")
    b_frames: bool = _fault(
        False, True, "Main is H.264 with B-frames: pictures are not sent in the order shown."
    )
    gop_10s: bool = _fault(False, True, "Main is H.264 with a key frame every 10 s only.")
    format_change: str = _fault(
        "",
        "resolution",
        "Every 4 s other H.264 footage follows in the same session: of another size (resolution), or of the same size with other parameter sets (sets).",
        choices=("resolution", "sets"),
    )

    def set(self, name: str, value: FaultValue | None = True) -> None:
        """Switch a fault on (True, None or "": its usual value), to a value, or off (False). ValueError says what is wrong."""
        spec = FAULTS.get(name)
        if spec is None:
            raise ValueError(f"no fault is called {name!r}; there are: {', '.join(FAULTS)}")
        setattr(self, name, _coerce(spec, value))

    def clear(self, name: str | None = None) -> None:
        """Switch off one fault, or all."""
        if name is not None and name not in FAULTS:
            raise ValueError(f"no fault is called {name!r}")
        for spec in FAULTS.values():
            if name in {None, spec.name}:
                setattr(self, spec.name, spec.default)

    def active(self) -> dict[str, FaultValue]:
        """The faults that are not off, by name."""
        return {n: getattr(self, n) for n, spec in FAULTS.items() if getattr(self, n) != spec.default}


FAULTS: Final[dict[str, Field[Any]]] = {spec.name: spec for spec in fields(Faults)}


def _coerce(spec: Field[Any], value: FaultValue | None) -> FaultValue:
    off: FaultValue = spec.default  # type: ignore[assignment]  # every fault has one
    on: FaultValue = spec.metadata["on"]
    choices: tuple[str, ...] = spec.metadata["choices"]
    kind = type(off)
    if value is None or value is True or value == "":
        return on
    if value is False:
        return off
    if kind is bool:
        word = str(value).strip().lower()
        if word not in _TRUE | _FALSE:
            raise ValueError(f"{spec.name} is true or false, not {value!r}")
        return word in _TRUE
    try:
        result: FaultValue = kind(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{spec.name} is a number, not {value!r}") from None
    if isinstance(result, float) and not math.isfinite(result):
        raise ValueError(f"{spec.name} is a finite number, not {value!r}")
    if choices and result not in choices:
        raise ValueError(f"{spec.name} is one of {', '.join(choices)}, not {value!r}")
    return result
