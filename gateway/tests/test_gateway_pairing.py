"""`novavms-gateway pair`, as a person runs it."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from novavms_gateway.link.pairing import PairingError, clean_server_url, pair
from novavms_gateway.storage.identity import find_identity
from novavms_protocol import GatewayFacts

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # starts whole programs


@dataclass
class Ran:
    code: int
    out: str
    err: str


async def gateway_cli(*arguments: str) -> Ran:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "novavms_gateway.main",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200"},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


async def test_pair_keeps_the_identity_private(server_side: Any, tmp_path: Path) -> None:
    server_side.codes.add("A7B3CX")
    folder = tmp_path / "new" / "gateway"
    ran = await gateway_cli(
        "pair", "--server", f"{server_side.url}/", "--code", "a7b3cx", "--data-dir", str(folder)
    )
    assert ran.code == 0, ran.err
    assert str(server_side.gateway_id) in ran.out
    identity = find_identity(folder)
    assert identity is not None
    assert identity.gateway_id == server_side.gateway_id
    assert identity.server_url == server_side.url
    assert (
        identity.socket_url
        == f"{server_side.url.replace('http', 'ws')}/api/v1/gateways/{identity.gateway_id}/ws"
    )
    assert stat.S_IMODE((folder / "gateway.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert identity.gateway_token not in repr(identity) + ran.out + ran.err
    hardware = server_side.pairings[0]["hardware"]
    assert hardware["cpu_count"] >= 1
    assert hardware["local_ip"] == "127.0.0.1"


async def test_a_second_pairing_needs_force_and_spends_no_code(server_side: Any, tmp_path: Path) -> None:
    server_side.codes |= {"AAAAAA", "BBBBBB"}
    arguments = ("pair", "--server", server_side.url, "--data-dir", str(tmp_path), "--code")
    assert (await gateway_cli(*arguments, "AAAAAA")).code == 0
    again = await gateway_cli(*arguments, "BBBBBB")
    assert again.code == 1
    assert "already paired" in again.err
    assert server_side.codes == {"BBBBBB"}
    assert (await gateway_cli(*arguments, "BBBBBB", "--force")).code == 0


async def test_a_folder_that_cannot_be_written_spends_no_code(server_side: Any, tmp_path: Path) -> None:
    server_side.codes.add("A7B3CX")
    (tmp_path / "file").write_text("in the way")
    ran = await gateway_cli(
        "pair", "--server", server_side.url, "--code", "A7B3CX", "--data-dir", str(tmp_path / "file" / "x")
    )
    assert ran.code == 1
    assert "cannot be written" in ran.err
    assert server_side.pairings == []


async def test_a_full_disk_spends_no_code(
    server_side: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PairingError, match=r"No space left on device.*The code was not used"):
        await asyncio.to_thread(
            pair,
            server_url=server_side.url,
            code="A7B3CX",
            data_dir=tmp_path,
            facts=GatewayFacts(),
            version="1",
        )
    assert server_side.pairings == []
    assert list(tmp_path.iterdir()) == []


async def test_a_damaged_identity_is_said_so(server_side: Any, tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text("{half")
    ran = await gateway_cli(
        "pair", "--server", server_side.url, "--code", "A7B3CX", "--data-dir", str(tmp_path)
    )
    assert "damaged" in ran.err
    assert "Traceback" not in ran.err
    assert server_side.pairings == []


async def test_refusals_are_sentences(server_side: Any, tmp_path: Path) -> None:
    arguments = ("pair", "--server", server_side.url, "--data-dir", str(tmp_path), "--code", "WRONGX")
    assert "unknown, used or expired" in (await gateway_cli(*arguments)).err
    server_side.pair_status = 429
    assert "try again in 7 s" in (await gateway_cli(*arguments)).err
    server_side.pair_status = 500
    assert "trouble of its own" in (await gateway_cli(*arguments)).err
    assert find_identity(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    arguments = ("pair", "--data-dir", str(tmp_path), "--code", "A7B3CX", "--server")
    ran = await gateway_cli(*arguments, "http://127.0.0.1:9")
    assert ran.code == 1
    assert "cannot be reached" in ran.err
    assert "Traceback" not in ran.err


def test_server_addresses() -> None:
    assert clean_server_url(" https://Vms.Example.com/base/ ") == "https://vms.example.com/base"
    assert clean_server_url("http://[::1]:8000") == "http://[::1]:8000"
    for wrong in (
        "vms.example.com",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x/?q",
        "https://x:99999",
        "http://[x",
    ):
        with pytest.raises(PairingError, match="address"):
            clean_server_url(wrong)


async def test_run_without_pairing_says_what_to_do(tmp_path: Path) -> None:
    ran = await gateway_cli("run", "--data-dir", str(tmp_path))
    assert ran.code == 1
    assert "novavms-gateway pair" in ran.err


async def test_identity_survives_fields_of_a_newer_release(tmp_path: Path, server_side: Any) -> None:
    newer = msgspec.to_builtins(server_side.identity()) | {"region": "eu"}
    (tmp_path / "gateway.json").write_bytes(msgspec.json.encode(newer))
    assert find_identity(tmp_path) is not None
