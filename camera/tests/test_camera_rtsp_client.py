"""The client against servers that say what a script says, on real sockets."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.message import find_end, parse_head
from novavms_camera.rtsp.paths import InterleavedPath
from novavms_camera.rtsp.sdp import Media
from novavms_camera.secret import Secret
from novavms_camera.source import StreamSource

pytestmark = pytest.mark.anyio
SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
Script = Callable[[str, str], bytes]


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"RTSP/1.0 {status} X", "CSeq: @", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that answers each request with what `script(method, head)` gives; yields its port and the heads it saw."""
    heads: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                heads.append(head)
                cseq = head.split("CSeq: ")[1].split("\r\n")[0]
                said = script(head.split(" ")[0], head)
                if said == b"close":
                    break
                writer.write(said.replace(b"@", cseq.encode(), 1))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with raw_serving(talk) as port:
        yield port, heads


@asynccontextmanager
async def raw_serving(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(ConnectionError):
            await talk(reader, writer)

    server = await asyncio.start_server(keep, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        await asyncio.sleep(0)


def client_for(port: int, password: str | None = "pw", **kwargs: float) -> RtspClient:
    user = "admin" if password else None
    source = StreamSource(
        url=f"rtsp://127.0.0.1:{port}/live", username=user, password=Secret(password) if password else None
    )
    return RtspClient(source, **kwargs)


async def fault_of(port: int, password: str | None = "pw", **kwargs: float) -> CameraFault:
    client = client_for(port, password, **kwargs)
    try:
        await client.open()
        await client.describe()
    except CameraFault as fault:
        return fault
    finally:
        await client.teardown()
    raise AssertionError("no fault")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(401, 'WWW-Authenticate: Digest realm="x", nonce="1"'), "auth_failed"),
        (answer(401), "auth_failed"),
        (answer(401, "WWW-Authenticate: Basic realm=x", body=b"account is locked"), "locked_out"),
        (answer(403, body=b"Too many failed logins"), "locked_out"),
        (answer(403), "locked_out"),
        (answer(423), "locked_out"),
        (answer(404), "path_not_found"),
        (answer(400), "path_not_found"),
        (answer(453), "too_many_connections"),
        (answer(503), "too_many_connections"),
        (answer(461), "transport_unsupported"),
        (answer(500), "camera_error"),
        (answer(302, "Location: rtsp://other/"), "address_forbidden"),
        (answer(302), "camera_error"),
        (answer(200, body=b"<html>"), "malformed_stream"),
        (b"RTSP/1.0 200 OK\r\nCSeq: @\r\nContent-Length: 99999999\r\n\r\n", "malformed_stream"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_rtsp"),
        (b"220 FTP ready\r\n", "not_rtsp"),
        (b"SSH-2.0-OpenSSH_9\r\n", "not_rtsp"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "not_rtsp"),
        (b"close", "connection_lost"),
    ],
)
async def test_every_refusal_has_its_reason(said: bytes, reason: str) -> None:
    async with serving(lambda method, head: said) as (port, _):
        assert (await fault_of(port)).reason == reason


async def test_the_status_is_kept() -> None:
    async with serving(lambda method, head: answer(400)) as (port, _):
        assert (await fault_of(port)).status == 400


async def test_silence_is_a_timeout() -> None:
    async with serving(lambda method, head: b"") as (port, _):
        assert (await fault_of(port, request_timeout=0.5)).reason == "timeout"


async def test_a_closed_port_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert (await fault_of(taken.getsockname()[1])).reason == "refused"


async def test_an_unknown_name_is_dns_failed() -> None:
    client = RtspClient(StreamSource(url="rtsp://does-not-exist.invalid/x"))
    with pytest.raises(CameraFault) as caught:
        await client.open()
    assert caught.value.reason == "dns_failed"


