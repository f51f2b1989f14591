"""Fragments taken apart into frames, and frames put together into parts of another length.

Live fragments are as long as it takes to be quick, the first of them a whole GOP; the parts of an HLS playlist have to be of one
length (RFC 8216bis 4.4.4.9), and only whole frames can be moved between them. Nothing is decoded.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from novavms_camera.capture.boxes import walk
from novavms_camera.capture.fmp4 import fragment
from novavms_camera.capture.fmp4_reader import Sample, Track, read_fragment, read_tracks
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, VideoSample

_MAX_SOUND: Final = 4096
_SOUND_MAX_BYTES: Final = 8192
"""An AAC frame with an ADTS header can't be longer."""
_HEAD_MAX_BYTES: Final = 512 * 1024
"""Of a fragment's `moof`: 32,000 pictures, more than any GOP has."""


class FragmentError(ValueError):
    """This is no fragment of ours."""


class Frame(NamedTuple):
    """A picture, and how long it is shown."""

    sample: VideoSample
    duration_90k: int

    @property
    def end_90k(self) -> int:
        return self.sample.dts + self.duration_90k


class Frames:
    """The frames of one format. `init` is its init part. Raises FragmentError."""

    def __init__(self, init: bytes) -> None:
        try:
            moov = next(
                (init[start:end] for kind, start, end in walk(init, 0, len(init)) if kind == b"moov"), b""
            )
            tracks = read_tracks(moov)
        except (ValueError, struct.error) as error:
            raise FragmentError("no init part") from error
        self._tracks = {track.number: track for track in tracks}
        self._rate = next((track.timescale for track in tracks if not track.is_video), 0)
        self._sound: deque[AudioSample] = deque()
        self._new: list[AudioSample] = []

    def take(self, data: bytes) -> list[Frame]:
        """The pictures of a fragment, in decoding order; its sound waits for `keep_sound`. Raises FragmentError."""
        frames: list[Frame] = []
        self._new = []
        for track, samples in self._read(data):
            if track.is_video:
                frames += [_frame(each, data) for each in samples]
            elif len(self._sound) + len(samples) <= _MAX_SOUND:
                self._new.extend(
                    AudioSample(each.dts, each.duration, data[each.offset : each.offset + each.size])
                    for each in samples
                    if each.size <= _SOUND_MAX_BYTES
                )
        return frames

    def _read(self, data: bytes) -> list[tuple[Track, list[Sample]]]:
        try:
            for kind, start, end in walk(data, 0, len(data)):
                if kind == b"moof":
                    if end - start > _HEAD_MAX_BYTES:
                        raise FragmentError("more samples than there are")
                    found = read_fragment(data[start:end], start - 8, self._tracks)
                    if any(s.offset + s.size > len(data) for _, samples in found for s in samples):
                        raise FragmentError("a sample outside its fragment")
                    # Taken apart, samples that share their bytes would be many times as large.
                    if sum(s.size for _, samples in found for s in samples) > len(data):
                        raise FragmentError("samples that share their bytes")
                    return found
        except (ValueError, struct.error) as error:
            raise FragmentError("no fragment of this format") from error
        raise FragmentError("no fragment")

    def keep_sound(self) -> None:
        """The sound of the fragment that was taken last is for the parts to come."""
        self._sound.extend(self._new)
        self._new = []

    def forget_sound(self, before_90k: int | None = None) -> None:
        """What was kept belongs to what is not shown: all of it, or what is before this time."""
        while self._sound and (
            before_90k is None or self._sound[0].pts * VIDEO_RATE < before_90k * self._rate
        ):
            self._sound.popleft()

    def part(self, number: int, frames: Sequence[Frame]) -> bytes:
        """`moof` and `mdat` of the frames and of the sound up to their end. `number` is for `mfhd`."""
        end_90k = frames[-1].end_90k
        sound: list[AudioSample] = []
        while self._sound and self._sound[0].pts * VIDEO_RATE < end_90k * self._rate:
            sound.append(self._sound.popleft())
        samples = [frame.sample for frame in frames]
        return fragment(number & 0xFFFFFFFF, samples, end_90k, sound, rate=self._rate)


def _frame(sample: Sample, data: bytes) -> Frame:
    body = data[sample.offset : sample.offset + sample.size]
    return Frame(
        VideoSample(sample.dts, sample.dts + sample.composition, sample.key, body), max(1, sample.duration)
    )
