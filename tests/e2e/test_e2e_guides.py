"""What README and guides tell people to type, typed: against the real server, a real gateway and simulated cameras.

Replaced are only addresses, codes and times of day, and 30 seconds by 5.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from nova_mp4 import decode
from nova_system import Gateway, System, make_system, until

from novavms_server.demo.guide import curl_lines
from novavms_simcam import SimCam, SimCamConfig

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ELSEWHERE = {
    'pip install "novavms[cli]"': "sdk/python/tests/test_sdk_python_package.py installs it",
    "novavms --server https://novavms.example.com login": "test_sdk_python_cli.py types it in a terminal",
    "novavms --install-completion": "test_sdk_python_cli.py; it changes the shell's own files",
    "novavms cameras watch": "test_sdk_python_cli.py ends it",
}


def indented(document: str) -> list[str]:
    """The lines of a document's blocks, their remarks left out."""
    lines = (ROOT / document).read_text().splitlines()
    return [re.sub(r"\s{2,}#.*", "", line).strip() for line in lines if line.startswith("    ")]


async def typed(line: str, folder: Path, **environment: str) -> str:
    """What a shell prints; fails with it where that ends otherwise than well."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NOVAVMS_")}
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euc", line),
        cwd=folder,
        env={
            **kept,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(folder),
            "COLUMNS": "200",
            **environment,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await shell.communicate()
    assert shell.returncode == 0, f"{line}\n{output.decode()}"
    return output.decode()


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    async with make_system(database_url, tmp_path) as made:
        yield made


def address(camera: SimCam) -> str:
    return f"onvif://{camera.config.host}:{camera.onvif_port}"


class Reader:
    """Types the command line's guide from top to bottom, and does what it says happens meanwhile."""

    def __init__(self, system: System, folder: Path, cameras: dict[str, SimCam]) -> None:
        self.system, self.folder, self.cameras = system, folder, cameras
        dock, gate, yard = cameras["dock"], cameras["gate"], cameras["yard"]
        self.replaced = {
            "onvif://10.0.0.63:2020": address(dock),
            "onvif://10.0.0.61": address(gate),
            "rtsp://10.0.0.62/stream1": yard.rtsp_url,
            "-t 30": "-t 5",
        }
        self.environment = {
            "NOVAVMS_BASE_URL": system.world.base_url,
            "NOVAVMS_API_KEY": system.world.keys["operator"],
            "NOVAVMS_CAMERA_PASSWORD": dock.config.password,
        }

    async def type(self, line: str) -> str:
        for shown, real in self.replaced.items():
            line = line.replace(shown, real)
        said = await typed(line, self.folder, **self.environment)
        if " pair-code " in line:
            await self.pair(said)
        if " cameras add " in line:
            (camera,) = (await self.system.operator.get("/cameras")).json()["data"]
            await self.system.wait_status(camera["id"], "online", within=30)
        if " cameras record " in line:
            await self.have_footage()
        return said

    async def pair(self, said: str) -> None:
        found = re.search(r"\b[A-Z2-9]{6}\b", said)
        assert found, said
        folder = self.folder / "box"
        command = f"novavms-gateway pair --server {self.system.world.base_url} --code {found[0]} --data-dir {folder}"
        await typed(command, self.folder)
        (row,) = (await self.system.operator.get("/gateways")).json()["data"]
        gateway = Gateway(self.system, UUID(row["id"]), folder, {})
        self.system.gateways.append(gateway)
        await gateway.start()

    async def have_footage(self) -> None:
        """An event to download; and what was recorded, for the export."""
        (event,) = (await self.system.operator.get("/events")).json()["data"]
        self.replaced[" EVENT"] = f" {event['id']}"
        url = f"/cameras/{event['camera_id']}"
        await self.system.operator.patch(url, json={"recording_mode": "continuous"})

        async def recorded() -> Any:
            spans = (await self.system.operator.get(f"{url}/recordings")).json()["spans"]
            return spans[-1] if spans and spans[-1]["duration_sec"] > 6 else None

        end = datetime.fromisoformat((await until(recorded, within=60, what="footage"))["end"])
        for shown, seconds in (("2026-03-01T12:00:00Z", 4), ("2026-03-01T12:15:00Z", 0)):
            self.replaced[shown] = (end - timedelta(seconds=seconds)).isoformat()


