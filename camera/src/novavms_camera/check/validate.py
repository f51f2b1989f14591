"""Stage 0 of the check: what can be said of a camera's address without connecting to anything."""

from __future__ import annotations

import unicodedata

from novavms_camera.address import AddressPolicy, canonical_host
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.url import DEFAULT_PORTS, RtspUrl, hide_password, split_credentials
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource, Kind, Transport

MAX_URL_LENGTH = 2048
MAX_CREDENTIAL_LENGTH = 256


def validate_source(
    *,
    kind: Kind,
    policy: AddressPolicy,
    host: str | None = None,
    port: int | None = None,
    rtsp_url: str | None = None,
    username: str | None = None,
    password: Secret | str | None = None,
    transport: Transport = "tcp",
) -> CameraSource:
    """The camera as it will be dialled: one spelling of its address, credentials in their own fields.

    Userinfo in `rtsp_url` is split out; an explicit `username` or `password` wins over it. For `rtsp`, host and port
    come from the URL. Raises CameraFault invalid_url or address_forbidden; no message repeats the URL, which may hold
    a password.
    """
    url: RtspUrl | None = None
    if kind == "rtsp":
        url, url_username, url_password = _parse_url(rtsp_url, policy)
        host, port = url.host, url.port
        if username is None:
            username = url_username
        if password is None:
            password = url_password
        url, inner = _hide_password(url, password)
        password = inner if password is None else password
    else:
        host, port = _judge_host("host", host, policy), 80 if port is None else port
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise CameraFault("invalid_url", f"port: {port} is not between 1 and 65535.")
    if isinstance(password, str):
        password = Secret(password)
    _judge_credential("username", username)
    _judge_credential("password", password.reveal() if password is not None else None)
    return CameraSource(
        kind=kind,
        host=host,
        port=port,
        rtsp_url=str(url) if url is not None else None,
        username=username or None,
        password=password if username or password else None,
        transport=transport,
    )


def _parse_url(rtsp_url: str | None, policy: AddressPolicy) -> tuple[RtspUrl, str | None, str | None]:
    """(address, username, password). The host that is judged is the one put back into the address."""
    text = (rtsp_url or "").strip(" ")
    if not text:
        raise CameraFault("invalid_url", "rtsp_url: is missing.")
    if len(text) > MAX_URL_LENGTH:
        raise CameraFault("invalid_url", f"rtsp_url: is longer than {MAX_URL_LENGTH} characters.")
    if _has_control(text) or " " in text or "\\" in text:
        raise CameraFault("invalid_url", "rtsp_url: holds spaces, backslashes or control characters.")
    scheme = text.partition("://")[0].lower()
    if "://" not in text or scheme not in DEFAULT_PORTS:
        raise CameraFault("invalid_url", "rtsp_url: must begin with rtsp:// or rtsps://.")
    try:
        clean, username, password = split_credentials(text)
        parsed = RtspUrl.parse(clean)
    except CameraFault as fault:
        raise CameraFault("invalid_url", f"rtsp_url: {fault.message}.") from fault
    if "#" in parsed.path:
        raise CameraFault("invalid_url", "rtsp_url: holds a #; write it as %23 where it belongs to the path.")
    host = _judge_host("rtsp_url", parsed.host, policy)
    return RtspUrl(parsed.scheme, host, parsed.port, parsed.path), username, password


def _hide_password(url: RtspUrl, password: Secret | str | None) -> tuple[RtspUrl, str | None]:
    """A password in the path or query goes to the other secrets; the address keeps its place as `{password}`."""
    clean, inner = hide_password(str(url))
    given = password.reveal() if isinstance(password, Secret) else password
    if inner is not None and given and inner != given:
        raise CameraFault("invalid_url", "rtsp_url: holds another password than the one given beside it.")
    return (url if inner is None else RtspUrl.parse(clean)), inner


def _judge_host(field: str, host: str | None, policy: AddressPolicy) -> str:
    """The host's one spelling. Forbidden goes before malformed, so that odd spellings are named for what they are."""
    text = (host or "").strip(" ")
    if not text or _has_control(text):
        raise CameraFault("invalid_url", f"{field}: the host is missing or holds control characters.")
    if len(text) > 255:
        raise CameraFault("invalid_url", f"{field}: the host is longer than 253 characters.")
    why = policy.refuse_host(text)
    if why is not None:
        raise CameraFault("address_forbidden", f"{field}: {why}.")
    try:
        return canonical_host(text)
    except CameraFault as fault:
        raise CameraFault(fault.reason, f"{field}: {fault.message}") from fault


def _judge_credential(field: str, value: str | None) -> None:
    """Any printable character works in them; a line end would forge a header, and nobody's password has one."""
    if value is None:
        return
    if len(value) > MAX_CREDENTIAL_LENGTH:
        raise CameraFault("invalid_url", f"{field}: is longer than {MAX_CREDENTIAL_LENGTH} characters.")
    if _has_control(value):
        raise CameraFault("invalid_url", f"{field}: holds control characters.")


def _has_control(text: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text)
