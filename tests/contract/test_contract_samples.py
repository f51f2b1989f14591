"""Every sample of the API document, in curl, Python and TypeScript, run as it stands there against the real server.

Only what readers are told to set is set (NOVAVMS_BASE_URL, NOVAVMS_API_KEY, NOVAVMS_ACCESS_TOKEN); only made-up ids and
secrets are replaced, by `Stage.text`. Samples of one language share one process of it, each with a namespace or module of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nova_samples import Stage, make_tokens, staged
from nova_world import World

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
NODE = [sys.executable, str(ROOT / "tools" / "node.py"), "run"]
DOCUMENT = json.loads((ROOT / "sdk" / "openapi.json").read_text())
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: {**operation, "method": method, "path": path}
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
ENDLESS = "streamChanges"
LAST = ["acceptOwnerNomination", "resetPassword", "changePassword"]
"""After a withdrawn nomination was made anew; passwords are others from then on."""
TAIL = ["nominateOwner", "getOwnerNomination", "withdrawOwnerNomination"]
SUFFIX = {"curl": "sh", "Python": "py", "TypeScript": "mts"}
RUN_PYTHON = """
import contextlib, io, json, runpy, sys, traceback
told = {}
for path in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            runpy.run_path(path, run_name="__main__")
        except BaseException:
            told[path] = {"failed": traceback.format_exc()}
        else:
            told[path] = {"printed": printed.getvalue()}
print(json.dumps(told))
"""
RUN_TYPESCRIPT = """
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
const told = {};
const log = console.log;
for (const path of process.argv.slice(2)) {
  let printed = '';
  console.log = (...words) => { printed += format(...words) + '\\n'; };
  try {
    await import(pathToFileURL(path).href);
    told[path] = { printed };
  } catch (error) {
    told[path] = { failed: String(error?.stack ?? error) + JSON.stringify(error) };
  }
}
log(JSON.stringify(told));
"""


def samples(label: str) -> dict[str, str]:
    """Of one language, by operation."""
    return {
        identity: sample["source"]
        for identity, operation in OPERATIONS.items()
        for sample in operation["x-codeSamples"]
        if sample["label"] == label
    }


def shown_ids() -> dict[str, str]:
    """The ids that the shell's samples show, by the names of path parameters."""
    found: dict[str, str] = {}
    for identity, text in samples("curl").items():
        path = OPERATIONS[identity]["path"]
        names = re.findall(r"{(\w+)}", path)
        pattern = re.sub(r"{\w+}", r"([0-9a-f-]{36})", path)
        match = re.search(r"\$NOVAVMS_BASE_URL" + pattern + r'["?]', text)
        assert match, f"the sample of {identity} asks for something else than {path}"
        for name, value in zip(names, match.groups(), strict=True):
            assert found.setdefault(name, value) == value, f"two ids are shown as {name}"
    return found


def order() -> list[str]:
    """Reads, then what makes and changes things, then what ends them: the inner ones first."""
    verbs = ["get", "post", "patch", "delete"]
    free = [each for each in OPERATIONS if each not in {*TAIL, *LAST, ENDLESS}]
    free.sort(key=lambda each: (verbs.index(OPERATIONS[each]["method"]), -len(OPERATIONS[each]["path"])))
    return [*free, *TAIL]


