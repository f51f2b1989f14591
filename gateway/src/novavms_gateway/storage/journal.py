"""What the gateway owes, on disk: clips in the making, and reports the server has not acknowledged.

Invariants
  I1  A clip's row is on disk before the first byte of its file: every file has an owner, one without is rubbish.
  I2  A row `recorded` or later with facts: `clips/<id>.mp4` is whole and synced.
  I3  A clip's change of state and the report that tells it are one transaction: neither is ever without the other.
  I4  A row goes only when its last report was acknowledged, or the server wants the clip no more; its files go after.

The life of a clip, one transaction a step
  1. add       row `recording`                                    (the order is answered after this)
  2. recorded  facts of the file, `recorded`, + ClipState          or  failed: `failed` + ClipFailed
  3. uploaded  `uploaded` + ClipReady
  4. settle    last report acknowledged: row and report gone, then the file

Repair at start is `recording.repair`: rows in `recording` are salvaged or failed, files without a row removed.
Camera states and telemetry are not here: only their newest counts, and it is told anew on every connection.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from novavms_gateway.kit.sqlite import Sqlite
from novavms_protocol import ClipFailed, ClipReady, ClipState, Report

log = logging.getLogger(__name__)

JobState = Literal["recording", "recorded", "uploaded", "failed"]

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE clip (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        clip_id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL CHECK (state IN ('recording', 'recorded', 'uploaded', 'failed')),
        job TEXT NOT NULL,
        facts TEXT,
        CHECK (state IN ('recording', 'failed') OR facts IS NOT NULL)
    ) STRICT;
    CREATE TABLE report (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        report_id TEXT NOT NULL UNIQUE,
        clip_id TEXT NOT NULL REFERENCES clip (clip_id) ON DELETE CASCADE,
        is_last INTEGER NOT NULL,
        report TEXT NOT NULL
    ) STRICT;
    CREATE INDEX report_clip ON report (clip_id);
    """,
)


class ClipJob(msgspec.Struct, frozen=True, kw_only=True):
    """The order, as accepted."""

    clip_id: UUID
    event_id: UUID
    camera_id: UUID
    triggered_at: datetime
    duration_sec: float
    pre_roll_sec: float
    started_at: datetime
    """What the server was told when the order was accepted."""
    accepted_at: datetime | None = None
    """When the order came; None of one that an older version accepted."""
    is_cut: bool = False
    """Out of the recording: [triggered_at, + duration), and can be done again."""


class ClipFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded."""

    size_bytes: int
    sha256: str
    duration_sec: float
    started_at: datetime
    codec: str
    width: int
    height: int
    has_audio: bool
    failure_reason: str | None = None
    gap_sec: float = 0.0


class StoredClip(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    """Rises with age: the smallest is the oldest."""
    state: JobState
    job: ClipJob
    facts: ClipFacts | None


class Journal:
    """The only writer of the tables above. `on_report` hears of each new report once it is on disk."""

    def __init__(self, database: Sqlite, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self.on_report: Callable[[Report], None] = lambda report: None

    @classmethod
    async def open(cls, data_dir: Path, *, gateway_id: UUID) -> Journal:
        """Opens DIR/gateway.db and DIR/clips. Paired anew as another gateway: what the old one owed is forgotten."""
        folder = data_dir / "clips"
        folder.mkdir(mode=0o700, exist_ok=True)
        database = await Sqlite.open(data_dir / "gateway.db", MIGRATIONS)

        def take_over(db: sqlite3.Connection) -> None:
            if _meta(db, "gateway_id") != str(gateway_id):
                db.execute("DELETE FROM clip")
                db.execute("DELETE FROM meta")
                _set_meta(db, "gateway_id", str(gateway_id))

        await database.run(take_over)
        return cls(database, folder)

    async def close(self) -> None:
        await self._database.close()

    @property
    def clips_folder(self) -> Path:
        return self._folder

    def clip_path(self, clip_id: UUID) -> Path:
        return self._folder / f"{clip_id}.mp4"

    # ---- clips ----------------------------------------------------------------------------------------

    async def add(self, job: ClipJob) -> tuple[ClipJob, bool]:
        """Step 1. Gives the job as it stands on disk, and whether this call made it: an order may come twice."""

        def work(db: sqlite3.Connection) -> tuple[ClipJob, bool]:
            before = _find(db, job.clip_id)
            if before is not None:
                return before.job, False
            db.execute(
                "INSERT INTO clip (clip_id, state, job) VALUES (?, 'recording', ?)",
                (str(job.clip_id), _text(job)),
            )
            return job, True

        return await self._database.run(work)

    async def recorded(self, clip_id: UUID, facts: ClipFacts) -> None:
        """Step 2. Does nothing where the clip was forgotten meanwhile."""
        await self._move(
            clip_id, "recorded", ClipState(clip_id=clip_id, status="uploading"), is_last=False, facts=facts
        )

    async def failed(self, clip_id: UUID, reason: str, message: str) -> None:
        """Step 2, when there is nothing to send."""
        body = ClipFailed(clip_id=clip_id, reason=reason, message=message)
        await self._move(clip_id, "failed", body, is_last=True)

    async def uploaded(self, clip: StoredClip, *, part_count: int) -> None:
        """Step 3."""
        assert clip.facts is not None, "only a recorded clip is uploaded"
        body = ClipReady(
            clip_id=clip.job.clip_id, part_count=part_count, **msgspec.structs.asdict(clip.facts)
        )
        await self._move(clip.job.clip_id, "uploaded", body, is_last=True)

    async def forget(self, clip_id: UUID) -> None:
        """The server wants nothing more of it: its row and its reports go, then its files."""
        await self._database.run(
            lambda db: db.execute("DELETE FROM clip WHERE clip_id = ?", (str(clip_id),)).rowcount
        )
        self.remove_files(clip_id)

    def remove_files(self, clip_id: UUID) -> None:
        """The clip, its part file, and what was being written beside them. What will not go now goes at the next start."""
        for file in self._folder.glob(f"*{clip_id}*"):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                log.error("file not removed", extra={"facts": {"file": file.name, "error": error.strerror}})

    async def free_uploaded(self) -> None:
        """Removes files of clips that the server has, before it says so: room is needed."""
        for clip in await self.clips():
            if clip.state == "uploaded":
                self.remove_files(clip.job.clip_id)

    async def find(self, clip_id: UUID) -> StoredClip | None:
        return await self._database.read(lambda db: _find(db, clip_id))

    async def clips(self) -> list[StoredClip]:
        """All that are still owed, oldest first."""
        return await self._database.read(
            lambda db: [_stored(row) for row in db.execute("SELECT * FROM clip ORDER BY seq")]
        )

    # ---- reports ----------------------------------------------------------------------------------------

    async def reports(self) -> list[Report]:
        """All that were not acknowledged, oldest first."""
        return await self._database.read(
            lambda db: [
                msgspec.json.decode(row["report"], type=Report)
                for row in db.execute("SELECT report FROM report ORDER BY seq")
            ]
        )

    async def settle(self, report_id: UUID) -> None:
        """Step 4. The server has it, or refused it for good. Unknown ids are ignored."""

        def work(db: sqlite3.Connection) -> UUID | None:
            row = db.execute(
                "DELETE FROM report WHERE report_id = ? RETURNING clip_id, is_last", (str(report_id),)
            ).fetchone()
            if row is None or not row["is_last"]:
                return None
            db.execute("DELETE FROM clip WHERE clip_id = ?", (row["clip_id"],))
            return UUID(row["clip_id"])

        clip_id = await self._database.run(work)
        if clip_id is not None:
            self.remove_files(clip_id)

    # ---- the rest ---------------------------------------------------------------------------------------

    async def applied_version(self) -> int | None:
        """Version of the last desired state that was made real."""
        value = await self._database.read(lambda db: _meta(db, "applied_version"))
        return None if value is None else int(value)

    async def set_applied_version(self, version: int) -> None:
        await self._database.run(lambda db: _set_meta(db, "applied_version", str(version)))

    async def _move(
        self,
        clip_id: UUID,
        state: JobState,
        body: ClipState | ClipReady | ClipFailed,
        *,
        is_last: bool,
        facts: ClipFacts | None = None,
    ) -> None:
        """Changes a clip's state and writes the report of it, as one (I3)."""
        report = Report(id=uuid4(), body=body)

        def work(db: sqlite3.Connection) -> bool:
            changed = db.execute(
                "UPDATE clip SET state = ?, facts = coalesce(?, facts) WHERE clip_id = ? AND state <> ?",
                (state, None if facts is None else _text(facts), str(clip_id), state),
            ).rowcount
            if changed:
                db.execute(
                    "INSERT INTO report (report_id, clip_id, is_last, report) VALUES (?, ?, ?, ?)",
                    (str(report.id), str(clip_id), int(is_last), _text(report)),
                )
            return bool(changed)

        if await self._database.run(work):
            self.on_report(report)


def _text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _find(db: sqlite3.Connection, clip_id: UUID) -> StoredClip | None:
    row = db.execute("SELECT * FROM clip WHERE clip_id = ?", (str(clip_id),)).fetchone()
    return None if row is None else _stored(row)


def _stored(row: sqlite3.Row) -> StoredClip:
    facts = None if row["facts"] is None else msgspec.json.decode(row["facts"], type=ClipFacts)
    job = msgspec.json.decode(row["job"], type=ClipJob)
    return StoredClip(seq=row["seq"], state=row["state"], job=job, facts=facts)


def _meta(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row["value"])


def _set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
