"""The stages of one running check: each with a cap, a time, and an entry in the report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from novavms_camera.check.report import Stage, StageName
from novavms_camera.faults import CameraFault, Reason


@dataclass(slots=True)
class Note:
    """What a running stage says of itself: `detail` shows in the report."""

    name: StageName
    detail: str | None = None
    timeout_message: str = "The camera did not answer in time."
    timeout_reason: Reason = "timeout"


@dataclass(slots=True)
class StageRecorder:
    """Runs stages under one overall cap; the first failure propagates as its CameraFault."""

    time_cap_sec: float
    on_stage: Callable[[Stage], None] | None = None
    stages: list[Stage] = field(default_factory=list)
    _started: float = field(default_factory=time.perf_counter)

    @property
    def elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 2)

    @property
    def remaining_sec(self) -> float:
        return max(0.0, self.time_cap_sec - (time.perf_counter() - self._started))

    @asynccontextmanager
    async def stage(self, name: StageName, cap_sec: float) -> AsyncIterator[Note]:
        """One stage of at most `cap_sec`; a TimeoutError becomes a CameraFault, as the note says."""
        note = Note(name)
        started = time.perf_counter()
        try:
            try:
                async with asyncio.timeout(min(cap_sec, self.remaining_sec)):
                    yield note
            except TimeoutError:
                raise CameraFault(note.timeout_reason, note.timeout_message) from None
        except CameraFault as fault:
            self._add(note.name, started, fault, fault.message)
            raise
        self._add(note.name, started, None, note.detail)

    def passed(self, name: StageName, detail: str | None = None, *, started: float | None = None) -> None:
        """Record a stage that another one did on its way; `started` by time.perf_counter."""
        self._add(name, time.perf_counter() if started is None else started, None, detail)

    def _add(self, name: str, started: float, fault: CameraFault | None, detail: str | None) -> None:
        ms = round((time.perf_counter() - started) * 1000, 2)
        stage = Stage(name, fault is None, ms, fault.reason if fault is not None else None, detail)
        self.stages.append(stage)
        if self.on_stage is not None:
            self.on_stage(stage)
