"""Footage as a camera sends it: read once, packetised once, kept in memory, shared by every camera of the process."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import av
import av.audio.resampler

from novavms_simcam import g711, packetise

Codec = Literal["h264", "h265"]
AudioCodec = Literal["aac", "pcma", "pcmu"]

VIDEO_CLOCK: Final = 90_000
G711_FRAME: Final = 160
"""Samples in 20 ms at 8 kHz, the packet length that RFC 3551 section 4.2 recommends."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One access unit, ready for RTP. Times in ticks of its track's clock, counted from the start of the footage."""

    send_at: int
    timestamp: int
    payloads: tuple[bytes, ...]
    is_key: bool


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The picture. `loop_ticks` (90 kHz) is the footage's length; `keys` are the indexes of its key frames, never empty."""

    codec: Codec
    width: int
    height: int
    fps: float
    bitrate_kbps: int
    parameter_sets: tuple[bytes, ...]
    samples: tuple[Sample, ...]
    keys: tuple[int, ...]
    loop_ticks: int


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """The sound: payloads of equal length in time, `frame_ticks` each at `clock_rate`. `config` is AAC's AudioSpecificConfig."""

    codec: AudioCodec
    clock_rate: int
    channels: int
    frame_ticks: int
    config: bytes
    payloads: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """What one stream path plays."""

    video: VideoTrack
    audio: AudioTrack | None


def footage_path(name: str) -> Path:
    """Where a bundled file lies. The package is never zipped (hatchling wheels are unpacked on installation)."""
    return Path(str(resources.files("novavms_simcam"))) / "footage" / f"pedestrians-{name}.mp4"


def load(path: Path, audio: AudioCodec | Literal["none"]) -> Media:
    """The footage, from memory if it was read before. A file without a fitting sound borrows the bundled one's.

    Raises OSError or ValueError with a sentence for people when the file cannot be played.
    """
    whole = path.resolve()
    video = _load_video(whole)
    return Media(video, None if audio == "none" else _load_audio(footage_path("h264"), whole, audio))


def other_footage(own: VideoTrack, kind: str) -> VideoTrack:
    """What a camera goes over to that changes its format: "resolution", or "sets" for other parameter sets alone."""
    if kind == "sets":
        return _load_video(footage_path("long-gop-h264"))
    main, sub = _load_video(footage_path("h264")), _load_video(footage_path("sub-h264"))
    return main if own.width == sub.width else sub


@lru_cache(maxsize=64)
def _load_video(path: Path) -> VideoTrack:
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise ValueError(f"{path} has no video")
        stream = container.streams.video[0]
        codec_name = stream.codec_context.name
        if codec_name not in {"h264", "hevc"}:
            raise ValueError(f"{path} is {codec_name}; the simulated camera plays H.264 and H.265")
        codec: Codec = "h264" if codec_name == "h264" else "h265"
        sets, prefix = _parameter_sets(codec, stream.codec_context.extradata or b"")
        packets = [p for p in container.demux(stream) if p.size and p.dts is not None]
        if not packets or not sets:
            raise ValueError(f"{path} holds no frames, or no parameter sets")
        scale = float(stream.time_base or 0) * VIDEO_CLOCK
        first = packets[0].dts or 0
        samples = []
        for packet in packets:
            sent = round(((packet.dts or 0) - first) * scale)
            shown = round(((packet.pts if packet.pts is not None else packet.dts or 0) - first) * scale)
            payloads = _video_payloads(codec, bytes(packet), prefix, sets if packet.is_keyframe else ())
            samples.append(Sample(sent, shown, payloads, packet.is_keyframe))
        fps = float(stream.average_rate or 25)
        loop_ticks = samples[-1].send_at + round(VIDEO_CLOCK / fps)
        total_bits = sum(p.size for p in packets) * 8
        keys = tuple(i for i, s in enumerate(samples) if s.is_key)
        if not keys or keys[0] != 0:
            raise ValueError(f"{path} does not begin with a key frame")
        return VideoTrack(
            codec=codec,
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            fps=fps,
            bitrate_kbps=max(1, round(total_bits / (loop_ticks / VIDEO_CLOCK) / 1000)),
            parameter_sets=sets,
            samples=tuple(samples),
            keys=keys,
            loop_ticks=loop_ticks,
        )


