"""One camera's recording: runs the capture's segment recorder while footage is wanted, and says why there is none when there is none.

Steps for a segment, and what a crash after each leaves, are in docs/design/recording.md ("Record").
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Final, Protocol
from uuid import UUID, uuid4

from novavms_camera.capture import (
    Growth,
    SegmentFacts,
    SegmentFile,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
    SegmentRecorder,
    StreamStatus,
)
from novavms_gateway.kit.clock import Clock
from novavms_gateway.recording.growing import Writing
from novavms_gateway.recording.plan import away, missing, reason_of, unwanted
from novavms_gateway.recording.pre_roll import PreRolled, Remembering
from novavms_gateway.recording.writer import QueuedFile, Writer
from novavms_gateway.storage import ledger_rows
from novavms_gateway.storage.footage import micros, moment, segment_of, taking_in
from novavms_gateway.storage.index import Index
from novavms_gateway.storage.ledger import Row
from novavms_gateway.storage.segment_rows import Segment, segment_path
from novavms_protocol import CameraConfig, GapReason

log = logging.getLogger(__name__)

SEGMENT_SEC: Final = 10.0
GROW_EVERY_SEC: Final = 30.0
"""A gap that goes on is written anew this often; a new one at each tick until it is one."""
YOUNG_SEC: Final = 3.0
UNKNOWN_SEC: Final = 15.0
"""A camera of which nothing is known for this long is offline."""
DISK_RETRY_SEC: Final = 10.0


class Stream(Remembering, Protocol):
    """What a recording needs of a camera's stream."""

    @property
    def status(self) -> StreamStatus: ...


class Storage(Protocol):
    """What a recording needs of the volume's keeper."""

    @property
    def is_ready(self) -> bool:
        """What is on the volume is known well enough to begin."""

    @property
    def blocked(self) -> GapReason | None:
        """Why nothing can be written at this moment."""

    def left_behind(self, file: QueuedFile, segment_id: int, hole: str) -> None:
        """A file was cut short by the disk: mend it, and take in what there is."""


