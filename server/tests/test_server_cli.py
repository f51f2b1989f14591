"""The command line, as people use it: real processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

PROGRAM = [sys.executable, "-m", "novavms_server.main"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own: root's PostgreSQL runs as another user and must get in."""
    made = Path(tempfile.mkdtemp(prefix="novavms-cli-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NOVAVMS_")}
    return subprocess.run(
        [*PROGRAM, *words],
        env={**plain, "COLUMNS": "200", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def started(folder: Path, *words: str, **environment: str) -> tuple[subprocess.Popen[str], str]:
    ready, log = folder / "ready.json", (folder / "serve.log").open("w")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NOVAVMS_")}
    with log:
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", "0", "--ready-file", str(ready), *words],
            env={**plain, **environment},
            stdout=subprocess.DEVNULL,
            stderr=log,
            text=True,
        )
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None, (folder / "serve.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    facts = json.loads(ready.read_text())
    assert facts["pid"] == process.pid
    assert ready.stat().st_mode & 0o077 == 0
    return process, facts["base_url"]


@pytest.mark.slow
def test_from_nothing_to_a_key_that_serves_and_back_to_nothing(folder: Path) -> None:
    data = folder / "data"
    where = {"NOVAVMS_DATA_DIR": str(data)}
    process, base_url = started(folder, "--data-dir", str(data))
    try:
        org = run("org", "create", "Acme", "--owner-email", "ada@acme.example", **where)
        assert org.returncode == 0, org.stderr
        password = re.findall(r"temporary password \(shown once\): (\S+)", org.stdout)[0]
        key = run("key", "create", "--org", "Acme", "--role", "admin", "--name", "ci", **where)
        assert key.returncode == 0, key.stderr
        token = key.stdout.strip()
        assert re.fullmatch(r"sk_live_[\w-]{43}", token)
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{base_url}/api/v1/sites?cursor=zz-a-query-zz", headers=headers).status_code == 400
        assert httpx.get(f"{base_url}/api/v1/sites", headers=headers).json()["total"] == 0
        login = httpx.post(
            f"{base_url}/api/v1/auth/login",
            json={"email": "ada@acme.example", "password": password, "client_type": "api"},
        ).json()
        assert (login["user"]["role"], login["user"]["must_change_password"]) == ("owner", True)

        second = run("serve", "--port", "0", **where)
        assert (second.returncode, second.stderr.strip()) == (
            1,
            f"Another server runs on the data folder {data}.",
        )
        port = base_url.rsplit(":", 1)[1]
        taken = run("serve", "--port", port, "--data-dir", str(folder / "other"))
        assert taken.returncode == 1
        assert f"Port {port} of 127.0.0.1 is in use" in taken.stderr
        assert len(taken.stderr.strip().splitlines()) == 1
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    log = (folder / "serve.log").read_text()
    for secret in (token, password, login["access_token"], login["refresh_token"], "zz-a-query-zz"):
        assert secret not in log
    assert "SIGTERM: stopping" in log
    assert "Traceback" not in log
    assert not (folder / "ready.json").exists()
    assert not (data / "postgres" / "postmaster.pid").exists()
    assert (data / "secret.key").stat().st_mode & 0o077 == 0

    again, base_url = started(folder, "--data-dir", str(data))  # finds its state again
    try:
        assert httpx.get(f"{base_url}/api/v1/auth/me", headers=headers).json()["org_name"] == "Acme"
    finally:
        again.send_signal(signal.SIGINT)
        assert again.wait(timeout=30) == 0


@pytest.mark.slow
def test_on_a_database_of_ones_own(folder: Path, database_url: str) -> None:
    where = {"NOVAVMS_DATABASE_URL": database_url, "NOVAVMS_DATA_DIR": str(folder / "data")}
    assert run("migrate", **where).stdout == "The schema is up to date.\n"
    process, base_url = started(folder, **where)
    try:
        assert httpx.get(f"{base_url}/readyz").status_code == 200
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert not (folder / "data" / "postgres").exists()


@pytest.mark.long
@pytest.mark.slow
def test_what_can_not_be_is_one_sentence(folder: Path, database_url: str, postgres: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = f"postgresql://me:hidden-pw@127.0.0.1:{nobody.getsockname()[1]}/d"
        data = {"NOVAVMS_DATA_DIR": str(folder / "data")}
        for words, environment, code, said in (
            (["serve"], {"NOVAVMS_PORT": "x"}, 2, "NOVAVMS_PORT must be a number"),
            (["serve"], {"NOVAVMS_PROT": "1"}, 2, "NOVAVMS_PROT is not a setting"),
            (["serve"], {"NOVAVMS_WORKERS": "2"}, 2, "NOVAVMS_REDIS_URL"),
            (["serve"], {"NOVAVMS_WORKERS": "2", "NOVAVMS_REDIS_URL": "redis://h"}, 1, "not supported yet"),
            (["serve", "--port", "0"], {"NOVAVMS_DATABASE_URL": closed}, 1, "The database can't be reached"),
            (["serve", "--port", "0"], {"NOVAVMS_DATABASE_URL": "hidden-pw"}, 1, "no PostgreSQL URL"),
            (
                ["serve", "--port", "0"],
                {"NOVAVMS_DATABASE_URL": database_url, "NOVAVMS_SECRET_KEYS": "hidden-pw"},
                1,
                "A setting",
            ),
            (["serve", "--host", "203.0.113.1", "--port", "0"], {}, 1, "can't be listened on"),
            (["migrate"], {"NOVAVMS_DATABASE_URL": closed}, 1, "The database can't be reached"),
            (
                ["org", "create", "A", "--owner-email", "a@b.c"],
                {"NOVAVMS_DATABASE_URL": postgres},
                1,
                "novavms-server migrate",
            ),
            (
                ["org", "create", "A", "--owner-email", "nobody"],
                {"NOVAVMS_DATABASE_URL": database_url},
                1,
                "owner-email must be",
            ),
            (
                ["key", "create", "--org", "Nobody", "--role", "admin", "--name", "k"],
                {"NOVAVMS_DATABASE_URL": database_url},
                1,
                "There is no organization Nobody",
            ),
            (
                ["key", "create", "--org", "A", "--role", "king", "--name", "k"],
                {"NOVAVMS_DATABASE_URL": database_url},
                1,
                "role must be one of",
            ),
        ):
            answer = run(*words, **data, **environment)
            assert answer.returncode == code, (words, environment, answer.stderr)
            assert said in answer.stderr, (words, environment, answer.stderr)
            assert len(answer.stderr.strip().splitlines()) == 1, answer.stderr
            assert "hidden-pw" not in answer.stderr


@pytest.mark.slow
def test_a_migration_that_fails_stops_the_start_with_its_name(
    folder: Path, postgres: str, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO schema_migrations (number, name, checksum) VALUES (9999, 'later', '')"
        )
    answer = run(
        "serve", "--port", "0", NOVAVMS_DATABASE_URL=database_url, NOVAVMS_DATA_DIR=str(folder / "data")
    )
    assert answer.returncode == 1
    assert "newer than this program knows" in answer.stderr


@pytest.mark.slow
def test_the_document_is_written_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    assert run("openapi", str(file)).returncode == 0
    assert run("openapi", "--check", str(file)).returncode == 0
    file.write_text(file.read_text() + " ")
    stale = run("openapi", "--check", str(file))
    assert stale.returncode == 1
    assert "make openapi" in stale.stderr


def test_help_is_worth_reading() -> None:
    answer = run("--help")
    for word in ("serve", "migrate", "org", "key", "openapi", "demo", "docs/reference/settings.md"):
        assert word in answer.stdout
