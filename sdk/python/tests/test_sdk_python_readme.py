"""The README's examples, as they stand: type-checked, and run one after another against the real system."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nova_people import PASSWORD, add_user
from nova_system import System, make_system

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    async with make_system(database_url, tmp_path) as made:
        yield made


def test_the_examples_are_well_typed(tmp_path: Path) -> None:
    code = tmp_path / "readme.py"
    names = 'site_id = "s"\ngateway_id = "g"\n'
    code.write_text(names + "\n".join(BLOCKS))
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        str(tmp_path),
        "--follow-imports",
        "silent",
    ]
    done = subprocess.run([*command, str(code)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


async def test_the_examples_run(system: System, tmp_path: Path) -> None:
    gateway = await system.gateway()
    await add_user(system.world, "operator", email="ada@example.com")
    assert PASSWORD in README.read_text()
    async with SimCam(SimCamConfig(name="Dock", password="s3cret")) as dock:
        body = system.body(dock, gateway)
        code = f"site_id = {body['site_id']!r}\ngateway_id = {body['gateway_id']!r}\n" + "\n".join(BLOCKS)
        for told, true in (
            *(('"10.0.0.63"', repr(body["host"])), ("2020,", f"{body['port']},")),
            *(('"admin"', repr(body["onvif_username"])), ('"sk_live_abc123"', "None")),
        ):
            assert told in code
            code = code.replace(told, true)
        (tmp_path / "readme.py").write_text(code)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", "readme.py"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                **os.environ,
                "NOVAVMS_BASE_URL": system.world.base_url,
                "NOVAVMS_API_KEY": system.world.keys["admin"],
            },
        )
        output, _ = await process.communicate()
    told = output.decode()
    assert process.returncode == 0, told
    assert "auth_failed" in told
    assert "no such camera" in told
    assert system.world.keys["admin"] not in told
    assert (tmp_path / "clip.mp4").read_bytes()[4:8] == b"ftyp"