class Runner:
    """One language's samples as files in a folder of their own."""

    def __init__(self, stage: Stage, folder: Path, label: str) -> None:
        self.stage, self.folder, self.label = stage, folder, label
        self.samples = samples(label)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NOVAVMS_")},
            **{"NOVAVMS_BASE_URL": stage.world.base_url, "NOVAVMS_API_KEY": stage.world.keys["admin"]},
            **{"NO_PROXY": "127.0.0.1", "PYTHONUNBUFFERED": "1", "CURL_HOME": str(folder)},
        }
        folder.mkdir(exist_ok=True)
        (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")  # else a refusal looks well
        (folder / "run.py").write_text(RUN_PYTHON)
        (folder / "run.mjs").write_text(RUN_TYPESCRIPT)
        link_library(folder)

    def file(self, operation: str) -> Path:
        path = self.folder / f"{operation}.{SUFFIX[self.label]}"
        path.write_text(self.stage.text(operation, self.samples[operation]))
        return path

    async def start(self, *command: str, **more: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env={**self.environment, **more},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    def command(self, *files: str) -> list[str]:
        programs = {
            "curl": ["bash", "-eu"],
            "Python": [sys.executable, "-W", "error"],
            "TypeScript": [*NODE, "node"],
        }
        return [*programs[self.label], *files]

    async def run(self, operations: list[str]) -> dict[str, str]:
        """What each has printed. Fails with what went wrong in any."""
        files = {str(self.file(each)): each for each in operations}
        if self.label == "curl":
            told = {path: await self._shell(path, each) for path, each in files.items()}
        else:
            process = await self.start(
                *self.command("run.py" if self.label == "Python" else "run.mjs", *files)
            )
            output, _ = await process.communicate()
            assert process.returncode == 0, output.decode()
            told = json.loads(next(line for line in output.decode().splitlines() if line.startswith("{")))
        failed = {files[path]: each["failed"] for path, each in told.items() if "failed" in each}
        assert not failed, "\n\n".join(f"{each} ({self.label}): {text}" for each, text in failed.items())
        return {files[path]: each["printed"] for path, each in told.items()}

    async def _shell(self, path: str, operation: str) -> dict[str, str]:
        process = await self.start(
            *self.command(path), NOVAVMS_ACCESS_TOKEN=self.stage.tokens.get(operation, "")
        )
        output, _ = await process.communicate()
        return {"failed" if process.returncode else "printed": output.decode()}

    async def listen(self, stir: Callable[[], Awaitable[None]]) -> str:
        """The endless one: until it has told of something."""
        process = await self.start(*self.command(str(self.file(ENDLESS))))
        assert process.stdout is not None

        async def stirring() -> None:
            while True:
                await stir()
                await asyncio.sleep(0.2)  # from when on it listens cannot be seen from here

        heard = b""
        try:
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                moving = tasks.create_task(stirring())
                while b"camera_status" not in heard or b"offline" not in heard:
                    line = await process.stdout.readline()
                    assert line, f"it ended: {heard.decode()}"
                    heard += line
                moving.cancel()
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the shell's curl, too
            await process.communicate()
        return heard.decode()


def link_library(folder: Path) -> None:
    """As npm would have installed it."""
    assert (ROOT / "sdk/typescript/dist/esm/index.js").exists(), "not built: make test-node"
    for name, target in (("@novavms/sdk", "sdk/typescript"), ("@types/node", "node_modules/@types/node")):
        link = folder / "node_modules" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(ROOT / target)


def test_every_operation_has_one_in_each_language() -> None:
    for label in SUFFIX:
        assert samples(label).keys() == OPERATIONS.keys()
    assert shown_ids().keys() >= {"camera_id", "event_id", "site_id", "gateway_id", "user_id"}


@pytest.mark.parametrize("label", SUFFIX)
async def test_every_sample_runs_as_it_stands(world: World, label: str, tmp_path: Path) -> None:
    async with staged(world, shown_ids()) as stage:
        if label == "curl":
            await make_tokens(stage)
        runner = Runner(stage, tmp_path / "samples", label)
        printed = await runner.run(order())
        await stage.offer_again()
        printed |= await runner.run(LAST)
        heard = await runner.listen(stage.stir)
    assert printed.keys() | {ENDLESS} == OPERATIONS.keys()
    assert str(stage.camera_id) in heard
    quiet = {identity for identity, text in printed.items() if not text.strip()}
    written = {each for each in quiet if re.search(r"curl .*-o |write_bytes|writeFile", runner.samples[each])}
    empty = {each for each in quiet - written if "204" not in OPERATIONS[each]["responses"]}
    assert empty == set(), "each list has something to show"
    assert "sk_live_" in printed["createApiKey"]
    assert "://" in printed["getCameraPlayback"]
    files = ["camera.jpg", "strip.jpg", *(["clip.mp4", "event.jpg", "evidence.mp4"] * (label == "curl"))]
    for name in files:
        data = (runner.folder / name).read_bytes()
        assert data.startswith(b"\xff\xd8") or data[4:8] == b"ftyp", name


async def test_the_samples_in_typescript_compile(tmp_path: Path) -> None:
    link_library(tmp_path)
    options = {
        "module": "NodeNext",
        "target": "ES2022",
        "lib": ["ES2022"],
        "types": ["node"],
        "strict": True,
        "noEmit": True,
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.mts"]}))
    for identity, text in samples("TypeScript").items():
        (tmp_path / f"{identity}.mts").write_text(text)
    command = await asyncio.create_subprocess_exec(
        *(*NODE, "tsc", "-p", str(tmp_path)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await command.communicate()
    assert command.returncode == 0, output.decode()[:5000]
