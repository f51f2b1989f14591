"""Files: over cut connections, checked, in their place when they are whole and not before."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from nova_scripted import Asked, Reply, ScriptedServer

from novavms import AsyncClient, ClipFailedError, ConflictError, DownloadError, WaitTimeoutError

DATA = os.urandom(300_000)
TIME = "2026-03-01T12:00:00Z"


class Film:
    """A server with one clip: its event, its signed link, its file by ranges."""

    def __init__(self, server: ScriptedServer) -> None:
        server.handler = self.answer
        self.file: bytes = DATA
        self.clip: dict[str, Any] | None = {
            **{
                "id": "c",
                "status": "ready",
                "url": "/x",
                "duration_sec": 5,
                "gap_sec": 0,
                "size_bytes": len(DATA),
            },
            **{"sha256": hashlib.sha256(DATA).hexdigest(), "codec": "h264", "width": 1, "height": 1},
            **{"has_audio": False, "started_at": TIME, "failure_reason": None, "failure_message": None},
        }
        self.statuses: list[str] = []
        """Of the clip, one after another; then its own."""
        self.faults: list[Any] = []
        """Of the file's answers: cut after so many bytes, or a Reply."""
        self.asked: list[Asked] = []
        self.ranges = True

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/api/v1/events/e":
            if self.statuses and self.clip is not None:
                self.clip["status"] = self.statuses.pop(0)
            return Reply(200, json.dumps(self.event()).encode())
        if asked.path in ("/api/v1/events/e/clip", "/api/v1/events/e/snapshot"):
            return Reply(302, b"", {"location": "/store/clip.mp4?signature=s"})
        assert asked.path == "/store/clip.mp4"
        self.asked.append(asked)
        return self.piece(asked)

    def piece(self, asked: Asked) -> Reply:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Reply):
            return fault
        start = int(asked.headers.get("range", "bytes=0-")[6:-1]) if self.ranges else 0
        headers = {"etag": '"clip-1"', "accept-ranges": "bytes"}
        if "range" in asked.headers and self.ranges:
            headers["content-range"] = f"bytes {start}-{len(self.file) - 1}/{len(self.file)}"
        return Reply(206 if "content-range" in headers else 200, self.file[start:], headers, cut=fault)

    def event(self) -> dict[str, Any]:
        return {
            **{"id": "e", "camera_id": "k", "camera_name": "n", "camera_deleted": False, "site_id": "s"},
            **{
                "trigger_type": "manual",
                "triggered_at": TIME,
                "summary": None,
                "tags": [],
                "ai_status": "skipped",
            },
            **{"acknowledged": False, "starred": False, "snapshot_url": None, "clip": self.clip},
            **{"created_at": TIME, "updated_at": TIME},
        }


@pytest.fixture
def film(server: ScriptedServer) -> Film:
    return Film(server)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    return folder / "clip.mp4"


def fetch(ask: Any, target: Path, **options: Any) -> list[tuple[int, int | None]]:
    told: list[tuple[int, int | None]] = []
    found = ask(
        lambda client: client.events.download_clip("e", target, progress=lambda *now: told.append(now)),
        **options,
    )
    assert found == target
    return told


def test_a_clip_in_one_go(ask: Any, film: Film, target: Path) -> None:
    target.write_bytes(b"what was there")
    told = fetch(ask, target)
    assert target.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    assert [file.name for file in target.parent.iterdir()] == ["clip.mp4"]
    assert "authorization" not in film.asked[0].headers  # the link is all the credential there is


