"""Passwords in an address's path or query: taken out of it, put back on the wire only."""

from __future__ import annotations

import asyncio

import pytest

from novavms_camera.check import AddressPolicy, check_camera, validate_source
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.url import RtspUrl, hide_password, shown
from novavms_camera.secret import Secret

pytestmark = pytest.mark.anyio
POLICY = AddressPolicy(allow_loopback=True)


@pytest.mark.parametrize(
    ("url", "clean", "secret"),
    [
        (
            "rtsp://h/cam?user=admin&password=s3cret&channel=1",
            "rtsp://h/cam?user=admin&password={password}&channel=1",
            "s3cret",
        ),
        ("rtsp://h/cam?PWD=a_b", "rtsp://h/cam?PWD={password}", "a_b"),
        ("rtsp://h/cam?pass=p%40ss", "rtsp://h/cam?pass={password}", "p@ss"),
        (
            "rtsp://h/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp?real_stream",
            "rtsp://h/user=admin_password={password}_channel=1_stream=0.sdp?real_stream",
            "tlJwpbo6",
        ),
        ("rtsp://h/bypass=1/cam", "rtsp://h/bypass=1/cam", None),
        ("rtsp://h/cam?password=", "rtsp://h/cam?password=", None),
        ("rtsp://h/cam?password={password}", "rtsp://h/cam?password={password}", None),
        ("rtsp://h/Streaming/Channels/101", "rtsp://h/Streaming/Channels/101", None),
    ],
)
def test_it_is_found_and_its_place_kept(url: str, clean: str, secret: str | None) -> None:
    assert hide_password(url) == (clean, secret)
    if secret is not None:
        assert hide_password(str(RtspUrl.parse(clean).filled(Secret(secret))))[1] == secret


def test_a_camera_s_own_hash_is_masked() -> None:
    assert shown("rtsp://h/c?password=hash", Secret("other")) == "rtsp://h/c?password=***"
    assert shown("rtsp://h/c?password=same", Secret("same")) == "rtsp://h/c?password={password}"


def test_it_becomes_the_source_s_password() -> None:
    source = validate_source(kind="rtsp", policy=POLICY, rtsp_url="rtsp://10.0.0.9/c?user=a&password=s3cret")
    assert source.rtsp_url == "rtsp://10.0.0.9:554/c?user=a&password={password}"
    assert source.password == Secret("s3cret")
    with pytest.raises(CameraFault, match="another password") as refused:
        validate_source(
            kind="rtsp", policy=POLICY, rtsp_url="rtsp://10.0.0.9/c?password=s3cret", password="0ther"
        )
    assert "s3cret" not in str(refused.value)


async def test_the_camera_gets_it_and_nobody_else() -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            asked.append(head.split(b"\r\n")[0])
            sequence = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"cseq"))
            writer.write(b"RTSP/1.0 404 Not Found\r\n" + sequence + b"\r\n\r\n")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"rtsp://127.0.0.1:{port}/cam?user=admin&password=p%20s3cret%2F"
    report = await check_camera(validate_source(kind="rtsp", policy=POLICY, rtsp_url=url), policy=POLICY)
    server.close()
    assert report.reason == "path_not_found"
    assert any(b"password=p%20s3cret%2F" in line for line in asked)
    assert "s3cret" not in str(report.to_dict())
    assert "s3cret" not in repr(report)
