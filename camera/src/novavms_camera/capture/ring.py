"""The memory of a stream: its last seconds as whole groups of pictures (GOPs), bounded in time and bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from novavms_camera.capture.model import VIDEO_RATE, AudioSample, VideoSample


@dataclass(slots=True)
class Gop:
    """A key frame and what follows it, with the sound that came meanwhile."""

    video: list[VideoSample] = field(default_factory=list)
    audio: list[AudioSample] = field(default_factory=list)
    size: int = 0

    @property
    def start_90k(self) -> int:
        return self.video[0].pts


class GopRing:
    """Keeps `keep_sec` seconds and the GOP that they begin in. A GOP bigger than `max_bytes` is let go whole."""

    def __init__(self, keep_sec: float, max_bytes: int) -> None:
        self._keep = int(keep_sec * VIDEO_RATE)
        self._max_bytes = max_bytes
        self._size = 0
        self.gops: deque[Gop] = deque()

    def clear(self) -> None:
        """Forgets everything."""
        self.gops.clear()
        self._size = 0

    def add_video(self, sample: VideoSample) -> None:
        """Takes a frame; frames before the first key frame are not kept."""
        gops = self.gops
        if sample.key:
            gops.append(Gop())
        elif not gops:
            return
        gop = gops[-1]
        gop.video.append(sample)
        self._grow(gop, len(sample.data))
        if sample.key:
            oldest = sample.pts - self._keep
            while len(gops) > 1 and gops[1].start_90k <= oldest:
                self._drop()

    def add_audio(self, sample: AudioSample) -> None:
        """Takes an audio frame."""
        if self.gops:
            gop = self.gops[-1]
            gop.audio.append(sample)
            self._grow(gop, len(sample.data))

    def _grow(self, gop: Gop, size: int) -> None:
        gop.size += size
        self._size += size
        while self._size > self._max_bytes and self.gops:
            self._drop()

    def _drop(self) -> None:
        self._size -= self.gops.popleft().size

    def since(self, start_90k: int) -> list[Gop]:
        """The GOPs from the one that `start_90k` lies in, or from the oldest; empty when there is none."""
        kept = list(self.gops)
        while len(kept) > 1 and kept[1].start_90k <= start_90k:
            kept.pop(0)
        return kept
