"""The embedded PostgreSQL, in whatever folder (but one with $ in its name, which pg_ctl itself gives to a shell)."""

from __future__ import annotations

import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from novavms_server.kit.database import EmbeddedPostgres

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="novavms-pg-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize("name", ["plain", "two words ü's", "long-" + "x" * 120])
def test_it_starts_in_any_folder_and_is_found_again(folder: Path, name: str) -> None:
    data = folder / name / "postgres"
    embedded = EmbeddedPostgres(data)
    url = embedded.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (value int)")
        socket = Path(str(connection.info.host)) / ".s.PGSQL.5432"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    embedded.stop()
    again = EmbeddedPostgres(data)
    with psycopg.connect(again.start()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    again.stop()


STARTS = """
import os, signal, sys
from pathlib import Path
from novavms_server.kit.database import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1])).start()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_of_those_who_use_it_one_that_was_killed_does_not_keep_it_running(folder: Path) -> None:
    data = folder / "postgres"
    killed = subprocess.run([sys.executable, "-c", STARTS, str(data)], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    running = data / "postmaster.pid"
    assert running.exists(), "PostgreSQL, a process of its own, went on"
    one = EmbeddedPostgres(data)
    with psycopg.connect(one.start()) as connection:
        connection.execute("SELECT 1")
    one.stop()
    assert not running.exists()
