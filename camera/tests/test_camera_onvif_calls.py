"""One connection to an ONVIF device: calls in turn, calls given up, and what a port that wants TLS says."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from novavms_camera.faults import CameraFault
from novavms_camera.onvif import soap
from novavms_camera.onvif.device import OnvifDevice
from novavms_camera.onvif.http import HttpConnection
from novavms_camera.secret import Secret

pytestmark = pytest.mark.anyio

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def soap_bytes(body: str) -> bytes:
    return f'<s:Envelope xmlns:s="x"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[HttpConnection]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = HttpConnection("127.0.0.1", "127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield connection
    finally:
        await connection.close()
        server.close()
        await server.wait_closed()


def device(connection: HttpConnection) -> OnvifDevice:
    return OnvifDevice(connection, "admin", Secret("s3cret"), lambda: datetime.now(UTC))


@pytest.mark.parametrize(
    ("answer", "sign"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x28", "sure"),
        (http(b"<center>The plain HTTP request was sent to HTTPS port</center>", "400 Bad Request"), "maybe"),
        (http(b"Client sent an HTTP request to an HTTPS server.", "400 Bad Request"), "maybe"),
        (b"", "maybe"),
        (http(b"<html>no such page</html>", "400 Bad Request"), "none"),
    ],
)
async def test_what_a_port_that_wants_tls_says_to_plain_http(answer: bytes, sign: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"</s:Envelope>")
        writer.write(answer)
        writer.close()

    async with serving(serve) as connection:
        with pytest.raises(CameraFault):
            await device(connection).read_clock()
        assert connection.tls_sign == sign


async def test_calls_leave_in_turn_each_when_the_answer_before_is_whole() -> None:
    """No pipelining, which cameras know nothing of; and one connection for all."""
    waiting, most = 0, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting, most
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                body = await reader.readuntil(b"</s:Envelope>")
                waiting += 1
                most = max(most, waiting)
                await asyncio.sleep(0.01)  # time for another request to come too early
                assert not reader._buffer  # type: ignore[attr-defined]
                waiting -= 1
                word = re.findall(rb"<Get(\w+)", body)[0].decode()
                writer.write(
                    http(soap_bytes(f"<Get{word}Response><Model>{word}</Model></Get{word}Response>"))
                )
        writer.close()

    words = [f"Thing{number}" for number in range(6)]
    async with serving(serve) as connection:
        camera = device(connection)
        answers = await asyncio.gather(
            *(camera.call("/onvif/device_service", f"<Get{word}/>", word) for word in words)
        )
        assert [soap.text_at(answer, "Model") for answer in answers] == words
        assert most == 1


async def test_calls_behind_one_that_was_given_up_are_made_on_a_new_connection() -> None:
    answer = http(soap_bytes("<GetDeviceInformationResponse><Model>M</Model></GetDeviceInformationResponse>"))
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"</s:Envelope>"):
                if connections > 1:
                    writer.write(answer)
        writer.close()

    async with serving(serve) as connection:
        camera = device(connection)
        silent, *behind = [asyncio.create_task(camera.device_information()) for _ in range(3)]
        while not connections:
            await asyncio.sleep(0.01)
        silent.cancel()
        given_up = behind.pop()  # before it was its turn: nothing happens to the others
        given_up.cancel()
        assert (await asyncio.wait_for(behind[0], 10)).model == "M"
        assert connections == 2
        await asyncio.wait({silent, given_up})
