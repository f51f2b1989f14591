"""The real disk, the volume's marker, and the command that makes one."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from novavms_gateway.kit.clock import SystemClock
from novavms_gateway.kit.disk import DiskReader, Inline, SystemDisk
from novavms_gateway.storage.identity import Identity, save_identity
from novavms_gateway.storage.volume import MARKER, Volume

pytestmark = pytest.mark.anyio


def volume(root: Path, **changed: object) -> Volume:
    made = {"gateway_id": uuid4(), "disk": SystemDisk(), "off_loop": Inline(), "clock": SystemClock()}
    return Volume(root, **made | changed)  # type: ignore[arg-type]


async def test_an_empty_folder_becomes_a_volume_once(tmp_path: Path) -> None:
    gateway_id, root = uuid4(), tmp_path / "footage"
    first, second = volume(root, gateway_id=gateway_id), volume(root, gateway_id=gateway_id)
    await first.open(None)
    assert first.is_usable
    assert (root.stat().st_mode & 0o077, (root / MARKER).stat().st_mode & 0o077) == (0, 0)
    await second.open(first.volume_id)
    assert second.volume_id == first.volume_id
    stranger = volume(root)
    await stranger.open(None)
    assert stranger.trouble == "of_another_gateway"
    (root / MARKER).unlink()
    assert not await first.look()
    assert first.trouble == "not_mounted"


async def test_a_folder_that_is_not_empty_or_not_readable_is_no_volume(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    full = volume(tmp_path)
    await full.open(None)
    assert full.trouble == "not_empty"
    (tmp_path / MARKER).write_text("{")
    await full.open(None)
    assert full.trouble == "unreadable"
    with_a_file_system_of_its_own = tmp_path / "disk"
    (with_a_file_system_of_its_own / "lost+found").mkdir(parents=True)
    empty = volume(with_a_file_system_of_its_own)
    await empty.open(None)
    assert empty.is_usable


def test_the_real_disk_keeps_its_word(tmp_path: Path) -> None:
    disk, folder = SystemDisk(), tmp_path / "a" / "b"
    assert disk.make_folder(folder)
    assert not disk.make_folder(folder)
    path = folder / "x.mp4"
    file = disk.create(path)
    with pytest.raises(FileExistsError):
        disk.create(path)
    file.write(b"0123456789" * 20_000)
    file.sync()
    file.close()
    assert (disk.size(path), disk.read(path, 199_995, 10)) == (200_000, b"56789")
    reader = DiskReader(disk, path, ahead=100)
    assert (reader.read(3), reader.seek(-4, os.SEEK_END), reader.read()) == (b"012", 199_996, b"6789")
    disk.truncate(path, 7)
    more = disk.append(path)
    more.write(b"!")
    more.close()
    disk.rename(path, folder / "y.mp4")
    assert (disk.names(folder), disk.names(tmp_path / "none")) == (["y.mp4"], [])
    assert disk.read(folder / "y.mp4", 0, 99) == b"0123456!"
    with pytest.raises(OSError, match="not empty"):
        disk.remove_folder(folder)
    disk.unlink(folder / "y.mp4")
    disk.sync_folder(folder)
    disk.remove_folder(folder)
    with pytest.raises(FileNotFoundError):
        disk.size(path)
    assert 0 < disk.space(tmp_path).free_bytes <= disk.space(tmp_path).total_bytes


@pytest.mark.slow
async def test_a_new_disk_is_taken_by_a_persons_word(tmp_path: Path) -> None:
    identity = Identity(
        server_url="http://127.0.0.1:1",
        gateway_id=uuid4(),
        gateway_token="gw_x",
        org_id=uuid4(),
        site_id=uuid4(),
        name="Box",
    )
    save_identity(tmp_path, identity)
    for code, said in ((0, "is a volume of this gateway now"), (0, "is a volume"), (1, "is not empty")):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "novavms_gateway.main", "new-volume", "--data-dir", str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "NOVAVMS_GATEWAY_RECORDINGS_DIR": str(tmp_path / "disk"), "COLUMNS": "300"},
        )
        out, _ = await process.communicate()
        assert (process.returncode, said in out.decode()) == (code, True), out.decode()
        if said == "is a volume":
            (tmp_path / "disk" / MARKER).rename(tmp_path / "disk" / "other")
