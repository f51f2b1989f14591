"""ONVIF as devices of other makes speak it: canned answers over a real socket, in the oddities that were seen."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from novavms_camera.faults import CameraFault
from novavms_camera.onvif import soap
from novavms_camera.onvif.device import OnvifDevice
from novavms_camera.onvif.http import MAX_BODY_BYTES, HttpConnection
from novavms_camera.onvif.media import MediaProfile, choose_tiers, media_profiles
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.secret import Secret

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DATE_TIME = (
    "<GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime>"
    "<Time><Hour>12</Hour><Minute>0</Minute><Second>{second}</Second></Time>"
    "<Date><Year>{year}</Year><Month>3</Month><Day>1</Day></Date>"
    "</UTCDateTime></SystemDateAndTime></GetSystemDateAndTimeResponse>"
)
NOT_AUTHORIZED = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code>"
    "<s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>"
)


def soap_bytes(body: str, encoding: str = "utf-8", declared: str = "UTF-8") -> bytes:
    text = f'<?xml version="1.0" encoding="{declared}"?><s:Envelope xmlns:s="x" xmlns:ter="y"><s:Body>{body}</s:Body></s:Envelope>'
    return text.encode(encoding)


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def answering(
    *answers: bytes, close_after_each: bool = False
) -> AsyncIterator[tuple[HttpConnection, list[bytes]]]:
    """A device that gives `answers` in turn, the last one for ever, and the requests it got."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [
                    line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
                ]
                requests.append(head + await reader.readexactly(int(lengths[0])))
                writer.write(answers[min(len(requests), len(answers)) - 1])
                await writer.drain()
                if close_after_each:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = HttpConnection("127.0.0.1", "127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield connection, requests
    finally:
        await connection.close()
        server.close()
        await server.wait_closed()


def device(connection: HttpConnection, now: Callable[[], datetime] = lambda: NOW) -> OnvifDevice:
    return OnvifDevice(connection, "admin", Secret("s3cret&<>"), now)


async def fault_of(*answers: bytes) -> CameraFault:
    """What the first login says to these answers."""
    async with answering(*answers) as (connection, _):
        with pytest.raises(CameraFault) as caught:
            await device(connection).device_information()
        assert f"127.0.0.1:{connection.port}" in caught.value.message
        return caught.value


# ---- clock and token ---------------------------------------------------------------------------------------


async def test_the_token_is_made_for_the_cameras_clock_with_the_standards_digest() -> None:
    answer = http(soap_bytes(DATE_TIME.format(year=2020, second=0)))
    async with answering(answer, http(soap_bytes("<GetDeviceInformationResponse/>"))) as (
        connection,
        requests,
    ):
        camera = device(connection)
        assert await camera.read_clock() == (datetime(2020, 3, 1, 12, tzinfo=UTC) - NOW).total_seconds()
        await camera.device_information()
    assert b"Security" not in requests[0]
    token = soap.parse_xml(requests[1].partition(b"\r\n\r\n")[2])
    assert token is not None
    parts = {soap.local(element): element.text or "" for element in token.iter()}
    assert parts["Created"] == "2020-03-01T12:00:00.000Z"
    nonce = base64.b64decode(parts["Nonce"])
    expected = hashlib.sha1(nonce + parts["Created"].encode() + b"s3cret&<>").digest()
    assert base64.b64decode(parts["Password"]) == expected
    assert b"s3cret" not in requests[1]


async def test_the_offset_is_read_again_after_a_day() -> None:
    times = [NOW]
    clock = [soap_bytes(DATE_TIME.format(year=year, second=0)) for year in (2026, 2027)]
    information = http(soap_bytes("<GetDeviceInformationResponse/>"))
    script = http(clock[0]), information, information, http(clock[1]), information
    async with answering(*script) as (connection, requests):
        camera = device(connection, lambda: times[0])
        await camera.read_clock()
        for later in (0, 23, 25):
            times[0] = NOW + timedelta(hours=later)
            await camera.device_information()
    asked = [b"GetSystemDateAndTime" in request for request in requests]
    assert asked == [True, False, False, True, False]
    assert b"2026-03-02T11:00:00" in requests[2], "by the old offset, 23 hours on"
    assert b"2027-03-01T12:00:00" in requests[4], "by the new one"


async def test_a_leap_second_and_a_clock_only_in_the_http_header() -> None:
    leap = http(soap_bytes(DATE_TIME.format(year=2026, second=60)))
    async with answering(leap) as (connection, _):
        assert await device(connection).read_clock() == 59
    dated = http(b"", "401 Unauthorized", "Date: Sun, 01 Mar 2026 12:00:30 GMT")
    async with answering(dated) as (connection, _):
        assert await device(connection).read_clock() == 30


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html><body>Login</body></html>"),
        http(b"<html>", "404 Not Found"),
        http(b"", "302 Found", "Location: /login"),
        http(b"not xml at all"),
        http(b"<a><b></a>"),
        http(soap_bytes("")),
        http(soap_bytes("<SomethingElse/>")),
        http(b'<!DOCTYPE a [<!ENTITY x "y">]>' + soap_bytes("<GetSystemDateAndTimeResponse>&x;</GetSystemDateAndTimeResponse>")),
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"RTSP/1.0 400 Bad Request\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
    ],
)  # fmt: skip
async def test_what_is_not_an_onvif_device(answer: bytes) -> None:
    async with answering(answer) as (connection, _):
        with pytest.raises(CameraFault) as caught:
            await device(connection).read_clock()
    assert caught.value.reason == "not_onvif"


