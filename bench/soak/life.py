"""What happens during the soak: cameras that drop, freeze and come back, clips, a viewer, the server restarted once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bench._site import Site

BACK_SEC = 75.0
"""A camera that is back is tried again within a minute."""
BEFORE_SEC = 12.0
"""A gap begins at the last frame, or at the end of the last fragment that is whole."""
AWAY: frozenset[str] = frozenset({"camera_offline", "frozen", "network"})
CLIP_SEC = 20.0


@dataclass
class Trouble:
    """Something done to a camera. `must_show`: long enough that the ledger has to say so."""

    number: int
    what: str
    began: datetime
    ended: datetime | None
    must_show: bool

    def explains(self, gap: dict[str, Any]) -> bool:
        start, end = datetime.fromisoformat(gap["start"]), datetime.fromisoformat(gap["end"])
        first = self.began - timedelta(seconds=BEFORE_SEC)
        last = (self.ended or datetime.now(UTC)) + timedelta(seconds=BACK_SEC)
        return gap["reason"] in AWAY and first <= start and end <= last

    def shows_in(self, gap: dict[str, Any]) -> bool:
        start, end = datetime.fromisoformat(gap["start"]), datetime.fromisoformat(gap["end"])
        return gap["reason"] in AWAY and start < (self.ended or end) and end > self.began


@dataclass
class Life:
    """`minute` is called once a minute, and `end` before the verdict. Seeded: two runs do the same in the same order."""

    site: Site
    seed: int = 4
    troubles: list[Trouble] = field(default_factory=list)
    clips: dict[str, str] = field(default_factory=dict)
    """Status of each, by its event."""
    failed: list[str] = field(default_factory=list)
    played: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def minute(self, number: int, *, is_last: bool) -> None:
        """Starts what this minute has; `is_last`: only what is over soon."""
        self._start("clip", lambda: self._clip(by_trigger=number % 3 == 0))
        self._start("playback", self._play)
        if not is_last:
            what = (self._drop, self._freeze, self._unplug)[number % 3]
            self._start("camera", lambda: what(self._quiet_camera()))

    def restart_server(self) -> None:
        self._start("server restart", self._restart)

    async def end(self, *, within: float) -> None:
        """Everything begun is over, and every clip has come to its end, or time is up."""
        await asyncio.gather(*self._tasks)
        deadline = asyncio.get_running_loop().time() + within
        while await self.follow_clips() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(1)

    async def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def follow_clips(self) -> int:
        """How many are not ready yet."""
        for event_id, status in list(self.clips.items()):
            if status not in ("ready", "failed"):
                try:
                    clip = await self.site.clip(event_id)
                except httpx.HTTPError:
                    continue
                self.clips[event_id] = clip["status"]
                if clip["status"] == "failed":
                    self.failed.append(
                        f"clip {event_id}: {clip['failure_reason']}, {clip['failure_message']}"
                    )
        return sum(status not in ("ready", "failed") for status in self.clips.values())

    # ---- one thing each -------------------------------------------------------------------------------------

    def _start(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        async def watched() -> None:
            try:
                await work()
            except Exception as error:
                self.failed.append(f"{what} at {datetime.now(UTC):%H:%M:%S}: {error!r}")

        task = asyncio.get_running_loop().create_task(watched())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _quiet_camera(self) -> int:
        """One that nothing was done to for five minutes."""
        since = datetime.now(UTC) - timedelta(minutes=5)
        busy = {t.number for t in self.troubles if t.ended is None or t.ended > since}
        quiet = [number for number in range(len(self.site.cameras)) if number not in busy]
        return self._random.choice(quiet)

    async def _drop(self, number: int) -> None:
        trouble = self._begin(number, "drop", must_show=False)
        await self.site.act(number, "drop")
        trouble.ended = datetime.now(UTC)

    async def _freeze(self, number: int) -> None:
        trouble = self._begin(number, "freeze", must_show=True)
        await self.site.act(number, "freeze")
        await asyncio.sleep(35)
        await self.site.act(number, "thaw")
        trouble.ended = datetime.now(UTC)

    async def _unplug(self, number: int) -> None:
        silent = self._random.random() < 0.5
        trouble = self._begin(number, "unplug, silent" if silent else "unplug", must_show=True)
        await self.site.act(number, "unplug", silent=silent)
        await asyncio.sleep(30)
        await self.site.act(number, "plug")
        trouble.ended = datetime.now(UTC)

    def _begin(self, number: int, what: str, *, must_show: bool) -> Trouble:
        trouble = Trouble(number, what, datetime.now(UTC), None, must_show)
        self.troubles.append(trouble)
        return trouble

    async def _clip(self, *, by_trigger: bool) -> None:
        camera = self.site.cameras[self._quiet_camera()]

        async def order() -> str:
            if not by_trigger:
                return await self.site.cut(camera, datetime.now(UTC) - timedelta(seconds=20), CLIP_SEC)
            answer = await self.site.client.post(f"/cameras/{camera}/trigger", json={"duration_sec": 10})
            return str(answer.raise_for_status().json()["event_id"])

        self.clips[await self._patiently(order)] = "ordered"

    async def _play(self) -> None:
        """A viewer of half a minute."""
        camera = self.site.cameras[self._quiet_camera()]
        until = datetime.now(UTC) - timedelta(seconds=30)

        async def play() -> str:
            address, names = await self.site.playlist(camera, until - timedelta(seconds=30), until)
            for name in dict.fromkeys(names):
                (await self.site.client.get(address.join(name))).raise_for_status()
            return ""

        await self._patiently(play)
        self.played += 1

    async def _patiently(self, ask: Callable[[], Awaitable[str]]) -> str:
        """As callers do while the server is restarted: for a minute. The last error is raised."""
        problem = RuntimeError("not asked")
        for _ in range(30):
            try:
                return await ask()
            except httpx.TransportError as error:
                problem = RuntimeError(repr(error))
            except httpx.HTTPStatusError as error:
                # not the error's own text: that has the address, which is a ticket to play
                problem = RuntimeError(f"{error.response.status_code} {error.response.text}")
                if error.response.status_code not in (502, 503):
                    break
            await asyncio.sleep(2)
        raise problem

    async def _restart(self) -> None:
        await asyncio.sleep(5)  # a clip on order is being recorded then, and its upload meets the restart
        await asyncio.to_thread(self.site.server.stop)
        await asyncio.to_thread(self.site.server.start)
