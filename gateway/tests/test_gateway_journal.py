"""Journal and outbox: what is owed survives, is sent again, and stops being sent once acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from novavms_gateway.link.outbox import IN_FLIGHT_MAX, RESEND_AFTER_SEC, Outbox
from novavms_gateway.storage.journal import ClipFacts, ClipJob, Journal
from novavms_protocol import Applied, CameraStatus, ClipFailed, ClipReady, ClipState

pytestmark = pytest.mark.anyio

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GATEWAY = uuid4()


def job(clip_id: UUID) -> ClipJob:
    return ClipJob(
        clip_id=clip_id,
        event_id=uuid4(),
        camera_id=uuid4(),
        triggered_at=AT,
        duration_sec=15,
        pre_roll_sec=5,
        started_at=AT,
    )


def facts(**changed: Any) -> ClipFacts:
    plain: dict[str, Any] = {
        "size_bytes": 3,
        "sha256": "ab" * 32,
        "duration_sec": 20.0,
        "started_at": AT,
        "codec": "h264",
        "width": 640,
        "height": 360,
        "has_audio": True,
    }
    return ClipFacts(**plain | changed)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(tmp_path, gateway_id=GATEWAY)
    yield journal
    await journal.close()


def write_files(journal: Journal, clip_id: UUID) -> Path:
    path = journal.clip_path(clip_id)
    path.write_bytes(b"mp4")
    path.with_name(f"{path.name}.part").write_bytes(b"part")
    return path


async def test_a_clip_goes_through_its_life(journal: Journal) -> None:
    clip_id = uuid4()
    made, is_new = await journal.add(job(clip_id))
    assert is_new
    again, is_new = await journal.add(job(clip_id))
    assert (again, is_new) == (made, False)

    path = write_files(journal, clip_id)
    await journal.recorded(clip_id, facts(failure_reason="connection_lost"))
    clip = await journal.find(clip_id)
    assert clip is not None
    await journal.uploaded(clip, part_count=2)
    first, last = await journal.reports()
    assert first.body == ClipState(clip_id=clip_id, status="uploading")
    assert isinstance(last.body, ClipReady)
    assert (last.body.part_count, last.body.size_bytes, last.body.failure_reason) == (2, 3, "connection_lost")

    await journal.settle(first.id)
    assert path.exists(), "an acknowledged beginning is not the end"
    await journal.settle(last.id)
    await journal.settle(last.id)
    assert await journal.clips() == []
    assert await journal.reports() == []
    assert list(journal.clips_folder.iterdir()) == []


async def test_a_repeated_step_reports_once(journal: Journal) -> None:
    clip_id = uuid4()
    await journal.add(job(clip_id))
    for _ in range(2):
        await journal.failed(clip_id, "disk_full", "No space.")
    (report,) = await journal.reports()
    assert report.body == ClipFailed(clip_id=clip_id, reason="disk_full", message="No space.")


async def test_a_forgotten_clip_leaves_nothing_and_comes_to_nothing(journal: Journal) -> None:
    clip_id = uuid4()
    await journal.add(job(clip_id))
    write_files(journal, clip_id)
    await journal.forget(clip_id)
    await journal.recorded(clip_id, facts())  # the recording ended all the same
    assert await journal.clips() == []
    assert await journal.reports() == []
    assert list(journal.clips_folder.iterdir()) == []


async def test_a_clip_without_facts_is_never_recorded_or_uploaded(journal: Journal) -> None:
    """I2, held by the table itself."""
    import sqlite3

    clip_id = uuid4()
    await journal.add(job(clip_id))
    with pytest.raises(sqlite3.IntegrityError):
        await journal._database.run(lambda db: db.execute("UPDATE clip SET state = 'recorded'"))


async def test_everything_survives_a_restart_of_the_process(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, gateway_id=GATEWAY)
    old, new = uuid4(), uuid4()
    for clip_id in (old, new):
        await journal.add(job(clip_id))
    await journal.recorded(old, facts())
    await journal.set_applied_version(7)
    reports = await journal.reports()
    await journal.close()

    journal = await Journal.open(tmp_path, gateway_id=GATEWAY)
    assert [(clip.job.clip_id, clip.state) for clip in await journal.clips()] == [
        (old, "recorded"),
        (new, "recording"),
    ]
    assert await journal.reports() == reports
    assert await journal.applied_version() == 7
    await journal.close()

    journal = await Journal.open(tmp_path, gateway_id=uuid4())  # paired anew, as another gateway
    assert await journal.clips() == []
    assert await journal.reports() == []
    assert await journal.applied_version() is None
    await journal.close()


def status(camera_id: UUID, state: Any) -> CameraStatus:
    return CameraStatus(camera_id=camera_id, revision=1, status=state, at=AT)


async def test_only_the_newest_state_of_a_camera_waits(journal: Journal, manual_clock: Any) -> None:
    outbox = Outbox(journal, manual_clock)
    camera = uuid4()
    outbox.put_newest(f"camera:{camera}", status(camera, "online"))
    (sent,) = outbox.take_due()
    outbox.put_newest(f"camera:{camera}", status(camera, "offline"))
    await outbox.acknowledged(sent.id)  # of the state before: it must not take the newer one with it
    (newer,) = outbox.take_due()
    assert newer.body == status(camera, "offline")
    await outbox.acknowledged(newer.id)
    assert len(outbox) == 0


async def test_a_report_is_sent_again_until_acknowledged(journal: Journal, manual_clock: Any) -> None:
    outbox = Outbox(journal, manual_clock)
    clip_id = uuid4()
    await journal.add(job(clip_id))
    await journal.failed(clip_id, "disk_full", "")
    (report,) = outbox.take_due()
    assert outbox.take_due() == []
    outbox.begin_connection()
    assert outbox.take_due() == [report], "a new connection: the acknowledgement may have been lost"
    manual_clock.seconds += RESEND_AFTER_SEC
    assert outbox.take_due() == [report], "an acknowledgement that never came"

    reborn = Outbox(journal, manual_clock)
    await reborn.load()
    assert reborn.take_due() == [report], "a new process"
    await reborn.acknowledged(report.id)
    assert await journal.reports() == []
    assert await journal.clips() == []
    manual_clock.seconds += RESEND_AFTER_SEC
    assert reborn.take_due() == []


async def test_a_backlog_leaves_in_order_and_by_the_window(journal: Journal, manual_clock: Any) -> None:
    outbox = Outbox(journal, manual_clock)
    for version in range(IN_FLIGHT_MAX + 10):
        outbox.put_newest(f"key {version}", Applied(state_version=version))
    first = outbox.take_due()
    assert [report.body.state_version for report in first if isinstance(report.body, Applied)] == list(
        range(IN_FLIGHT_MAX)
    )
    assert outbox.take_due() == []
    await outbox.acknowledged(first[0].id)
    assert len(outbox.take_due()) == 1
    outbox.drop("key 73")
    assert len(outbox) == IN_FLIGHT_MAX + 10 - 2
