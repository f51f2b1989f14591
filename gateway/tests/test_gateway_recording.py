"""Continuous recording with a real gateway and a simulated camera: segments on disk, the ledger at the server, footage on demand."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import msgspec
import pytest
from nova_camera import as_rtsp
from nova_mp4 import decode

from novavms_gateway.recording import cutting
from novavms_gateway.storage.journal import ClipJob, Journal
from novavms_protocol import (
    CameraConfig,
    ClipReady,
    CutClip,
    ListSegments,
    RecordingPlan,
    SegmentInfo,
    SendMedia,
    SendThumbnails,
    Telemetry,
)
from novavms_simcam import SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Running = Callable[..., AbstractAsyncContextManager[None]]


def config(cam: SimCam, **plan: Any) -> CameraConfig:
    return as_rtsp(cam, recording=RecordingPlan(**{"mode": "continuous"} | plan))


async def test_footage_is_on_disk_listed_and_told(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    began = datetime.now(UTC)
    async with SimCam() as cam, gateway():
        camera = config(cam)
        await wait_until(lambda: server_side.connected)
        await server_side.desire(camera)
        await wait_until(lambda: len(list((data_dir / "recordings").rglob("*.mp4"))) >= 2, within_sec=40)
        await wait_until(lambda: any(row.kind == "span" for row in server_side.ledger()))
        ask = ListSegments(camera_id=camera.camera_id, start=began, end=began + timedelta(minutes=1))
        answer = await server_side.ask(ask)
        assert answer.ok, answer
        whole, growing = msgspec.convert(answer.result["segments"], list[SegmentInfo])
        (span,) = [row for row in server_side.ledger() if row.kind == "span"]
        assert (span.start, span.end, span.size_bytes) == (whole.start, whole.end, whole.size_bytes)
        assert (span.codec, span.width, span.has_audio) == ("h264", whole.width, True)
        assert growing.continues
        assert not growing.is_whole
        (file,) = (data_dir / "recordings").rglob(f"*-{whole.id}.mp4")
        assert hashlib.sha256(file.read_bytes()).hexdigest() == whole.sha256
        assert decode(file.read_bytes()).video_frames > 100
        telemetry = await wait_until(
            lambda: [t for t in server_side.bodies(Telemetry) if t.recording_cameras]
        )
        assert (telemetry[-1].storage_state, telemetry[-1].recording_cameras) == ("ok", 1)
    rest = next((data_dir / "recordings").rglob(f"*-{growing.id}.mp4"))
    assert decode(rest.read_bytes()).video_frames > 1, "ended in order"

    # A cut that was accepted and not begun when the box went down is cut at the next start.
    job = ClipJob(
        clip_id=uuid4(),
        event_id=uuid4(),
        camera_id=camera.camera_id,
        triggered_at=whole.start + timedelta(seconds=2),
        duration_sec=5.0,
        pre_roll_sec=0.0,
        started_at=whole.start,
        is_cut=True,
    )
    journal = await Journal.open(data_dir, gateway_id=server_side.gateway_id)
    await journal.add(job)
    await journal.close()
    async with gateway():
        ready = await wait_until(lambda: server_side.clip_end(job.clip_id))
        assert isinstance(ready, ClipReady)
        assert abs(ready.duration_sec - 5) < 0.2
        assert decode(server_side.stored(job.clip_id)).first_is_key
        assert server_side.hellos[-1].ledger_epoch == server_side.hellos[0].ledger_epoch


async def test_a_fresh_clip_waits_for_a_disk_that_is_behind(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "SETTLE_SEC", 0)  # as if the disk took three seconds more than usual
    async with SimCam() as cam, gateway():
        camera = await recorded(cam, server_side, wait_until, seconds=6)
        now = datetime.now(UTC)
        edges = {"start": now - timedelta(seconds=3), "end": now}
        cut = CutClip(clip_id=uuid4(), event_id=uuid4(), camera_id=camera.camera_id, **edges)
        assert (await server_side.ask(cut)).ok
        ready = await wait_until(lambda: server_side.clip_end(cut.clip_id))
        assert isinstance(ready, ClipReady), ready
        assert (abs(ready.duration_sec - 3) < 0.2, ready.gap_sec < 0.2) == (True, True), ready


async def recorded(cam: SimCam, server_side: Any, wait_until: Any, *, seconds: int) -> CameraConfig:
    """A camera that was recorded for so long, in segments of ten seconds."""
    camera = config(cam)
    await wait_until(lambda: server_side.connected)
    await server_side.desire(camera)
    await wait_until(lambda: server_side.status(camera.camera_id) is not None)
    online = server_side.status(camera.camera_id).at
    await wait_until(lambda: datetime.now(UTC) - online > timedelta(seconds=seconds), within_sec=seconds + 20)
    return camera


async def test_the_past_is_cut_into_clips_and_poured_out(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await recorded(cam, server_side, wait_until, seconds=14)
        now = datetime.now(UTC)
        cut = CutClip(
            clip_id=uuid4(),
            event_id=uuid4(),
            camera_id=camera.camera_id,
            start=now - timedelta(seconds=11),  # over the seam of two segments, the second still growing
            end=now - timedelta(seconds=1),
        )
        answer = await server_side.ask(cut)
        assert answer.ok, answer
        assert (await server_side.ask(cut)).result == answer.result, "the same order is the same clip"
        ready = await wait_until(lambda: server_side.clip_end(cut.clip_id))
        assert isinstance(ready, ClipReady), ready
        assert ready.failure_reason is None
        assert abs(ready.duration_sec - 10) < 0.2
        assert ready.gap_sec < 0.2
        seen = decode(server_side.stored(cut.clip_id))
        assert seen.monotonic
        assert seen.first_is_key
        assert seen.audio_frames > 0
        assert abs(seen.duration_sec - 10) < 1.2, "the reader counts from the key frame before"
        assert ready.sha256 == hashlib.sha256(server_side.stored(cut.clip_id)).hexdigest()
        await wait_until(lambda: list((data_dir / "clips").iterdir()) == [])

        long_ago = msgspec.structs.replace(
            cut, clip_id=uuid4(), start=now - timedelta(days=2), end=now - timedelta(days=2, seconds=-60)
        )
        assert (await server_side.ask(long_ago)).error == "no_footage"
        too_long = msgspec.structs.replace(cut, clip_id=uuid4(), start=now - timedelta(hours=3))
        assert (await server_side.ask(too_long)).error == "unsupported"
        await poured(server_side, camera, data_dir, wait_until, now)


async def poured(
    server_side: Any, camera: CameraConfig, data_dir: Path, wait_until: Any, now: datetime
) -> None:
    """Bytes of a segment, to a relay of the server."""
    ask = ListSegments(camera_id=camera.camera_id, start=now - timedelta(minutes=5), end=now, limit=1)
    answer = await server_side.ask(ask)
    assert answer.result["more"]
    (whole,) = msgspec.convert(answer.result["segments"], list[SegmentInfo])
    (file,) = (data_dir / "recordings").rglob(f"*-{whole.id}.mp4")
    content = file.read_bytes()
    media = SendMedia(
        segment_id=whole.id, offset_bytes=0, size_bytes=whole.size_bytes, url="/api/v1/relay/all"
    )
    assert (await server_side.ask(media)).ok
    assert await wait_until(lambda: server_side.relayed.get("all")) == content
    part = SendMedia(
        segment_id=whole.id, offset_bytes=1000, size_bytes=77, url=f"{server_side.url}/api/v1/relay/part"
    )
    assert (await server_side.ask(part)).ok
    assert await wait_until(lambda: server_side.relayed.get("part")) == content[1000:1077]
    hangs_up = msgspec.structs.replace(media, url="/api/v1/relay/hangs-up")
    assert (await server_side.ask(hangs_up)).ok
    assert (await server_side.ask(media)).ok, "whoever hung up is forgotten"
    beyond = msgspec.structs.replace(media, offset_bytes=whole.size_bytes)
    assert (await server_side.ask(beyond)).error == "unsupported"
    elsewhere = msgspec.structs.replace(media, url="https://192.0.2.1/api/v1/relay/x")
    assert (await server_side.ask(elsewhere)).error == "unsupported", "the token goes to our server only"
    times = [whole.start + timedelta(seconds=3), whole.start - timedelta(hours=1), now - timedelta(seconds=3)]
    strip = SendThumbnails(camera_id=camera.camera_id, times=times, width=160, url="/api/v1/relay/strip")
    answer = await server_side.ask(strip)
    assert answer.ok, answer
    first, none, last = answer.result["tiles"]
    assert none is None
    for asked, shown in ((times[0], first), (times[2], last)):
        assert timedelta(0) <= asked - datetime.fromisoformat(shown) < timedelta(seconds=2.5)
    with av.open(io.BytesIO(server_side.relayed["strip"])) as container:
        picture = next(container.decode(video=0)).reformat(format="gray")
    assert (picture.width, picture.height) == (480, answer.result["height"])
    rows = [bytes(picture.planes[0])[y * picture.planes[0].line_size :][:480] for y in range(picture.height)]
    black = {max(row[165:315]) for row in rows}
    assert max(black) < 20, "no footage: black"
    assert all(len({value for row in rows for value in row[x : x + 150]}) > 30 for x in (5, 325)), "pictures"
    too_many = msgspec.structs.replace(strip, times=times * 50)
    assert (await server_side.ask(too_many)).error == "unsupported"
    file.unlink()
    assert (await server_side.ask(media)).error == "gone"
    listed = await server_side.ask(ask)
    assert all(info["id"] != whole.id for info in listed.result["segments"])
    await wait_until(lambda: any(row.reason == "storage_lost" for row in server_side.ledger()))


async def test_a_camera_is_recorded_from_its_first_key_frame_on(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    """The next one may be ten seconds later."""
    async with SimCam() as first, SimCam() as cam, gateway():
        cam.set_fault("gop_10s")
        before = await recorded(first, server_side, wait_until, seconds=3)  # the volume is in use
        camera = config(cam)
        await server_side.desire(before, camera)
        await wait_until(lambda: server_side.status(camera.camera_id) is not None)
        online = server_side.status(camera.camera_id).at

        async def begun() -> datetime:
            while True:
                ask = ListSegments(
                    camera_id=camera.camera_id,
                    start=online - timedelta(minutes=1),
                    end=online + timedelta(minutes=1),
                )
                answer = await server_side.ask(ask)
                if answer.ok and answer.result["segments"]:
                    start: datetime = msgspec.convert(answer.result["segments"][0], SegmentInfo).start
                    return start
                await asyncio.sleep(0.2)

        async with asyncio.timeout(40):
            start = await begun()
        assert start - online < timedelta(seconds=5)


async def test_what_the_camera_does_is_in_the_ledger(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    """Unplugged, frozen, a changed password: each with its reason, told while it lasts."""
    async with SimCam() as cam, gateway():
        camera = await recorded(cam, server_side, wait_until, seconds=2)
        await cam.unplug()
        await wait_until(lambda: any(row.reason == "camera_offline" for row in server_side.ledger()))
        await cam.plug()
        await wait_until(lambda: server_side.status(camera.camera_id).status == "online")
        cam.freeze()
        await wait_until(lambda: any(row.reason == "frozen" for row in server_side.ledger()), within_sec=40)
        cam.thaw()
        for before, after in pairwise(server_side.ledger()):
            assert before.end == after.start


async def test_a_refused_login_is_in_the_ledger(gateway: Running, server_side: Any, wait_until: Any) -> None:
    async with SimCam() as cam, gateway():
        camera = msgspec.structs.replace(config(cam), password="wrong")
        await wait_until(lambda: server_side.connected)
        await server_side.desire(camera)
        await wait_until(lambda: [row.reason for row in server_side.ledger()] == ["auth"])
