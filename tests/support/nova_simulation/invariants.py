"""What must be true after every step: R1–R8 of docs/design/recording.md, I1–I4 of storage/journal.py. Reads only, beside the gateway."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from nova_simulation.clips import BrokenPromiseError
from nova_simulation.disk import ClipFolder, SimDisk
from nova_simulation.far_end import FarEnd
from novavms_camera.capture import read_segment
from novavms_gateway.storage.footage import micros
from novavms_gateway.storage.index import get_meta
from novavms_gateway.storage.ledger import NO_GAP_US
from novavms_gateway.storage.segment_rows import segment_path

HOUR_SEC = 3600.0


def require(condition: object, sentence: str, *facts: Any) -> None:
    if not condition:
        raise BrokenPromiseError(" ".join([sentence, *map(repr, facts)]))


@dataclass(frozen=True)
class Known:
    """A segment's row."""

    id: int
    camera: int
    path: Path
    start_us: int
    end_us: int
    size: int
    sha256: bytes


def segments(db: sqlite3.Connection, *, going: bool) -> list[Known]:
    found = db.execute(
        """SELECT s.id, s.camera, c.camera_id, s.stream, s.start_us, s.end_us, s.size, s.sha256
           FROM segment s JOIN camera c ON c.key = s.camera WHERE s.is_going = ? ORDER BY s.start_us""",
        (int(going),),
    )
    return [
        Known(
            row[0],
            row[1],
            Path(segment_path(UUID(row[2]), row[3], row[4], row[0])),
            row[4],
            row[5],
            row[6],
            row[7],
        )
        for row in found
    ]