# ---- logins ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        http(soap_bytes(NOT_AUTHORIZED), "400 Bad Request"),
        http(soap_bytes(NOT_AUTHORIZED), "401 Unauthorized"),
        http(soap_bytes(NOT_AUTHORIZED), "500 Internal Server Error"),
        http(soap_bytes(NOT_AUTHORIZED), "200 OK"),
        http(soap_bytes("<s:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>Wsse authorized time check failed; unauthorized</faultstring></s:Fault>"), "500 E"),
        http(b"", "401 Unauthorized"),
        http(b"<html>no</html>", "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'),
        http(b"", "403 Forbidden"),
    ],
)  # fmt: skip
async def test_a_refused_login_is_sent_once(answer: bytes) -> None:
    async with answering(answer) as (connection, requests):
        camera = device(connection)
        for _ in range(3):
            with pytest.raises(CameraFault) as caught:
                await camera.device_information()
            assert caught.value.reason == "auth_failed"
    assert len(requests) == 1


async def test_digest_is_the_second_and_last_try() -> None:
    challenge = 'WWW-Authenticate: Digest realm="x", nonce="{}", qop="auth", algorithm={}'
    answers = [
        http(b"", "401 Unauthorized", challenge.format(n, "MD5"), challenge.format(n, "SHA-256"))
        for n in range(5)
    ]
    async with answering(*answers) as (connection, requests):
        camera = device(connection)
        for _ in range(3):
            with pytest.raises(CameraFault):
                await camera.device_information()
    assert len(requests) == 2
    assert b"UsernameToken" in requests[0]
    assert b"UsernameToken" not in requests[1]
    assert b"algorithm=SHA-256" in requests[1]
    assert b"s3cret" not in requests[1]


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<ResponseStatus><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime></ResponseStatus>", "401 Unauthorized"),
        http(b"", "423 Locked"),
        http(soap_bytes(NOT_AUTHORIZED.replace("Sender not Authorized", "User is locked, try later")), "400 Bad Request"),
        http(soap_bytes(NOT_AUTHORIZED.replace("Sender not Authorized", "Too many failed attempts")), "500 E"),
    ],
)  # fmt: skip
async def test_a_locked_account(answer: bytes) -> None:
    assert (await fault_of(answer)).reason == "locked_out"


async def test_an_unlocked_account_is_not_called_locked() -> None:
    body = (
        b"<ResponseStatus><lockStatus>unlock</lockStatus><retryLoginTime>3</retryLoginTime></ResponseStatus>"
    )
    assert (await fault_of(http(body, "401 Unauthorized"))).reason == "auth_failed"


async def test_other_faults_keep_the_cameras_words() -> None:
    body = "<s:Fault><s:Reason><s:Text>Out of memory</s:Text></s:Reason></s:Fault>"
    fault = await fault_of(http(soap_bytes(body), "500 Internal Server Error"))
    assert (fault.reason, fault.status) == ("camera_error", 500)
    assert "Out of memory" in fault.message


# ---- hostile or careless HTTP and XML ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (MAX_BODY_BYTES + 1),
            "camera_error",
        ),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000, "not_onvif"),
    ],
)
async def test_what_a_camera_sends_is_bounded(answer: bytes, reason: str) -> None:
    assert (await fault_of(answer)).reason == reason


async def test_an_answer_cut_short_is_the_cameras_error() -> None:
    async with answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<s:Envelope", close_after_each=True
    ) as (connection, requests):
        with pytest.raises(CameraFault) as caught:
            await device(connection).device_information()
    assert caught.value.reason == "camera_error"
    assert len(requests) == 1


