"""RTSP addresses: parsing, splitting credentials out, and the one place where percent-encoding happens."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, unquote

from novavms_camera.faults import CameraFault
from novavms_camera.secret import Secret

DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322}
_MAX_LENGTH: Final = 4096
_HOST: Final = re.compile(
    r"(\[[0-9A-Fa-f:.%\w]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?)(?::(\d{0,5}))?"
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# What may stand unencoded in a path and query; "%" stays, as cameras' own addresses come encoded already.
_PATH_SAFE: Final = "/?#[]@!$&'()*+,;=:%~-._|^{}\\\"<>`"


PLACEHOLDER: Final = "{password}"
_KEY: Final = r"(?:password|passwd|passwort|pass|pwd|psw)"
_IN_QUERY: Final = re.compile(rf"(?i)[?&;]{_KEY}=([^&;#]*)")
_IN_PATH: Final = re.compile(rf"(?i)[/_&]{_KEY}=([^_&/;?#]*)")


@dataclass(frozen=True, slots=True)
class RtspUrl:
    """`scheme://host:port/path?query` without credentials. `path` is verbatim and holds the query; `host` has no brackets."""

    scheme: str
    host: str
    port: int
    path: str
    port_given: bool = field(default=True, compare=False)
    """Whether the port stands in the address: what people typed is given back as they typed it."""

    @classmethod
    def parse(cls, url: str) -> RtspUrl:
        """Reads an address without credentials; any that it holds are dropped. Raises CameraFault invalid_url."""
        scheme, _, rest = _split(url)
        match = _HOST.match(rest)
        assert match is not None  # _split saw to it
        host = match[1].strip("[]")
        port = int(match[2]) if match[2] else DEFAULT_PORTS[scheme]
        if not 0 < port < 65536:
            raise _invalid(f"port {port} is not between 1 and 65535")
        return cls(scheme, host, port, rest[match.end() :], bool(match[2]))

    def __str__(self) -> str:
        return self._format("")

    def filled(self, password: Secret | None) -> RtspUrl:
        """With the password where the path says `{password}` (see hide_password). Holds a secret."""
        if password is None or PLACEHOLDER not in self.path:
            return self
        return replace(self, path=self.path.replace(PLACEHOLDER, quote(password.reveal(), safe="")))

    def with_credentials(self, username: str | None, password: str | None) -> str:
        """The address with userinfo, percent-encoded: for programs that take one string (go2rtc). Holds a secret."""
        if username is None and password is None:
            return str(self)
        user = quote(username or "", safe="")
        return self.filled(None if password is None else Secret(password))._format(
            f"{user}:{quote(password or '', safe='')}@"
        )

    def _format(self, userinfo: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = self.port == DEFAULT_PORTS[self.scheme] and not self.port_given
        port = "" if default else f":{self.port}"
        return f"{self.scheme}://{userinfo}{host}{port}{quote(self.path, safe=_PATH_SAFE)}"


def split_credentials(url: str) -> tuple[str, str | None, str | None]:
    """`(clean address, username, password)` of an address as people paste it.

    Passwords may hold `@:/#?%` unencoded: the host is what follows the last `@` that has a host behind it. What is
    percent-encoded is decoded. Raises CameraFault invalid_url; its message never repeats the address.
    """
    _, userinfo, _ = _split(url)
    clean = str(RtspUrl.parse(url))
    if userinfo is None:
        return clean, None, None
    user, colon, password = userinfo.partition(":")
    return clean, unquote(user) or None, unquote(password) if colon else None


def hide_password(url: str) -> tuple[str, str | None]:
    """`(address with {password} where it held one, that password)`: of addresses with a login in their path or query, as
    `?user=admin&password=…` and Xiongmai's `/user=admin_password=…_channel=1`. The first one found."""
    found = _IN_QUERY.search(url) or _IN_PATH.search(url)
    if found is None or found[1] in ("", PLACEHOLDER):
        return url, None
    return url[: found.start(1)] + PLACEHOLDER + url[found.end(1) :], unquote(found[1])


def shown(url: str, password: Secret | None) -> str:
    """The address as it may be shown: with `{password}` for the one we know, `***` for another (a camera's own hash of it)."""
    clean, secret = hide_password(url)
    if secret is None or (password is not None and secret == password.reveal()):
        return clean
    return clean.replace(PLACEHOLDER, "***")


def _split(url: str) -> tuple[str, str | None, str]:
    """(scheme, userinfo or None, "host[:port]/path")."""
    url = url.strip()
    scheme, sep, rest = url.partition("://")
    scheme = scheme.lower()
    if not sep or scheme not in DEFAULT_PORTS:
        raise _invalid("the scheme must be rtsp or rtsps")
    if len(url) > _MAX_LENGTH or _CONTROL.search(url):
        raise _invalid("the address is too long or holds control characters")
    at = _userinfo_end(rest)
    userinfo, rest = (None, rest) if at < 0 else (rest[:at], rest[at + 1 :])
    if not _is_host(rest):
        raise _invalid("the address has no valid host")
    return scheme, userinfo, rest


def _userinfo_end(rest: str) -> int:
    """Where the `@` between userinfo and host is, or -1. Clean addresses by RFC 3986; the others by the likelier host."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    at = authority.rfind("@")
    if at >= 0 and _is_host(rest[at + 1 :], surely=True):
        return at
    if at < 0 and _is_host(rest, surely=True) and not _HOST_PORT_ONLY.fullmatch(authority):
        return -1
    places = [m.start() for m in re.finditer("@", rest)]
    for place in reversed(places):  # a password with "/", "?" or "#" in it
        if _is_host(rest[place + 1 :], surely=True):
            return place
    if at >= 0 and _is_host(rest[at + 1 :]):
        return at
    if at < 0 and _is_host(rest):
        return -1
    return next((p for p in reversed(places) if _is_host(rest[p + 1 :])), -1)


_HOST_PORT_ONLY: Final = re.compile(r"[A-Za-z0-9_-]+:\d{1,5}")
"""`admin:12` before a slash may be a user and the start of a password as well as a host and a port."""


def _is_host(text: str, *, surely: bool = False) -> bool:
    """Whether `text` begins with host[:port] and then ends or goes on with a path; `surely`: no mere word is taken."""
    match = _HOST.match(text)
    if match is None or (match.end() < len(text) and text[match.end()] not in "/?#"):
        return False
    host = match[1].strip("[]")
    if match[1].startswith("["):
        return _is_ip(host)
    if not surely:
        return True
    return _is_ip(host) or "." in host or host.lower() == "localhost" or bool(match[2])


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _invalid(message: str) -> CameraFault:
    return CameraFault("invalid_url", message)
