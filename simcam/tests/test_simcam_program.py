"""The program as people and other tests run it: options, config, ready file, control server, its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PROGRAM = (sys.executable, "-c", "from novavms_simcam.main import app; app()")
Launch = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def launch() -> AsyncIterator[Launch]:
    """Start the program with arguments; killed at the end if it still runs."""
    started: list[asyncio.subprocess.Process] = []

    async def start(*arguments: str, stdin: bytes | None = None, **environment: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, *arguments, env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        started.append(process)
        assert process.stdin is not None
        if stdin is not None:
            process.stdin.write(stdin)
        process.stdin.close()
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(path: Path, process: asyncio.subprocess.Process) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while not path.exists():
            assert process.returncode is None, (await process.communicate())[0].decode()
            await asyncio.sleep(0.02)
    facts: dict[str, Any] = json.loads(path.read_text())
    return facts


async def test_run_writes_the_ready_file_obeys_control_and_ends_on_sigterm(
    launch: Launch, tmp_path: Path
) -> None:
    path = tmp_path / "ready.json"
    secret = "s3cr:t@#"
    process = await launch(
        "run", "--count", "2", "--fault", "udp_only", "--fault", "clock_offset_sec=-5",
        "--control-port", "0", "--ready-file", str(path), NOVAVMS_SIMCAM_PASSWORD=secret,
    )  # fmt: skip
    facts = await ready(path, process)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert facts["pid"] == process.pid
    first, second = facts["cameras"]
    assert (first["type"], first["port"], first["password"]) == ("onvif", first["onvif_port"], secret)
    assert (first["name"], second["name"]) == ("Simulated camera 1", "Simulated camera 2")
    assert first["rtsp_url"] == f"rtsp://127.0.0.1:{first['rtsp_port']}/stream/main"
    async with httpx.AsyncClient(base_url=facts["control_url"], trust_env=False) as http:
        cameras = (await http.get("/cameras")).json()
        assert [c["faults"] for c in cameras] == [{"clock_offset_sec": -5.0, "udp_only": True}] * 2
        changed = await http.post("/cameras/1/fault", json={"name": "locks_after", "value": 2})
        assert changed.json()["faults"]["locks_after"] == 2
        assert (await http.delete("/cameras/1/faults/locks_after")).json()["faults"].keys() == {
            "clock_offset_sec",
            "udp_only",
        }
        assert (await http.delete("/cameras/1/faults")).json()["faults"] == {}
        assert (await http.post("/cameras/0/freeze")).json()["frozen"] is True
        assert (await http.post("/cameras/0/thaw")).json()["frozen"] is False
        assert (await http.post("/cameras/0/drop")).status_code == 200
        assert (await http.post("/cameras/1/unplug")).json()["plugged"] is False
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", second["rtsp_port"])
        assert (await http.post("/cameras/1/plug")).json()["plugged"] is True
        _, writer = await asyncio.open_connection("127.0.0.1", second["rtsp_port"])
        writer.close()
        for method, where, body, status in [
            ("POST", "/cameras/1/fault", b'{"name": "nope"}', 400),
            ("POST", "/cameras/1/fault", b"{", 400),
            ("POST", "/cameras/1/fault", b"[]", 400),
            ("POST", "/cameras/7/fault", b"{}", 404),
            ("POST", "/cameras/0/explode", b"", 404),
            ("GET", "/", b"", 404),
        ]:
            answer = await http.request(method, where, content=body)
            assert (answer.status_code, "error" in answer.json()) == (status, True)
        from_a_page = await http.post("/cameras/0/unplug", headers={"Origin": "http://evil.example"})
        assert from_a_page.status_code == 403
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert first["rtsp_url"] in output.decode()
    assert secret not in output.decode()


async def test_config_from_standard_input(launch: Launch, tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    config = [
        {"name": "Gate", "password": "ä:@/#?%", "media": "h265", "audio": "pcma", "serial": "S1"},
        {"name": "Yard", "type": "rtsp", "faults": {"mjpeg": True}},
    ]
    process = await launch(
        "run", "--config", "-", "--ready-file", str(path), stdin=json.dumps(config).encode()
    )
    gate, yard = (await ready(path, process))["cameras"]
    assert (gate["name"], gate["password"]) == ("Gate", "ä:@/#?%")
    assert (yard["type"], yard["onvif_port"], yard["port"]) == ("rtsp", None, yard["rtsp_port"])
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("run", "--fault", "nope"), None, "no fault is called 'nope'"),
        (("run", "--audio", "mp3"), None, "--audio is one of aac, pcma, pcmu, none"),
        (("run", "--media", "/no/such.mp4"), None, "/no/such.mp4"),
        (("run", "--config", "-"), b'[{"name": "A", "pasword": "hunter2"}]', "unknown field `pasword`"),
        (("run", "--config", "-"), b"[]", "the camera list is empty"),
    ],
)
async def test_mistakes_are_told_in_one_line(
    launch: Launch, arguments: tuple[str, ...], stdin: bytes | None, says: str
) -> None:
    process = await launch(*arguments, stdin=stdin)
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert says in output.decode()
    assert "Traceback" not in output.decode()
    assert "hunter2" not in output.decode()


async def test_exits_with_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    script = (
        "import subprocess, sys, time, pathlib\n"
        f"p = subprocess.Popen([{PROGRAM[0]!r}, '-c', {PROGRAM[2]!r}, 'run', '--exit-with-parent', '--ready-file', {str(path)!r}])\n"
        f"while not pathlib.Path({str(path)!r}).exists(): time.sleep(0.02)\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(parent.wait(), 30) == 0
    pid = json.loads(path.read_text())["pid"]
    async with asyncio.timeout(10):
        while Path(f"/proc/{pid}/stat").exists() and ") Z " not in Path(f"/proc/{pid}/stat").read_text():
            await asyncio.sleep(0.05)


async def test_faults_lists_them(launch: Launch) -> None:
    process = await launch("faults", COLUMNS="200")
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert "too_many_connections" in output.decode()
