"""From a file to a verdict: every claim of the manifest held against the bytes."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from novavms_verify import archive
from novavms_verify.evidence import (
    ENVELOPE_MAX_BYTES,
    Envelope,
    EvidenceError,
    find_envelope,
    fingerprint,
    read_envelope,
)

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
    with path.open("rb") as file:
        size = path.stat().st_size
        # By what it begins with, as players do: a ZIP may also hang behind another file.
        is_zip = file.read(len(archive.MAGIC)) == archive.MAGIC
        return (_verify_zip if is_zip else _verify_mp4)(file, size, path.name, expected_fingerprint)


def _verify_mp4(file: BinaryIO, size: int, name: str, expected: str | None) -> Verdict:
    envelope = find_envelope(file, size)
    findings = _judge_signature(envelope, expected)
    manifest = envelope.manifest
    if size > envelope.end:
        findings.append(Finding("added", f"{size - envelope.end} bytes were added after the evidence."))
    try:
        findings += _judge_bytes(file, envelope, manifest)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
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
    layout = _judge_layout(manifest)
    if layout:
        return findings + layout
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
    at, size = (int(manifest["head"][name]) for name in ("offset_bytes", "size_bytes"))
    fits = at == 0 and size >= 0
    at += size
    for piece in manifest["pieces"]:
        begin, size = int(piece["offset_bytes"]), int(piece["size_bytes"])
        fits = fits and at <= begin <= at + 16 and size >= 0  # the header of mdat
        at = begin + size
    if fits and at == int(manifest["file"]["size_bytes"]):
        return []
    return [Finding("claim", "The manifest's pieces do not cover the video.")]


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


def _verify_zip(file: BinaryIO, size: int, name: str, expected: str | None) -> Verdict:
    try:
        members, foreign_bytes = archive.members(file, size)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise EvidenceError(f"The ZIP is damaged: {error}.") from error
    listed = [member for member in members if member.filename == ZIP_MANIFEST]
    if not listed:
        raise EvidenceError(f"There is no {ZIP_MANIFEST} in this ZIP.")
    if listed[0].size > ENVELOPE_MAX_BYTES:
        raise EvidenceError(f"{ZIP_MANIFEST} is too large.")
    envelope = read_envelope(listed[0].read(), offset=0, end=0)
    findings = _judge_signature(envelope, expected)
    if foreign_bytes:
        findings.append(Finding("added", "There are bytes in the ZIP that belong to none of its files."))
    manifest = envelope.manifest
    try:
        claimed = {str(item["name"]): str(item["sha256"]) for item in manifest["files"]}
    except (KeyError, TypeError) as error:
        raise EvidenceError(f"The manifest is incomplete: {error}.") from error
    found, files = _judge_members(members, claimed, expected)
    return Verdict(name, manifest, fingerprint(envelope.public_key), findings + found, files)


def _judge_members(
    members: list[archive.Member], claimed: dict[str, str], expected: str | None
) -> tuple[list[Finding], list[Verdict]]:
    names = [member.filename for member in members]
    findings = [Finding("missing", f"{name} was taken out.", name) for name in claimed if name not in names]
    findings += [
        Finding("added", f"{name} was added.", name)
        for name in names
        if name not in claimed and name != ZIP_MANIFEST
    ]
    findings += [
        Finding("added", f"{name} is there twice.", name)
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    files = []
    for member in members:
        if member.filename not in claimed:
            continue
        if _hash(member, 0, member.size) != claimed[member.filename]:
            findings.append(Finding("file", f"{member.filename} was altered.", member.filename))
        if member.filename.endswith(".mp4"):
            files.append(_verify_member(member, member.filename, expected))
    return findings, files


def _verify_member(member: archive.Member, name: str, expected: str | None) -> Verdict:
    try:
        return _verify_mp4(member, member.size, name, expected)
    except EvidenceError as error:
        return Verdict(name, {}, "", [Finding("file", str(error), name)])
