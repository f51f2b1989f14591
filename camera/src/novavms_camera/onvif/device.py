"""An ONVIF device: its clock, one counted login, and authenticated calls over one connection.

Cameras lock an account after a few wrong passwords (Hikvision after 5 to 7, others after 3), so a login costs at most
one try per method: WS-UsernameToken, then HTTP Digest where the camera asks for it. Two failures, then nothing more
is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from novavms_camera.faults import CameraFault
from novavms_camera.onvif import soap
from novavms_camera.onvif.http import HttpConnection, Response
from novavms_camera.rtsp.auth import Authenticator, parse_challenges
from novavms_camera.secret import Secret

RIGHTS_HINT = "The password is right, but this user may not see video: give it more rights in the camera (ONVIF: operator or media user), or use another user."
HTTPS_HINT = "The camera speaks ONVIF over https only: give its https port, usually 443."
DEVICE_PATH = "/onvif/device_service"
"""Where every ONVIF device has its device service (ONVIF Core 5.1.1)."""
HTTPS_PORTS = frozenset({443, 8443})
MAX_FAILED_LOGINS = 2
MAX_SIGNS = 16
CLOCK_GOOD_FOR = timedelta(days=1)
"""A clock offset that is older is read anew before it is used."""

_NOT_AUTHORIZED = re.compile(
    r"not\s*authori[sz]ed|unauthori[sz]ed|FailedAuthentication|InvalidSecurity|authentication|password",
    re.IGNORECASE,
)
_LOCKED = re.compile(r"\block(ed)?\b|lock(ed)?\s?out|too many (failed|login|attempts)|blocked", re.IGNORECASE)
_PATH = re.compile(r"/[\x21-\x7e]{0,511}")


@dataclass(frozen=True, slots=True)
class DeviceInformation:
    manufacturer: str | None
    model: str | None
    firmware: str | None
    serial: str | None


@dataclass(slots=True)
class OnvifDevice:
    """`now` is our UTC clock. Every method raises CameraFault and nothing else; callers bound the time."""

    connection: HttpConnection
    username: str | None
    password: Secret | None
    now: Callable[[], datetime]
    clock_offset_sec: float | None = None
    """The camera's clock minus ours, once read; used in every login after."""
    login_method: Literal["none", "token", "digest"] = "none"
    failed_logins: int = 0
    signs: set[str] = field(default_factory=set)
    """What its answers say of its make: Server headers and realms."""
    _clock_read_at: datetime | None = None
    _logged_in: bool = False
    _digest: Authenticator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._digest = Authenticator(self.username, self.password)  # HTTP's Digest is RTSP's (RFC 7616)
        if self.username is not None:
            self.login_method = "token"

    async def read_clock(self) -> float | None:
        """Read the camera's clock without credentials; sets and returns the offset, None where it does not say.

        Raises not_onvif where no ONVIF device answers. A device that wants a login even for this (against ONVIF Core
        8.1.1, but seen) passes, its clock taken from the HTTP Date header.
        """
        sent = self._clock_read_at = self.now()
        response = await self._post(DEVICE_PATH, _device("GetSystemDateAndTime"), authorized=False)
        middle = sent + (self.now() - sent) / 2
        camera_time = None
        if response.status not in (401, 403):
            content = self._content(response)
            if soap.fault_text(content) is None and soap.local(content) != "GetSystemDateAndTimeResponse":
                raise CameraFault("not_onvif", f"{self._where} does not answer as an ONVIF device.")
            camera_time = _utc_date_time(content)
        if camera_time is None:
            camera_time = _http_date(response)
        if camera_time is not None:
            self.clock_offset_sec = round((camera_time - middle).total_seconds(), 1)
        return self.clock_offset_sec

    async def device_information(self) -> DeviceInformation:
        """Log in by the first call that needs it. Raises auth_failed or locked_out."""
        content = await self.call(DEVICE_PATH, _device("GetDeviceInformation"), "GetDeviceInformation")
        return DeviceInformation(
            manufacturer=soap.text_at(content, "Manufacturer"),
            model=soap.text_at(content, "Model"),
            firmware=soap.text_at(content, "FirmwareVersion"),
            serial=soap.text_at(content, "SerialNumber"),
        )

    async def mac_address(self) -> str | None:
        """The first network interface's MAC, as aa:bb:cc:dd:ee:ff; None where the camera does not tell."""
        content = await self.call(DEVICE_PATH, _device("GetNetworkInterfaces"), "GetNetworkInterfaces")
        for element in soap.each(content, "HwAddress", 8):
            digits = re.sub(r"[^0-9a-f]", "", (soap.text_of(element) or "").lower())
            if len(digits) == 12 and digits.strip("0"):
                return ":".join(digits[index : index + 2] for index in range(0, 12, 2))
        return None

    async def endpoint_reference(self) -> str | None:
        """The device's WS-Discovery identity; None where it does not tell."""
        content = await self.call(DEVICE_PATH, _device("GetEndpointReference"), "GetEndpointReference")
        return soap.text_at(content, "GUID")

    async def service_paths(self) -> dict[str, str]:
        """Path of each service by namespace. Only the path is used: XAddrs often name another interface or port."""
        try:
            body = f'<GetServices xmlns="{soap.DEVICE_NS}"><IncludeCapability>false</IncludeCapability></GetServices>'
            content = await self.call(DEVICE_PATH, body, "GetServices")
            paths = {
                namespace: path
                for service in soap.each(content, "Service", 64)
                if (namespace := soap.text_at(service, "Namespace")) and (path := _path(service, "XAddr"))
            }
        except CameraFault as fault:
            if fault.reason != "camera_error":
                raise
            paths = {}
        if paths:
            return paths
        body = f'<GetCapabilities xmlns="{soap.DEVICE_NS}"><Category>All</Category></GetCapabilities>'
        content = await self.call(DEVICE_PATH, body, "GetCapabilities")  # devices from before ONVIF 2.0
        media = _path(content, "Capabilities", "Media", "XAddr")
        return {soap.MEDIA1_NS: media} if media else {}

    async def call(self, path: str, body: str, what: str) -> Element:
        """One authenticated call; the content of the answer's SOAP Body.

        Raises auth_failed or locked_out, and camera_error (with the fault's text) where the camera refuses the call.
        """
        if self._clock_read_at is not None and self.now() - self._clock_read_at >= CLOCK_GOOD_FOR:
            await self.read_clock()  # clocks drift, and are set right by people
        if self.failed_logins >= MAX_FAILED_LOGINS:
            raise CameraFault("auth_failed", f"{self._where} refused the login; not tried again.")
        response = await self._post(path, body, authorized=True)
        content = self._judge(response)
        if content is None:
            content = await self._login_by_digest(path, body, response)
        if content is None:
            raise self._refused_login(what)
        self._logged_in = True
        self._digest.accepted()
        text = soap.fault_text(content)
        if text is not None:
            raise CameraFault(
                "camera_error", f"{self._where} answered {what} with a fault: {text}", status=response.status
            )
        return content

    async def _login_by_digest(self, path: str, body: str, refused: Response) -> Element | None:
        """The second method, where the camera asks for it and the first try left room for one."""
        challenges = refused.all("www-authenticate")
        asked = any(
            challenge.strength > 1 for challenge in parse_challenges(challenges)
        )  # Basic would show the password
        if not self._logged_in:
            self.failed_logins += 1
        if self.username is None or not asked or not self._digest.take(challenges):
            return None
        self.login_method = "digest"
        return self._judge(await self._post(path, body, authorized=True))

    def _refused_login(self, what: str) -> CameraFault:
        if self.username is None:
            return CameraFault(
                "auth_failed", f"{self._where} wants a user and a password; none were given.", status=401
            )
        if self._logged_in:
            return CameraFault(
                "auth_failed",
                f"{self._where} let the user log in, but not call {what}: it needs more rights.",
                hint=RIGHTS_HINT,
                status=401,
            )
        self.failed_logins = MAX_FAILED_LOGINS
        return CameraFault(
            "auth_failed", f"{self._where} (ONVIF) refused the user or the password.", status=401
        )

    async def _post(self, path: str, body: str, *, authorized: bool) -> Response:
        header, headers = "", [("Content-Type", "application/soap+xml; charset=utf-8")]
        if authorized and self.username is not None:
            password = self.password if self.password is not None else Secret("")
            answer = self._digest.header("POST", path)
            if self.login_method == "digest" and answer is not None:
                headers.append(("Authorization", answer))
            else:
                created = self.now() + timedelta(seconds=self.clock_offset_sec or 0.0)
                header = soap.username_token(self.username, password, created=created)
        response = await self.connection.post(path, soap.envelope(body, header=header), headers)
        if len(self.signs) < MAX_SIGNS:
            told = response.all("server") + response.all("www-authenticate")
            self.signs.update(value[:200] for value in told)
        return response

    def _judge(self, response: Response) -> Element | None:
        """The answer's content, None where the camera wants a (better) login. Raises locked_out at once.

        NotAuthorized comes as HTTP 400, 401, 403 or 500, with or without a SOAP fault, depending on the make.
        """
        refused = response.status in (401, 403, 423)
        text = ""
        if refused or response.status >= 400:
            content = soap.parse_xml(response.body)
            inner = soap.find(content, "Body") if content is not None else None
            fault = next(iter(inner), None) if inner is not None else None
            text = (
                (soap.fault_text(fault) or "")
                if fault is not None
                else response.body[:2048].decode("latin-1")
            )
        if response.status == 423 or (
            text and (refused or _NOT_AUTHORIZED.search(text)) and _LOCKED.search(text)
        ):
            self.failed_logins = MAX_FAILED_LOGINS
            raise CameraFault("locked_out", f"{self._where} has locked the account.", status=response.status)
        if refused:
            return None
        content = self._content(response)
        fault_line = soap.fault_text(content)
        if fault_line is not None and _LOCKED.search(fault_line):
            self.failed_logins = MAX_FAILED_LOGINS
            raise CameraFault("locked_out", f"{self._where} has locked the account.", status=response.status)
        return None if fault_line is not None and _NOT_AUTHORIZED.search(fault_line) else content

    def _content(self, response: Response) -> Element:
        if response.status == 503:
            raise CameraFault(
                "camera_error", f"{self._where} answered that it is busy (HTTP 503).", status=503
            )
        if response.status in (301, 302, 307, 308) and (response.first("location") or "").startswith(
            "https:"
        ):
            raise CameraFault(
                "not_onvif", f"{self._where} sends ONVIF to https.", hint=HTTPS_HINT, status=response.status
            )
        if response.status not in (200, 400, 500):  # SOAP 1.2 HTTP binding: faults are 400 or 500
            raise CameraFault(
                "not_onvif",
                f"{self._where} answered HTTP {response.status} to ONVIF.",
                status=response.status,
            )
        return soap.parse(response.body, self._where)

    @property
    def _where(self) -> str:
        return self.connection.where


def _device(operation: str) -> str:
    return f'<{operation} xmlns="{soap.DEVICE_NS}"/>'


def _path(parent: Element, *names: str) -> str | None:
    try:
        parts = urlsplit(soap.text_at(parent, *names) or "")
    except ValueError:
        return None
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return path if _PATH.fullmatch(path) else None


def _utc_date_time(content: Element) -> datetime | None:
    utc = soap.find(content, "SystemDateAndTime", "UTCDateTime")
    if utc is None:
        return None
    numbers = [
        soap.int_at(utc, *names)
        for names in (
            ("Date", "Year"),
            ("Date", "Month"),
            ("Date", "Day"),
            ("Time", "Hour"),
            ("Time", "Minute"),
        )
    ]
    try:
        year, month, day, hour, minute = (int(number) for number in numbers if number is not None)
        second = min(soap.int_at(utc, "Time", "Second") or 0, 59)  # 60 in a leap second
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _http_date(response: Response) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(response.first("date") or "")
    except (ValueError, TypeError):
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
