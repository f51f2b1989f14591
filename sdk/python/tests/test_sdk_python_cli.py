"""The `novavms` program as people run it: in a terminal, and in scripts; against a real server, gateway and cameras."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import stat
import sys
import termios
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nova_mp4 import decode
from nova_people import PASSWORD, add_user
from nova_system import Gateway, System, make_system
from nova_world import World

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]
PROGRAM = Path(sys.executable).with_name("novavms")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs the program for one person, whose home is `home`."""

    home: Path
    url: str
    key: str | None = None

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NOVAVMS_")}
        given = {"NOVAVMS_API_KEY": self.key} if self.key else {}
        return {
            **kept,
            **given,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "NOVAVMS_BASE_URL": self.url,
            "COLUMNS": "200",
            "TERM": "xterm",
            **more,
        }

    async def run(self, *arguments: str, **more: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            *(str(PROGRAM), *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment(**more),
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    async def type(self, arguments: Sequence[str], dialogue: Sequence[tuple[str, str]]) -> Ran:
        """In a terminal: after each prompt, types the answer. What is shown comes as `out`."""
        ours, theirs = os.openpty()
        process = await asyncio.create_subprocess_exec(
            *(str(PROGRAM), *arguments),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self.environment(),
            start_new_session=True,
        )
        os.close(theirs)
        loop, shown, changed = asyncio.get_running_loop(), bytearray(), asyncio.Event()

        def read() -> None:
            try:
                shown.extend(os.read(ours, 65536))
            except OSError:  # the other end is closed
                loop.remove_reader(ours)
            changed.set()

        loop.add_reader(ours, read)
        try:
            for prompt, answer in dialogue:
                async with asyncio.timeout(30):
                    while prompt.encode() not in shown:
                        changed.clear()
                        await changed.wait()
                    while "assword" in prompt and termios.tcgetattr(ours)[3] & termios.ECHO:
                        await asyncio.sleep(0.01)  # what is typed before the terminal hides it is thrown away
                os.write(ours, answer.encode() + b"\n")
            code = await asyncio.wait_for(process.wait(), 60)
            await asyncio.sleep(0)
            while True:
                try:
                    shown.extend(os.read(ours, 65536))
                except OSError:
                    break
        finally:
            loop.remove_reader(ours)
            os.close(ours)
        plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", bytes(shown))
        return Ran(code, plain.decode(errors="replace"), "")


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    async with make_system(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def operator(system: System, home: Path) -> Shell:
    return Shell(home, system.world.base_url, system.world.keys["operator"])


def address(camera: SimCam) -> str:
    return f"onvif://{camera.config.host}:{camera.onvif_port}"


async def test_log_in_in_a_terminal_stay_and_log_out(world: World, home: Path) -> None:
    _, email = await add_user(world, "admin")
    shell = Shell(home, world.base_url)
    before = await shell.run("cameras", "list")
    assert (before.code, "novavms login" in before.err) == (2, True)
    wrong = await shell.type(["login"], [("Email", email), ("Password", "Wrong-1-word")])
    assert wrong.code == 1
    right = await shell.type(["login"], [("Email", email), ("Password", PASSWORD)])
    assert right.code == 0, right.out
    assert PASSWORD not in right.out
    kept = home / "config" / "novavms" / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert (await shell.run("--json", "whoami")).json()["email"] == email
    assert (await shell.run("--json", "sites", "list")).code == 0
    assert (await shell.run("logout")).code == 0
    assert not kept.exists()
    assert (await shell.run("whoami")).code == 2


async def test_a_temporary_password_is_exchanged_for_ones_own(world: World, home: Path) -> None:
    body = {"email": "new@acme.example", "display_name": "New", "role": "operator"}
    made = (await world.client("admin").post("/api/v1/users", json=body)).json()
    shell, own = Shell(home, world.base_url), "My-Own-Horse-1"
    first = [("Email", "new@acme.example"), ("Password", made["temporary_password"])]
    chosen = [("New password", own), ("New password, once more", own)]
    begun = await shell.type(["login"], [*first, *chosen])
    assert begun.code == 0, begun.out
    assert world.base_url in begun.out
    assert own not in begun.out
    assert (await shell.run("--json", "sites", "list")).code == 0
    again = await shell.type(["login"], [("Email", "new@acme.example"), ("Password", own)])
    assert again.code == 0, again.out


@pytest.mark.long
async def test_the_main_job_by_hand(system: System, home: Path, tmp_path: Path) -> None:
    """Pairing code, a wrong and a right password with the stages shown, a clip on the disk, delete."""
    shell = operator(system, home)
    site = (await shell.run("--json", "sites", "list")).json()[-1]["name"]
    code = (await shell.run("--json", "gateways", "pair-code", "Box", "--site", site)).json()
    assert len(code["pairing_code"]) == 6
    gateway = await system.gateway()
    config = SimCamConfig(name="Dock", password="s3cret & s3cret")
    async with SimCam(config) as dock:
        system.body(dock, gateway)
        add = ["cameras", "add", "Dock", address(dock), "--site", str(system.world.site)]
        add += ["--gateway", "Gateway 1", "-u", config.username]
        wrong = await shell.type(add, [("Password of the camera", "wrong")])
        assert wrong.code == 3, wrong.out
        assert re.search(r"✓ connect .*\n.*✗ login .*auth_failed", wrong.out, re.DOTALL), wrong.out
        assert "→" in wrong.out
        right = await shell.type(add, [("Password of the camera", config.password)])
        assert right.code == 0, right.out
        assert re.search(r"✓ media +\d+ ms", right.out), right.out
        assert config.password not in right.out
        tested = await shell.run(
            *("--json", "cameras", "test", address(dock), "--gateway", "Gateway 1", "-u", config.username),
            NOVAVMS_CAMERA_PASSWORD=config.password,
        )
        assert (tested.code, tested.json()["ok"]) == (0, True)

        await system.wait_status(
            (await shell.run("--json", "cameras", "get", "dock")).json()["id"], "online", within=30
        )
        listed = await shell.run("cameras", "list", "--status", "online")
        assert re.search(r"Dock +online", listed.out), listed.out
        narrow = await shell.run("cameras", "list", COLUMNS="80")
        assert re.search(
            r"^Dock +online .* [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} *$", narrow.out, re.MULTILINE
        )
        await change(shell)
        clip = tmp_path / "clip.mp4"
        recorded = await shell.run(
            *("--json", "cameras", "record", "Dock", "-t", "5", "--note", "by hand", "-o", str(clip))
        )
        assert recorded.code == 0, recorded.err
        assert recorded.json()["note"] == "by hand"
        assert decode(clip.read_bytes()).duration_sec >= 5
        again = tmp_path / "again.mp4"
        event = recorded.json()["id"]
        fetched = await shell.type(["events", "download", event, "-o", str(again)], [])
        assert fetched.code == 0
        assert re.search(r"again\.mp4 .*\d/\d[\d.]* [kM]?B", fetched.out), fetched.out
        assert again.read_bytes() == clip.read_bytes()
        assert [item["id"] for item in (await shell.run("--json", "events", "list")).json()] == [event]
        assert (await shell.run("cameras", "delete", "Dock", "--yes")).code == 0
        assert (await shell.run("--json", "cameras", "list")).json() == []


async def change(shell: Shell) -> None:
    """Of Dock: what fails its check changes nothing."""
    done = await shell.run("--json", "cameras", "update", "Dock", "--name", "Quay", "--retention-days", "7")
    assert (done.code, done.json()["name"], done.json()["retention_days"]) == (0, "Quay", 7), done.err
    wrong = await shell.run(
        *("--json", "cameras", "update", "Quay", "--name", "Pier", "--password"),
        NOVAVMS_CAMERA_PASSWORD="wrong",
    )
    assert (wrong.code, wrong.json()["error"]["reason"]) == (3, "auth_failed")
    moved = await shell.run("cameras", "update", "Quay", "--address", "rtsp://192.0.2.1/main")
    assert (moved.code, "ONVIF camera" in moved.err) == (2, True)
    assert (await shell.run("cameras", "update", "Quay")).code == 2
    back = await shell.run("--json", "cameras", "update", "Quay", "--name", "Dock", "--enable")
    assert (back.json()["name"], back.json()["enabled"]) == ("Dock", True)


async def test_watch_tells_each_change_until_interrupted(system: System, home: Path) -> None:
    gateway = await system.gateway()
    shell = operator(system, home)
    async with SimCam(SimCamConfig(name="Yard")) as camera:
        camera_id = await system.add(camera, gateway)
        await system.wait_status(camera_id, "online", within=30)
        process = await asyncio.create_subprocess_exec(
            *(str(PROGRAM), "--json", "cameras", "watch"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=shell.environment(),
        )
        assert process.stdout is not None
        first = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        assert (first["name"], first["status"]) == ("Yard", "online")
        await system.operator.patch(f"/cameras/{camera_id}", json={"enabled": False})
        change = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        assert (change["type"], change["data"]["status"]) == ("camera_status", "disabled")
        process.terminate()
        await process.communicate()


async def import_of(shell: Shell, file: Path, *more: str) -> tuple[Ran, dict[str, dict[str, str]]]:
    ran = await shell.run("--json", "cameras", "import", str(file), *more)
    with file.with_name("cameras.results.csv").open(newline="") as results:
        return ran, {record["name"]: record for record in csv.DictReader(results)}


def write_csv(
    file: Path, system: System, gateway: Gateway, cameras: list[SimCam], passwords: dict[str, str]
) -> None:
    with file.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["Name", "site", "gateway", "address", "username", "password"])
        for camera in cameras:
            name = camera.config.name
            password = passwords.get(name, camera.config.password)
            where = [str(system.world.site), "Gateway 1", address(camera)]
            writer.writerow([name, *where, camera.config.username, password])


async def test_a_file_of_cameras_is_added_once_and_says_why_one_failed(
    system: System, home: Path, tmp_path: Path
) -> None:
    gateway, shell, file = await system.gateway(), operator(system, home), tmp_path / "cameras.csv"
    cameras = [SimCam(SimCamConfig(name=f"C{number}")) for number in range(5)]
    try:
        for camera in cameras:
            await camera.start()
            system.body(camera, gateway)
        write_csv(file, system, gateway, cameras, {"C3": "wrong"})
        dry = await shell.run("--json", "cameras", "import", str(file), "--dry-run")
        assert (dry.code, [row["status"] for row in dry.json()]) == (
            4,
            ["works", "works", "works", "failed", "works"],
        )
        assert (await shell.run("--json", "cameras", "list")).json() == []

        ran, results = await import_of(shell, file)
        assert ran.code == 4, ran.err
        assert {name: row["status"] for name, row in results.items()} == {
            **dict.fromkeys(["C0", "C1", "C2", "C4"], "added"),
            "C3": "failed",
        }
        assert results["C3"]["reason"] == "auth_failed"
        assert results["C3"]["hint"]
        assert not any(
            camera.config.password in file.with_name("cameras.results.csv").read_text() for camera in cameras
        )

        # Cut off after the camera was made and before that was written down: the same key finds it.
        path = file.with_name("cameras.results.csv")
        with path.open(newline="") as source:
            records = list(csv.DictReader(source))
        assert sorted(record["name"] for record in records) == ["C0", "C1", "C2", "C3", "C4"]  # a line each
        for record in records:
            if record["name"] == "C1":
                record.update(status="adding", camera_id="")
        with path.open("w", newline="") as target:
            writer = csv.DictWriter(target, records[0])
            writer.writeheader()
            writer.writerows(records)
        write_csv(file, system, gateway, cameras, {})
        ran, results = await import_of(shell, file)
        assert ran.code == 0, ran.out
        assert {row["status"] for row in results.values()} == {"added"}
        listed = (await shell.run("--json", "cameras", "list")).json()
        assert sorted(item["name"] for item in listed) == ["C0", "C1", "C2", "C3", "C4"]
        assert {item["id"] for item in listed} == {row["camera_id"] for row in results.values()}
    finally:
        for camera in cameras:
            await camera.stop()


async def test_what_is_wrong_with_a_file_is_said_before_anything_is_asked(world: World, home: Path) -> None:
    shell = Shell(home, world.base_url, world.keys["operator"])
    file = home / "cameras.csv"
    for text, sentence in (
        ("name,site\nA,B\n", "no column address"),
        ("name,site,address,colour\nA,B,C,D\n", "unknown column 'colour'"),
        ("name,site,address\nA,,rtsp://192.0.2.1/x\n", "line 2: site is empty"),
        ("name,site,address\nA,Nowhere,rtsp://192.0.2.1/x\n", "no site “Nowhere”"),
        (f"name;site;address\nA;{world.site};http://192.0.2.1\n", "An address is"),
    ):
        file.write_text(text)
        ran = await shell.run("cameras", "import", str(file))
        said = " ".join(re.sub(r"[│╭╮╰╯─]", " ", ran.err).split())
        assert (ran.code, sentence in said) == (2, True), ran.err
    assert (await shell.run("cameras", "import", str(home / "none.csv"))).code == 1


async def test_scripts_get_errors_as_json_and_as_codes(world: World, home: Path) -> None:
    shell = Shell(home, world.base_url, world.keys["viewer"])
    refused = await shell.run("--json", "sites", "create", "New")
    assert (refused.code, refused.json()["error"]["code"]) == (1, "forbidden")
    away = await Shell(home, "http://127.0.0.1:9", "sk_live_x").run("sites", "list")
    assert (away.code, "cannot be reached" in away.err) == (1, True)
    shown = await shell.run("--show-completion", "bash")
    assert "novavms" in (await shell.run("--version")).out
    assert shown.code in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "key", "sentence"),
    [
        (("--server", "novavms.example.com", "sites", "list"), "sk_live_x", "must be an http:// or https://"),
        (("--server", "novavms.example.com", "login"), None, "must be an http:// or https://"),
        (("whoami",), "sk live x", "api_key"),
        (("whoami",), "sk_live_ä", "api_key"),
    ],
)
async def test_an_address_or_key_that_can_be_none_is_said_in_a_sentence(
    home: Path, arguments: tuple[str, ...], key: str | None, sentence: str
) -> None:
    ran = await Shell(home, "http://127.0.0.1:9", key).run(*arguments)
    assert (ran.code, sentence in ran.err, "Traceback" in ran.err) == (2, True, False), ran.err


async def test_completion_is_there_for_shells(world: World, home: Path) -> None:
    shell = Shell(home, world.base_url)
    completed = await shell.run(_NOVAVMS_COMPLETE="complete_bash", COMP_WORDS="novavms cam", COMP_CWORD="1")
    assert "cameras" in completed.out