async def test_chunked_answers_and_closed_connections() -> None:
    body = soap_bytes("<GetDeviceInformationResponse><Model>M</Model></GetDeviceInformationResponse>")
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        len(body),
        body,
    )
    async with answering(chunked, http(body), close_after_each=True) as (connection, requests):
        camera = device(connection)
        for _ in range(3):
            assert (await camera.device_information()).model == "M"
    assert len(requests) == 3


@pytest.mark.parametrize(
    ("encoding", "declared", "name"),
    [
        ("utf-8", "UTF-8", "Tür 漢"),
        ("latin-1", "UTF-8", "T\ufffdr"),
        ("gb2312", "GB2312", "摄像机"),
        ("utf-8", "no-such-code", "Tür"),
    ],
)
async def test_names_in_whatever_encoding(encoding: str, declared: str, name: str) -> None:
    sent = name.replace("\ufffd", "ü")
    body = soap_bytes(f"<R><Manufacturer>{sent}\x07</Manufacturer></R>", encoding=encoding, declared=declared)
    async with answering(http(body)) as (connection, _):
        told = (await device(connection).device_information()).manufacturer
    assert told == name + "\ufffd"


@given(st.binary(max_size=400))
def test_any_bytes_are_xml_or_not(data: bytes) -> None:
    for body in (data, soap_bytes("<a>") + data, b"<s:Envelope>" + data):
        root = soap.parse_xml(body)
        assert root is None or soap.local(root) is not None


# ---- services and profiles --------------------------------------------------------------------------------------------


def service(namespace: str, xaddr: str) -> str:
    return f"<Service><Namespace>{namespace}</Namespace><XAddr>{xaddr}</XAddr></Service>"


PROFILES1 = (
    '<GetProfilesResponse><Profiles token="a"><Name>Main</Name><VideoSourceConfiguration><SourceToken>s1</SourceToken>'
    "</VideoSourceConfiguration><VideoEncoderConfiguration><Encoding>H264</Encoding><Resolution><Width>1920</Width>"
    "<Height>1080</Height></Resolution><RateControl><FrameRateLimit>25</FrameRateLimit><BitrateLimit>4096</BitrateLimit>"
    "</RateControl><H264><GovLength>50</GovLength></H264></VideoEncoderConfiguration></Profiles>"
    '<Profiles token="metadata only"><Name>x</Name></Profiles></GetProfilesResponse>'
)


async def test_media1_serves_where_media2_fails_and_only_paths_of_xaddrs_count() -> None:
    services = f"<GetServicesResponse>{service(soap.MEDIA2_NS, 'http://10.9.8.7:8080/m2')}{service(soap.MEDIA1_NS, 'http://10.9.8.7/m1?x=1')}</GetServicesResponse>"
    not_supported = "<s:Fault><s:Reason><s:Text>ActionNotSupported</s:Text></s:Reason></s:Fault>"
    async with answering(
        http(soap_bytes(services)), http(soap_bytes(not_supported), "400 B"), http(soap_bytes(PROFILES1))
    ) as (connection, requests):
        media, profiles = await media_profiles(device(connection))
    assert media.version == 1
    assert [request.split()[1] for request in requests] == [b"/onvif/device_service", b"/m2", b"/m1?x=1"]
    assert profiles == [
        MediaProfile(
            token="a", name="Main", codec="h264", width=1920, height=1080, fps=25.0, bit_rate=4_096_000,
            gop_frames=50, source_token="s1",
        )
    ]  # fmt: skip


async def test_a_device_from_before_getservices() -> None:
    fault = "<s:Fault><s:Reason><s:Text>Method not found</s:Text></s:Reason></s:Fault>"
    capabilities = "<GetCapabilitiesResponse><Capabilities><Media><XAddr>http://x/onvif/media</XAddr></Media></Capabilities></GetCapabilitiesResponse>"
    async with answering(
        http(soap_bytes(fault), "500 E"), http(soap_bytes(capabilities)), http(soap_bytes(PROFILES1))
    ) as (connection, _requests):
        media, _ = await media_profiles(device(connection))
    assert (media.version, media.path) == (1, "/onvif/media")


