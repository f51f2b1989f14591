"""What every simcam test needs: a small raw RTSP client, decoding by PyAV off the loop, cameras that are stopped afterwards."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import av
import pytest

from novavms_simcam import SimCam, SimCamConfig

PASSWORD = "pä:ss@w/o#r?d%1"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class RawRtsp:
    """A hand-written RTSP client that shares no code with the server. Interleaved packets are kept in `packets`."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    username: str = "admin"
    password: str = PASSWORD
    challenge: str = ""
    cseq: int = 0
    packets: list[tuple[int, bytes]] = field(default_factory=list)

    async def call(self, method: str, url: str, login: bool = True, **headers: str) -> Answer:
        """One request and its answer; answers a challenge once."""
        answer = await self._once(method, url, login, headers)
        if answer.status == 401 and login and "www-authenticate" in answer.headers:
            self.challenge = answer.headers["www-authenticate"]
            answer = await self._once(method, url, login, headers)
        return answer

    async def _once(self, method: str, url: str, login: bool, headers: dict[str, str]) -> Answer:
        self.cseq += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.cseq}"]
        if login and self.challenge:
            lines.append(f"Authorization: {self.authorization(method, url)}")
        lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = await asyncio.wait_for(self.answer(), 10)
        assert answer.headers["cseq"] == str(self.cseq)
        return answer

    def authorization(self, method: str, url: str) -> str:
        if self.challenge.startswith("Basic"):
            return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        parts = dict(re.findall(r'(\w+)="?([^",]+)"?', self.challenge))
        new = hashlib.sha256 if parts.get("algorithm") == "SHA-256" else hashlib.md5

        def h(text: str) -> str:
            return new(text.encode()).hexdigest()

        ha1 = h(f"{self.username}:{parts['realm']}:{self.password}")
        ha2 = h(f"{method}:{url}")
        text = f'Digest username="{self.username}", realm="{parts["realm"]}", nonce="{parts["nonce"]}", uri="{url}"'
        if "algorithm" in parts:
            text += f", algorithm={parts['algorithm']}"
        if "qop" in parts:
            digest = h(f"{ha1}:{parts['nonce']}:00000001:abc:auth:{ha2}")
            return text + f', qop=auth, nc=00000001, cnonce="abc", response="{digest}"'
        digest = h(f"{ha1}:{parts['nonce']}:{ha2}")
        return text + f', response="{digest}"'

    async def answer(self) -> Answer:
        while True:
            first = await self.reader.readexactly(1)
            if first == b"$":
                await self._packet()
                continue
            head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            headers = {
                k.lower(): v.strip() for k, _, v in (x.partition(":") for x in reversed(lines[1:]) if x)
            }
            # of a repeated header the first counts: cameras send their best challenge first
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(lines[0].split()[1]), headers, body)

    async def _packet(self) -> None:
        channel, size = (await self.reader.readexactly(1))[0], await self.reader.readexactly(2)
        self.packets.append((channel, await self.reader.readexactly(int.from_bytes(size, "big"))))

    async def gather(self, enough: Callable[[list[tuple[int, bytes]]], bool], within: float = 10.0) -> None:
        """Read packets until there are enough of them."""

        async def read() -> None:
            while not enough(self.packets):
                assert await self.reader.readexactly(1) == b"$"
                await self._packet()

        await asyncio.wait_for(read(), within)

    async def start(self, url: str, tracks: tuple[int, ...] = (0,)) -> Answer:
        """DESCRIBE, SETUP over TCP, PLAY; the last answer."""
        described = await self.call("DESCRIBE", url)
        assert described.status == 200
        session = ""
        for track in tracks:
            more = {"Session": session} if session else {}
            transport = f"RTP/AVP/TCP;unicast;interleaved={track * 2}-{track * 2 + 1}"
            done = await self.call("SETUP", f"{url}/trackID={track}", Transport=transport, **more)
            assert done.status == 200, done
            session = done.headers["session"].split(";")[0]
        self.session = session
        return await self.call("PLAY", url, Session=session, Range="npt=0.000-")


StartCamera = Callable[..., Awaitable[SimCam]]
Connect = Callable[[SimCam], Awaitable[RawRtsp]]


@pytest.fixture
async def start_camera() -> AsyncIterator[StartCamera]:
    """Start a camera with the given SimCamConfig fields; all are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def start(**fields: Any) -> SimCam:
            return await stack.enter_async_context(SimCam(SimCamConfig(password=PASSWORD, **fields)))

        yield start


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Open a raw RTSP connection to a camera; all are closed at the end."""
    opened: list[RawRtsp] = []

    async def open_one(cam: SimCam) -> RawRtsp:
        client = RawRtsp(*await asyncio.open_connection("127.0.0.1", cam.rtsp_port))
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.writer.close()
        try:
            await client.writer.wait_closed()
        except OSError:
            pass


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Wait for a condition, at most so many seconds."""

    async def wait(condition: Callable[[], bool], within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.01)

    return wait


@dataclass
class Decoded:
    codecs: dict[str, str]
    frames: dict[str, int]
    video_times: list[float]
    first_video_key: bool
    brightness: list[float]


@pytest.fixture
def decode() -> Callable[..., Awaitable[Decoded]]:
    """Decode a stream with FFmpeg's libraries in a thread until there are enough video frames."""

    def work(url: str, frames: int, transport: str) -> Decoded:
        got = Decoded({}, {"video": 0, "audio": 0}, [], False, [])
        options = {"rtsp_transport": transport, "timeout": "8000000"}
        with av.open(url, options=options) as container:
            got.codecs = {s.type: s.codec_context.name for s in container.streams}
            for packet in container.demux():
                if packet.stream.type == "video" and not got.frames["video"] and not got.video_times:
                    got.first_video_key = packet.is_keyframe
                for frame in packet.decode():
                    got.frames[packet.stream.type] += 1
                    if isinstance(frame, av.VideoFrame):
                        got.brightness.append(float(frame.to_ndarray(format="gray").mean()))
                        if frame.time is not None:
                            got.video_times.append(frame.time)
                if got.frames["video"] >= frames and ("audio" not in got.codecs or got.frames["audio"]):
                    break
        return got

    async def run(url: str, frames: int = 20, transport: str = "tcp") -> Decoded:
        return await asyncio.to_thread(work, url, frames, transport)

    return run


@pytest.fixture
def first_second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A file with the first second (15 frames) of the bundled footage, so that it loops soon."""
    from novavms_simcam.media import footage_path

    path = tmp_path_factory.mktemp("footage") / "short.mp4"
    with av.open(str(footage_path("h264"))) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        out = target.add_stream_from_template(stream)
        for i, packet in enumerate(source.demux(stream)):
            if i == 15:
                break
            packet.stream = out
            target.mux(packet)
    return path
