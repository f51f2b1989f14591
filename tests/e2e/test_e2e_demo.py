"""`novavms-server demo` as a stranger runs it: ready, its lines pasted into a shell, Ctrl-C, nothing left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from nova_mp4 import decode

from novavms_server.demo.guide import curl_lines

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any], Path]]:
    folder = tmp_path_factory.mktemp("demo")
    ready, output = folder / "ready.json", folder / "output.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [
                str(Path(sys.executable).parent / "novavms-server"),
                "demo",
                "--port",
                "0",
                "--ready-file",
                str(ready),
            ],
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 120
        while not ready.exists():
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        yield process, json.loads(ready.read_text()), output
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # its PostgreSQL is a daemon, and would outlive a kill
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_the_facts_are_all_there(demo: tuple[subprocess.Popen[str], dict[str, Any], Path]) -> None:
    process, facts, _ = demo
    assert facts["pid"] == process.pid
    assert set(facts["keys"]) == {"admin", "operator", "viewer"}
    assert set(facts["logins"]) == {"owner", "admin", "operator", "viewer"}
    assert facts["gateway_id"]
    assert facts["org_id"]
    assert facts["site_ids"]
    cameras = facts["simulated_cameras"]
    assert [(camera["type"], camera["camera_id"] is None) for camera in cameras] == [
        ("onvif", False),
        ("rtsp", False),
        ("onvif", True),
    ]
    for camera in cameras:
        assert {"name", "type", "host", "port", "username", "password", "rtsp_url", "camera_id"} <= set(
            camera
        )


def test_no_secret_is_in_the_process_list(demo: tuple[subprocess.Popen[str], dict[str, Any], Path]) -> None:
    _, facts, _ = demo
    secrets = [camera["password"] for camera in facts["simulated_cameras"]] + list(facts["keys"].values())
    secrets += [login["password"] for login in facts["logins"].values()]
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        assert not any(secret in line for secret in secrets), process


def test_its_lines_lead_from_adding_a_camera_to_its_clip(
    demo: tuple[subprocess.Popen[str], dict[str, Any], Path], tmp_path: Path
) -> None:
    _, facts, output = demo
    lines = curl_lines(facts)
    printed = output.read_text()
    for _, line in lines:
        assert line in printed
    script = "set -e\n" + "\n".join(
        f"echo '## {number}'\n{line}\necho" for number, (_, line) in enumerate(lines)
    )
    done = subprocess.run(
        ["bash"], input=script, text=True, capture_output=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = done.stdout.split("## ")
    assert '"total":2' in answers[2]
    refused = json.loads(answers[3].split("\n", 1)[1])
    assert (refused["error"], refused["reason"]) == ("validation_error", "auth_failed")
    seen = decode((tmp_path / "clip.mp4").read_bytes())
    assert seen.first_is_key
    assert seen.audio_codec == "aac"
    assert seen.duration_sec > 9


def test_people_can_log_in(demo: tuple[subprocess.Popen[str], dict[str, Any], Path]) -> None:
    import httpx

    _, facts, _ = demo
    for role, login in facts["logins"].items():
        answer = httpx.post(f"{facts['base_url']}/api/v1/auth/login", json={**login, "client_type": "api"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["user"]["role"] == role


def test_ctrl_c_leaves_nothing_running(demo: tuple[subprocess.Popen[str], dict[str, Any], Path]) -> None:
    process, _, output = demo
    family = psutil.Process(process.pid).children(recursive=True)
    folder = next(word for member in family for word in member.cmdline() if "novavms-demo-" in word)
    folder = folder[: folder.index("/", folder.index("novavms-demo-"))]
    postmasters = [
        each
        for each in psutil.process_iter(["cmdline"])
        if f"{folder}/server/postgres" in (each.info["cmdline"] or ())
    ]
    assert len(postmasters) == 1  # a daemon, so no child of the demo
    family += [*postmasters, *postmasters[0].children(recursive=True)]
    assert len(family) >= 5
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 0, output.read_text()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    assert "nothing is left running" in output.read_text()
    assert not Path(folder).exists()
