"""Our programs as a person starts them: in processes of their own, to be killed at will."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

BIN = Path(sys.executable).parent


class ServerProgram:
    """`novavms-server serve` on its embedded PostgreSQL. Each start takes the same port and data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.environment = {**os.environ, "NOVAVMS_ALLOW_LOOPBACK_CAMERAS": "1", "NO_COLOR": "1"}
        self.port = 0
        self.base_url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [
            str(BIN / "novavms-server"),
            "serve",
            "--port",
            str(self.port),
            "--data-dir",
            str(self.data),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--ready-file", str(ready)], stdout=log, stderr=log, env=self.environment
            )
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        self.base_url = json.loads(ready.read_text())["base_url"]
        self.port = int(self.base_url.rsplit(":", 1)[1])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(30)

    def kill(self) -> None:
        """As the power does. PostgreSQL, a process of its own, goes on and is found again."""
        self.stop(signal.SIGKILL)

    def command(self, *arguments: str) -> str:
        """Another command of the server's, on the same data folder; answers what it printed."""
        line = [str(BIN / "novavms-server"), *arguments, "--data-dir", str(self.data)]
        done = subprocess.run(
            line, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def client(self, key: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.base_url + "/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30
        )

    def __enter__(self) -> ServerProgram:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is not None:
            self.start()  # so that it stops its PostgreSQL
        self.stop()


class GatewayProgram:
    """`novavms-gateway`, paired with a server. `settings` are environment variables; `exit_code` is known once it ended."""

    def __init__(self, server: ServerProgram, folder: Path, **settings: str) -> None:
        self._server = server
        self._settings = settings
        self.exit_code: int | None = None
        self.folder = folder
        self.log = folder.parent / f"{folder.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def pair(self, code: str) -> None:
        command = [str(BIN / "novavms-gateway"), "pair", "--server", self._server.base_url, "--code", code]
        done = subprocess.run(
            [*command, "--data-dir", str(self.folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> GatewayProgram:
        with self.log.open("ab") as log:
            command = [
                str(BIN / "novavms-gateway"),
                "run",
                "--data-dir",
                str(self.folder),
                "--exit-with-parent",
            ]
            environment = {**os.environ, "NOVAVMS_GATEWAY_SEARCH_MULTICAST": "false", **self._settings}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self.exit_code = self._process.wait(20)


async def first_org(server: ServerProgram) -> tuple[str, dict[str, Any]]:
    """An org made by the command line; answers an operator's key and a site."""
    server.command("org", "create", "Acme", "--owner-email", "ada@example.com")
    admin = server.command(
        "key", "create", "--org", "Acme", "--role", "admin", "--name", "Test admin"
    ).strip()
    async with server.client(admin) as client:
        site = (await client.post("/sites", json={"name": "Harbour"})).json()
    key = server.command(
        "key", "create", "--org", "Acme", "--role", "operator", "--name", "Test operator"
    ).strip()
    return key, site