@dataclass
class Footage:
    """Watches the volume and the index. `vanished`: files that the world itself took away."""

    disk: SimDisk
    share_max: float
    reserve: int
    has_leapt: bool = False
    """The wall's clock was set: then times may lie over one another."""
    vanished: set[int] = field(default_factory=set)
    _whole: dict[Path, bytes] = field(default_factory=dict)
    _going: set[int] = field(default_factory=set)
    _holds: list[tuple[int, int, int]] = field(default_factory=list)
    _removed: list[tuple[float, int]] = field(default_factory=list)
    _written: dict[int, tuple[float, int]] = field(default_factory=dict)

    # ---- asked by disk and index --------------------------------------------------------------------------

    def changing(self, path: Path) -> None:
        require(self.disk.has_marker, "R7: written without the volume's marker", path)
        self._whole.pop(path.relative_to(self.disk.root), None)

    def unlinking(self, db: sqlite3.Connection, path: Path) -> None:
        require(self.disk.has_marker, "R7: removed without the volume's marker", path)
        segment_id = int(path.stem.rpartition("-")[2])
        self._whole.pop(path.relative_to(self.disk.root), None)
        row = db.execute("SELECT is_going FROM segment WHERE id = ?", (segment_id,)).fetchone()
        if row is None:
            facts = read_segment(path, self.disk, verify=True)
            require(facts is None or not facts.frames, "R4: footage removed that the index never knew", path)
        else:
            require(row[0], "R4: a file went before its gap was written", path)

    def committed(self, db: sqlite3.Connection, now: float) -> None:
        """A transaction of the index is on disk."""
        going: set[int] = set()
        for segment_id, size, is_going in db.execute("SELECT id, size, is_going FROM segment"):
            self._written.setdefault(segment_id, (now, size))
            if is_going:
                going.add(segment_id)
        for segment in segments(db, going=True) if going - self._going else []:
            if segment.id not in self._going:
                held = [
                    h
                    for h in self._holds
                    if h[0] == segment.camera and h[1] < segment.end_us and h[2] > segment.start_us
                ]
                require(not held, "R5: held footage is to go", segment.path, held)
                if self.disk.is_mounted and self.disk.capacity - self.disk.used >= self.reserve:
                    self._removed.append((now, segment.size))
        if going - self._going:
            self.check_ledger(db)
            self._check_share(db, now)
        self._going = going
        self._holds = [tuple(row) for row in db.execute("SELECT camera, start_us, end_us FROM hold")]

    def _check_share(self, db: sqlite3.Connection, now: float) -> None:
        if self.has_leapt:
            return
        gone = sum(size for at, size in self._removed if now - at < HOUR_SEC)
        written = sum(size for at, size in self._written.values() if now - at < HOUR_SEC)
        total = db.execute("SELECT coalesce(sum(size), 0) FROM camera").fetchone()[0]
        require(
            gone <= self.share_max * (total + gone) + written, "R6: more went than may", gone, written, total
        )

    # ---- after each step -----------------------------------------------------------------------------------

    def check(self, db: sqlite3.Connection, now: float) -> None:
        files = self.disk.volume_files
        for segment in segments(db, going=False):
            if segment.id in self.vanished:
                continue
            content = files.get(self.disk.root / segment.path)
            require(content is not None, "R1: a row without its file", segment)
            assert content is not None
            require(len(content.data) == segment.size, "R2: another size", segment, len(content.data))
            require(
                content.synced >= segment.size and content.has_name, "R2: not synced", segment, content.synced
            )
            if self._whole.get(segment.path) != segment.sha256:
                require(hashlib.sha256(content.data).digest() == segment.sha256, "R2: other bytes", segment)
                self._whole[segment.path] = segment.sha256
        self.check_ledger(db)

    def check_ledger(self, db: sqlite3.Connection) -> None:
        known = segments(db, going=False)
        for (camera,) in db.execute("SELECT key FROM camera").fetchall():
            rows = db.execute(
                "SELECT id, start_us, end_us, reason FROM ledger WHERE camera = ? ORDER BY start_us",
                (camera,),
            ).fetchall()
            own = [segment for segment in known if segment.camera == camera]
            for before, after in pairwise(rows):
                require(
                    before["end_us"] == after["start_us"],
                    "R3: a hole or an overlap",
                    *map(tuple, (before, after)),
                )
            for row in rows:
                require(row["end_us"] > row["start_us"], "R3: a row of nothing", tuple(row))
                if row["reason"] is None:
                    self._check_span(row, own)
            if not self.has_leapt:
                self._check_hidden(rows, own)

    @staticmethod
    def _check_span(row: sqlite3.Row, own: list[Known]) -> None:
        at = row["start_us"]
        for segment in own:
            if segment.end_us > at and segment.start_us < row["end_us"]:
                require(segment.start_us - at < NO_GAP_US, "R3: a span without a segment", tuple(row), at)
                at = segment.end_us
        require(row["end_us"] - at < NO_GAP_US, "R3: a span without a segment", tuple(row), at)

    @staticmethod
    def _check_hidden(rows: list[sqlite3.Row], own: list[Known]) -> None:
        for segment in own:
            hidden = sum(
                max(0, min(row["end_us"], segment.end_us) - max(row["start_us"], segment.start_us))
                for row in rows
                if row["reason"] not in (None, "network")
            )
            require(hidden < NO_GAP_US, "R3: the ledger hides footage", segment, hidden)

    def check_files(self, db: sqlite3.Connection, writing: set[Path]) -> None:
        """R1, once a life has mended what it found."""
        rows = {s.path for going in (True, False) for s in segments(db, going=going)}
        there = {path.relative_to(self.disk.root) for path in self.disk.volume_files if path.suffix == ".mp4"}
        require(not there - rows - writing, "R1: a file without a row", sorted(there - rows - writing))


