"""From a file to a verdict: every claim of the manifest held against the bytes."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from novavms_verify.evidence import Envelope, EvidenceError, find_envelope, fingerprint, read_envelope

Kind = Literal["signature", "key", "head", "piece", "chain", "size", "file", "missing", "added", "claim"]
CHUNK: Final = 1024 * 1024
ZIP_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was signed. `start` and `end` (RFC 3339) where it is a stretch of the video."""

    kind: Kind
    message: str
    file: str | None = None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True)
class Verdict:
    """`findings` empty: not a byte was altered since the holder of the key with `fingerprint` signed `manifest`."""

    name: str
    manifest: dict[str, Any]
    fingerprint: str
    findings: list[Finding] = field(default_factory=list)
    files: list[Verdict] = field(default_factory=list)

    @property
    def is_genuine(self) -> bool:
        return not self.findings and all(file.is_genuine for file in self.files)


def verify_file(path: Path, *, expected_fingerprint: str | None = None) -> Verdict:
    """An exported MP4 or ZIP. Raises EvidenceError (nothing to verify), OSError."""
    if zipfile.is_zipfile(path):
        return _verify_zip(path, expected_fingerprint)
    with path.open("rb") as file:
        size = path.stat().st_size
        return _verify_mp4(file, size, path.name, expected_fingerprint)


def _verify_mp4(file: BinaryIO, size: int, name: str, expected: str | None) -> Verdict:
    envelope = find_envelope(file, size)
    findings = _judge_signature(envelope, expected)
    manifest = envelope.manifest
    if size > envelope.end:
        findings.append(Finding("added", f"{size - envelope.end} bytes were added after the evidence."))
    try:
        findings += _judge_bytes(file, envelope, manifest)
    except (KeyError, TypeError, ValueError) as error:
        findings.append(Finding("claim", f"The manifest is incomplete: {error}."))
    return Verdict(name, manifest, fingerprint(envelope.public_key), findings)


def _judge_signature(envelope: Envelope, expected: str | None) -> list[Finding]:
    findings = []
    if not envelope.is_signed():
        findings.append(
            Finding("signature", "The signature is not that of the key in the file over this manifest.")
        )
    if expected is not None and fingerprint(envelope.public_key) != expected.lower().replace(":", ""):
        findings.append(Finding("key", "It was signed with another key than the one that was expected."))
    return findings


def _judge_bytes(file: BinaryIO, envelope: Envelope, manifest: dict[str, Any]) -> list[Finding]:
    claimed = manifest["file"]
    findings = []
    if int(claimed["size_bytes"]) != envelope.offset:
        findings.append(
            Finding("size", f"There are {envelope.offset} bytes of video, not {claimed['size_bytes']}.")
        )
    findings += _judge_chain(manifest["pieces"])
    findings += _judge_layout(manifest)
    if _hash(file, 0, envelope.offset) == claimed["sha256"] and not findings:
        return findings
    head = manifest["head"]
    if _hash(file, int(head["offset_bytes"]), int(head["size_bytes"])) != head["sha256"]:
        findings.append(
            Finding("head", "The file's head was altered: its times, its index or the facts in it.")
        )
    for piece in manifest["pieces"]:
        if _hash(file, int(piece["offset_bytes"]), int(piece["size_bytes"])) != piece["sha256"]:
            findings.append(
                Finding(
                    "piece",
                    f"The video from {piece['start']} to {piece['end']} was altered.",
                    start=piece["start"],
                    end=piece["end"],
                )
            )
    return findings or [Finding("file", "Bytes outside the video's pictures were altered.")]


def _judge_chain(pieces: list[dict[str, Any]]) -> list[Finding]:
    link = bytes(32)
    for piece in pieces:
        link = hashlib.sha256(link + bytes.fromhex(piece["segment_sha256"])).digest()
        if link.hex() != piece["chain"]:
            message = (
                f"The chain of segments breaks at {piece['start']}: a piece was taken out, added or swapped."
            )
            return [Finding("chain", message, start=piece["start"], end=piece["end"])]
    return []


