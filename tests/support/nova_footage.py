"""A gateway's ledger in few words, for tests of the server's end of recording."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import imageio_ffmpeg
import msgspec
from nova_gateway import ScriptedGateway
from nova_world import World

from novavms_protocol import LedgerRow, LedgerUpdate, ListSegments, SegmentInfo, SendMedia


def now() -> datetime:
    return datetime.now(UTC)


async def add_camera(world: World, gateway: ScriptedGateway, **more: Any) -> UUID:
    """An RTSP camera of the gateway, added over HTTP; as old as two years."""
    body = {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": "Door", "type": "rtsp"},
        **{"rtsp_url": "rtsp://192.0.2.11:554/s1", **more},
    }
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    camera_id = UUID(made.json()["id"])
    await world.sql("UPDATE cameras SET created_at = now() - interval '2 years' WHERE id = %s", camera_id)
    return camera_id


class Telling:
    """Rows of one camera's ledger with ids and sequence numbers of their own."""

    def __init__(self, camera_id: UUID, first_id: int = 1) -> None:
        self.camera_id = camera_id
        self.id = first_id - 1
        self.seq = 0

    def row(self, kind: str, start: datetime, end: datetime, **more: Any) -> LedgerRow:
        self.id += 1
        self.seq += 1
        facts: dict[str, Any] = {
            "id": self.id,
            "seq": self.seq,
            "camera_id": self.camera_id,
            "stream": "main",
        }
        if kind == "span":
            facts |= {"size_bytes": 1000, "codec": "h264", "width": 1920, "height": 1080, "has_audio": True}
        else:
            facts |= {"reason": "camera_offline"}
        return LedgerRow(kind=kind, start=start, end=end, **{**facts, **more})  # type: ignore[arg-type]


def update(
    epoch: UUID, rows: Sequence[LedgerRow], as_of: datetime | None = None, **more: Any
) -> LedgerUpdate:
    return LedgerUpdate(
        epoch=epoch,
        rows=list(rows),
        through_seq=more.pop("through_seq", max((row.seq for row in rows), default=0)),
        as_of=as_of or now(),
        **more,
    )


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


# ---- files of segments, and a gateway that sends them


PIECE_BYTES = 8192


@dataclass
class File:
    """A segment's file, as a gateway has it."""

    info: SegmentInfo
    data: bytes


def cut_files(
    folder: Path, source: Path, start: datetime, *, width: int | None = None, first_id: int = 1
) -> list[File]:
    """`source` in segments of fragmented MP4 of about 2 s, made by ffmpeg; with `width` encoded anew, as of another session."""
    folder.mkdir(parents=True)
    coding = ["-c", "copy"]
    if width is not None:
        coding = [
            *("-vf", f"scale={width}:-2", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-bf", "0"),
            *("-c:a", "copy"),
        ]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-t", "8", "-i", str(source), *coding]
    subprocess.run(
        [
            *command,
            "-f",
            "hls",
            "-hls_time",
            "2",
            "-hls_list_size",
            "0",
            "-hls_segment_type",
            "fmp4",
            str(folder / "list.m3u8"),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    init = (folder / "init.mp4").read_bytes()
    lines = (folder / "list.m3u8").read_text().splitlines()
    lengths = [float(line[8:].rstrip(",")) for line in lines if line.startswith("#EXTINF:")]
    files, at = [], start
    for index, length in enumerate(lengths):
        data = init + (folder / f"list{index}.m4s").read_bytes()
        until = at + timedelta(seconds=length)
        info = SegmentInfo(
            **{"id": first_id + index, "stream": "main", "start": at, "end": until, "duration_sec": length},
            **{"size_bytes": len(data), "init_bytes": len(init), "codecs": "avc1.640028,mp4a.40.2"},
            **{"width": width or 768, "height": 432, "has_audio": True, "sha256": sha256(data).hexdigest()},
            continues=index > 0,
        )
        files.append(File(info, data))
        at = until
    return files


class Shelf:
    """What a gateway does with questions about its footage. `pace`: awaited before each piece that is sent; `sent`: what became
    of each transfer."""

    def __init__(self, world: World, files: Sequence[File]) -> None:
        self.world = world
        self.files = {file.info.id: file for file in files}
        self.token = ""
        self.asked: list[Any] = []
        self.sent: list[int | str] = []
        self.refuse: str | None = None
        self.most = 3
        self.pace: Callable[[], Awaitable[None]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, body: Any) -> dict[str, Any] | str:
        self.asked.append(body)
        if self.refuse is not None:
            return self.refuse
        if isinstance(body, ListSegments):
            found = [
                file.info
                for file in self.files.values()
                if file.info.start < body.end and file.info.end > body.start
            ]
            shown = [msgspec.to_builtins(info) for info in found[: self.most]]
            return {"segments": shown, "more": len(found) > self.most}
        if isinstance(body, SendMedia):
            if body.segment_id not in self.files:
                return "gone"
            task = asyncio.create_task(self.put(body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return {}
        return "unsupported"

    async def put(self, ask: SendMedia) -> None:
        data = self.files[ask.segment_id].data[ask.offset_bytes : ask.offset_bytes + ask.size_bytes]

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(data), PIECE_BYTES):
                if self.pace is not None:
                    await self.pace()
                yield data[at : at + PIECE_BYTES]

        client = self.world.client(token=self.token)
        try:
            answer = await client.put(
                ask.url, content=pieces(), headers={"Content-Length": str(ask.size_bytes)}
            )
            self.sent.append(answer.status_code)
        except httpx.HTTPError as error:
            self.sent.append(type(error).__name__)

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
