"""What is no HTTP at all gets an answer in the one shape, too."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from novavms_server import serving as serving_module
from novavms_server.server import build_server
from novavms_server.serving import KEEP_ALIVE_SEC, listen, serving
from novavms_server.settings import Settings

pytestmark = pytest.mark.anyio


async def test_bytes_that_are_no_request_get_the_error_body(database_url: str, tmp_path: Path) -> None:
    server = build_server(Settings(data_dir=tmp_path), database_url=database_url)
    with contextlib.closing(listen("127.0.0.1", 0)) as listener:
        async with serving(server, listener, grace_sec=1) as base_url:
            for sent in (
                b"FOO /api/v1/cameras HTTP/1.1\r\nHost: x\r\n\r\n",
                b"POST /api/v1/sites HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
                b"POST /api/v1/sites HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(base_url).port)
                writer.write(sent)
                async with asyncio.timeout(10):
                    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
                writer.close()
                await writer.wait_closed()
                said = json.loads(body)
                lines = head.decode().split("\r\n")
                assert lines[0] == "HTTP/1.1 400 Bad Request"
                assert said["error"] == "validation_error"
                assert said["message"]
                assert f"x-request-id: {said['request_id']}" in lines
                assert f"content-length: {len(body)}" in lines


async def test_an_idle_connection_is_kept_longer_than_any_client_keeps_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the server hangs up at the moment in which a client that asks every five seconds sends its next request, which is lost."""
    kept = httpx.Limits().keepalive_expiry
    assert kept is not None
    assert kept < 60 < KEEP_ALIVE_SEC, "AWS's load balancers keep theirs for 60 s"
    monkeypatch.setattr(serving_module, "KEEP_ALIVE_SEC", 0)  # what is set is what holds
    server = build_server(Settings(data_dir=tmp_path), database_url=database_url)
    with contextlib.closing(listen("127.0.0.1", 0)) as listener:
        async with serving(server, listener, grace_sec=1) as base_url:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(base_url).port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(4):
                assert (await reader.read()).startswith(b"HTTP/1.1 "), "read to the end: it hung up"
            writer.close()
            await writer.wait_closed()
