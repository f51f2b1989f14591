"""The stages of one running check: each with a cap, a time, and an entry in the report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

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

    def stage(self, name: StageName, cap_sec: float) -> _Running:
        """One stage of at most `cap_sec`, an async context; a TimeoutError becomes a CameraFault, as the note says."""
        return _Running(self, Note(name), min(cap_sec, self.remaining_sec))

    def passed(self, name: StageName, detail: str | None = None, *, started: float | None = None) -> None:
        """Record a stage that another one did on its way; `started` by time.perf_counter."""
        self.add(name, time.perf_counter() if started is None else started, None, detail)

    def add(self, name: str, started: float, fault: CameraFault | None, detail: str | None) -> None:
        ms = round((time.perf_counter() - started) * 1000, 2)
        stage = Stage(name, fault is None, ms, fault.reason if fault is not None else None, detail)
        self.stages.append(stage)
        if self.on_stage is not None:
            self.on_stage(stage)


class _Running:
    """A stage that runs. A class and not a generator: there are eleven in a check."""

    __slots__ = ("_cap", "_note", "_recorder", "_started")

    def __init__(self, recorder: StageRecorder, note: Note, cap_sec: float) -> None:
        self._recorder = recorder
        self._note = note
        self._cap = asyncio.timeout(cap_sec)
        self._started = time.perf_counter()

    async def __aenter__(self) -> Note:
        await self._cap.__aenter__()
        return self._note

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        note, fault = self._note, error
        try:
            await self._cap.__aexit__(kind, error, trace)
        except TimeoutError as late:
            fault = late
        if isinstance(fault, TimeoutError):
            fault = CameraFault(note.timeout_reason, note.timeout_message)
        if fault is None or isinstance(fault, CameraFault):
            detail = note.detail if fault is None else fault.message
            self._recorder.add(note.name, self._started, fault, detail)
        if fault is not None and fault is not error:
            raise fault from None
