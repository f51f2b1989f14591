"""Media profiles and stream addresses: Media2 where the device has it, else Media1.

Sources: ONVIF Media2 Service Specification 5.2 and 5.3.1, Media Service Specification 5.2 and 5.15.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from novavms_camera.faults import CameraFault
from novavms_camera.onvif import soap
from novavms_camera.onvif.device import OnvifDevice
from novavms_camera.rtsp.url import DEFAULT_PORTS, RtspUrl, split_credentials

MAX_PROFILES = 256
"""A recorder with 64 channels shows some 192."""
SMALLEST_USEFUL_WIDTH = 320
"""Below this a sub stream shows no one anything."""

_CODECS = {"H264": "h264", "H265": "h265", "HEVC": "h265", "JPEG": "mjpeg", "MPEG4": "mpeg4"}
_PLAYABLE = {"h264", "h265"}


@dataclass(frozen=True, slots=True)
class MediaProfile:
    """One profile with video. `bit_rate` in bits per second; `gop_frames` is the key-frame interval in frames."""

    token: str
    name: str | None
    codec: str | None
    width: int | None
    height: int | None
    fps: float | None
    bit_rate: int | None
    gop_frames: int | None
    source_token: str | None
    """The video source (lens, channel) that it shows: a recorder has many under one address."""

    @property
    def pixels(self) -> int:
        return (self.width or 0) * (self.height or 0)


@dataclass(frozen=True, slots=True)
class MediaService:
    """Profiles and stream addresses of one device. `version` is 2 or 1."""

    device: OnvifDevice
    version: int
    path: str

    @property
    def _namespace(self) -> str:
        return soap.MEDIA2_NS if self.version == 2 else soap.MEDIA1_NS

    async def profiles(self) -> list[MediaProfile]:
        """All profiles with a video source and encoder, in the device's order."""
        wanted = "<Type>VideoSource</Type><Type>VideoEncoder</Type>" if self.version == 2 else ""
        body = f'<GetProfiles xmlns="{self._namespace}">{wanted}</GetProfiles>'
        content = await self.device.call(self.path, body, "GetProfiles")
        found = (_profile(element) for element in soap.each(content, "Profiles", MAX_PROFILES))
        return [profile for profile in found if profile is not None]

    async def stream_url(self, token: str) -> RtspUrl:
        """The RTSP address of a profile as the device gives it, without credentials.

        Raises CameraFault camera_error where there is none that can be used.
        """
        if self.version == 2:
            inner = f"<Protocol>RTSP</Protocol><ProfileToken>{escape(token)}</ProfileToken>"
        else:
            schema = 'xmlns:tt="http://www.onvif.org/ver10/schema"'
            inner = (
                f"<StreamSetup {schema}><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>"
                f"</tt:Transport></StreamSetup><ProfileToken>{escape(token)}</ProfileToken>"
            )
        body = f'<GetStreamUri xmlns="{self._namespace}">{inner}</GetStreamUri>'
        content = await self.device.call(self.path, body, "GetStreamUri")
        uri = next(soap.each(content, "Uri", 1), None)
        where = self.device.connection.where
        try:
            return _rtsp_url((uri.text or "").strip() if uri is not None else "")
        except CameraFault as fault:
            raise CameraFault(
                "camera_error",
                f"{where} gave no usable stream address for profile {token[:64]}: {fault.message}",
            ) from fault


async def media_profiles(
    device: OnvifDevice, paths: dict[str, str] | None = None
) -> tuple[MediaService, list[MediaProfile]]:
    """The device's profiles by Media2, then by Media1. `paths`: its services, where they are known already.

    Raises CameraFault no_profiles where neither gives any.
    """
    if paths is None:
        paths = await device.service_paths()
    seen = "it names no media service"
    for version, namespace in ((2, soap.MEDIA2_NS), (1, soap.MEDIA1_NS)):
        if namespace not in paths:
            continue
        service = MediaService(device, version, paths[namespace])
        try:
            profiles = await service.profiles()
        except CameraFault as fault:
            if fault.reason != "camera_error":
                raise
            seen = fault.message
            continue
        if profiles:
            return service, profiles
        seen = f"Media{version} lists no profile with video"
    raise CameraFault("no_profiles", f"{device.connection.where} offers no video profile: {seen}.")


def choose_tiers(profiles: list[MediaProfile]) -> tuple[MediaProfile, MediaProfile | None]:
    """(main, sub): the largest, and the smallest useful one of the same video source, None where there is but one.

    What we can record goes before what is larger: a 4K JPEG profile loses to a 720p H.264 one.
    """
    main = max(profiles, key=lambda profile: (profile.codec in _PLAYABLE, profile.pixels, profile.fps or 0.0))
    others = [
        profile
        for profile in profiles
        if profile.token != main.token
        and profile.source_token == main.source_token
        and profile.codec in _PLAYABLE
        and 0 < profile.pixels < main.pixels
    ]
    useful = [profile for profile in others if (profile.width or 0) >= SMALLEST_USEFUL_WIDTH]
    return main, min(useful or others, key=lambda profile: profile.pixels, default=None)


def repair_host(url: RtspUrl, address: str) -> RtspUrl:
    """The same stream at the address that answered: devices name 0.0.0.0, another interface, or their host behind NAT."""
    return RtspUrl(url.scheme, address, url.port, url.path)


def _rtsp_url(uri: str) -> RtspUrl:
    clean, _, _ = split_credentials(uri) if "@" in uri else (uri, None, None)
    scheme, _, rest = clean.partition("://")
    if scheme.lower() in DEFAULT_PORTS and rest.startswith(
        (":", "/")
    ):  # rtsp://:554/path, its own address left out
        clean = f"{scheme}://0.0.0.0{rest}"
    return RtspUrl.parse(clean)


def _profile(element: Element) -> MediaProfile | None:
    token = element.get("token")
    configurations = soap.child(element, "Configurations")  # Media2
    if configurations is not None:
        source, encoder = (
            soap.child(configurations, "VideoSource"),
            soap.child(configurations, "VideoEncoder"),
        )
    else:
        source = soap.child(element, "VideoSourceConfiguration")
        encoder = soap.child(element, "VideoEncoderConfiguration")
    if not token or len(token) > soap.MAX_TEXT or encoder is None:
        return None
    encoding = (soap.text_at(encoder, "Encoding") or "").upper()
    kilobits = soap.int_at(encoder, "RateControl", "BitrateLimit")
    return MediaProfile(
        token=token,
        name=soap.text_at(element, "Name"),
        codec=_CODECS.get(encoding, encoding.lower() or None),
        width=soap.int_at(encoder, "Resolution", "Width"),
        height=soap.int_at(encoder, "Resolution", "Height"),
        fps=soap.float_at(encoder, "RateControl", "FrameRateLimit"),
        bit_rate=kilobits * 1000 if kilobits else None,
        gop_frames=_gop_frames(encoder),
        source_token=soap.text_at(source, "SourceToken") if source is not None else None,
    )


def _gop_frames(encoder: Element) -> int | None:
    """GovLength: an attribute in Media2, an element of the codec's own settings in Media1."""
    attribute = encoder.get("GovLength") or ""
    if attribute.isascii() and attribute.isdigit() and len(attribute) < 6:
        return int(attribute) or None
    length = next(soap.each(encoder, "GovLength", 1), None)
    text = soap.text_of(length) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