async def test_a_pinned_address_is_dialled_instead_of_the_name() -> None:
    async with serving(lambda method, head: answer(200, "Public: DESCRIBE")) as (port, heads):
        source = StreamSource(url=f"rtsp://does-not-exist.invalid:{port}/x", address="127.0.0.1")
        async with RtspClient(source) as client:
            assert await client.options() == {"DESCRIBE"}
    assert heads[0].startswith(f"OPTIONS rtsp://does-not-exist.invalid:{port}/x RTSP/1.0")


async def test_tls_to_a_port_without_it_is_tls_failed() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"RTSP/1.0 400 Bad Request\r\n\r\n")
        writer.close()

    async with raw_serving(talk) as port:
        client = RtspClient(StreamSource(url=f"rtsps://127.0.0.1:{port}/x"))
        with pytest.raises(CameraFault) as caught:
            await client.open()
    assert caught.value.reason == "tls_failed"


async def test_a_wrong_password_is_tried_once() -> None:
    refusal = answer(
        401, 'WWW-Authenticate: Digest realm="x", nonce="1"', 'WWW-Authenticate: Basic realm="x"'
    )
    async with serving(lambda method, head: refusal) as (port, heads):
        fault = await fault_of(port, "my-secret-pw")
    assert sum("Authorization" in head for head in heads) == 1
    assert "my-secret-pw" not in repr(fault) + fault.message + str(vars(fault))


async def test_503_right_after_another_description_is_tried_again_once() -> None:
    said = [answer(503), answer(200, body=SDP)]
    async with (
        serving(lambda method, head: said.pop(0) if method == "DESCRIBE" else answer(200)) as (
            port,
            _,
        ),
        client_for(port) as client,
    ):
        assert (await client.describe()).video is not None


async def test_a_whole_session_with_a_stale_nonce_in_it() -> None:
    challenges = iter(["n1", "n2"])

    def script(method: str, head: str) -> bytes:
        if method == "DESCRIBE" and "Authorization" not in head:
            return answer(401, f'WWW-Authenticate: Digest realm="x", nonce="{next(challenges)}"')
        if method == "PLAY" and 'nonce="n1"' in head:
            return answer(401, f'WWW-Authenticate: Digest realm="x", nonce="{next(challenges)}", stale=TRUE')
        if method == "DESCRIBE":
            return answer(200, "Content-Base: rtsp://127.0.0.1/base/", body=SDP)
        session = "Session: abc;timeout=30"
        return (
            answer(200, session, "Transport: RTP/AVP/TCP;unicast;interleaved=4-5")
            if method == "SETUP"
            else answer(200)
        )

    async with serving(script) as (port, heads), client_for(port) as client:
        description = await client.describe()
        assert description.video is not None
        assert description.video.control == "rtsp://127.0.0.1/base/track1"
        path = await client.setup(description.video)
        assert isinstance(path, InterleavedPath)
        assert (path.rtp_channel, client.transport) == (4, "tcp")
        assert client.session_timeout == 30
        await client.play()
        await client.keep_alive()
    methods = [head.split(" ")[0] for head in heads]
    assert methods == ["DESCRIBE", "DESCRIBE", "SETUP", "PLAY", "PLAY", "OPTIONS", "TEARDOWN"]
    assert all("Session: abc" in head for head in heads[3:])


async def test_a_403_after_a_login_is_about_rights_and_one_without_a_password_too() -> None:
    def script(method: str, head: str) -> bytes:
        return answer(403) if "Authorization" in head else answer(401, "WWW-Authenticate: Basic realm=x")

    async with serving(script) as (port, _):
        assert (await fault_of(port)).reason == "auth_failed"
    async with serving(lambda method, head: answer(403)) as (port, _):
        assert (await fault_of(port, None)).reason == "auth_failed"


def packet(channel: int, data: bytes) -> bytes:
    return b"$" + bytes((channel,)) + len(data).to_bytes(2, "big") + data


