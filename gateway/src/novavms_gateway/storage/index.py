"""The index of the recording: which segments there are, the ledger, holds. One SQLite file, written at most once a second.

Whoever changes it hands in an act; the acts of a second are one transaction, in the order they came in, so that a hundred
cameras cost one fsync. `synchronous = FULL`: what the server was told under a `seq` must still be so after a power cut (R8).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.sqlite import Sqlite
from novavms_gateway.kit.tasks import Tasks

log = logging.getLogger(__name__)

T = TypeVar("T")
WRITE_EVERY_SEC: Final = 1.0
RETRY_SEC: Final = 5.0
LAST_SEGMENT_ID: Final = "last_segment_id"
"""In `meta`: the greatest id of a segment that was removed."""
STUCK_AFTER_SEC: Final = 60.0
"""A disk that takes nothing for less than this costs no footage: what is known of it waits, and its files tell it after a crash."""
WAITING_MAX: Final = 20_000
"""Acts that wait for a disk that takes nothing. At this many the index is `stuck`, and recording stops."""

_DISK_TROUBLE: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
    }
)

DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE camera (
        key INTEGER PRIMARY KEY,
        camera_id TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL DEFAULT 0,
        longest_us INTEGER NOT NULL DEFAULT 0,
        retention_days INTEGER NOT NULL DEFAULT 36500, -- until a plan is known
        retention_bytes INTEGER,
        is_here INTEGER NOT NULL DEFAULT 1
    ) STRICT;
    CREATE TABLE format (
        key INTEGER PRIMARY KEY,
        codecs TEXT NOT NULL,
        codec TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        has_audio INTEGER NOT NULL,
        UNIQUE (codecs, codec, width, height, has_audio)
    ) STRICT;
    CREATE TABLE segment (
        id INTEGER PRIMARY KEY,
        camera INTEGER NOT NULL REFERENCES camera (key),
        stream TEXT NOT NULL,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        size INTEGER NOT NULL,
        init_size INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        format INTEGER NOT NULL REFERENCES format (key),
        session TEXT NOT NULL,
        start_90k INTEGER NOT NULL,
        end_90k INTEGER NOT NULL,
        lossy_us INTEGER NOT NULL,
        is_going INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX segment_time ON segment (camera, start_us);
    CREATE INDEX segment_going ON segment (id) WHERE is_going;
    CREATE TABLE ledger (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        camera INTEGER NOT NULL REFERENCES camera (key),
        stream TEXT NOT NULL,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        reason TEXT,
        format INTEGER,
        size INTEGER NOT NULL,
        seq INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ledger_time ON ledger (camera, start_us);
    CREATE INDEX ledger_seq ON ledger (seq);
    CREATE TABLE ledger_gone (
        id INTEGER PRIMARY KEY,
        camera INTEGER NOT NULL,
        stream TEXT NOT NULL,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        reason TEXT,
        seq INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ledger_gone_seq ON ledger_gone (seq);
    CREATE TABLE hold (
        hold_id TEXT PRIMARY KEY,
        camera INTEGER NOT NULL REFERENCES camera (key),
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX hold_camera ON hold (camera);
    CREATE TABLE flow (minute INTEGER PRIMARY KEY, written INTEGER NOT NULL, removed INTEGER NOT NULL) STRICT;
    """,
    "ALTER TABLE ledger ADD COLUMN lossy_us INTEGER NOT NULL DEFAULT 0;",
)


class IndexDamagedError(Exception):
    """The index's file is not what it was: it is to be put aside, and made anew."""


@dataclass(slots=True)
class _Waiting:
    act: Callable[[sqlite3.Connection], Any]
    done: asyncio.Future[Any]


