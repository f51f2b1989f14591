"""Forgeries that leave the signature alone: what is shown to people must be what was signed, and nothing may bring the verifier down."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from novavms_verify import EvidenceError, verify_file
from novavms_verify.main import main

from .conftest import envelope, manifest_of, uuid_box  # type: ignore[import-not-found]


def written(tmp_path: Path, data: bytes, name: str = "dock.mp4") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def kinds(path: Path) -> list[str]:
    return [finding.kind for finding in verify_file(path).findings]


def test_a_genuine_zip_behind_another_video_does_not_vouch_for_it(
    tmp_path: Path, archive: Callable[..., Path], video: bytes
) -> None:
    """Players see the video in front; who reads from the end sees the ZIP."""
    with pytest.raises(EvidenceError):
        verify_file(written(tmp_path, video + archive().read_bytes()))


def test_bytes_of_a_zip_that_its_directory_does_not_list_show(
    archive: Callable[..., Path], video: bytes
) -> None:
    path = archive()
    whole = path.read_bytes()
    start, size = directory_of(whole)
    hidden = b"PK\x03\x04" + bytes(22) + struct.pack("<HH", 5, 0) + b"x.mp4" + video[:1000]
    moved = whole[start + size :].replace(struct.pack("<I", start), struct.pack("<I", start + len(hidden)))
    path.write_bytes(whole[:start] + hidden + whole[start : start + size] + moved)
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None, "otherwise a sound ZIP"
    assert kinds(path) == ["added"]
    path.write_bytes(whole[:-2] + struct.pack("<H", 4) + b"note")
    assert kinds(path) == ["added"], "a comment"


def directory_of(data: bytes) -> tuple[int, int]:
    size, start = struct.unpack("<II", data[-22:][12:20])
    return start, size


def test_a_second_manifest_in_a_zip_shows(archive: Callable[..., Path]) -> None:
    path = archive()
    with zipfile.ZipFile(path, "a") as opened, pytest.warns(UserWarning, match="Duplicate name"):
        opened.writestr("manifest.json", opened.read("manifest.json"))
    assert kinds(path) == ["added"]


def test_a_file_with_one_name_beside_its_bytes_and_another_in_the_directory_is_refused(
    archive: Callable[..., Path],
) -> None:
    path = archive()
    path.write_bytes(path.read_bytes().replace(b"gate.mp4", b"fake.mp4", 1))
    with pytest.raises(EvidenceError, match="two ways"):
        verify_file(path)


def test_a_compressed_manifest_is_not_even_opened(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("manifest.json", b"[" * 1_000_000)
    with pytest.raises(EvidenceError, match="compressed"):
        verify_file(path)


def test_an_envelope_that_says_something_twice_or_more_than_it_should_is_refused(
    tmp_path: Path, video: bytes
) -> None:
    text = envelope(manifest_of(video))
    forged = {"manifest": "e30="}, {"note": "verified by the police"}
    for more in forged:
        doubled = b"{" + json.dumps(more).encode()[1:-1] + b", " + text[1:]
        with pytest.raises(EvidenceError, match="damaged"):
            verify_file(written(tmp_path, video + uuid_box(doubled)))


Lie = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "lie",
    [
        lambda m: m["pieces"][0].update(size_bytes=-5),
        lambda m: m["pieces"][0].update(offset_bytes=2**70),
        lambda m: m["head"].update(offset_bytes=-1, size_bytes=m["head"]["size_bytes"] + 1),
        lambda m: m["file"].update(size_bytes=float("inf")),
        lambda m: m["file"].update(size_bytes=float("nan")),
        lambda m: m.update(pieces=7),
        lambda m: m.update(pieces=["x"]),
        lambda m: m.update(file=None),
        lambda m: m.update(gaps=7, file={}),
        lambda m: m.update(gaps=[7], camera=[], range="x", file={}),
    ],
)
def test_a_manifest_of_lies_is_a_verdict_and_no_crash(tmp_path: Path, video: bytes, lie: Lie) -> None:
    manifest = manifest_of(video)
    lie(manifest)
    assert main([str(written(tmp_path, video + uuid_box(envelope(manifest))))]) == 1


def test_deep_nesting_is_unreadable_and_no_crash(tmp_path: Path, video: bytes) -> None:
    assert main([str(written(tmp_path, video + uuid_box(b"[" * 200_000)))]) == 2
