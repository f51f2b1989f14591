"""RTSP messages as text (RFC 2326 sections 4-7): lenient reading of answers and of what servers ask, strict writing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from novavms_camera.faults import CameraFault

MAX_HEAD: Final = 16_384
MAX_BODY: Final = 65_536
_STATUS: Final = re.compile(r"RTSP/\d\.\d\s+(\d{3})(?:\s+(.*))?$")
_REQUEST: Final = re.compile(r"([A-Z_]{3,20})\s+(\S+)\s+RTSP/\d\.\d$")


@dataclass(frozen=True, slots=True)
class Message:
    """An answer (`status` set) or a server's own request (`method` set). Header names are lower case; repeats are kept."""

    status: int = 0
    phrase: str = ""
    method: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""

    def get(self, name: str) -> str | None:
        """The first value of a header, or None."""
        values = self.headers.get(name)
        return values[0] if values else None

    @property
    def cseq(self) -> int | None:
        return _number(self.get("cseq"))


def find_end(data: bytes) -> int:
    """Where the head's empty line ends in `data`, -1 if it is not there yet. Bare LF line ends are taken too."""
    places = [(data.find(mark), len(mark)) for mark in (b"\r\n\r\n", b"\n\n")]
    ends = [at + size for at, size in places if at >= 0]
    return min(ends) if ends else -1


def parse_head(head: bytes) -> tuple[Message, int]:
    """A message's head and the length of the body that follows it. Raises CameraFault not_rtsp or malformed_stream."""
    lines = head.decode("utf-8", "replace").strip("\r\n").replace("\r\n", "\n").split("\n")
    status, phrase, method = _first_line(lines[0].strip())
    headers: dict[str, list[str]] = {}
    name = ""
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and name:  # folded header
            headers[name][-1] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if colon and name:
            headers.setdefault(name, []).append(value.strip())
        else:
            name = ""
    message = Message(status, phrase, method, headers)
    length = _number(message.get("content-length")) or 0
    if length > MAX_BODY:
        raise CameraFault("malformed_stream", f"the camera announced an answer of {length} bytes")
    return message, length


def _first_line(line: str) -> tuple[int, str, str]:
    answer = _STATUS.match(line)
    if answer:
        return int(answer[1]), (answer[2] or "").strip(), ""
    request = _REQUEST.match(line)
    if request:
        return 0, "", request[1]
    raise CameraFault("not_rtsp", "what answered does not speak RTSP")


def _number(text: str | None) -> int | None:
    digits = (text or "").split(";")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def format_request(method: str, uri: str, headers: dict[str, str]) -> bytes:
    """A request without a body. Line ends in a header would forge another one: they are refused."""
    lines = [f"{method} {uri} RTSP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise CameraFault("invalid_url", "a request line may not hold line ends")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def format_answer(status: int, phrase: str, cseq: str) -> bytes:
    """Our answer to a server's own request."""
    return f"RTSP/1.0 {status} {phrase}\r\nCSeq: {cseq}\r\n\r\n".encode("ascii", "replace")