def _video_payloads(codec: Codec, unit: bytes, prefix: int, sets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """A key frame carries the parameter sets before it, as cameras do, so that a decoder can start from the stream alone."""
    found = packetise.split_length_prefixed(unit, prefix) if prefix else packetise.split_annex_b(unit)
    nals = [*sets, *(n for n in found if n not in sets)]
    return tuple(packetise.h264_payloads(nals) if codec == "h264" else packetise.h265_payloads(nals))


def _parameter_sets(codec: Codec, extradata: bytes) -> tuple[tuple[bytes, ...], int]:
    """(VPS,) SPS, PPS, and the length of NAL prefixes in the file's samples; 0 says start codes (MPEG-TS, raw)."""
    if not extradata or extradata[0] != 1:
        wanted = {7, 8} if codec == "h264" else {32, 33, 34}
        nals = packetise.split_annex_b(extradata)
        return tuple(n for n in nals if _nal_type(codec, n) in wanted), 0
    sets: list[bytes] = []
    data = io.BytesIO(extradata)
    if codec == "h264":  # avcC, ISO/IEC 14496-15 section 5.3.3.1
        head = data.read(6)
        counts, prefix = [head[5] & 0x1F], (head[4] & 3) + 1
        for position in range(2):
            if position == 1:
                counts.append(data.read(1)[0])
            for _ in range(counts[position]):
                sets.append(data.read(int.from_bytes(data.read(2), "big")))  # noqa: PERF401
        return tuple(sets), prefix
    head = data.read(23)  # hvcC, section 8.3.3.1
    for _ in range(head[22]):
        kind = data.read(1)[0] & 0x3F
        for _ in range(int.from_bytes(data.read(2), "big")):
            nal = data.read(int.from_bytes(data.read(2), "big"))
            if kind in {32, 33, 34}:  # SEI is left out
                sets.append(nal)
    return tuple(sets), (head[21] & 3) + 1


def _nal_type(codec: Codec, nal: bytes) -> int:
    return nal[0] & 0x1F if codec == "h264" else (nal[0] >> 1) & 0x3F


@lru_cache(maxsize=64)
def _load_audio(bundled: Path, path: Path, codec: AudioCodec) -> AudioTrack:
    with av.open(str(path)) as container:
        found = [s for s in container.streams.audio if codec != "aac" or s.codec_context.name == "aac"]
        if found:
            stream = found[0]
            if codec != "aac":
                return _g711_track(container, codec)
            config = bytes(stream.codec_context.extradata or b"")
            units = [bytes(p) for p in container.demux(stream) if p.size and (p.pts or 0) >= 0]
            rate = stream.codec_context.sample_rate
            payloads = tuple(packetise.aac_payload(u) for u in units)
            if payloads and len(config) >= 2:
                return AudioTrack("aac", rate, stream.codec_context.channels, 1024, config, payloads)
    if path == bundled:
        raise ValueError(f"{path} has no sound")
    return _load_audio(bundled, bundled, codec)


def _g711_track(container: av.container.InputContainer, codec: Literal["pcma", "pcmu"]) -> AudioTrack:
    resampler = av.audio.resampler.AudioResampler(format="s16", layout="mono", rate=8000)
    pcm = bytearray()
    for frame in container.decode(audio=0):
        for part in resampler.resample(frame):
            pcm += bytes(part.planes[0])[: part.samples * 2]
    coded = g711.encode(bytes(pcm[: len(pcm) // (G711_FRAME * 2) * G711_FRAME * 2]), codec)
    payloads = tuple(coded[i : i + G711_FRAME] for i in range(0, len(coded), G711_FRAME))
    return AudioTrack(codec, 8000, 1, G711_FRAME, b"", payloads)


@lru_cache(maxsize=8)
def snapshot_jpeg(path: Path) -> bytes:
    """The footage's first picture as a JPEG, for GetSnapshotUri."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        out = io.BytesIO()
        with av.open(out, "w", format="mjpeg") as writer:
            stream = writer.add_stream("mjpeg", rate=1)
            stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuvj420p"
            for packet in [*stream.encode(frame.reformat(format="yuvj420p")), *stream.encode(None)]:
                writer.mux(packet)
        return out.getvalue()


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