@pytest.mark.parametrize("cut", [1, 3, 7, 1000])
async def test_packets_junk_answers_and_requests_in_any_pieces(cut: int) -> None:
    """What a camera mixes into one connection, cut anywhere, arrives whole and in order."""
    stream = (
        packet(0, b"one")
        + b"\x00\x01junk"
        + packet(1, b"rtcp")
        + b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 77\r\n\r\n"
        + packet(9, b"unknown channel")
        + packet(0, b"t" * 60_000)
        + answer(200).replace(b"@", b"3")
        + packet(0, b"last")
    )

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(200, "Session: s").replace(b"@", str(_ + 1).encode()))
        await reader.readuntil(b"\r\n\r\n")
        for at in range(0, 200, cut):
            writer.write(stream[at : at + min(cut, 200 - at)])
            await writer.drain()
            if cut < 1000:
                await asyncio.sleep(0)
        writer.write(stream[200:])
        assert b"RTSP/1.0 200 OK\r\nCSeq: 77" in await reader.readuntil(b"\r\n\r\n")
        await reader.read()
        writer.close()

    got: list[bytes] = []
    reports: list[bytes] = []
    last = asyncio.Event()

    def take(view: memoryview, start: int, end: int) -> None:
        got.append(view[start:end].tobytes())
        if got[-1] == b"last":
            last.set()

    def take_report(view: memoryview, start: int, end: int) -> None:
        reports.append(view[start:end].tobytes())

    async with raw_serving(talk) as port, client_for(port) as client:
        await client.setup(Media("video", 96, "H264", 90000, control="x"), on_rtp=take, on_rtcp=take_report)
        await client.play()
        await client.keep_alive()
        await asyncio.wait_for(last.wait(), 5)
        client._session = ""
    assert [len(data) for data in got] == [3, 60_000, 4]
    assert reports == [b"rtcp"]


async def test_endless_junk_ends_the_session_and_not_the_process() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(200).replace(b"@", b"1") + b"\x00" * 300_000)
        await reader.read()
        writer.close()

    async with raw_serving(talk) as port:
        client = client_for(port)
        await client.open()
        await client.options()
        fault = await asyncio.wait_for(client.wait_closed(), 5)
        await client.teardown()
    assert fault.reason == "malformed_stream"


@given(
    st.binary(max_size=400)
    | st.lists(st.sampled_from([b"RTSP/1.0 200 OK", b"CSeq: 1", b"\r\n", b":", b"\xff", b" x"])).map(b"".join)
)
@settings(max_examples=200)
def test_any_head_is_a_message_or_a_fault(data: bytes) -> None:
    end = find_end(data)
    try:
        message, length = parse_head(data if end < 0 else data[:end])
    except CameraFault as fault:
        if fault.reason not in {"not_rtsp", "malformed_stream"}:
            raise
    else:
        assert 0 <= length <= 65_536
        assert message.status or message.method


async def test_a_session_over_tls(tmp_path: Path) -> None:
    """rtsps with the self-signed certificate that cameras have; packets and pauses go through TLS as without it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = self_signed(tmp_path)
    context.load_cert_chain(certificate, key)
    done = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(1, 3):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(200, "Session: s").replace(b"@", str(number).encode()))
        for number in range(300):
            writer.write(packet(0, bytes((number % 256,)) * 1400))
            await writer.drain()
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(200).replace(b"@", b"3"))
        writer.close()

    got: list[int] = []

    def take(view: memoryview, start: int, end: int) -> None:
        got.append(view[start])
        if len(got) == 300:
            done.set()

    async with raw_serving(talk, context) as port:
        client = RtspClient(StreamSource(url=f"rtsps://127.0.0.1:{port}/x"))
        await client.open()
        await client.setup(Media("video", 96, "H264", 90000, control="x"), on_rtp=take)
        await client.play()
        await asyncio.wait_for(done.wait(), 10)
        await client.teardown()
    assert got == [number % 256 for number in range(300)]


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"
