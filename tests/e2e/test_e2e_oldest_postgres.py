"""The oldest PostgreSQL that we serve on, 15, as somebody else runs it: over TCP with a password, as an owner that is no superuser."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from nova_world import make_world

from novavms_server.kit.migrations import migrate

BIN = Path("/usr/lib/postgresql/15/bin")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(
        not BIN.exists(), reason="PostgreSQL 15 is not installed (apt-get install postgresql-15)"
    ),
]


@pytest.fixture
def postgres15() -> Iterator[str]:
    """URL as the owner of one database: may create roles, is no superuser."""
    folder = Path(tempfile.mkdtemp(prefix="novavms-pg15-"))
    user = "postgres" if os.getuid() == 0 else None  # PostgreSQL does not run as root
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(name: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(BIN / name), *arguments], user=user, capture_output=True, text=True, check=False, cwd=folder
        )
        assert done.returncode == 0, done.stdout + done.stderr

    secret = folder / "secret"
    secret.write_text("super")
    secret.chmod(0o644)
    run(
        "initdb",
        "-D",
        str(folder / "data"),
        "-U",
        "super",
        "-A",
        "scram-sha-256",
        f"--pwfile={secret}",
        "-E",
        "UTF8",
    )
    options = f"-h 127.0.0.1 -p {port} -k {folder}"
    run("pg_ctl", "-w", "-D", str(folder / "data"), "-l", str(folder / "log"), "-o", options, "start")
    try:
        with psycopg.connect(
            f"postgresql://super:super@127.0.0.1:{port}/postgres", autocommit=True
        ) as connection:
            connection.execute("CREATE ROLE nova LOGIN CREATEROLE PASSWORD 'nova'")
            connection.execute("CREATE DATABASE nova OWNER nova")
        yield f"postgresql://nova:nova@127.0.0.1:{port}/nova"
    finally:
        run("pg_ctl", "-w", "-m", "fast", "-D", str(folder / "data"), "stop")
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_server_runs_on_it(postgres15: str, tmp_path: Path) -> None:
    assert migrate(postgres15)
    assert migrate(postgres15) == []
    async with make_world(postgres15, tmp_path) as world:
        admin = world.client("admin")
        made = await admin.post("/api/v1/sites", json={"name": "Harbour"}, headers={"Idempotency-Key": "one"})
        assert made.status_code == 201, made.text
        assert (await admin.get("/api/v1/sites")).json()["total"] == 3
        assert (await world.client("admin", other=True).get("/api/v1/sites")).json()["total"] == 1
        assert (await admin.get("/api/v1/cameras?limit=20")).json() == {
            "data": [],
            "next_cursor": None,
            "total": 0,
        }
        code = await admin.post(
            "/api/v1/gateways/generate-pairing-code", json={"name": "Box", "site_id": made.json()["id"]}
        )
        assert code.status_code == 201, code.text
        camera = {"site_id": made.json()["id"], "connection_mode": "direct", "name": "Far", "type": "rtsp"}
        added = await admin.post("/api/v1/cameras", json={**camera, "rtsp_url": "rtsp://127.0.0.1:9/none"})
        assert (added.status_code, added.json()["status"]) == (201, "pending")
