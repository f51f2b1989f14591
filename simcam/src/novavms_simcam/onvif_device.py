"""ONVIF's device service (Core specification, section 8): answers as XML, from what the camera is."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from novavms_simcam.soap import TDS, TR2, TRT, Call

if TYPE_CHECKING:
    from novavms_simcam.camera import SimCam

PATHS: Final = {TDS: "device_service", TRT: "media_service", TR2: "media2_service"}


def base_url(camera: SimCam, local: str) -> str:
    """Where this camera says its services are; `local` is the address that the client reached."""
    host = camera.faults.xaddr_host or local
    return f"{camera.onvif_scheme}://{host}:{camera.onvif_port}/onvif"


def scopes(camera: SimCam) -> list[str]:
    """What the camera is, as discovery and GetScopes tell it (Core, section 7.3.3)."""
    config = camera.config
    root = "onvif://www.onvif.org"
    return [
        f"{root}/type/video_encoder",
        f"{root}/type/Network_Video_Transmitter",
        f"{root}/Profile/Streaming",
        *([] if camera.faults.media1_only else [f"{root}/Profile/T"]),
        f"{root}/name/{quote(config.name)}",
        f"{root}/hardware/{quote(config.model)}",
        f"{root}/MAC/{config.mac}",
    ]


def _date_and_time(camera: SimCam, call: Call, local: str) -> str:
    now = datetime.fromtimestamp(camera.gatekeeper.now(), UTC)
    parts = (
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
    )
    return (
        "<tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
        f"<tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime>{parts}</tt:UTCDateTime>"
        f"<tt:LocalDateTime>{parts}</tt:LocalDateTime></tds:SystemDateAndTime>"
    )


def _device_information(camera: SimCam, call: Call, local: str) -> str:
    c = camera.config
    foreign = {"": "", "gb2312": " 网络摄像机"}.get(camera.faults.wrong_charset, " Außentür")
    return (
        f"<tds:Manufacturer>{escape(c.manufacturer)}</tds:Manufacturer><tds:Model>{escape(c.model + foreign)}</tds:Model>"
        f"<tds:FirmwareVersion>{escape(c.firmware)}</tds:FirmwareVersion>"
        f"<tds:SerialNumber>{escape(c.serial)}</tds:SerialNumber><tds:HardwareId>{escape(c.model)}</tds:HardwareId>"
    )


def _capabilities(camera: SimCam, call: Call, local: str) -> str:
    base = base_url(camera, local)
    media = ""
    if not camera.faults.media2_only:
        media = (
            f"<tt:Media><tt:XAddr>{base}/media_service</tt:XAddr><tt:StreamingCapabilities>"
            "<tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP>"
            "</tt:StreamingCapabilities></tt:Media>"
        )
    return f"<tds:Capabilities><tt:Device><tt:XAddr>{base}/device_service</tt:XAddr></tt:Device>{media}</tds:Capabilities>"


def _services(camera: SimCam, call: Call, local: str) -> str:
    base = base_url(camera, local)
    hidden = {TRT} if camera.faults.media2_only else {TR2} if camera.faults.media1_only else set()
    return "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{base}/{path}</tds:XAddr>"
        f"<tds:Version><tt:Major>{2 if namespace == TR2 else 19}</tt:Major><tt:Minor>6</tt:Minor></tds:Version></tds:Service>"
        for namespace, path in PATHS.items()
        if namespace not in hidden
    )


def _scopes(camera: SimCam, call: Call, local: str) -> str:
    return "".join(
        "<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef>"
        f"<tt:ScopeItem>{escape(scope)}</tt:ScopeItem></tds:Scopes>"
        for scope in scopes(camera)
    )


def _network_interfaces(camera: SimCam, call: Call, local: str) -> str:
    return (
        '<tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled>'
        f"<tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>{escape(camera.config.mac)}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>"
        "<tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config>"
        f"<tt:Manual><tt:Address>{local}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual>"
        "<tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces>"
    )


def _hostname(camera: SimCam, call: Call, local: str) -> str:
    return (
        "<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP>"
        f"<tt:Name>{escape(camera.config.serial.lower() or socket.gethostname())}</tt:Name></tds:HostnameInformation>"
    )


def _endpoint_reference(camera: SimCam, call: Call, local: str) -> str:
    return f"<tds:GUID>{escape(camera.config.endpoint_reference)}</tds:GUID>"


def _service_capabilities(camera: SimCam, call: Call, local: str) -> str:
    digest = str(camera.config.auth not in {"basic", "none"}).lower()
    token = str(not camera.faults.no_ws_token).lower()
    return (
        "<tds:Capabilities><tds:Network/>"
        f'<tds:Security UsernameToken="{token}" HttpDigest="{digest}"/><tds:System/></tds:Capabilities>'
    )


Operation = Callable[["SimCam", Call, str], str]

OPERATIONS: Final[dict[str, Operation]] = {
    "GetSystemDateAndTime": _date_and_time,
    "GetDeviceInformation": _device_information,
    "GetCapabilities": _capabilities,
    "GetServices": _services,
    "GetServiceCapabilities": _service_capabilities,
    "GetScopes": _scopes,
    "GetNetworkInterfaces": _network_interfaces,
    "GetHostname": _hostname,
    "GetEndpointReference": _endpoint_reference,
}

PUBLIC: Final = frozenset(
    {
        "GetSystemDateAndTime",
        "GetCapabilities",
        "GetServices",
        "GetServiceCapabilities",
        "GetHostname",
        "GetEndpointReference",
    }
)
"""Access class PRE_AUTH: answered without a login (Core, section 5.9.4.3)."""
