"""The connection check of a healthy camera on loopback: against the same round trips by a bare client, in the same run.

The bare client is asyncio streams and hashlib on the same event loop: the same requests in the same order (8 ONVIF calls, 7 RTSP requests),
answers read by their length and not looked into, up to the first picture's last packet. Both take turns; the middle of the turns counts.
The camera runs in a process of its own, so that its time is the same for both. The same bare client on blocking sockets, which no
server that does something else meanwhile can use, needs about half as long.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import Result

ROUNDS, QUICK_ROUNDS, WARM_UP = 200, 40, 5
SLOW_ANSWER_SEC = 0.005
"""What cameras take to answer is 3 to 30 ms; a simulated one takes 0.1 ms."""
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"


class Wire:
    """One connection, as thin as asyncio has it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> Wire:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def exactly(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    async def answer(self) -> tuple[str, bytes]:
        """Head and body of an HTTP or RTSP answer."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        return head.decode(), await self.exactly(int(length[1])) if length else b""

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def bare(camera: dict[str, Any]) -> tuple[float, float]:
    """(seconds for everything, seconds for OPTIONS and DESCRIBE with its login) of the bare round trips."""
    started = time.perf_counter()
    await _onvif(camera)
    wire = await Wire.connect(camera["rtsp_port"])
    describe_started = time.perf_counter()
    session = await _describe(wire, camera)
    described = time.perf_counter() - describe_started
    await _play(wire, camera, session)
    return time.perf_counter() - started, described


async def _onvif(camera: dict[str, Any]) -> None:
    wire = await Wire.connect(camera["onvif_port"])
    calls = [
        ("device_service", f'<GetSystemDateAndTime xmlns="{DEVICE}"/>'),
        ("device_service", f'<GetDeviceInformation xmlns="{DEVICE}"/>'),
        ("device_service", f'<GetNetworkInterfaces xmlns="{DEVICE}"/>'),
        ("device_service", f'<GetEndpointReference xmlns="{DEVICE}"/>'),
        (
            "device_service",
            f'<GetServices xmlns="{DEVICE}"><IncludeCapability>false</IncludeCapability></GetServices>',
        ),
        (
            "media2_service",
            f'<GetProfiles xmlns="{MEDIA2}"><Type>VideoSource</Type><Type>VideoEncoder</Type></GetProfiles>',
        ),
    ]
    for token in ("profile_main", "profile_sub"):
        body = f"<Protocol>RTSP</Protocol><ProfileToken>{token}</ProfileToken>"
        calls.append(("media2_service", f'<GetStreamUri xmlns="{MEDIA2}">{body}</GetStreamUri>'))
    for number, (service, body) in enumerate(calls):
        header = _token(camera) if number else ""
        xml = (
            f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>{header}</s:Header>'
            f"<s:Body>{body}</s:Body></s:Envelope>"
        ).encode()
        head = f"POST /onvif/{service} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(xml)}\r\n\r\n"
        wire.send(head.encode() + xml)
        status, answer = await wire.answer()
        assert " 200 " in status.split("\r\n")[0], (status, answer)
    await wire.close()


def _token(camera: dict[str, Any]) -> str:
    nonce, created = secrets.token_bytes(16), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha1(
        nonce + created.encode() + camera["password"].encode(), usedforsecurity=False
    ).digest()
    return (
        f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}"><w:UsernameToken><w:Username>{camera["username"]}</w:Username>'
        f'<w:Password Type="{TOKEN}#PasswordDigest">{base64.b64encode(digest).decode()}</w:Password>'
        f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce><u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
    )


class _Rtsp:
    """Requests with their numbers and logins."""

    def __init__(self, wire: Wire, camera: dict[str, Any]) -> None:
        self.wire = wire
        self.camera = camera
        self.realm = self.nonce = self.session = ""
        self.cseq = 0

    async def call(self, method: str, url: str, **headers: str) -> str:
        self.cseq += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.cseq}"]
        if self.session:
            lines.append(f"Session: {self.session}")
        if self.nonce:
            a1 = _md5(f"{self.camera['username']}:{self.realm}:{self.camera['password']}")
            response = _md5(f"{a1}:{self.nonce}:{_md5(f'{method}:{url}')}")
            user = self.camera["username"]
            lines.append(
                f'Authorization: Digest username="{user}", realm="{self.realm}", nonce="{self.nonce}", uri="{url}", response="{response}"'
            )
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wire.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        head, _ = await self._next_answer()
        return head

    async def teardown(self, url: str) -> None:
        """As the check does: waits for the answer among the packets."""
        await self.call("TEARDOWN", url)

    async def _next_answer(self) -> tuple[str, bytes]:
        while True:
            first = await self.wire.exactly(1)
            if first != b"$":
                head, body = await self.wire.answer()
                return first.decode() + head, body
            _, high, low = await self.wire.exactly(3)
            await self.wire.exactly(high << 8 | low)


async def _describe(wire: Wire, camera: dict[str, Any]) -> _Rtsp:
    url, rtsp = camera["rtsp_url"], _Rtsp(wire, camera)
    await rtsp.call("OPTIONS", url)
    refused = await rtsp.call("DESCRIBE", url, Accept="application/sdp")
    rtsp.realm, rtsp.nonce = re.findall(r'(?:realm|nonce)="([^"]*)"', refused)
    assert " 200 " in await rtsp.call("DESCRIBE", url, Accept="application/sdp")
    return rtsp


async def _play(wire: Wire, camera: dict[str, Any], rtsp: _Rtsp) -> None:
    url = camera["rtsp_url"]
    for track in (0, 1):
        transport = f"RTP/AVP/TCP;unicast;interleaved={track * 2}-{track * 2 + 1}"
        answer = await rtsp.call("SETUP", f"{url}/trackID={track}", Transport=transport)
        found = re.search(r"(?i)session: *(\w+)", answer)
        assert found, answer
        rtsp.session = found[1]
    await rtsp.call("PLAY", url, Range="npt=0.000-")
    channel, packet = -1, b""
    while channel != 0 or not packet[1] & 0x80:  # up to the picture's last packet
        _, channel, high, low = await wire.exactly(4)
        packet = await wire.exactly(high << 8 | low)
    await rtsp.teardown(url)
    await wire.close()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


async def _checked(camera: dict[str, Any]) -> tuple[float, float]:
    """(seconds of a whole check, seconds of its stage `describe`)."""
    from novavms_camera.check import AddressPolicy, check_camera, validate_source

    policy = AddressPolicy(allow_loopback=True)
    source = validate_source(
        kind="onvif",
        host="127.0.0.1",
        port=camera["onvif_port"],
        username=camera["username"],
        password=camera["password"],
        policy=policy,
        transport="auto",
    )
    started = time.perf_counter()
    report = await check_camera(source, policy=policy)
    took = time.perf_counter() - started
    assert report.ok, report
    return took, next(stage.ms for stage in report.stages if stage.name == "describe") / 1000


@contextmanager
def _camera(*options: str) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as folder:
        ready = Path(folder) / "ready.json"
        program = str(Path(sys.executable).parent / "novavms-simcam")
        process = subprocess.Popen(
            [program, "run", *options, "--ready-file", str(ready), "--exit-with-parent"],
            stdout=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 30
            while not ready.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            yield json.loads(ready.read_text())["cameras"][0]
        finally:
            process.terminate()
            process.wait()


def _medians(camera: dict[str, Any], rounds: int) -> tuple[float, float, float, float]:
    """Milliseconds: (check, bare client, stage describe, bare OPTIONS and DESCRIBE)."""
    rows: list[tuple[float, float, float, float]] = []
    with asyncio.Runner() as runner:
        for number in range(rounds + WARM_UP):
            whole, describe = runner.run(_checked(camera))
            bare_whole, bare_describe = runner.run(bare(camera))
            if number >= WARM_UP:
                rows.append((whole, bare_whole, describe, bare_describe))
    whole, bare_whole, describe, bare_describe = (
        1000 * statistics.median(column) for column in zip(*rows, strict=True)
    )
    return whole, bare_whole, describe, bare_describe


def run(*, quick: bool = False) -> list[Result]:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with _camera() as camera:
        whole, floor, describe, answered = _medians(camera, rounds)
    with _camera("--fault", f"slow_answer_sec={SLOW_ANSWER_SEC}") as camera:
        slow_whole, slow_floor, _, _ = _medians(camera, rounds // 4)
    beyond = describe - answered
    return [
        Result(
            "check of an ONVIF camera that answers at once, p50",
            f"{whole:.1f} ms",
            f"{floor:.1f} ms bare round trips",
            whole / floor,
            1.5,
        ),
        Result(
            f"check of an ONVIF camera that thinks {1000 * SLOW_ANSWER_SEC:g} ms a request, p50",
            f"{slow_whole:.0f} ms",
            f"{slow_floor:.0f} ms bare round trips",
            slow_whole / slow_floor,
            1.5,
        ),
        Result(
            "stage describe beyond the camera's answers, p50",
            f"{beyond:.1f} ms of {describe:.1f}",
            "20 ms asked",
            beyond / 20,
            1.0,
        ),
    ]
