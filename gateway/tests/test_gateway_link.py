"""The socket to the server: what is said, what is said again, and how long it waits before it comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.clock import SystemClock
from novavms_gateway.link.client import Link
from novavms_gateway.link.outbox import Outbox
from novavms_gateway.link.requests import RUNNING_MAX, Progress, RequestRefusedError
from novavms_gateway.storage.journal import ClipJob, Journal
from novavms_protocol import (
    PROTOCOL_VERSION,
    Ack,
    Applied,
    ClipFailed,
    DesiredState,
    ForgetClip,
    GatewayFacts,
    Goodbye,
    Hello,
    Ping,
    Request,
    Snapshot,
)

pytestmark = pytest.mark.anyio


class Side:
    """The gateway's side with nothing behind it: a link, an outbox, a journal."""

    def __init__(self, journal: Journal, server_side: Any, clock: Any) -> None:
        self.journal = journal
        self.states: list[tuple[int, bool]] = []
        self.asked: list[Any] = []
        self.release = asyncio.Event()
        self.clock = clock
        self.outbox = Outbox(journal, clock)
        self.link = Link(
            server_side.identity(),
            station=self,
            handler=self.serve,
            outbox=self.outbox,
            clock=clock,
            backoff=Backoff(draw=lambda: 1.0)
            if clock is not SYSTEM
            else Backoff(first_sec=0.01, cap_sec=0.05),
            user_agent="test",
        )

    async def hello(self) -> Hello:
        return Hello(protocol=PROTOCOL_VERSION, version="1", facts=GatewayFacts(), backlog=len(self.outbox))

    def desired_state(self, state: DesiredState, *, first: bool) -> None:
        self.states.append((state.version, first))

    async def serve(self, request: Request, progress: Progress) -> dict[str, Any]:
        self.asked.append(request.body)
        match request.body:
            case Snapshot(width=1):
                raise RequestRefusedError("unknown_camera", "no such camera")
            case Snapshot(width=2):
                raise ZeroDivisionError
            case Snapshot(width=3):
                await self.release.wait()
            case Snapshot(width=4):
                for number in range(20):
                    progress({"number": number})
            case Snapshot(width=5):
                return {"jpeg": "x" * 2_000_000}
        return {"fine": True}

    async def clip_failed(self) -> UUID:
        clip_id, now = uuid4(), SYSTEM.now()
        await self.journal.add(
            ClipJob(
                clip_id=clip_id,
                event_id=uuid4(),
                camera_id=uuid4(),
                triggered_at=now,
                duration_sec=5,
                pre_roll_sec=5,
                started_at=now,
            )
        )
        await self.journal.failed(clip_id, "disk_full", "")
        return clip_id

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.link.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


SYSTEM = SystemClock()


@pytest.fixture
async def journal(tmp_path: Path, server_side: Any) -> AsyncIterator[Journal]:
    journal = await Journal.open(tmp_path, gateway_id=server_side.gateway_id)
    yield journal
    await journal.close()


@pytest.fixture
def side(journal: Journal, server_side: Any) -> Side:
    return Side(journal, server_side, SYSTEM)


async def test_hello_is_answered_and_then_reports_flow(side: Side, server_side: Any, wait_until: Any) -> None:
    server_side.greet = False
    side.outbox.put_newest("applied", Applied(state_version=1))
    async with side.running():
        await wait_until(lambda: server_side.hellos)
        server_side.greet = True
        server_side.drop_sockets()  # that one never greeted: nothing may have been told to it
        await wait_until(lambda: server_side.reports)
        assert len(server_side.hellos) == 2
        assert server_side.hellos[0].backlog == 1
        await server_side.desire()
        await wait_until(lambda: len(side.states) == 2)
        assert side.states == [(1, True), (2, False)]
        assert side.link.connected
        await server_side.send(Ping(nonce=3))
        await wait_until(lambda: server_side.pongs == 1)