@pytest.mark.long
@pytest.mark.anyio
@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_guide_of_the_command_line(system: System, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    await system.world.sql("UPDATE sites SET name = 'Harbour' WHERE id = %s", system.world.site)
    async with (
        SimCam(SimCamConfig(name="Dock", password="s3cret")) as dock,
        SimCam(SimCamConfig(name="Gate", password="s3cret")) as gate,
        SimCam(SimCamConfig(name="Yard", username="viewer", password="s3cret")) as yard,
    ):
        reader = Reader(system, folder, {"dock": dock, "gate": gate, "yard": yard})
        for camera in (dock, gate, yard):
            system.body(camera, None)  # no answer and no log may say its password
        said = {}
        for line in indented("docs/guides/command-line.md"):
            if line in ELSEWHERE:
                continue
            if not line.startswith("novavms "):
                text = line
                for shown, real in reader.replaced.items():
                    text = text.replace(shown, real)
                with (folder / "cameras.csv").open("a") as file:
                    file.write(text + "\n" * bool(line))
                continue
            said[line] = await reader.type(line)
    assert len(said) >= 9
    assert decode((folder / "dock.mp4").read_bytes()).video_frames > 50
    results = (folder / "cameras.results.csv").read_text()
    assert results.count("added") == 2, results
    assert "s3cret" not in results + "".join(said.values())


@pytest.mark.anyio
@pytest.mark.slow
async def test_the_streams_guide_says_hello(system: System, tmp_path: Path) -> None:
    (line,) = [line for line in indented("docs/guides/stream.md") if line.startswith("curl")]
    line = line.replace("https://novavms.novalien.com", system.world.base_url)
    assert system.world.base_url in line
    curl = await asyncio.create_subprocess_exec(
        *("bash", "-euc", line),
        env={**os.environ, "NOVAVMS_API_KEY": system.world.keys["viewer"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    assert curl.stdout is not None
    try:
        async with asyncio.timeout(30):
            said = [(await curl.stdout.readline()).decode() for _ in range(3)]
    finally:
        os.killpg(curl.pid, signal.SIGTERM)
        await curl.communicate()
    assert (said[0][:4], said[1], said[2][:7]) == ("id: ", "event: hello\n", "data: {")


@pytest.mark.anyio
@pytest.mark.slow
async def test_a_camera_is_checked_without_a_server(tmp_path: Path) -> None:
    lines = [line for line in indented("docs/guides/adding-cameras.md") if line.startswith("novavms-gateway")]
    assert len(lines) == 2
    async with SimCam(SimCamConfig(name="Dock", username="admin", password="s3cret")) as dock:
        for line in lines:
            typing = line
            for shown, real in (
                ("onvif://192.0.2.10", address(dock)),
                ("rtsp://192.0.2.10/live", dock.rtsp_url),
            ):
                typing = typing.replace(shown, f"--allow-loopback '{real}'")
            said = await typed(typing, tmp_path, NOVAVMS_CAMERA_PASSWORD="s3cret", NO_COLOR="1")
            assert "media" in said
            assert "s3cret" not in said


def test_the_readme_shows_what_the_demo_prints() -> None:
    """tests/e2e/test_e2e_demo.py pastes those lines into a shell. The README leaves out what differs: `…`."""
    camera = {"camera_id": None, "name": "Car park", "host": "127.0.0.1", "port": 40713}
    facts = {
        **{"base_url": "http://127.0.0.1:8080", "keys": {"operator": "sk_live_x"}, "gateway_id": "g"},
        **{"site_ids": ["s"], "simulated_cameras": [{**camera, "username": "admin", "password": "right"}]},
    }
    printed = [re.sub(r"\s+", "", line) for _, line in curl_lines(facts)]
    text = (ROOT / "README.md").read_text().partition("## The main job")[2].partition("\n## ")[0]
    shown = re.findall(r"^    curl .*(?:\n      .*)*", text, re.MULTILINE)
    assert len(shown) == 3
    for command in shown:
        pattern = re.escape(re.sub(r"\s+", "", command)).replace("…", ".*")
        assert any(re.search(pattern, line) for line in printed), command


@pytest.mark.anyio
@pytest.mark.slow
async def test_the_readmes_way_to_run_it_for_real(tmp_path: Path) -> None:
    lines = [line for line in indented("README.md") if line.startswith("novavms-")]
    serve, org, pair = lines
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NOVAVMS_")}
    kept |= {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path), "NOVAVMS_PORT": "0"}
    kept |= {"NOVAVMS_GATEWAY_SEARCH_MULTICAST": "false"}
    programs = []

    async def start(line: str) -> tuple[asyncio.subprocess.Process, Path]:
        log = tmp_path / f"{len(programs)}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *("bash", "-euc", line),
                cwd=tmp_path,
                env=kept,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        programs.append(process)
        return process, log

    try:
        _, log = await start(serve)
        url = await until(
            lambda: re.search(r"http://127\.0\.0\.1:[1-9]\d*", log.read_text()), within=60, what="a server"
        )
        made = await typed(org, tmp_path)
        password = made.partition("(shown once): ")[2].split()[0]
        async with httpx.AsyncClient(base_url=f"{url[0]}/api/v1") as client:
            login = {"email": "ada@example.com", "password": password, "client_type": "api"}
            token = (await client.post("/auth/login", json=login)).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            new = {"current_password": password, "new_password": "Better-Horse-2"}
            assert (await client.post("/auth/change-password", json=new)).status_code == 204
            site = (await client.post("/sites", json={"name": "Harbour"})).json()["id"]
            body = {"site_id": site, "name": "Box"}
            code = (await client.post("/gateways/generate-pairing-code", json=body)).json()["pairing_code"]
            await start(pair.replace("http://127.0.0.1:8080", url[0]).replace("A7B3CX", code))

            async def online() -> bool:
                return bool((await client.get("/gateways")).json()["data"][0]["status"] == "online")

            await until(online, within=40, what="a gateway online")
    finally:
        for process in reversed(programs):
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGINT)
                await asyncio.wait_for(process.wait(), 30)
