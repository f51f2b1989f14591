"""Durable jobs: work that must follow a commit is a row of the same commit.

    await defer(connection, "direct_camera.register", org_id=org_id, camera_id=camera_id)      # in the caller's transaction
    jobs.task("direct_camera.register", handler)                                               # before start()

A job runs at least once. It is taken under a lease, which is renewed while it runs:
1. take      the lease and the attempt's number are committed; SKIP LOCKED, so that servers do not wait for each other
2. run       the handler, outside any transaction of ours; the lease is renewed every 20 s, and its loss cancels the run
3. settle    done: the row goes. Failed: it waits longer each time, and after `max_attempts` stays as failed
A server that dies in 2 leaves a lease that ends: then another takes the job again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import errors as pg
from psycopg.types.json import Jsonb

from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Connection, Database
from novavms_server.kit.ids import new_id
from novavms_server.kit.tasks import end

log = logging.getLogger("novavms.jobs")

LEASE_SEC: Final = 60.0
RENEW_SEC: Final = 20.0
IDLE_SEC: Final = 0.5
BACKOFF_MAX_SEC: Final = 300.0

Handler = Callable[[UUID, dict[str, Any]], Awaitable[None]]
"""(org, arguments). Raising means: not done, try again later."""
PeriodicHandler = Callable[[], Awaitable[None]]


class GiveUp(Exception):
    """Raised by a handler: this job can't ever be done."""


async def defer(
    connection: Connection,
    task: str,
    *,
    org_id: UUID,
    lock: str | None = None,
    queueing_lock: str | None = None,
    run_at: datetime | None = None,
    **args: Any,
) -> None:
    """Queue `task`, in the caller's transaction. Arguments are ids and numbers, never secrets.

    `lock`: no two jobs of one lock run at a time. `queueing_lock`: while an equal one waits (not: runs), this adds nothing.
    """
    plain = {name: str(value) if isinstance(value, UUID) else value for name, value in args.items()}
    await connection.execute(
        "INSERT INTO jobs (org_id, id, task, args, lock, queueing_lock, run_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (queueing_lock) WHERE lease IS NULL AND failed_at IS NULL DO NOTHING",
        (org_id, new_id(), task, Jsonb(plain), lock, queueing_lock, run_at),
        prepare=True,
    )


class _Task(NamedTuple):
    handler: Handler
    max_attempts: int
    at_once: int


class _Taken(NamedTuple):
    id: UUID
    org_id: UUID
    task: str
    args: dict[str, Any]
    attempts: int
    lease: UUID


_TAKE = """
UPDATE jobs SET lease = %(lease)s, lease_until = %(until)s, attempts = attempts + 1
WHERE id = (
    SELECT id FROM jobs j
    WHERE failed_at IS NULL AND task = ANY(%(tasks)s) AND (run_at IS NULL OR run_at <= %(now)s)
      AND (lease IS NULL OR lease_until < %(now)s)
      AND NOT EXISTS (SELECT FROM jobs o WHERE o.lock = j.lock AND o.lease IS NOT NULL AND o.id <> j.id)
    ORDER BY run_at NULLS FIRST, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, org_id, task, args, attempts
"""