@pytest.mark.parametrize("uri", ["", "http://10.0.0.1/x", "rtsp://10.0.0.1:99999/x", "rtsp://", "exec:rm"])
async def test_a_stream_address_that_is_none(uri: str) -> None:
    services = f"<GetServicesResponse>{service(soap.MEDIA1_NS, 'http://x/m1')}</GetServicesResponse>"
    answer = f"<GetStreamUriResponse><MediaUri><Uri>{uri}</Uri></MediaUri></GetStreamUriResponse>"
    async with answering(
        http(soap_bytes(services)), http(soap_bytes(PROFILES1)), http(soap_bytes(answer))
    ) as (connection, _):
        media, profiles = await media_profiles(device(connection))
        with pytest.raises(CameraFault) as caught:
            await media.stream_url(profiles[0].token)
    assert caught.value.reason == "camera_error"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("rtsp://10.0.0.1:8554/a?b=c&amp;d=e", "rtsp://10.0.0.1:8554/a?b=c&d=e"),
        ("rtsp://admin:pw@10.0.0.1/a", "rtsp://10.0.0.1/a"),
        (" rtsp://:554/a ", "rtsp://0.0.0.0/a"),
        ("rtsp:///a", "rtsp://0.0.0.0/a"),
    ],
)
async def test_stream_addresses_as_devices_write_them(uri: str, expected: str) -> None:
    services = f"<GetServicesResponse>{service(soap.MEDIA2_NS, 'http://x/m2')}</GetServicesResponse>"
    answer = f"<GetStreamUriResponse><Uri>{uri}</Uri></GetStreamUriResponse>"
    async with answering(
        http(soap_bytes(services)), http(soap_bytes(PROFILES1)), http(soap_bytes(answer))
    ) as (connection, _):
        media, profiles = await media_profiles(device(connection))
        assert await media.stream_url(profiles[0].token) == RtspUrl.parse(expected)


def profile(token: str, codec: str, width: int, height: int, source: str = "s1") -> MediaProfile:
    return MediaProfile(
        token=token, name=None, codec=codec, width=width, height=height, fps=25, bit_rate=None, gop_frames=None,
        source_token=source,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("profiles", "main", "sub"),
    [
        ([profile("a", "h264", 640, 360), profile("b", "h264", 1920, 1080)], "b", "a"),
        ([profile("a", "h264", 1920, 1080)], "a", None),
        ([profile("j", "mjpeg", 3840, 2160), profile("a", "h264", 1280, 720)], "a", None),
        ([profile("j", "mjpeg", 640, 480)], "j", None),
        ([profile("a", "h265", 1920, 1080), profile("t", "h264", 160, 90), profile("s", "h264", 640, 360)], "a", "s"),
        ([profile("a", "h264", 1920, 1080), profile("t", "h264", 160, 90)], "a", "t"),
        ([profile("a", "h264", 1920, 1080), profile("b", "h264", 640, 360, "s2")], "a", None),
        ([profile("a", "h264", 1920, 1080), profile("b", "h264", 1920, 1080, "s2")], "a", None),
    ],
)  # fmt: skip
def test_main_is_the_largest_and_sub_the_smallest_useful_of_one_source(
    profiles: list[MediaProfile], main: str, sub: str | None
) -> None:
    chosen = choose_tiers(profiles)
    assert (chosen[0].token, chosen[1].token if chosen[1] else None) == (main, sub)


# ---- TLS --------------------------------------------------------------------------------------------------------------


async def test_https_with_the_cameras_own_certificate(tmp_path: Path) -> None:
    body = http(soap_bytes("<GetDeviceInformationResponse><Model>M</Model></GetDeviceInformationResponse>"))

    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"</s:Envelope>")
        writer.write(body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    connection = HttpConnection("cam.example", "127.0.0.1", server.sockets[0].getsockname()[1], tls=True)
    try:
        assert (await device(connection).device_information()).model == "M"
        await connection.close()
        await asyncio.wait_for(served.wait(), 10)
    finally:
        await connection.close()
        server.close()
        await server.wait_closed()


async def test_a_port_without_tls() -> None:
    async with answering(http(b"")) as (connection, _):
        connection.tls, connection.connect_timeout_sec = True, 0.5
        with pytest.raises(CameraFault) as caught:
            await device(connection).read_clock()
    assert caught.value.reason == "tls_failed"


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=9999))
    certificate = builder.sign(key, hashes.SHA256())
    pem = folder / "camera.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_camera_that_sends_onvif_to_https_is_named_for_that() -> None:
    fault = await fault_of(http(b"", "301 Moved Permanently", "Location: https://192.0.2.10/onvif"))
    assert (fault.reason, fault.status, "443" in fault.hint) == ("not_onvif", 301, True)