class Index:
    """`submit` an act, or `await change` it; `run` writes them. `epoch` names this life of the index."""

    def __init__(self, database: Sqlite, clock: Clock, *, epoch: UUID, next_segment_id: int) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._tasks = Tasks()
        self._next_segment_id = next_segment_id
        self.epoch = epoch
        self._failing_since: float | None = None
        self.is_stuck = False
        """The disk below the index takes nothing, for long."""

    @classmethod
    async def open(cls, database: Sqlite, clock: Clock) -> Index:
        """Raises sqlite3.Error where the file is damaged."""

        def work(db: sqlite3.Connection) -> tuple[str, int]:
            epoch = get_meta(db, "epoch")
            if epoch is None:
                epoch = str(uuid4())
                set_meta(db, "epoch", epoch)
            last = db.execute("SELECT max(id) FROM segment").fetchone()[0] or 0
            return epoch, max(int(last), int(get_meta(db, LAST_SEGMENT_ID) or 0)) + 1

        epoch, next_id = await database.run(work)
        return cls(database, clock, epoch=UUID(epoch), next_segment_id=next_id)

    def take_segment_id(self) -> int:
        """A new one; the file's name has it, so that it is never given twice even where the row was lost."""
        given = self._next_segment_id
        self._next_segment_id += 1
        return given

    def segment_id_seen(self, segment_id: int) -> None:
        """There is a file of this id."""
        self._next_segment_id = max(self._next_segment_id, segment_id + 1)

    def submit(self, act: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """`act` becomes part of the next transaction; the future is done once that is on disk."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_heard)
        self._waiting.append(_Waiting(act, done))
        if len(self._waiting) > WAITING_MAX:
            self.is_stuck = True
        self._wake.set()
        return done

    async def change(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """The same at once: for what somebody waits for."""
        done = self.submit(act)
        await self.write()
        return await done

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What is on disk; acts that wait are not seen. Raises IndexDamagedError, sqlite3.Error."""
        try:
            return await self._database.read(work)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise IndexDamagedError(str(error)) from error
            raise

    async def renew_epoch(self) -> None:
        """All that was told counts no more: the rows are told again from the first on."""
        epoch = uuid4()

        def act(db: sqlite3.Connection) -> None:
            set_meta(db, "epoch", str(epoch))
            set_meta(db, "told", "0")

        await self.change(act)
        self.epoch = epoch

    async def run(self) -> None:
        """Writes once a second, for ever; cancel to stop, then `close`."""
        while True:
            await self._wake.wait()
            if not await self.write():
                await self._clock.sleep(RETRY_SEC)
            await self._clock.sleep(WRITE_EVERY_SEC)

    async def write(self) -> bool:
        """Writes what waits. False where the disk took nothing: all of it waits on. Goes on where the caller is cancelled."""
        return await self._tasks.through(self._write())

    async def _write(self) -> bool:
        async with self._writing:
            waiting, self._waiting = self._waiting, []
            self._wake.clear()
            if not waiting:
                return True
            try:
                outcomes = await self._database.run(lambda db: [_try(db, item.act) for item in waiting])
            except sqlite3.Error as error:
                if is_damage(error):
                    raise IndexDamagedError(str(error)) from error
                if not is_disk_trouble(error):
                    raise
                log.error("index not writable", extra={"facts": {"error": error}})
                self._waiting = waiting + self._waiting
                self._wake.set()
                now = self._clock.monotonic()
                self._failing_since = now if self._failing_since is None else self._failing_since
                self.is_stuck |= now - self._failing_since >= STUCK_AFTER_SEC
                return False
            self._failing_since, self.is_stuck = None, False
        for item, (ok, outcome) in zip(waiting, outcomes, strict=True):
            if not item.done.done():
                item.done.set_result(outcome) if ok else item.done.set_exception(outcome)
        return True

    async def close(self) -> None:
        """Writes what waits, and closes; a damaged file is only closed."""
        try:
            with contextlib.suppress(IndexDamagedError):
                await self.write()
        finally:
            await self._database.close()


async def open_database(path: Path) -> Sqlite:
    """Raises sqlite3.Error, OSError."""
    return await Sqlite.open(path, MIGRATIONS)


def is_disk_trouble(error: Exception) -> bool:
    """The disk below is full, broken or read-only; not: the statement is wrong, or the file damaged."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DISK_TROUBLE


def is_damage(error: Exception) -> bool:
    """The file is no SQLite file any more, or its pages contradict each other."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


def _heard(done: asyncio.Future[Any]) -> None:
    """An act that failed and that nobody waits for must not be lost."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("index act failed", exc_info=error)


def _try(db: sqlite3.Connection, act: Callable[[sqlite3.Connection], Any]) -> tuple[bool, Any]:
    """One act that fails takes no other with it. A full or broken disk ends the whole transaction."""
    db.execute("SAVEPOINT act")
    try:
        outcome = act(db)
    except Exception as error:
        if is_disk_trouble(error) or is_damage(error):
            raise
        db.execute("ROLLBACK TO act")
        db.execute("RELEASE act")
        return False, error
    db.execute("RELEASE act")
    return True, outcome


def get_meta(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row["value"])


def set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