def test_a_cut_one_goes_on_where_it_broke(ask: Any, film: Film, target: Path) -> None:
    film.faults = [100_000, 50_000]
    told = fetch(ask, target)
    assert target.read_bytes() == DATA
    assert [asked.headers.get("range") for asked in film.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert film.asked[1].headers["if-range"] == '"clip-1"'
    assert [received for received, _ in told] == sorted(received for received, _ in told)


def test_a_server_without_ranges_starts_again(ask: Any, film: Film, target: Path) -> None:
    film.ranges = False
    film.faults = [100_000]
    fetch(ask, target)
    assert target.read_bytes() == DATA


def test_what_passes_is_asked_again_with_a_new_link(ask: Any, film: Film, target: Path) -> None:
    film.faults = [Reply(503), 1000, Reply(403), Reply(hang_up=True)]
    fetch(ask, target)
    assert target.read_bytes() == DATA


def test_bytes_that_are_wrong_are_fetched_anew(ask: Any, film: Film, target: Path) -> None:
    film.faults = [Reply(200, bytes(len(DATA)))]
    fetch(ask, target)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize(
    "wrong", [bytes(len(DATA)), DATA[:-1], DATA + b"more"], ids=["other", "short", "long"]
)
def test_a_file_that_stays_wrong_is_not_there(ask: Any, film: Film, target: Path, wrong: bytes) -> None:
    film.file = wrong
    target.write_bytes(b"what was there")
    with pytest.raises(DownloadError, match=r"clip\.mp4 could not be had whole"):
        fetch(ask, target, max_retries=1)
    assert target.read_bytes() == b"what was there"
    assert [file.name for file in target.parent.iterdir()] == ["clip.mp4"]


def test_without_a_sum_the_size_counts(ask: Any, film: Film, target: Path) -> None:
    assert film.clip is not None
    film.clip["sha256"] = None
    film.file = DATA[:-1]
    with pytest.raises(DownloadError, match="299999 bytes of 300000"):
        fetch(ask, target, max_retries=0)
    film.clip["size_bytes"] = None
    fetch(ask, target)
    assert target.read_bytes() == DATA[:-1]


def test_a_link_that_leads_nowhere_ends_it(ask: Any, film: Film, target: Path) -> None:
    film.faults = [Reply(404)] * 9
    with pytest.raises(DownloadError, match="HTTP 404"):
        fetch(ask, target)
    assert len(film.asked) == 4
    film.faults = [Reply(400)]
    with pytest.raises(DownloadError, match="HTTP 400"):
        fetch(ask, target)
    assert list(target.parent.iterdir()) == []


def test_a_progress_that_fails_ends_it_cleanly(ask: Any, film: Film, target: Path) -> None:
    def stop(received: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(lambda client: client.events.download_clip("e", target, progress=stop))
    assert list(target.parent.iterdir()) == []


def test_a_folder_is_not_a_file(ask: Any, film: Film, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        ask(lambda client: client.events.download_clip("e", tmp_path))
    assert film.asked == []


def test_a_picture(ask: Any, film: Film, target: Path) -> None:
    ask(lambda client: client.events.download_snapshot("e", str(target)))
    assert target.read_bytes() == DATA


def test_waiting_for_a_clip_and_saving_it(ask: Any, film: Film, target: Path, pauses: list[float]) -> None:
    film.statuses = ["recording", "uploading", "ready"]

    def both(client: Any) -> Any:
        if hasattr(client, "aclose"):
            return both_async(client)
        clip = client.events.wait_for_clip("e")
        return clip, clip.download(target)

    async def both_async(client: Any) -> Any:
        clip = await client.events.wait_for_clip("e")
        return clip, await clip.download(target)

    clip, path = ask(both)
    assert (clip.status, clip.size_bytes, path) == ("ready", len(DATA), target)
    assert target.read_bytes() == DATA
    assert len(pauses) == 2
    assert "source" not in repr(clip)
    assert set(clip.to_dict()) == set(film.clip or {})


def test_a_clip_that_will_not_be(ask: Any, film: Film) -> None:
    film.statuses = ["recording", "failed"]
    assert film.clip is not None
    film.clip["failure_message"] = "The disk was full."
    with pytest.raises(ClipFailedError, match="The disk was full") as raised:
        ask(lambda client: client.events.wait_for_clip("e"))
    assert raised.value.clip is not None
    film.statuses = ["recording"]
    with pytest.raises(WaitTimeoutError, match="is recording after 0 s"):
        ask(lambda client: client.events.wait_for_clip("e", timeout=0))
    film.clip = None
    with pytest.raises(ClipFailedError, match="no clip"):
        ask(lambda client: client.events.wait_for_clip("e"))


def test_a_clip_that_is_being_made_is_a_conflict(
    ask: Any, film: Film, server: ScriptedServer, target: Path
) -> None:
    server.say(200, film.event())
    server.say(409, {"error": "conflict", "message": "The clip is being made.", "request_id": "r"})
    with pytest.raises(ConflictError):
        fetch(ask, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.anyio
async def test_a_cancelled_one_leaves_nothing(film: Film, server: ScriptedServer, target: Path) -> None:
    film.faults = [Reply(silent=True)]
    options: Any = {"api_key": "sk_live_test", "base_url": server.url}
    async with httpx.AsyncClient(verify=False) as http, AsyncClient(http_client=http, **options) as client:
        task = asyncio.create_task(client.events.download_clip("e", target))
        while not film.asked:
            await asyncio.sleep(0)
        assert len(list(target.parent.iterdir())) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert list(target.parent.iterdir()) == []


def test_no_signature_is_in_the_log_and_other_addresses_are_as_ever(
    ask: Any, film: Film, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ask(lambda client: client.events.download_clip("e", tmp_path / "clip.mp4"))
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as other:
        other.get("http://other.example/?signature=of-theirs")
    assert film.asked[0].target.endswith("?signature=s")
    assert "/store/clip.mp4?… " in caplog.text
    assert "signature=s" not in caplog.text
    assert "signature=of-theirs" in caplog.text
