"""Exports made by hand, of footage that lies in files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from nova_segments import STARTED, Film, film
from nova_world import World

from novavms_camera.capture import SegmentFacts
from novavms_protocol import SegmentInfo
from novavms_server.exports.making import ExportMaker
from novavms_server.kit.ids import new_id
from novavms_server.kit.work import Work
from novavms_server.recordings.errors import FootageAway


def at(seconds: float) -> datetime:
    return STARTED + timedelta(seconds=seconds)


class Filmed:
    """The recordings of cameras, as files. `away`: why nothing can be had now."""

    def __init__(self) -> None:
        self.paths: dict[UUID, dict[int, Path]] = {}
        self.listed: dict[UUID, list[SegmentInfo]] = {}
        self.holes: list[tuple[datetime, datetime, str]] = []
        self.away: str | None = None
        self.reads: list[int] = []

    def keep(self, camera_id: UUID, paths: list[Path], facts: list[SegmentFacts]) -> None:
        self.paths[camera_id] = dict(enumerate(paths))
        self.listed[camera_id] = [
            SegmentInfo(
                id=number,
                stream="main",
                start=each.started_at,
                end=each.ended_at,
                duration_sec=2,
                size_bytes=each.size_bytes,
                init_bytes=each.init_bytes,
                codecs=each.format.codecs,
                width=64,
                height=64,
                has_audio=True,
                sha256=each.sha256,
            )
            for number, each in enumerate(facts)
        ]

    async def segments(
        self, work: Work, camera_id: UUID, start: datetime, end: datetime
    ) -> list[SegmentInfo]:
        if self.away:
            raise FootageAway(self.away, "The gateway is offline.")
        return [each for each in self.listed.get(camera_id, []) if each.end > start and each.start < end]

    async def read(self, work: Work, camera_id: UUID, segment: SegmentInfo) -> AsyncIterator[bytes]:
        self.reads.append(segment.id)
        data = self.paths[camera_id][segment.id].read_bytes()
        yield data[:1000]
        yield data[1000:]

    async def gaps(
        self, work: Work, camera_id: UUID, start: datetime, end: datetime
    ) -> list[tuple[datetime, datetime, str]]:
        return self.holes


def maker(world: World, footage: Filmed, folder: Path) -> ExportMaker:
    server = world.server
    return ExportMaker(
        database=server.database,
        store=server.clips.store,
        clock=server.clock,
        sealer=server.sealer,
        footage=footage,
        folder=folder,
    )


async def add_camera(world: World, name: str = "Dock") -> UUID:
    camera_id = new_id()
    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, connection_mode, name, type, host, port, status, serial)"
        " VALUES (%s, %s, %s, 'direct', %s, 'rtsp', '192.0.2.1', 554, 'offline', 'SN-1')",
        *(world.org, camera_id, world.site, name),
    )
    return camera_id


def play(camera: Film) -> None:
    camera.begin()
    camera.play(8)


async def filmed(
    world: World, tmp_path: Path, name: str = "Dock", script: Callable[[Film], None] = play
) -> tuple[UUID, Filmed]:
    camera_id, footage = await add_camera(world, name), Filmed()
    footage.keep(camera_id, *await film(tmp_path, script))
    return camera_id, footage


async def ask(world: World, *cameras: UUID, start: float = 1, end: float = 6, **more: Any) -> dict[str, Any]:
    body = {"camera_ids": [str(each) for each in cameras], "from": at(start).isoformat()}
    answer = await world.client("operator").post(
        "/api/v1/exports", json={**body, "to": at(end).isoformat(), **more}
    )
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def read(world: World, export_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await world.client("operator").get(f"/api/v1/exports/{export_id}")).json()
    return shown


async def download(world: World, tmp_path: Path, export: dict[str, Any]) -> Path:
    answer = await world.client("operator").get(export["url"], follow_redirects=True)
    assert answer.status_code == 200, answer.text
    path = tmp_path / export["file_name"]
    path.write_bytes(answer.content)
    return path