def check_told(db: sqlite3.Connection, far_end: FarEnd) -> None:
    """R8; and no moment is left out: what the server has up to its `seq` is what the index has."""
    ledger = far_end.ledger
    if ledger.is_restored or ledger.epoch is None or get_meta(db, "epoch") != str(ledger.epoch):
        return
    rows = {
        row["id"]: row
        for row in db.execute(
            "SELECT l.id, l.seq, c.camera_id, l.start_us, l.end_us, l.reason FROM ledger l JOIN camera c ON c.key = l.camera"
        )
    }
    gone = {row[0]: row[1] for row in db.execute("SELECT id, seq FROM ledger_gone")}
    for row_id, told in ledger.rows.items():
        mine = rows.get(row_id)
        if mine is None:
            known = told.deleted or gone.get(row_id, 0) > told.seq
            require(known, "R8: the server has a row that the index has not", told)
            continue
        require(mine["seq"] >= told.seq, "R8: the server's row is newer than the index's", told, tuple(mine))
        if mine["seq"] == told.seq:
            same = (mine["start_us"], mine["end_us"], mine["reason"]) == (
                micros(told.start),
                micros(told.end),
                told.reason,
            )
            require(same and not told.deleted, "R8: another row under the same seq", told, tuple(mine))
    for row_id, mine in rows.items():
        if mine["seq"] <= ledger.told_seq:
            told_row = ledger.rows.get(row_id)
            require(
                told_row is not None and told_row.seq == mine["seq"],
                "a row was left out",
                tuple(mine),
                told_row,
            )
    require(int(get_meta(db, "told") or 0) <= ledger.told_seq, "told is more than the server has")


def check_holds(db: sqlite3.Connection, far_end: FarEnd) -> None:
    """R5: what the gateway said it holds it holds."""
    held = {row[0] for row in db.execute("SELECT hold_id FROM hold")}
    if get_meta(db, "epoch") != str(far_end.ledger.epoch):
        return
    for hold_id, hold in far_end.holds.items():
        if hold.told == far_end.ledger.life:
            is_held = str(hold_id) in held
            require(is_held == hold.order.is_held, "R5: not what was answered", hold.order, is_held)


def check_cuts(journal: sqlite3.Connection, index: sqlite3.Connection) -> None:
    """R5: the footage of a clip that is being cut is held."""
    held = {row[0] for row in index.execute("SELECT hold_id FROM hold")}
    for row in journal.execute("SELECT clip_id, job FROM clip WHERE state = 'recording'"):
        if msgspec.json.decode(row["job"])["is_cut"]:
            require(f"cut:{row['clip_id']}" in held, "R5: a cut's footage is not held", row["clip_id"])


def check_journal(db: sqlite3.Connection, folder: ClipFolder, far_end: FarEnd) -> None:
    """I1–I4, but for files that are about to go."""
    reports: dict[str, list[int]] = {}
    for row in db.execute("SELECT clip_id, is_last FROM report"):
        reports.setdefault(row["clip_id"], []).append(row["is_last"])
    held: set[UUID] = set()
    for row in db.execute("SELECT clip_id, state, facts FROM clip").fetchall():
        clip_id, state = UUID(row["clip_id"]), row["state"]
        held.add(clip_id)
        clip = far_end.clips[clip_id]
        clip.was_held = True
        told = reports.get(row["clip_id"], [])
        require(
            sum(told) == (state in ("uploaded", "failed")), "I3: state and report differ", clip, state, told
        )
        if state == "recorded":
            if not told:
                require(clip.status != "recording" or clip.deleted, "I3: its report is gone", clip)
            _check_file(clip_id, row["facts"], folder)
    for clip in far_end.clips.values():
        if clip.was_held and clip.id not in held:
            known = clip.deleted or clip.reported is not None or (clip.is_over and not clip.guessed)
            require(known, "I4: the gateway forgot a clip that is owed", clip)


def _check_file(clip_id: UUID, facts: str, folder: ClipFolder) -> None:
    told = msgspec.json.decode(facts)
    path = folder.path / f"{clip_id}.mp4"
    require(path.exists(), "I2: no file", clip_id)
    data = path.read_bytes()
    whole = len(data) == told["size_bytes"] and hashlib.sha256(data).hexdigest() == told["sha256"]
    require(whole, "I2: another file", clip_id, len(data), told)
    require(folder.is_durable(path.name), "I2: not synced", clip_id)
