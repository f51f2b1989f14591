"""Back-off, files, settings, logs, the folder's lock: pieces that the rest stands on."""

from __future__ import annotations

import io
import logging
import random
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from novavms_gateway import settings
from novavms_gateway.kit import files
from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.logs import LineFormatter
from novavms_gateway.kit.machine import Machine
from novavms_gateway.kit.process import FolderInUseError, hold_folder
from novavms_gateway.kit.sqlite import Sqlite

pytestmark = pytest.mark.anyio

SETTINGS_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "gateway-settings.md"


def test_backoff_ceilings_double_to_a_minute() -> None:
    backoff = Backoff(draw=lambda: 1.0)
    assert [backoff.next_sec() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.reset()
    assert backoff.next_sec() == 1
    backoff.at_least_attempt(3)
    assert backoff.next_sec() == 8
    for _ in range(5000):
        assert backoff.next_sec() <= 60


def test_backoff_spreads_evenly_below_the_ceiling() -> None:
    """5,000 gateways at their seventh try: each minute's tenth gets its share, none of them a crowd."""
    draw = random.Random(7).random
    waits = []
    for _ in range(5000):
        backoff = Backoff(draw=draw)
        backoff.at_least_attempt(6)
        waits.append(backoff.next_sec())
    tenths = [sum(index * 6 <= wait < (index + 1) * 6 for wait in waits) for index in range(10)]
    assert sum(tenths) == 5000
    assert min(tenths) > 400
    assert max(tenths) < 600


def test_private_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    files.write_private_file(path, b"old")
    files.write_private_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret.json"]


def test_private_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret.json"
    files.write_private_file(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_private_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["secret.json"]


def test_settings_are_read_and_judged() -> None:
    assert settings.from_environment({}).uploads_at_once == 2
    read = settings.from_environment({"NOVAVMS_GATEWAY_LOG_LEVEL": "debug", "NOVAVMS_GATEWAY_DATA_DIR": "/x"})
    assert (read.log_level, read.data_dir) == ("DEBUG", Path("/x"))
    for name, value in (("UPLOADS_AT_ONCE", "0"), ("UPLOADS_AT_ONCE", "two"), ("LOG_LEVEL", "loud")):
        with pytest.raises(settings.SettingsError, match=name):
            settings.from_environment({f"NOVAVMS_GATEWAY_{name}": value})
    assert settings.unknown_variables({"NOVAVMS_GATEWAY_LOGLEVEL": "x", "OTHER": "y"}) == [
        "NOVAVMS_GATEWAY_LOGLEVEL"
    ]


def test_settings_page_lists_every_setting_as_it_is() -> None:
    assert settings.reference_page() == SETTINGS_PAGE.read_text(encoding="utf-8")


def test_a_log_line_stays_one_line() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    logger = logging.getLogger("novavms_gateway.test")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("it\nbroke", extra={"facts": {"name": 'a "quoted"\nname', "count": 3}})
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert 'ERROR novavms_gateway.test it broke name="a \\"quoted\\"\\nname" count=3 trace=' in lines[0]


def test_one_process_per_folder(tmp_path: Path) -> None:
    holder = (
        "import sys, pathlib; from novavms_gateway.kit.process import hold_folder\n"
        "with hold_folder(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUseError), hold_folder(tmp_path):
            pass
        process.kill()
    with hold_folder(tmp_path):  # however it ended, the folder is free
        pass


def test_machine_knows_its_box(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.disk().total_bytes >= machine.disk().free_bytes > 0
    assert machine.memory_total_bytes() > machine.memory_used_bytes() > 1_000_000
    assert 0.0 <= machine.cpu_percent() <= 100.0
    assert machine.address_towards("127.0.0.1", 80) == "127.0.0.1"
    assert machine.address_towards("no such host", 80) is None
    assert Machine(tmp_path / "missing").disk().total_bytes == 0


async def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    database = await Sqlite.open(tmp_path / "x.db", ("CREATE TABLE t (n INTEGER)",))

    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (1)")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        await database.run(half)
    assert await database.run(lambda db: db.execute("SELECT count(*) FROM t").fetchone()[0]) == 0
    await database.close()


async def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    first = "CREATE TABLE t (n INTEGER)"
    await (await Sqlite.open(path, (first,))).close()
    with pytest.raises(sqlite3.Error):
        await Sqlite.open(path, (first, "ALTER TABLE t ADD m INTEGER; CREATE TABLE t (again INTEGER)"))
    database = await Sqlite.open(path, (first, "ALTER TABLE t ADD m INTEGER"))
    columns = await database.run(lambda db: [row["name"] for row in db.execute("PRAGMA table_info(t)")])
    assert columns == ["n", "m"]
    await database.close()