async def test_reports_come_again_until_acknowledged_and_then_no_more(
    side: Side, server_side: Any, wait_until: Any
) -> None:
    server_side.ack = lambda report: False
    clip_id = await side.clip_failed()
    async with side.running():
        for round_number in range(1, 4):
            await wait_until(lambda number=round_number: len(server_side.reports) == number)
            server_side.drop_sockets()
        await wait_until(lambda: len(server_side.reports) == 4)
        assert {report.id for report in server_side.reports} == {server_side.reports[0].id}
        assert server_side.reports[0].body == ClipFailed(clip_id=clip_id, reason="disk_full")
        await server_side.send(Ack(id=server_side.reports[0].id))
        await wait_until(lambda: len(side.outbox) == 0)
        server_side.drop_sockets()
        await wait_until(lambda: len(server_side.hellos) == 5)
        side.outbox.put_newest("applied", Applied(state_version=9))
        await wait_until(lambda: server_side.bodies(Applied))
    assert len(server_side.bodies(ClipFailed)) == 4
    assert await side.journal.clips() == []


async def test_a_refused_report_is_not_sent_for_ever(side: Side, server_side: Any, wait_until: Any) -> None:
    server_side.ack = lambda report: False
    await side.clip_failed()
    async with side.running():
        (report,) = await wait_until(lambda: list(server_side.reports))
        await server_side.send(Ack(id=report.id, refused="unknown_clip"))
        await wait_until(lambda: len(side.outbox) == 0)