def _judge_layout(manifest: dict[str, Any]) -> list[Finding]:
    """Head and pieces follow one another: no byte of the video is vouched for by the whole file's hash alone."""
    at = int(manifest["head"]["offset_bytes"]) + int(manifest["head"]["size_bytes"])
    for piece in manifest["pieces"]:
        if not at <= int(piece["offset_bytes"]) <= at + 16:  # the header of mdat
            return [Finding("claim", "The manifest's pieces do not cover the video.")]
        at = int(piece["offset_bytes"]) + int(piece["size_bytes"])
    if at != int(manifest["file"]["size_bytes"]):
        return [Finding("claim", "The manifest's pieces do not cover the video.")]
    return []


def _hash(file: BinaryIO, offset: int, size: int) -> str:
    digest = hashlib.sha256()
    file.seek(offset)
    while size > 0:
        chunk = file.read(min(size, CHUNK))
        if not chunk:
            break
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()


def _verify_zip(path: Path, expected: str | None) -> Verdict:
    try:
        with zipfile.ZipFile(path) as archive:
            if ZIP_MANIFEST not in archive.namelist():
                raise EvidenceError(f"There is no {ZIP_MANIFEST} in this ZIP.")
            envelope = read_envelope(archive.read(ZIP_MANIFEST), offset=0, end=0)
            findings = _judge_signature(envelope, expected)
            manifest = envelope.manifest
            found, files = _judge_members(archive, manifest, expected)
    except (zipfile.BadZipFile, KeyError, TypeError, NotImplementedError) as error:
        raise EvidenceError(f"The ZIP is damaged: {error}.") from error
    return Verdict(path.name, manifest, fingerprint(envelope.public_key), findings + found, files)


def _judge_members(
    archive: zipfile.ZipFile, manifest: dict[str, Any], expected: str | None
) -> tuple[list[Finding], list[Verdict]]:
    claimed = {str(item["name"]): item for item in manifest["files"]}
    names = archive.namelist()
    findings = [Finding("missing", f"{name} was taken out.", name) for name in claimed if name not in names]
    findings += [
        Finding("added", f"{name} was added.", name)
        for name in names
        if name not in claimed and name != ZIP_MANIFEST
    ]
    findings += [
        Finding("added", f"{name} is there twice.", name) for name in claimed if names.count(name) > 1
    ]
    files = []
    for name, item in claimed.items():
        if name not in names:
            continue
        member = _Stored(archive, archive.getinfo(name))
        if _hash(member, 0, member.size) != item["sha256"]:
            findings.append(Finding("file", f"{name} was altered.", name))
        if name.endswith(".mp4"):
            files.append(_verify_member(member, name, expected))
    return findings, files


def _verify_member(member: _Stored, name: str, expected: str | None) -> Verdict:
    try:
        return _verify_mp4(member, member.size, name, expected)
    except EvidenceError as error:
        return Verdict(name, {}, "", [Finding("file", str(error), name)])


class _Stored(io.RawIOBase, BinaryIO):
    """A member's bytes as they lie in the archive: zipfile itself stops where its checksum is wrong, and what was
    altered is just what we are to tell."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        if info.compress_type != zipfile.ZIP_STORED or archive.fp is None:
            raise EvidenceError(f"{info.filename} is compressed; an export stores its files as they are.")
        self._file = archive.fp
        self._file.seek(info.header_offset)
        local = self._file.read(30)
        if len(local) < 30 or local[:4] != b"PK\x03\x04":
            raise EvidenceError(f"{info.filename} is not where the ZIP says.")
        name_size, extra_size = struct.unpack("<HH", local[26:30])
        self._start = info.header_offset + 30 + name_size + extra_size
        self._at = 0
        self.size = info.file_size

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.size - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data
