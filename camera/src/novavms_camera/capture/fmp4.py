"""Writing fragmented MP4 (ISO/IEC 14496-12 clause 8.8): an init part, then fragments of whole samples."""

from __future__ import annotations

import struct
from typing import Final

from novavms_camera.capture.boxes import (
    audio_entry,
    box,
    full_box,
    media,
    mvhd,
    since_1904,
    stsd,
    tkhd,
    video_entry,
)
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample

VIDEO_TRACK: Final = 1
AUDIO_TRACK: Final = 2
_FTYP: Final = box(b"ftyp", b"iso6", bytes(4), b"iso6iso5mp41")
_EMPTY_TABLE: Final = b"".join(
    (
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
)
_KEY: Final = 0x02000000  # depends on no other
_DELTA: Final = 0x01010000  # depends on others, is not a sync sample
_MAX_DURATION: Final = 0xFFFFFFFF
_MAX_PENDING: Final = 16 * 1024 * 1024
_MAX_PENDING_SOUND: Final = 4096
"""A fragment's bytes and audio frames at most, whatever the timestamps say: no camera fills the memory."""


def init_part(fmt: StreamFormat, note: bytes = b"") -> bytes:
    """`ftyp` and `moov` of a fragmented file: what a player needs before the first fragment. `note`: boxes in between."""
    created = since_1904(None)
    tracks = [_track(VIDEO_TRACK, VIDEO_RATE, stsd(video_entry(fmt.video)), fmt)]
    if fmt.audio is not None:
        tracks.append(_track(AUDIO_TRACK, fmt.audio.rate, stsd(audio_entry(fmt.audio)), fmt))
    defaults = [
        full_box(b"trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, 0))
        for number in range(1, len(tracks) + 1)
    ]
    return (
        _FTYP
        + note
        + box(b"moov", mvhd(VIDEO_RATE, 0, created, len(tracks) + 1), *tracks, box(b"mvex", *defaults))
    )


def _track(number: int, timescale: int, description: bytes, fmt: StreamFormat) -> bytes:
    is_video = number == VIDEO_TRACK
    table = box(b"stbl", description, _EMPTY_TABLE)
    head = tkhd(number, 0, 0, fmt.video if is_video else None)
    return box(b"trak", head, media(timescale, 0, 0, is_video=is_video, table=table))


def fragment(
    number: int,
    video: list[VideoSample],
    end_90k: int,
    audio: list[AudioSample],
    *,
    base_90k: int = 0,
    rate: int = 0,
) -> bytes:
    """`fragment_parts`, in one piece."""
    return b"".join(fragment_parts(number, video, end_90k, audio, base_90k=base_90k, rate=rate))


def fragment_parts(
    number: int,
    video: list[VideoSample],
    end_90k: int,
    audio: list[AudioSample],
    *,
    base_90k: int = 0,
    rate: int = 0,
) -> list[bytes]:
    """`moof` and `mdat` of samples in decoding order; `end_90k` is the decoding time of the frame that follows.

    Times are written relative to `base_90k`; `rate` is the audio's. What lies before it must have been left out.
    """
    runs: list[tuple[bytes, bytes]] = []
    payload: list[bytes] = []
    if video:
        runs.append((_fragment_head(VIDEO_TRACK, video[0].dts - base_90k), _video_run(video, end_90k)))
        payload += [s.data for s in video]
    video_size = sum(map(len, payload))
    if audio:
        start = audio[0].pts - base_90k * rate // VIDEO_RATE
        runs.append((_fragment_head(AUDIO_TRACK, start), _audio_run(audio)))
        payload += [s.data for s in audio]
    header = full_box(b"mfhd", 0, 0, struct.pack(">I", number))
    size = 8 + len(header) + sum(8 + len(head) + 12 + 8 + len(run) for head, run in runs)
    offset = size + 8
    parts: list[bytes] = []
    for index, (head, run) in enumerate(runs):
        flags, count = (0x000F01, len(video)) if index == 0 and video else (0x000301, len(audio))
        trun = full_box(b"trun", 1, flags, struct.pack(">II", count, offset), run)
        parts.append(box(b"traf", head, trun))
        offset += video_size
    moof = box(b"moof", header, *parts)
    total = 8 + sum(map(len, payload))
    return [moof + total.to_bytes(4, "big") + b"mdat", *payload]


def _fragment_head(track: int, start: int) -> bytes:
    """`tfhd` with default-base-is-moof and `tfdt`."""
    tfhd = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", track))
    return tfhd + full_box(b"tfdt", 1, 0, struct.pack(">Q", max(0, start)))


def _video_run(samples: list[VideoSample], end_90k: int) -> bytes:
    fields: list[int] = []
    following = [s.dts for s in samples[1:]]
    following.append(end_90k)
    for (dts, pts, key, data), after in zip(samples, following, strict=True):
        duration = min(max(after - dts, 1), _MAX_DURATION)
        fields += (duration, len(data), _KEY if key else _DELTA, (pts - dts) & 0xFFFFFFFF)
    return struct.pack(f">{len(fields)}I", *fields)


def _audio_run(samples: list[AudioSample]) -> bytes:
    """Durations reach to the next frame, so that a hole in the sound stays one."""
    fields: list[int] = []
    for index, (pts, duration, data) in enumerate(samples):
        if index + 1 < len(samples):
            duration = min(max(samples[index + 1].pts - pts, 1), _MAX_DURATION)  # noqa: PLW2901
        fields += (duration, len(data))
    return struct.pack(f">{len(fields)}I", *fields)


class FragmentBuilder:
    """Gathers one reader's samples into fragments: cut before each key frame and at least every `longest_sec` or 16 MiB."""

    def __init__(self, fmt: StreamFormat, *, base_90k: int = 0, longest_sec: float = 1.0) -> None:
        self.format = fmt
        self._base = base_90k
        self._rate = fmt.audio.rate if fmt.audio is not None else 0
        self._longest = int(longest_sec * VIDEO_RATE)
        self._video: list[VideoSample] = []
        self._size = 0
        self._audio: list[AudioSample] = []
        self._audio_end = base_90k * self._rate // VIDEO_RATE
        self._number = 0
        self.start_90k = self.end_90k = base_90k
        """Where the fragment that was returned last begins and ends, whether on a key frame, and how many frames it has."""
        self.starts_on_key = False
        self.count = 0
        self._frame = VIDEO_RATE // 25

    def add_video(self, sample: VideoSample) -> bytes | None:
        """Takes a frame; returns the fragment of those before it when one is due."""
        parts = self.add_video_parts(sample)
        return b"".join(parts) if parts is not None else None

    def add_video_parts(self, sample: VideoSample) -> list[bytes] | None:
        """`add_video`, for who puts it together: a copy less."""
        pending = self._video
        if pending and (
            sample.key or sample.dts - pending[0].dts >= self._longest or self._size > _MAX_PENDING
        ):
            done = self._cut(sample.dts)
            self._video = [sample]
            self._size = len(sample.data)
            return done
        pending.append(sample)
        self._size += len(sample.data)
        return None

    def add_audio(self, sample: AudioSample) -> None:
        """Takes an audio frame; one that overlaps the last is left out, so that times never go back."""
        if self._rate and sample.pts >= self._audio_end and len(self._audio) < _MAX_PENDING_SOUND:
            self._audio.append(sample)
            self._audio_end = sample.pts + sample.duration

    @property
    def pending(self) -> tuple[int, int]:
        """(frames not given out yet, the time of the first audio frame not given out yet)."""
        return len(self._video), self._audio[0].pts if self._audio else self._audio_end

    @property
    def last_dts(self) -> int:
        """The decoding time of the frame that came last."""
        return self._video[-1].dts if self._video else self.end_90k

    def flush(self, end_90k: int | None = None) -> bytes | None:
        """The fragment of all that is left; its last frame lasts to `end_90k`, or as long as the one before."""
        parts = self.flush_parts(end_90k)
        return b"".join(parts) if parts is not None else None

    def flush_parts(self, end_90k: int | None = None) -> list[bytes] | None:
        """`flush`, for who puts it together."""
        if not self._video:
            return None
        if end_90k is None:
            last = self._video[-1].dts
            end_90k = last + (last - self._video[-2].dts if len(self._video) > 1 else self._frame)
        done = self._cut(end_90k)
        self._video = []
        return done

    def _cut(self, end_90k: int) -> list[bytes]:
        self._number += 1
        video = self._video
        self.start_90k, self.end_90k = video[0].dts, max(end_90k, video[-1].dts + 1)
        self.starts_on_key, self.count = video[0].key, len(video)
        self._frame = min(self.end_90k - video[-1].dts, VIDEO_RATE)
        audio, self._audio = self._audio, []
        return fragment_parts(self._number, video, end_90k, audio, base_90k=self._base, rate=self._rate)
