"""Device trouble, typed at the border: the one exception that leaves `novavms_camera`, and its closed set of reasons."""

from __future__ import annotations

from typing import Final, Literal, get_args

Reason = Literal[
    "invalid_url",
    "address_forbidden",
    "gateway_offline",
    "gateway_timeout",
    "dns_failed",
    "unreachable",
    "refused",
    "timeout",
    "tls_failed",
    "not_onvif",
    "auth_failed",
    "locked_out",
    "no_profiles",
    "path_not_found",
    "too_many_connections",
    "no_video",
    "codec_unsupported",
    "not_rtsp",
    "transport_unsupported",
    "no_media",
    # after the check, while a camera is watched
    "frozen",
    "connection_lost",
    "malformed_stream",
    "camera_error",
    "other_device",
]

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)

HINTS: Final[dict[Reason, str]] = {
    "invalid_url": "Give an address of the form rtsp://host:port/path; user and password go into their own fields.",
    "address_forbidden": "Give the camera's own address on its network; loopback, link-local, multicast and cloud metadata addresses are refused.",
    "gateway_offline": "Check that the gateway has power and reaches this server over HTTPS, then try again.",
    "gateway_timeout": "The gateway did not finish the check in time; check its load and its network, then try again.",
    "dns_failed": "Check the host name's spelling, or give the camera's IP address.",
    "unreachable": "Check the camera's power (LEDs, PoE port), cable and address, and that it is on a network that the gateway can reach.",
    "refused": "The device is there but the port is closed: check the port (RTSP 554; ONVIF 80, 8000, 8080 or 2020) and that the service is switched on in the camera.",
    "timeout": "Nothing answered in time: check the address, the port, firewalls and VLANs between gateway and camera.",
    "tls_failed": "The camera's TLS handshake failed: check that the port speaks TLS (rtsps usually 322, ONVIF https 443), or use rtsp:// or the http port without it.",
    "not_onvif": "Something answered, but not ONVIF: check the port (Reolink 8000, Tapo 2020, many others 80 or 8080) and that ONVIF is switched on in the camera's settings.",
    "auth_failed": "Check user and password. Hikvision wants a separate ONVIF user; Tapo wants the camera account made in its app, not the cloud login.",
    "locked_out": "The camera has locked the account after failed logins: wait (often 30 minutes) or restart the camera, then try the right password.",
    "no_profiles": "The camera offers no video profile over ONVIF: give the ONVIF user the right to see video, make a profile in the camera's ONVIF or video settings, or add the camera as RTSP.",
    "path_not_found": "The camera does not know this path: look up the stream path of your model, or add the camera as ONVIF, which finds it by itself.",
    "too_many_connections": "The camera serves no further connection: close other viewers or recorders, or use its sub stream.",
    "no_video": "The stream has no video track: check the path, and that the stream is switched on in the camera.",
    "codec_unsupported": "Set the camera's stream to H.264 or H.265, and switch off smart codecs (Smart265, H.264+).",
    "not_rtsp": "Something answered, but not RTSP: check the port (usually 554).",
    "transport_unsupported": "The camera refuses this way of sending (TCP or UDP): set the camera's stream_transport to auto, or switch on RTP over RTSP (TCP) in its network settings.",
    "no_media": "The camera accepted the session but sent no key frame: set its key-frame interval (I-frame, GOV) to 1 or 2 s, close other viewers, or restart it.",
    "frozen": "The connection stands but no new frame comes: restart the camera, and check its network for loss.",
    "connection_lost": "The camera closed the connection: check its power and its network; it is tried again by itself.",
    "malformed_stream": "The camera sent data that is not valid RTSP, RTP or SDP: update its firmware; it is tried again by itself.",
    "camera_error": "The camera answered with an error of its own: restart it and look into its log.",
    "other_device": "Another device answers at this camera's address: give the camera's new address, or accept the one that its gateway finds; for a device that replaces it, enter its address and login anew.",
}


class CameraFault(Exception):
    """What went wrong with a device. `reason` is stable, `message` is for people; neither ever holds a secret."""

    def __init__(
        self, reason: Reason, message: str, *, hint: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason: Reason = reason
        self.message = message
        self.hint = hint or HINTS[reason]
        self.status = status
        """The RTSP, HTTP or SOAP status that the camera answered with, if one."""
