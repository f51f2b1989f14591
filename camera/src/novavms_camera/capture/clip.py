"""Recording one clip: from the memory before the trigger to the end asked for, on disk as it comes.

Disk invariant: `<name>.part` holds whole fragments but for a torn last one, at most a second old. Order: 1. init part, note and the
pre-roll to `.part`; 2. a fragment a second; 3. `finalise` makes the MP4 (written aside, fsync, rename) and only then removes `.part`.
"""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import Final

from novavms_camera.capture.finalise import ClipNote
from novavms_camera.capture.fmp4 import FragmentBuilder, init_part
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, Clock, Jump, Loss, StreamFormat, VideoSample
from novavms_camera.capture.ring import Gop
from novavms_camera.capture.waiting import first_of
from novavms_camera.faults import Reason

EXACT_START_90K: Final = VIDEO_RATE * 2 // 5
"""A key frame at most this long before the wanted start is simply shown; for an earlier one an edit list hides what is too much."""
_GRACE_SEC: Final = 3.0
"""How long a clip waits for a stream that broke to come back."""
_OVERTIME_SEC: Final = 5.0
"""How much longer than asked a clip may take when the camera's timestamps run slow."""


class ClipWriter:
    """A reader of the stream that writes `[start, end)` of it. `done` is set with None, a reason for having ended early, or an OSError."""

    def __init__(
        self, part: Path, fmt: StreamFormat, gops: list[Gop], *, wanted_start_90k: int, end_90k: int
    ) -> None:
        self._format = fmt
        self._end = end_90k
        self._gops = gops
        key = gops[0].start_90k
        self.base_90k = gops[0].video[0].dts
        late = wanted_start_90k - key
        self.start_90k = wanted_start_90k if late > EXACT_START_90K else key
        self._builder = FragmentBuilder(fmt, base_90k=self.base_90k)
        self._part = part
        self._file = -1
        self._sync: asyncio.Future[None] | None = None
        self.broken: Reason | None = None
        self.resumed = asyncio.Event()
        self.broke = asyncio.Event()
        self.done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    def open(self, started_at: datetime) -> None:
        """Makes the file and writes what is in memory already. Raises OSError."""
        self._part.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        note = ClipNote(started_at, self.start_90k - self.base_90k, self._end - self.base_90k)
        self._write(init_part(self._format) + note.to_box())
        for gop in self._gops:
            for sound in gop.audio:
                self.on_audio(sound)
            for sample in gop.video:
                self.on_video(sample)
        self._gops = []

    def on_format(self, fmt: StreamFormat) -> None:
        if fmt != self._format:
            self._finish("format_changed")

    def on_video(self, sample: VideoSample) -> None:
        if self.done.done():
            return
        if self.broken is not None:
            self.broken = None
            self.broke.clear()
            self.resumed.set()
        try:
            due = self._builder.add_video(sample)
            if due is not None:
                self._write(due)
            if sample.dts >= self._end:
                self._finish(None)
        except OSError as error:
            self._fail(error)

    def on_audio(self, sample: AudioSample) -> None:
        if not self.done.done():
            self._builder.add_audio(sample)

    def on_loss(self, loss: Loss) -> None:
        """The file itself shows it: `finalise` finds the holes."""

    def on_jump(self, jump: Jump) -> None:
        """Times go on."""

    def on_break(self, reason: Reason) -> None:
        self.broken = self.broken or reason  # the first cause, not what the tries after it met
        self.resumed.clear()
        self.broke.set()

    def give_up(self, reason: str) -> None:
        """Ends the clip with what there is."""
        self._finish(reason)

    def _finish(self, reason: str | None) -> None:
        if self.done.done():
            return
        try:
            rest = self._builder.flush()
            if rest is not None:
                self._write(rest)
        except OSError as error:
            self._fail(error)
            return
        self.done.set_result(reason)

    def _fail(self, error: OSError) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        if self._sync is None or self._sync.done():  # one at a time: a slow disk must not queue threads
            loop = asyncio.get_running_loop()
            self._sync = asyncio.ensure_future(loop.run_in_executor(None, os.fsync, self._file))

    async def close(self) -> None:
        """Closes the file; what was written stays."""
        if self._sync is not None:
            await asyncio.gather(self._sync, return_exceptions=True)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


async def until_done(writer: ClipWriter, clock: Clock, duration_sec: float) -> str | None:
    """Waits for the clip's end, or ends it where the stream broke and does not come back; why it is shorter than asked. Raises OSError."""
    deadline = clock.monotonic() + duration_sec + _OVERTIME_SEC
    while not writer.done.done():
        if writer.broken is not None:
            await first_of(clock, _GRACE_SEC, writer.resumed.wait(), writer.done)
            if writer.broken is not None:
                writer.give_up("frozen" if writer.broken == "frozen" else "camera_offline")
        else:
            rest = deadline - clock.monotonic()
            if rest <= 0:
                writer.give_up("frozen")
            await first_of(clock, rest, writer.broke.wait(), writer.done)
    return writer.done.result()