async def test_a_journal_that_cannot_be_written_does_not_end_the_link(
    side: Side, server_side: Any, wait_until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server_side.ack = lambda report: False
    await side.clip_failed()
    async with side.running():
        (report,) = await wait_until(lambda: list(server_side.reports))
        await side.journal._database.run(lambda db: db.execute("PRAGMA query_only = ON"))
        await server_side.send(Ack(id=report.id))
        await wait_until(lambda: "journal not writable" in caplog.text)
        await side.journal._database.read(lambda db: db.execute("PRAGMA query_only = OFF"))
        assert (await server_side.ask(ForgetClip(clip_id=uuid4()))).ok
        assert len(server_side.hellos) == 1
    assert await side.journal.reports() == [report], "still on disk, for the next start"


async def test_every_request_gets_exactly_one_reply(side: Side, server_side: Any, wait_until: Any) -> None:
    camera = uuid4()
    async with side.running():
        await wait_until(lambda: server_side.connected)
        assert (await server_side.ask(ForgetClip(clip_id=uuid4()))).result == {"fine": True}
        refused = await server_side.ask(Snapshot(camera_id=camera, width=1))
        assert (refused.ok, refused.error, refused.message) == (False, "unknown_camera", "no such camera")
        broken = await server_side.ask(Snapshot(camera_id=camera, width=2))
        assert (broken.ok, broken.error) == (False, "internal")
        late = await server_side.ask(Snapshot(camera_id=camera, width=3), timeout_sec=0.05)
        assert (late.ok, late.error) == (False, "internal")
        assert "in time" in late.message
        assert (await server_side.ask(Snapshot(camera_id=camera, width=4))).ok
        large = await server_side.ask(Snapshot(camera_id=camera, width=5))
        assert (large.ok, large.error) == (False, "internal"), "the server would end the connection over it"
        assert [progress.stage["number"] for progress in server_side.progress] == list(range(20))


async def test_more_requests_than_a_box_can_do_are_refused(
    side: Side, server_side: Any, wait_until: Any
) -> None:
    requests = [
        Request(id=uuid4(), timeout_sec=30, body=Snapshot(camera_id=uuid4(), width=3))
        for _ in range(RUNNING_MAX + 2)
    ]
    async with side.running():
        await wait_until(lambda: server_side.connected)
        for request in requests:
            await server_side.send(request)
        await wait_until(lambda: len(server_side.replies) == 2)
        assert {reply.error for reply in server_side.replies.values()} == {"busy"}
        side.release.set()
        await wait_until(lambda: len(server_side.replies) == len(requests))


async def test_what_a_newer_server_says_is_skipped_or_answered_unsupported(
    side: Side, server_side: Any, wait_until: Any
) -> None:
    request_id = uuid4()

    async with side.running():
        await wait_until(lambda: server_side.connected)
        for text in ("{", "[]", '{"type":"poem"}', '{"type":"request","id":"x","body":{"type":"sing"}}'):
            await server_side.send_text(text)
        await server_side.send_text(
            f'{{"type":"request","id":"{request_id}","timeout_sec":5,"body":{{"type":"sing"}}}}'
        )
        await wait_until(lambda: server_side.replies)
        assert server_side.replies[request_id].error == "unsupported"
        assert len(server_side.hellos) == 1


async def test_a_revoked_gateway_says_so_and_tries_slowly(
    journal: Journal,
    server_side: Any,
    manual_clock: Any,
    wait_until: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server_side.refuse_socket = 401
    side = Side(journal, server_side, manual_clock)
    async with side.running():
        await wait_until(lambda: manual_clock.slept)
        manual_clock.advance(59)
        assert manual_clock.slept == [60.0]
        manual_clock.advance(1)
        await wait_until(lambda: len(manual_clock.slept) == 2)
    assert manual_clock.slept == [60.0, 60.0]
    assert "does not accept this gateway" in caplog.text
    assert server_side.hellos == []


async def test_a_replaced_gateway_steps_back(
    journal: Journal, server_side: Any, manual_clock: Any, wait_until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    side = Side(journal, server_side, manual_clock)
    async with side.running():
        await wait_until(lambda: side.states)
        await server_side.send(Goodbye(reason="replaced"))
        server_side.drop_sockets()
        await wait_until(lambda: 60.0 in manual_clock.slept)
    assert "another box uses this gateway's identity" in caplog.text


async def test_waits_grow_while_the_server_is_away_and_start_anew_once_it_held(
    journal: Journal, serving: Any, server_side: Any, manual_clock: Any, wait_until: Any
) -> None:
    other = type(server_side)(gateway_id=server_side.gateway_id)
    async with serving(other):
        pass  # its port is closed now
    manual_clock.runs = True
    side = Side(journal, other, manual_clock)
    async with side.running():
        await wait_until(lambda: len(manual_clock.slept) >= 8)
        assert manual_clock.slept[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
        manual_clock.runs = False
        await wait_until(lambda: manual_clock.waiting)
        port = int(other.url.rpartition(":")[2])
        async with serving(other, port=port):
            waits = len(manual_clock.slept)
            manual_clock.advance(60)
            await wait_until(lambda: side.link.connected)
            other.drop_sockets()  # at once: that server is not well
            await wait_until(lambda: manual_clock.slept[waits:].count(60.0) == 1)
            manual_clock.advance(60)
            await wait_until(lambda: side.link.connected)
            manual_clock.advance(15)
            waits = len(manual_clock.slept)
            other.drop_sockets()
            await wait_until(lambda: 1.0 in manual_clock.slept[waits:])


async def test_a_server_that_shuts_down_is_not_stormed(
    journal: Journal, server_side: Any, manual_clock: Any, wait_until: Any
) -> None:
    side = Side(journal, server_side, manual_clock)
    async with side.running():
        await wait_until(lambda: side.states)
        manual_clock.advance(15)
        await server_side.send(Goodbye(reason="shutting_down"))
        server_side.drop_sockets()
        await wait_until(lambda: 4.0 in manual_clock.slept)


async def test_a_silent_line_is_asked_and_then_given_up(
    journal: Journal, server_side: Any, manual_clock: Any, wait_until: Any
) -> None:
    side = Side(journal, server_side, manual_clock)
    async with side.running():
        await wait_until(lambda: side.states)
        manual_clock.advance(20)
        # Asked by a Ping and answered: heard again, so the next look is a full wait away.
        await wait_until(lambda: side.link._heard_at == manual_clock.seconds)
        server_side.send_nothing = True
        manual_clock.advance(20)
        await wait_until(lambda: server_side.pings == 2 and manual_clock.waiting)
        manual_clock.advance(20)
        await wait_until(lambda: 1.0 in manual_clock.slept)
        assert len(server_side.hellos) == 1


async def test_the_token_is_in_no_log(
    side: Side, server_side: Any, wait_until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="novavms_gateway")
    async with side.running():
        await wait_until(lambda: side.states)
        server_side.drop_sockets()
        await wait_until(lambda: len(side.states) == 2)
    assert "server away" in caplog.text
    assert "gw_test-token" not in caplog.text
