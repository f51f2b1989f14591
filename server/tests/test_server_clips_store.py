"""The stores, and links into ours: signatures, expiry, byte ranges, exact sizes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from nova_recorder import add_camera
from nova_world import World, make_world
from obstore.store import MemoryStore, S3Store

from novavms_server.clips import serving
from novavms_server.clips.errors import LinkRefused, RangeNotSatisfiable, StoreAway, WrongSize
from novavms_server.clips.links import Links
from novavms_server.clips.ranges import wanted
from novavms_server.clips.store import Store, clip_key
from novavms_server.clips.store_cloud import CloudStore
from novavms_server.clips.store_local import LocalStore
from novavms_server.clips.stores import make_store
from novavms_server.kit.clock import SystemClock
from novavms_server.kit.ids import new_id
from novavms_server.kit.seal import Sealer
from novavms_server.settings import Settings, SettingsError

pytestmark = pytest.mark.anyio
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DATA = bytes(range(256)) * 4000


class Hands(SystemClock):
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


async def chunks(*given: bytes, fail: Exception | None = None) -> AsyncIterator[bytes]:
    for chunk in given:
        yield chunk
    if fail is not None:
        raise fail


async def content(store: Store, key: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in store.read(key, start, end)])


@pytest.fixture(params=["local", "cloud"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "cloud":
        return CloudStore(MemoryStore(), SystemClock())
    local = LocalStore(tmp_path / "store", Links(b"k" * 32, SystemClock()))
    await local.prepare(START)
    return local


async def test_an_object_is_put_found_read_listed_and_deleted(store: Store) -> None:
    await store.put("a/b/one.mp4", chunks(DATA[:1000], DATA[1000:]), size_bytes=len(DATA))
    found = await store.find("a/b/one.mp4")
    assert found is not None
    assert found.size_bytes == len(DATA)
    assert await content(store, "a/b/one.mp4", 0, len(DATA)) == DATA
    assert await content(store, "a/b/one.mp4", 500_000, 900_000) == DATA[500_000:900_000]
    await store.put("a/b/one.mp4", chunks(b"new"), size_bytes=3)
    await store.put("a/c/two", chunks(b"2"), size_bytes=1)
    assert [tuple(item) for item in await store.list_below("a/b/")] == [("a/b/one.mp4", 3)]
    assert await store.list_below("nothing/") == []
    await store.delete(["a/b/one.mp4", "a/b/never"])
    assert await store.find("a/b/one.mp4") is None
    assert await content(store, "a/c/two", 0, 1) == b"2"
    with pytest.raises(FileNotFoundError):
        await content(store, "a/b/one.mp4", 0, 3)


async def test_what_is_not_whole_is_not_there_at_all(store: Store) -> None:
    await store.put("k", chunks(b"old"), size_bytes=3)
    big = b"x" * 9_000_000
    for body, size in ((chunks(b"abc"), 4), (chunks(b"abcde"), 4), (chunks(big, big), len(big) * 2 + 1)):
        with pytest.raises(WrongSize):
            await store.put("k", body, size_bytes=size)
    with pytest.raises(LinkRefused):
        await store.put("k", chunks(big, big, fail=LinkRefused()), size_bytes=len(big) * 3)
    assert await content(store, "k", 0, 3) == b"old"
    if isinstance(store, LocalStore):
        assert list(store.path_of(".incoming".lstrip(".")).parent.glob(".incoming/*")) == []


async def test_a_folder_that_is_not_there_is_a_store_that_is_away(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "not mounted", Links(b"k" * 32, SystemClock()))
    with pytest.raises(StoreAway):
        await store.put("a/b", chunks(b"x"), size_bytes=1)
    with pytest.raises(StoreAway):
        await store.list_below("a/")
    with pytest.raises(StoreAway):
        await store.delete(["a/b"])
    assert not (tmp_path / "not mounted").exists()


async def test_footage_is_not_for_every_user_of_the_machine(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "clips", Links(b"k" * 32, SystemClock()))
    await store.prepare(datetime.now(UTC))
    assert (tmp_path / "clips").stat().st_mode & 0o777 == 0o700


async def test_a_start_removes_what_a_crash_left_and_nothing_else(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, Links(b"k" * 32, SystemClock()))
    await store.put("a/b", chunks(b"x"), size_bytes=1)
    (tmp_path / ".incoming" / "half").write_bytes(b"half")
    await store.prepare(datetime.now(UTC) - timedelta(hours=1))
    assert (tmp_path / ".incoming" / "half").exists(), "another server may be writing it now"
    await store.prepare(datetime.now(UTC) + timedelta(seconds=1))
    assert not (tmp_path / ".incoming" / "half").exists()
    assert await content(store, "a/b", 0, 1) == b"x"


async def test_cloud_links_are_the_stores_own(tmp_path: Path) -> None:
    s3 = S3Store("bucket", region="eu-west-1", access_key_id="AKIA", secret_access_key="s")
    link = await CloudStore(s3, SystemClock()).link(
        "PUT", "uploads/x/1", expires_at=datetime.now(UTC) + timedelta(hours=1), size_bytes=5
    )
    assert link.url.startswith("https://s3.eu-west-1.amazonaws.com/bucket/uploads/x/1?X-Amz-")
    sealer = Sealer(["A" * 43 + "="])
    for url in ("ftp://x/y", "http://x/y"):
        with pytest.raises(SettingsError):
            make_store(Settings(store_url=url), sealer, SystemClock())
    assert isinstance(make_store(Settings(store_url="s3://bucket/clips"), sealer, SystemClock()), CloudStore)
    local = make_store(Settings(store_url=f"file://{tmp_path}/a%20b"), sealer, SystemClock())
    assert isinstance(local, LocalStore)
    assert local.path_of("k") == tmp_path / "a b" / "k"


def test_a_link_is_good_for_one_thing_and_not_for_ever() -> None:
    clock = Hands()
    links = Links(b"k" * 32, clock, "https://vms.example.org/")
    url = links.make("GET", "clips/a.mp4", expires_at=START + timedelta(minutes=10)).url
    assert url.startswith("https://vms.example.org/api/v1/store/clips/a.mp4?expires=")
    query = dict(parse_qsl(urlsplit(url).query))
    good = {"expires": int(query["expires"]), "size_bytes": 0, "signature": query["signature"]}
    links.check("GET", "clips/a.mp4", **good)  # type: ignore[arg-type]
    for method, key, change in (
        ("PUT", "clips/a.mp4", {}),
        ("GET", "clips/b.mp4", {}),
        ("GET", "clips/a.mp4", {"expires": int(query["expires"]) + 1}),
        ("GET", "clips/a.mp4", {"size_bytes": 1}),
        ("GET", "clips/a.mp4", {"signature": ""}),
        ("GET", "clips/a.mp4", {"signature": "é" * 43}),
    ):
        with pytest.raises(LinkRefused):
            links.check(method, key, **{**good, **change})  # type: ignore[arg-type]
    with pytest.raises(LinkRefused):
        Links(b"j" * 32, clock).check("GET", "clips/a.mp4", **good)  # type: ignore[arg-type]
    clock.at = START + timedelta(minutes=9, seconds=59)
    links.check("GET", "clips/a.mp4", **good)  # type: ignore[arg-type]
    clock.at = START + timedelta(minutes=10)
    with pytest.raises(LinkRefused):
        links.check("GET", "clips/a.mp4", **good)  # type: ignore[arg-type]


def test_a_key_never_leaves_the_folder(tmp_path: Path) -> None:
    clock = Hands()
    links = Links(b"k" * 32, clock)
    store = LocalStore(tmp_path, links)
    for key in (
        "../secret.key",
        "clips/../../secret.key",
        "/etc/passwd",
        "",
        "a//b",
        ".incoming/x",
        "a\0b",
        "a\nb",
    ):
        with pytest.raises(FileNotFoundError):
            store.path_of(key)
        query = dict(parse_qsl(urlsplit(links.make("GET", key, expires_at=START + timedelta(1)).url).query))
        with pytest.raises(LinkRefused):
            links.check("GET", key, expires=int(query["expires"]), size_bytes=0, signature=query["signature"])


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=50-1000", (50, 100)),
        ("bytes= 0-0 , 20-29", (0, 30)),
        ("bytes=0-9,200-300", (0, 10)),
        ("Bytes=5-5", (5, 6)),
        ("items=0-9", None),
        ("bytes=9-5", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-9;x", None),
        ("bytes=" + ",".join(["0-0"] * 17), None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_ranges(header: str | None, found: tuple[int, int] | None) -> None:
    assert wanted(header, 100) == found


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=200-300,400-"])
def test_ranges_outside(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        wanted(header, 100)


@pytest.fixture
def browser(world: World) -> httpx.AsyncClient:
    return world.client(None)


async def _link(world: World, key: str, data: bytes) -> str:
    store = world.server.clips.store
    await store.put(key, chunks(data), size_bytes=len(data))
    return (await store.link("GET", key, expires_at=datetime.now(UTC) + timedelta(minutes=10))).url


async def test_a_player_reads_by_ranges(world: World, browser: httpx.AsyncClient) -> None:
    url = await _link(world, "clips/x/clip.mp4", DATA)
    whole = await browser.get(url)
    assert (whole.status_code, whole.content) == (200, DATA)
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-disposition"] == "inline"
    assert whole.headers["x-content-type-options"] == "nosniff"

    for asked, (start, end) in {
        "bytes=0-0": (0, 1),
        "bytes=300000-700000": (300_000, 700_001),
        "bytes=1023000-": (1_023_000, len(DATA)),
        "bytes=-24": (len(DATA) - 24, len(DATA)),
        "bytes=0-1,10-19": (0, 20),
    }.items():
        part = await browser.get(url, headers={"Range": asked})
        assert part.status_code == 206, asked
        assert part.content == DATA[start:end]
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(DATA)}"
        assert part.headers["content-length"] == str(end - start)

    outside = await browser.get(url, headers={"Range": f"bytes={len(DATA)}-"})
    assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{len(DATA)}")
    assert outside.json()["error"] == "range_not_satisfiable"
    head = await browser.head(url)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(DATA)), b"")
    tag = whole.headers["etag"]
    assert (await browser.get(url, headers={"If-None-Match": tag})).status_code == 304
    assert (await browser.get(url, headers={"Range": "bytes=0-1", "If-Range": tag})).status_code == 206
    assert (await browser.get(url, headers={"Range": "bytes=0-1", "If-Range": '"other"'})).status_code == 200


async def test_a_link_that_was_touched_is_refused(world: World, browser: httpx.AsyncClient) -> None:
    url = await _link(world, "clips/x/clip.mp4", b"secret")
    await _link(world, "clips/x/other.mp4", b"other")
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    for path, change in (
        (parts.path.replace("clip.mp4", "other.mp4"), {}),
        (parts.path, {"expires": str(int(query["expires"]) + 600)}),
        (parts.path, {"signature": query["signature"][:-1] + "_"}),
        (parts.path.replace("clip.mp4", "../x/clip.mp4"), {}),
    ):
        answer = await browser.get(f"{path.replace('..', '%2e%2e')}?{urlencode({**query, **change})}")
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden"), path
        assert b"secret" not in answer.content
    assert (await browser.put(url, content=b"x")).status_code == 400, "a link to read has no size"
    assert (await browser.get(parts.path)).status_code == 400
    late = world.server.clips.store
    old = (await late.link("GET", "clips/x/clip.mp4", expires_at=datetime.now(UTC))).url
    assert (await browser.get(old)).status_code == 403


async def test_a_part_is_exactly_as_long_as_its_link_says(world: World, browser: httpx.AsyncClient) -> None:
    store = world.server.clips.store
    size = 3_000_000  # more than the edge takes of any other body
    link = await store.link(
        "PUT", "uploads/x/1", expires_at=datetime.now(UTC) + timedelta(minutes=1), size_bytes=size
    )
    for body in (b"x" * (size - 1), b"x" * (size + 1)):
        assert (await browser.put(link.url, content=body)).status_code == 400
    too_long = chunks(b"x" * size, b"y")  # no Content-Length: found out while it comes
    assert (await browser.put(link.url, content=too_long)).status_code == 400
    assert await store.find("uploads/x/1") is None
    for _ in range(2):  # a repeat is fine
        assert (await browser.put(link.url, content=b"z" * size)).status_code == 204
    assert await content(store, "uploads/x/1", 0, 3) == b"zzz"
    bigger = link.url.replace(f"size={size}", f"size={size + 1}")
    assert (await browser.put(bigger, content=b"x" * (size + 1))).status_code == 403


async def test_a_body_that_stops_coming_is_ended(
    world: World, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_SILENCE_SEC", 0.1)
    store = world.server.clips.store
    link = await store.link(
        "PUT", "uploads/x/1", expires_at=datetime.now(UTC) + timedelta(minutes=1), size_bytes=10
    )
    never = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"12345"
        await never.wait()

    request = asyncio.create_task(browser.put(link.url, content=stalled()))
    folder = world.server.settings.data_dir / "clips" / ".incoming"
    async with asyncio.timeout(10):
        while not folder.is_dir() or list(folder.iterdir()):
            await asyncio.sleep(0.01)
    assert await store.find("uploads/x/1") is None
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)


async def test_a_link_ends_with_its_ten_minutes(database_url: str, tmp_path: Path) -> None:
    clock = Hands()
    clock.at = datetime.now(UTC)
    async with make_world(database_url, tmp_path, clock=clock) as world:
        store, key = world.server.clips.store, clip_key(world.org, new_id(), clock.at)
        await store.put(key, chunks(DATA), size_bytes=len(DATA))
        event_id, camera_id = new_id(), await add_camera(world, None)
        await world.sql(
            "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at) VALUES (%s, %s, %s, %s, 'motion', now())",
            *(world.org, event_id, camera_id, world.site),
        )
        await world.sql(
            "INSERT INTO clips (org_id, id, event_id, camera_id, status, asked_sec, pre_roll_sec, deadline_at, store_key, snapshot_at)"
            " VALUES (%s, %s, %s, %s, 'ready', 15, 5, now(), %s, now())",
            *(world.org, new_id(), event_id, camera_id, key),
        )
        answer = await world.client("viewer").get(f"/api/v1/events/{event_id}/clip")
        url, started = answer.headers["location"], clock.at
        for seconds, code in ((0, 200), (598, 200), (600, 403), (3600, 403)):
            clock.at = started + timedelta(seconds=seconds)
            got = await world.client(None).get(url)
            assert got.status_code == code, seconds
            assert (got.content == DATA) == (code == 200)
