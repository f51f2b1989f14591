"""The jobs' queue: with the commit, once or again, one at a time, also after a death."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from nova_wire import until

from novavms_server.jobs import KEPT, Housekeeping
from novavms_server.kit import jobs as queue
from novavms_server.kit.clock import SystemClock
from novavms_server.kit.database import Database
from novavms_server.kit.jobs import GiveUp, Jobs, defer

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


class Bench:
    """A database with one org, and a list of what ran."""

    def __init__(self, database: Database, org: UUID) -> None:
        self.database = database
        self.org = org
        self.ran: list[Any] = []
        self.made: list[Jobs] = []

    def jobs(self, **options: Any) -> Jobs:
        made = Jobs(self.database, SystemClock(), **options)
        self.made.append(made)
        return made

    async def note(self, org_id: UUID, args: dict[str, Any]) -> None:
        assert org_id == self.org
        self.ran.append(args.get("n"))

    async def put(self, task: str, **args: Any) -> None:
        async with self.database.org(self.org) as connection:
            await defer(connection, task, org_id=self.org, **args)

    async def rows(self) -> list[Any]:
        async with self.database.everywhere() as connection:
            cursor = await connection.execute(
                "SELECT task, attempts, last_error, failed_at IS NOT NULL FROM jobs"
            )
            return await cursor.fetchall()

    async def none_left(self) -> None:
        async def empty() -> bool:
            return not await self.rows()

        await until(empty)


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    database = Database(database_url)
    await database.open()
    org = uuid4()
    async with database.everywhere() as connection:
        await connection.execute("INSERT INTO orgs (id, name) VALUES (%s, 'o')", (org,))
    made = Bench(database, org)
    yield made
    for jobs in made.made:
        await jobs.stop()
    await database.close()


async def test_a_job_is_of_its_transaction(bench: Bench) -> None:
    jobs = bench.jobs()
    jobs.task("note", bench.note)
    async with bench.database.org(bench.org) as connection:
        await defer(connection, "note", org_id=bench.org, n="lost")
        raise psycopg.Rollback
    await bench.put("note", n="kept")
    jobs.start()
    await bench.none_left()
    assert bench.ran == ["kept"]


async def test_another_orgs_jobs_are_out_of_reach(bench: Bench) -> None:
    other = uuid4()
    async with bench.database.everywhere() as connection:
        await connection.execute("INSERT INTO orgs (id, name) VALUES (%s, 'p')", (other,))
    await bench.put("note", n=1)
    async with bench.database.org(other) as connection:
        cursor = await connection.execute("DELETE FROM jobs")
        assert cursor.rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with bench.database.org(other) as connection:
            await defer(connection, "note", org_id=bench.org, n=2)


async def test_a_failed_job_runs_again_later_and_tells_no_secret(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(queue, "BACKOFF_MAX_SEC", 0.01)
    jobs = bench.jobs()

    async def flaky(org_id: UUID, args: dict[str, Any]) -> None:
        bench.ran.append(args["n"])
        if len(bench.ran) < 3:
            raise OSError("rtsp://admin:hunter2@192.0.2.1/")

    jobs.task("flaky", flaky)
    await bench.put("flaky", n=1)
    jobs.start()
    await bench.none_left()
    assert bench.ran == [1, 1, 1]
    assert "hunter2" not in caplog.text
    assert "OSError" in caplog.text


async def test_a_task_that_waits_for_others_leaves_workers_to_the_rest(bench: Bench) -> None:
    jobs, let_go, running = bench.jobs(workers=3), asyncio.Event(), 0

    async def wait(org_id: UUID, args: dict[str, Any]) -> None:
        nonlocal running
        running += 1
        assert running <= 2
        await let_go.wait()
        running -= 1
        await bench.note(org_id, args)

    jobs.task("wait", wait, at_once=2)
    jobs.task("note", bench.note)
    for n in range(5):
        await bench.put("wait", n=n)
    await bench.put("note", n="quick")
    jobs.start()

    async def quick_is_done() -> bool:
        return bool(bench.ran) and running == 2

    await until(quick_is_done)
    assert (bench.ran, running) == (["quick"], 2)
    let_go.set()
    await bench.none_left()
    assert len(bench.ran) == 6


async def test_a_hopeless_job_stays_as_failed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "BACKOFF_MAX_SEC", 0.01)
    jobs = bench.jobs()

    async def hopeless(org_id: UUID, args: dict[str, Any]) -> None:
        raise GiveUp("no such camera") if args["n"] == "give up" else ValueError

    jobs.task("hopeless", hopeless, max_attempts=2)
    await bench.put("hopeless", n="give up")
    await bench.put("hopeless", n="twice")
    jobs.start()

    async def both() -> bool:
        return all(failed for *_, failed in await bench.rows())

    await until(both)
    assert sorted(await bench.rows()) == [
        ("hopeless", 1, "GiveUp", True),
        ("hopeless", 2, "ValueError", True),
    ]


async def test_of_one_lock_one_runs_at_a_time_on_all_servers(bench: Bench) -> None:
    running: dict[str, int] = {}
    most: dict[str, int] = {}

    async def busy(org_id: UUID, args: dict[str, Any]) -> None:
        lock = args["of"]
        running[lock] = running.get(lock, 0) + 1
        most[lock] = max(most.get(lock, 0), running[lock])
        for _ in range(5):
            await asyncio.sleep(0)
        async with bench.database.org(org_id) as connection:
            await connection.execute("SELECT pg_sleep(0.02)")
        running[lock] -= 1
        bench.ran.append(lock)

    for number in range(12):
        await bench.put("busy", lock=f"camera:{number % 2}", of=str(number % 2))
    for _ in range(2):
        jobs = bench.jobs()
        jobs.task("busy", busy)
        jobs.start()
    await bench.none_left()
    assert len(bench.ran) == 12
    assert most == {"0": 1, "1": 1}


async def test_equal_jobs_wait_as_one(bench: Bench) -> None:
    jobs = bench.jobs()
    jobs.task("note", bench.note)
    for number in range(3):
        await bench.put("note", queueing_lock="a", n=number)
    await bench.put("note", queueing_lock="b", n="b")
    await bench.put("note", run_at=datetime.now(UTC) + timedelta(hours=1), n="later")
    jobs.start()

    async def one_left() -> bool:
        return len(await bench.rows()) == 1

    await until(one_left)
    assert sorted(bench.ran, key=str) == [0, "b"]


async def test_a_dead_servers_job_runs_again(bench: Bench) -> None:
    await bench.put("note", lock="camera:1", n=1)
    async with (
        bench.database.everywhere() as connection
    ):  # as a server leaves it that was killed in the middle
        await connection.execute(
            "UPDATE jobs SET lease = %s, lease_until = now() - interval '1 s', attempts = 1", (uuid4(),)
        )
    jobs = bench.jobs()
    jobs.task("note", bench.note)
    jobs.start()
    await bench.none_left()
    assert bench.ran == [1]


async def test_a_stopping_server_gives_its_job_back(bench: Bench) -> None:
    begun = asyncio.Event()

    async def endless(org_id: UUID, args: dict[str, Any]) -> None:
        begun.set()
        await asyncio.Event().wait()

    first = bench.jobs()
    first.task("note", endless)
    first.start()
    await bench.put("note", n=1)
    first.nudge()
    async with asyncio.timeout(10):
        await begun.wait()
    await first.stop()
    second = bench.jobs()
    second.task("note", bench.note)
    second.start()
    await bench.none_left()
    assert bench.ran == [1]


async def test_a_lost_lease_ends_the_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "RENEW_SEC", 0.02)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(org_id: UUID, args: dict[str, Any]) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    jobs = bench.jobs(workers=1)
    jobs.task("endless", endless)
    jobs.task("note", bench.note)
    jobs.start()
    await bench.put("endless")
    async with asyncio.timeout(10):
        await begun.wait()
        async with bench.database.everywhere() as connection:
            await connection.execute("UPDATE jobs SET lease = %s", (uuid4(),))
        await ended.wait()
    await bench.put("note", n="the worker lives")

    async def noted() -> bool:
        return bench.ran == ["the worker lives"]

    await until(noted)


async def test_a_periodic_task_runs_on_one_server(bench: Bench) -> None:
    async def tidy() -> None:
        bench.ran.append("tidy")

    for _ in range(3):
        jobs = bench.jobs()
        jobs.task("note", bench.note)
        jobs.periodic("tidy", 1000.0, tidy)
        jobs.start()
    await bench.put("note", n="done")

    async def done() -> bool:
        return len(bench.ran) >= 2

    await until(done)
    assert sorted(bench.ran) == ["done", "tidy"]


async def test_housekeeping_keeps_the_young_and_drops_the_old(bench: Bench) -> None:
    now = datetime.now(UTC)
    async with bench.database.everywhere() as connection:
        for age in (timedelta(hours=1), timedelta(days=40)):
            await connection.execute(
                "INSERT INTO login_attempts (email_hash, at) VALUES ('\\x00', %s)", (now - age,)
            )
            await connection.execute(
                "INSERT INTO idempotency_keys (org_id, caller, key, request_hash, created_at) VALUES (%s, 'c', %s, '\\x00', %s)",
                (bench.org, str(age), now - age),
            )
            await connection.execute(
                "INSERT INTO gateway_reports (org_id, gateway_id, id, at) VALUES (%s, %s, %s, %s)",
                (bench.org, uuid4(), uuid4(), now - age),
            )
            await connection.execute(
                "INSERT INTO jobs (org_id, id, task, failed_at) VALUES (%s, %s, 't', %s)",
                (bench.org, uuid4(), now - age),
            )
    await bench.put("waiting")
    await Housekeeping(bench.database, SystemClock()).run()
    async with bench.database.everywhere() as connection:
        for table, left in (
            ("login_attempts", 1),
            ("idempotency_keys", 1),
            ("gateway_reports", 1),
            ("jobs", 2),
        ):
            assert table in KEPT
            cursor = await connection.execute(f"SELECT count(*) FROM {table}")
            assert (await cursor.fetchone())[0] == left, table
