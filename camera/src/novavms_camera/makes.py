"""What each make of camera wants of people: recognised by what it says of itself, told where it helps.

Sources: the makers' manuals and support pages; menus move between firmwares, so hints name what to look for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from novavms_camera.faults import Reason

Make = Literal["hikvision", "dahua", "axis", "reolink", "tapo", "uniview", "hanwha", "bosch", "foscam"]

_SIGNS: Final[dict[Make, re.Pattern[str]]] = {
    "hikvision": re.compile(r"hikvision|hilook|app-webs|dnvrs-webs|\bDS-\d|ip camera\(|annke", re.IGNORECASE),
    "dahua": re.compile(r"dahua|amcrest|lorex|imou|login to [0-9a-z]{6,}", re.IGNORECASE),
    "axis": re.compile(r"\baxis\b|axis_[0-9a-f]{12}", re.IGNORECASE),
    "reolink": re.compile(r"reolink", re.IGNORECASE),
    "tapo": re.compile(r"\btapo\b|tp-link", re.IGNORECASE),
    "uniview": re.compile(r"uniview|\bunv\b", re.IGNORECASE),
    "hanwha": re.compile(r"hanwha|wisenet|samsung techwin|ipolis", re.IGNORECASE),
    "bosch": re.compile(r"\bbosch\b", re.IGNORECASE),
    "foscam": re.compile(r"foscam", re.IGNORECASE),
}
_PORTS: Final[dict[int, Make]] = {2020: "tapo", 888: "foscam"}
"""ONVIF ports that one make alone has from the factory. Not Reolink's 8000, which is Hikvision's, too."""

MAKE_HINTS: Final[dict[Make, dict[Reason, str]]] = {
    "hikvision": {
        "auth_failed": "Hikvision: ONVIF has users of its own. Switch ONVIF on and add one (Configuration, Network, Advanced, Integration Protocol), level Media User or higher; the web login is another account. For RTSP, use the web login.",
        "locked_out": "Hikvision locks out an address for 30 minutes after 5 to 7 wrong passwords: wait that long or restart the camera, then try the right one (Configuration, System, Security, Security Service shows the lock).",
        "not_onvif": "Hikvision: ONVIF is off from the factory. Switch it on (Configuration, Network, Advanced, Integration Protocol) and use the web port, usually 80; 8000 is Hikvision's own protocol.",
        "path_not_found": "Hikvision: the path is /Streaming/Channels/101 for the main stream, 102 for the sub stream; on recorders the first digits are the channel (201, 202, …).",
        "codec_unsupported": "Hikvision: set Video Encoding to H.264 or H.265 and switch H.264+ or H.265+ off (Configuration, Video/Audio, Video).",
        "no_media": "Hikvision: switch H.264+ or H.265+ off and set the I-frame interval to the frame rate (Configuration, Video/Audio, Video).",
    },
    "dahua": {
        "auth_failed": "Dahua, Amcrest, Lorex: ONVIF has a user list of its own on newer firmware (Setup, System, Account, ONVIF User); give that user's password for ONVIF and the web login's for RTSP.",
        "locked_out": "Dahua, Amcrest, Lorex: the account is locked for 5 to 30 minutes after 5 wrong passwords: wait or restart the camera, then try the right one.",
        "path_not_found": "Dahua, Amcrest, Lorex: the path is /cam/realmonitor?channel=1&subtype=0 for the main stream, subtype=1 for the sub stream.",
        "codec_unsupported": "Dahua, Amcrest, Lorex: set the encode mode to H.264 or H.265 and switch Smart Codec off (Setup, Camera, Video).",
        "no_media": "Dahua, Amcrest, Lorex: switch Smart Codec off and set the I-frame interval to the frame rate (Setup, Camera, Video).",
    },
    "axis": {
        "auth_failed": "Axis: ONVIF has users of its own (System, Accounts, ONVIF accounts): add one there. For RTSP, use the web login.",
        "path_not_found": "Axis: the path is /axis-media/media.amp, with ?videocodec=h264 where the camera has several codecs.",
        "codec_unsupported": "Axis: set the stream profile's codec to H.264 or H.265 (Video, Stream); Zipstream may stay on, with dynamic GOP off.",
        "no_media": "Axis: switch dynamic GOP off in Zipstream and set the GOP length to the frame rate (Video, Stream).",
    },
    "reolink": {
        "refused": "Reolink: switch on ONVIF (port 8000) and RTSP (port 554) under Settings, Network, Advanced, Server Settings. Battery cameras have neither.",
        "not_onvif": "Reolink: the ONVIF port is 8000; switch it on under Settings, Network, Advanced, Server Settings. Battery cameras have no ONVIF.",
        "auth_failed": "Reolink: use the camera's own user (admin), not the Reolink account; a password with characters other than letters and digits fails on some firmware.",
        "path_not_found": "Reolink: the path is /h264Preview_01_main (or /h265Preview_01_main), sub stream /h264Preview_01_sub; on recorders 01 is the channel.",
    },
    "tapo": {
        "refused": "Tapo: ONVIF is at port 2020 and RTSP at 554, both closed until a camera account exists (app: camera settings, Advanced Settings, Camera Account) and Third-Party Compatibility is on (app: Me, Tapo Lab). Battery cameras have neither.",
        "not_onvif": "Tapo: the ONVIF port is 2020, and a camera account has to exist (app: camera settings, Advanced Settings, Camera Account).",
        "auth_failed": "Tapo: make a camera account in the app (camera settings, Advanced Settings, Camera Account) and use that; the TP-Link cloud login does not work. Newer firmware also wants Third-Party Compatibility on (app: Me, Tapo Lab).",
        "locked_out": "Tapo: after too many wrong passwords the camera refuses everyone for some 30 minutes: wait or unplug it for a moment, then try the camera account's password.",
        "path_not_found": "Tapo: the path is /stream1 for the main stream, /stream2 for the sub stream.",
        "too_many_connections": "Tapo serves two viewers at most: close other recorders and apps, or switch off its own recording to a memory card.",
    },
    "uniview": {
        "path_not_found": "Uniview: the path is /media/video1 for the main stream, /media/video2 for the sub stream; on recorders /unicast/c1/s0/live, c is the channel.",
        "codec_unsupported": "Uniview: set the encoding to H.264 or H.265 and switch U-Code (smart encoding) off (Setup, Video & Audio, Video).",
        "locked_out": "Uniview locks an account after 5 wrong passwords: wait 10 minutes or restart the camera, then try the right one.",
    },
    "hanwha": {
        "path_not_found": "Hanwha, Wisenet: the path is /profile1/media.smp; the number is the video profile's.",
        "codec_unsupported": "Hanwha, Wisenet: set the profile's codec to H.264 or H.265 and switch WiseStream off (Basic, Video profile).",
        "locked_out": "Hanwha, Wisenet: the account is locked after 5 wrong passwords: wait a minute or more, then try the right one once.",
    },
    "bosch": {
        "auth_failed": "Bosch: use one of the users live, user or service, with the password set in the camera (General, Users).",
        "path_not_found": "Bosch: the path is /?inst=1 for the first stream, /?inst=2 for the second.",
    },
    "foscam": {
        "not_onvif": "Foscam: the ONVIF port is 888; switch ONVIF on (Settings, Network, Port).",
        "path_not_found": "Foscam: the path is /videoMain, sub stream /videoSub.",
    },
}


def recognise(signs: Iterable[str], *, port: int | None = None) -> Make | None:
    """The make that a camera's own words (manufacturer, model, realm, Server header) tell; `port` is that of its ONVIF."""
    words = [sign for sign in signs if sign]
    for make, pattern in _SIGNS.items():
        if any(pattern.search(word) for word in words):
            return make
    return _PORTS.get(port) if port is not None else None


def hint_for(reason: Reason, make: Make | None) -> str | None:
    """What to do about `reason` on a camera of that make; None where there is nothing special to it."""
    return MAKE_HINTS[make].get(reason) if make is not None else None