class CameraRecording:
    """A keeper of segments (`SegmentKeeper`) and the teller of gaps for one camera. `tick` drives it, about once a second."""

    def __init__(
        self,
        config: CameraConfig,
        *,
        index: Index,
        writer: Writer,
        storage: Storage,
        clock: Clock,
        segment_sec: float = SEGMENT_SEC,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        self.config = config
        self.stream: Stream | None = None
        self._event_until = 0.0
        self._pre_roll_sec = 0.0
        self._index = index
        self._writer = writer
        self._storage = storage
        self._clock = clock
        self._segment_sec = segment_sec
        self._on_news = on_news
        self._began_us = micros(clock.now())
        self._began_at = clock.monotonic()
        self._has_past = False
        self._task: asyncio.Task[None] | None = None
        self._is_ending = False
        self._files: dict[int, Writing] = {}
        self._gap: GapReason | None = None
        self._gap_since = self._gap_said = self._began_at
        self._hole: GapReason = "gateway_restart"
        self._retry_at = 0.0

    @property
    def is_recording(self) -> bool:
        """A file is being written."""
        return bool(self._files)

    def writing(self) -> list[Segment]:
        """What can be read of segments that are not whole yet, oldest first."""
        return [found for writing in self._files.values() if (found := writing.so_far()) is not None]

    def is_behind(self, end_us: int) -> bool:
        """Whether footage of before `end_us` is still on its way to the disk."""
        return any(writing.is_behind(end_us) for writing in self._files.values())

    # ---- what it is told --------------------------------------------------------------------------------

    def follow(self, config: CameraConfig, stream: Stream | None) -> None:
        """The camera's plan and stream are now these. Does not wait for the disk: what is being written ends by itself."""
        if stream is not self.stream or config.recording_stream != self.config.recording_stream:
            self._end()
            self.stream = stream
        self.config = config

    def begin(self, *, is_restart: bool) -> None:
        """First of all: what was written before ends now, by a restart, or by what was wanted meanwhile anyway; or the camera was
        not this gateway's for a while."""
        plan, is_enabled = self.config.recording, self.config.enabled
        camera_id, stream, now_us = self.config.camera_id, self.config.recording_stream, self._began_us

        def act(db: sqlite3.Connection) -> bool:
            camera = ledger_rows.camera_key(db, camera_id)
            tail = ledger_rows.tail(db, camera)
            if tail is None or tail.end_us >= now_us:
                return tail is not None
            start, end = moment(tail.end_us), moment(now_us)
            for begin, until, reason in away(plan, start, end, is_enabled=is_enabled and is_restart):
                lost = Row(micros(begin), micros(until), stream, reason)
                ledger_rows.lay_fact(db, camera, lost, hole=reason)
            return True

        def told(done: asyncio.Future[bool]) -> None:
            self._has_past = not done.cancelled() and done.exception() is None and done.result()

        self._index.submit(act).add_done_callback(told)

    def tick(self) -> None:
        """Starts and stops what is due, and says what there is to say."""
        if not self._storage.is_ready:
            return
        reason = self._unwanted() or self._blocked()
        if reason is None and self.stream is None:
            reason = "camera_offline"  # a check has the camera's only session
        if reason is not None:
            self._end()
            self._say(reason)
            return
        if self._task is None and self._clock.monotonic() >= self._retry_at:
            self._start()
        assert self.stream is not None, "judged above"
        self._say(self._missing(self.stream.status))

    def on_event(self, pre_roll_sec: float, duration_sec: float) -> None:
        """In the mode `events`: footage is wanted from so long before to so long after this moment."""
        self._event_until = max(self._event_until, self._clock.monotonic() + duration_sec)
        self._pre_roll_sec = pre_roll_sec
        self.tick()

    async def stop(self) -> None:
        """Ends the file that is being written, in order, and returns when it is on disk."""
        self._end()
        if self._task is not None:
            await asyncio.wait({self._task})

    def _end(self) -> None:
        """Once only: a second cancel would not let the recorder wait for its last file."""
        if self._task is not None and not self._is_ending:
            self._is_ending = True
            self._task.cancel()

    def _unwanted(self) -> GapReason | None:
        has_event = self._clock.monotonic() < self._event_until
        return unwanted(
            self.config.recording,
            self._clock.now(),
            is_enabled=self.config.enabled,
            has_event=has_event,
        )

    def _blocked(self) -> GapReason | None:
        blocked = self._storage.blocked
        return "disk_full" if blocked is None and self._index.is_stuck else blocked

    def _missing(self, status: StreamStatus) -> GapReason | None:
        if self._task is None:
            return "disk_full"  # the last file failed, and the next try is yet to come
        if status.state == "pending" and not self.is_recording:
            if self._clock.monotonic() - self._began_at > UNKNOWN_SEC:
                return "camera_offline"
            return "gateway_restart" if self._has_past else None
        return missing(status)

    # ---- footage --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        assert self.stream is not None, "judged before"
        identity = SegmentIdentity(str(self.config.camera_id), self.config.recording_stream, uuid4().hex)
        # Events begin before their trigger; all else begins with what comes.
        is_event = self.config.recording.mode == "events"
        source = PreRolled(self.stream, self._pre_roll_sec) if is_event else self.stream
        recorder = SegmentRecorder(source, self, identity, segment_sec=self._segment_sec)
        self._task = asyncio.get_running_loop().create_task(self._run(recorder))
        self._task.add_done_callback(self._ended)

    async def _run(self, recorder: SegmentRecorder) -> None:
        try:
            await recorder.run()
        except OSError as error:
            log.error(
                "recording interrupted by the disk",
                extra={"facts": {"camera": self.config.camera_id, "error": error.strerror}},
            )
            self._retry_at = self._clock.monotonic() + DISK_RETRY_SEC
        except Exception:
            # A bug of ours in one camera's recording must not end the others'.
            log.exception("recording stopped", extra={"facts": {"camera": self.config.camera_id}})
            self._retry_at = self._clock.monotonic() + DISK_RETRY_SEC

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Also where it was cancelled before it began."""
        self._task, self._is_ending = None, False
        for writing in [known for known in self._files.values() if known.facts is None]:
            del self._files[writing.id]  # not even begun: nobody will speak of it again
            self._storage.left_behind(writing.file, writing.id, writing.hole)

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> SegmentFile:
        segment_id = self._index.take_segment_id()
        path = segment_path(UUID(note.camera), note.stream, micros(note.clock.at), segment_id)
        file = self._writer.open(path)
        self._files[segment_id] = Writing(segment_id, file, hole=self._gap or self._hole)
        self._hole = "unknown"
        return file

    def on_begun(self, file: SegmentFile, facts: SegmentFacts) -> None:
        self._writing(file).facts = facts

    def on_grown(self, file: SegmentFile, growth: Growth) -> None:
        self._writing(file).grown.append(growth)

    def on_ended(self, file: SegmentFile, facts: SegmentFacts) -> None:
        writing = self._writing(file)
        if not facts.is_ended:
            del self._files[writing.id]
            self._storage.left_behind(writing.file, writing.id, writing.hole)
            return
        if facts.end_reason not in ENDS_OF_OURS:
            self._hole = reason_of(facts.end_reason)
        segment = segment_of(writing.id, facts)
        act = taking_in(segment, facts.losses, hole=writing.hole, now_us=micros(self._clock.now()))
        self._index.submit(act).add_done_callback(lambda done: self._taken_in(writing.id, done))

    def _taken_in(self, segment_id: int, done: asyncio.Future[bool]) -> None:
        """Only now: until the index has it, the list of segments has it from here."""
        self._files.pop(segment_id, None)
        if not done.cancelled() and done.exception() is None and done.result():
            self._on_news()

    def _writing(self, file: SegmentFile) -> Writing:
        return next(writing for writing in self._files.values() if writing.file is file)

    # ---- gaps -------------------------------------------------------------------------------------------------

    def _say(self, reason: GapReason | None) -> None:
        """There is no footage from the ledger's end to now, and this is why; None: there is, or it is not known yet."""
        now = self._clock.monotonic()
        if self._files:
            # What is being written, or waits for the index, comes first: a gap is only ever behind it.
            if reason != self._gap:
                self._gap, self._gap_since = reason, now
            return
        if reason != self._gap:
            if self._gap is not None:
                self._grow(self._gap)
            self._gap, self._gap_since, self._gap_said = reason, now, 0.0
        if reason is None:
            return
        if now - self._gap_since < YOUNG_SEC or now - self._gap_said >= GROW_EVERY_SEC:
            self._gap_said = now
            self._grow(reason)

    def _grow(self, reason: GapReason) -> None:
        camera_id, stream = self.config.camera_id, self.config.recording_stream
        until_us, began_us = micros(self._clock.now()), self._began_us

        def act(db: sqlite3.Connection) -> bool:
            camera = ledger_rows.camera_key(db, camera_id)
            if reason == "disabled" and ledger_rows.tail(db, camera) is None:
                return False  # never recorded: there is nothing to account for yet
            return ledger_rows.grow(db, camera, stream, reason, until_us, began_us=began_us)

        def told(done: asyncio.Future[bool]) -> None:
            if not done.cancelled() and done.exception() is None and done.result():
                self._on_news()

        self._index.submit(act).add_done_callback(told)


ENDS_OF_OURS: Final = frozenset({"next", "format_changed", "stopped", "too_big", "disk_failed", "power_cut"})
