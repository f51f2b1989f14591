"""What is no HTTP at all gets an answer in the one shape, too."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from novavms_server.server import build_server
from novavms_server.serving import listen, serving
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
