"""Clips cut out of segments, judged picture by picture: greys tell their number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nova_segments import DARKEST, FPS, STARTED, Film, film

from novavms_camera.capture.cutting import cut_segments

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
Look = Callable[[Path], Any]


def at(seconds: float) -> Any:
    return STARTED + timedelta(seconds=seconds)


def ten_seconds(camera: Film) -> None:
    camera.begin()
    camera.play(8)


async def test_a_cut_across_segments_has_every_picture_once_and_begins_to_the_frame(
    tmp_path: Path, look: Look
) -> None:
    paths, _ = await film(tmp_path, ten_seconds)
    target = tmp_path / "clip.mp4"
    cut = await cut_segments(paths, target, at(1.4), at(6.2))
    assert cut is not None
    seen = look(target)
    assert seen.pictures == pytest.approx([DARKEST + n for n in range(35, 155)], abs=1)
    assert seen.is_monotonic
    assert seen.duration == pytest.approx(4.8, abs=0.05)
    assert (cut.clip.started_at, cut.clip.duration_sec, cut.clip.gap_sec) == (at(1.4), 4.8, 0)
    assert (cut.clip.has_audio, cut.clip.failure_reason) == (True, None)
    assert cut.clip.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert [part.path for part in cut.parts] == paths[:4]


async def test_a_hole_stays_one_and_is_counted(tmp_path: Path, look: Look) -> None:
    def script(camera: Film) -> None:
        camera.begin()
        camera.play(3)
        camera.pause(5)
        camera.play(3)

    paths, _ = await film(tmp_path, script)
    target = tmp_path / "clip.mp4"
    cut = await cut_segments(paths, target, at(1), at(10))
    assert cut is not None
    assert cut.clip.gap_sec == pytest.approx(5, abs=0.1)
    seen = look(target)
    assert seen.pictures == pytest.approx([DARKEST + n for n in range(25, 125)], abs=1)
    longest = max(after - before for before, after in pairwise(seen.times))
    assert longest == pytest.approx(5 + 1 / FPS, abs=0.01)


async def test_another_timeline_goes_on_where_its_clock_says(tmp_path: Path, look: Look) -> None:
    first, _ = await film(tmp_path, ten_seconds, timeline="a")
    second, _ = await film(tmp_path, ten_seconds, timeline="b", started=at(10))
    target = tmp_path / "clip.mp4"
    cut = await cut_segments([*first, *second], target, at(6), at(12))
    assert cut is not None
    assert cut.clip.duration_sec == pytest.approx(6, abs=0.05)
    assert cut.clip.gap_sec == pytest.approx(2, abs=0.1)
    assert look(target).times[50] - look(target).times[49] == pytest.approx(2.04, abs=0.01)


async def test_clocks_that_overlap_never_go_back(tmp_path: Path, look: Look) -> None:
    first, _ = await film(tmp_path, ten_seconds, timeline="a")
    second, _ = await film(tmp_path, ten_seconds, timeline="b", started=at(7))
    target = tmp_path / "clip.mp4"
    assert await cut_segments([*first, *second], target, at(6), at(12)) is not None
    assert look(target).is_monotonic


async def test_a_changed_format_ends_the_cut_and_says_so(tmp_path: Path, look: Look) -> None:
    def script(camera: Film) -> None:
        camera.begin()
        camera.play(3)
        camera.begin(96)
        camera.play(3, 96)

    paths, _ = await film(tmp_path, script)
    cut = await cut_segments(paths, tmp_path / "clip.mp4", at(0), at(6))
    assert cut is not None
    assert cut.clip.failure_reason == "format_changed"
    assert cut.clip.duration_sec == pytest.approx(3, abs=0.05)
    assert len(look(tmp_path / "clip.mp4").pictures) == 75


async def test_a_range_without_footage_and_files_that_are_none_give_nothing(tmp_path: Path) -> None:
    paths, _ = await film(tmp_path, ten_seconds)
    target = tmp_path / "clip.mp4"
    assert await cut_segments(paths, target, at(60), at(70)) is None
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"rubbish")
    assert await cut_segments([broken], target, at(0), at(5)) is None
    assert not target.exists()
    assert await cut_segments([broken, *paths], target, at(0), at(5)) is not None


async def test_seconds_of_the_file_lie_in_the_segments_they_came_from(tmp_path: Path) -> None:
    paths, facts = await film(tmp_path, ten_seconds)
    cut = await cut_segments(paths, tmp_path / "clip.mp4", at(0), at(8))
    assert cut is not None
    assert [part.facts.number for part in cut.parts] == [each.number for each in facts]
    edges = [(part.start_90k, part.end_90k) for part in cut.parts]
    assert edges == [(n * 180_000, (n + 1) * 180_000) for n in range(4)]
    starts = [stretch.start_90k for stretch in cut.written.stretches]
    assert starts[-8:] == [n * 90_000 for n in range(8)]
    assert starts[:-8] in ([], [-90_000]), "what the sound's encoder puts in front"
