"""A real export, made here from the format's page: the verifier's own tests share no code with the server either."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FOOTAGE = Path(__file__).parents[2] / "simcam/src/novavms_simcam/footage/pedestrians-sub-h264.mp4"
BOX = UUID("e3c5ed86-6a1b-5c2f-9d0e-6e6f7661766d").bytes
PIECES = 6
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def envelope(manifest: dict[str, Any], key: Ed25519PrivateKey = KEY) -> bytes:
    text = json.dumps(manifest).encode()
    fields = {
        "format": "novavms-evidence-1",
        "manifest": base64.b64encode(text).decode(),
        "signature": base64.b64encode(key.sign(text)).decode(),
        "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
    }
    return json.dumps(fields).encode()


def uuid_box(text: bytes) -> bytes:
    return (24 + len(text)).to_bytes(4, "big") + b"uuid" + BOX + text


def faststart(path: Path) -> bytes:
    """The footage's packets, not decoded, with `moov` before `mdat`."""
    with (
        av.open(str(FOOTAGE)) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is None or packet.dts * packet.time_base > 4:
                continue
            packet.stream = stream
            target.mux(packet)
    return path.read_bytes()


def manifest_of(video: bytes, name: str = "dock.mp4") -> dict[str, Any]:
    start = video.index(b"mdat") + 4
    edges = [start + (len(video) - start) * part // PIECES for part in range(PIECES + 1)]
    pieces, link = [], bytes(32)
    for part, (begin, end) in enumerate(pairwise(edges)):
        segment = hashlib.sha256(b"segment %d" % part)
        link = hashlib.sha256(link + segment.digest()).digest()
        pieces.append(
            {
                "start": f"2026-03-01T12:00:{part:02d}Z",
                "end": f"2026-03-01T12:00:{part + 1:02d}Z",
                "offset_bytes": begin,
                "size_bytes": end - begin,
                "sha256": sha(video[begin:end]),
                "segment_sha256": segment.hexdigest(),
                "chain": link.hex(),
            }
        )
    return {
        "format": "novavms-evidence-1",
        "export_id": "01890000-0000-7000-8000-000000000001",
        "made_at": "2026-03-02T09:00:00Z",
        "made_by": {"name": "Olga Operator"},
        "org": {"name": "Hafen GmbH"},
        "case_reference": "4711",
        "camera": {"name": "Loading Dock East", "site": "Kiel", "serial": "SN-1"},
        "range": {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T12:00:06Z"},
        "clock": {"source": "rtcp", "offset_ms": -120},
        "gaps": [{"start": "2026-03-01T12:00:02Z", "end": "2026-03-01T12:00:03Z", "reason": "frozen"}],
        "losses": [{"start": "2026-03-01T12:00:05Z", "end": "2026-03-01T12:00:05.4Z", "pictures": 10}],
        "file": {"name": name, "size_bytes": len(video), "sha256": sha(video)},
        "head": {"offset_bytes": 0, "size_bytes": start - 8, "sha256": sha(video[: start - 8])},
        "pieces": pieces,
    }


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return faststart(tmp_path_factory.mktemp("footage") / "dock.mp4")


@pytest.fixture(scope="session")
def exported(video: bytes) -> bytes:
    return video + uuid_box(envelope(manifest_of(video)))


@pytest.fixture
def archive(tmp_path: Path, exported: bytes) -> Callable[..., Path]:
    """A ZIP of two cameras; `members` replaces what is in it, after it was signed."""

    def make(**members: bytes | None) -> Path:
        files = {"dock.mp4": exported, "gate.mp4": exported}
        listed = [
            {"name": name, "size_bytes": len(data), "sha256": sha(data)} for name, data in files.items()
        ]
        text = envelope({"format": "novavms-evidence-1", "org": {"name": "Hafen GmbH"}, "files": listed})
        contents: dict[str, bytes | None] = {
            **files,
            "manifest.json": text,
            **{name.replace("_", "."): data for name, data in members.items()},
        }
        path = tmp_path / "case.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
            for name, data in contents.items():
                if data is not None:
                    target.writestr(name, data)
        return path

    return make