class Jobs:
    """This server's workers. `task` and `periodic` before `start`."""

    def __init__(self, database: Database, clock: Clock, *, workers: int = 4) -> None:
        self._database = database
        self._clock = clock
        self._workers = workers
        self._tasks: dict[str, _Task] = {}
        self._periodic: list[tuple[str, float, PeriodicHandler]] = []
        self._running: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._busy: Counter[str] = Counter()
        self._taking = asyncio.Lock()

    def task(
        self, name: str, handler: Handler, *, max_attempts: int = 50, at_once: int | None = None
    ) -> None:
        """`at_once`: workers of this server that it may take, where it waits for others for long; the rest stay for other tasks."""
        assert name not in self._tasks, f"{name} is there already"
        self._tasks[name] = _Task(handler, max_attempts, at_once or self._workers)

    def periodic(self, name: str, every_sec: float, handler: PeriodicHandler) -> None:
        """On one server of several, about every `every_sec` seconds; also a while after a start."""
        self._periodic.append((name, every_sec, handler))

    def start(self) -> None:
        self._running = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        self._running += [asyncio.create_task(self._repeat(*each)) for each in self._periodic]

    async def stop(self) -> None:
        """Ends what runs; its jobs are given back, to be run by whoever is next."""
        await end(self._running)
        self._running = []

    def nudge(self) -> None:
        """A job was committed on this server: `work.after_commit(jobs.nudge)`. Without it, it starts half a second later."""
        self._wake.set()

    async def _work(self) -> None:
        while True:
            try:
                taken = await self._take()
                if taken is not None:
                    try:
                        await self._run(taken)
                    finally:
                        self._busy[taken.task] -= 1
                    continue
            except (
                *DATABASE_AWAY,
                pg.UniqueViolation,
            ) as error:  # the latter: another job of its lock began just now
                log.debug("no job taken: %s", type(error).__name__)
            except Exception:
                log.exception("jobs")
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SEC):
                    await self._wake.wait()

    async def _take(self) -> _Taken | None:
        lease, now = new_id(), self._clock.now()
        until = now + timedelta(seconds=LEASE_SEC)
        async with self._taking:  # by one worker at a time, for none to count what another is about to take
            tasks = [name for name, task in self._tasks.items() if self._busy[name] < task.at_once]
            async with self._database.everywhere() as connection:
                cursor = await connection.execute(
                    _TAKE, {"lease": lease, "until": until, "now": now, "tasks": tasks}
                )
                row = await cursor.fetchone()
            if row is None:
                return None
            taken = _Taken._make((*row, lease))
            self._busy[taken.task] += 1
            return taken

    async def _run(self, job: _Taken) -> None:
        task = self._tasks[job.task]
        run: asyncio.Task[None] = asyncio.ensure_future(task.handler(job.org_id, job.args))
        try:
            await self._watch(job, run)
            run.result()
        except asyncio.CancelledError:
            await end([run])
            if run.cancelled() and (current := asyncio.current_task()) and not current.cancelling():
                return  # the lease was lost: another has it
            await asyncio.shield(self._give_back(job))
            raise
        except Exception as error:
            final = isinstance(error, GiveUp) or job.attempts >= task.max_attempts
            log.warning(
                "job %s attempt %d failed%s: %s",
                job.task,
                job.attempts,
                " for good" if final else "",
                describe(error),
            )
            await self._failed(job, type(error).__name__, final=final)
        else:
            await self._settle(job, "DELETE FROM jobs WHERE id = %(id)s AND lease = %(lease)s", {})

    async def _watch(self, job: _Taken, run: asyncio.Task[None]) -> None:
        """Until the run ends, keep the lease; where that fails for too long or is lost, end the run."""
        held_until = self._clock.monotonic() + LEASE_SEC
        while not (await asyncio.wait([run], timeout=RENEW_SEC))[0]:
            try:
                until = self._clock.now() + timedelta(seconds=LEASE_SEC)
                sql = "UPDATE jobs SET lease_until = %(until)s WHERE id = %(id)s AND lease = %(lease)s"
                if not await self._settle(job, sql, {"until": until}):
                    run.cancel()
                held_until = self._clock.monotonic() + LEASE_SEC
            except DATABASE_AWAY:
                if self._clock.monotonic() + RENEW_SEC >= held_until:
                    run.cancel()

    async def _failed(self, job: _Taken, error: str, *, final: bool) -> None:
        now = self._clock.now()
        wait_sec = min(BACKOFF_MAX_SEC, 2.0 ** min(job.attempts - 1, 20)) * random.uniform(0.75, 1.25)  # noqa: S311
        values = {
            "error": error,
            "at": now + timedelta(seconds=wait_sec),
            "failed": now if final else None,
        }
        try:
            await self._settle(
                job,
                "UPDATE jobs SET lease = NULL, lease_until = NULL, last_error = %(error)s, run_at = %(at)s, failed_at = %(failed)s"
                " WHERE id = %(id)s AND lease = %(lease)s",
                values,
            )
        except pg.UniqueViolation:  # an equal job waits already: that one it will be
            await self._settle(job, "DELETE FROM jobs WHERE id = %(id)s AND lease = %(lease)s", {})

    async def _give_back(self, job: _Taken) -> None:
        sql = "UPDATE jobs SET lease = NULL, lease_until = NULL, attempts = attempts - 1 WHERE id = %(id)s AND lease = %(lease)s"
        with contextlib.suppress(*DATABASE_AWAY, pg.UniqueViolation):
            await self._settle(job, sql, {})

    async def _settle(self, job: _Taken, sql: str, values: dict[str, Any]) -> bool:
        async with self._database.everywhere() as connection:
            cursor = await connection.execute(sql, {**values, "id": job.id, "lease": job.lease})
            return cursor.rowcount == 1

    async def _repeat(self, name: str, every_sec: float, handler: PeriodicHandler) -> None:
        while True:
            try:
                if await self._my_turn(name, every_sec):
                    await handler()
            except DATABASE_AWAY as error:
                log.warning("periodic %s: %s", name, type(error).__name__)
            except Exception as error:
                log.exception("periodic %s: %s", name, type(error).__name__)
            await self._clock.sleep(every_sec / 4 * random.uniform(0.75, 1.25))  # noqa: S311

    async def _my_turn(self, name: str, every_sec: float) -> bool:
        now = self._clock.now()
        async with self._database.everywhere() as connection:
            cursor = await connection.execute(
                "INSERT INTO periodic_tasks AS p (name, last_run_at) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE"
                " SET last_run_at = excluded.last_run_at WHERE p.last_run_at <= %s",
                (name, now, now - timedelta(seconds=every_sec * 0.75)),
            )
            return cursor.rowcount == 1


def describe(error: BaseException) -> str:
    """For the log: our own words in full, of a foreign exception only the type (its text may hold an address with a password)."""
    if type(error).__module__.startswith("novavms"):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__
