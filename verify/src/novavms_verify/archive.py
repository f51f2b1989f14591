"""A ZIP read strictly: every byte of it belongs to one of its files, or to the directory that lists them.

ZIP readers differ in what they take for the content: from the front or from the end, by the name beside the data or by the one in the
directory, the first or the last of two of one name. A file that could be read in two ways would be vouched for in one and seen in the other.
"""

from __future__ import annotations

import io
import struct
import zipfile
from typing import BinaryIO, Final

from novavms_verify.evidence import EvidenceError

MAGIC: Final = b"PK\x03\x04"
_LOCAL: Final = 30
_CENTRAL: Final = 46
_END: Final = 22
_END_64: Final = 56 + 20
_UTF8: Final = 0x800


class Member(io.RawIOBase, BinaryIO):
    """A file's bytes as they lie in the archive: zipfile itself stops where its checksum is wrong, and what was
    altered is just what we are to tell. `begin` and `end` are where its header begins and its bytes end."""

    def __init__(self, file: BinaryIO, info: zipfile.ZipInfo) -> None:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise EvidenceError(f"{info.filename} is compressed; an export stores its files as they are.")
        name = _raw_name(info)
        self._file = file
        self._file.seek(info.header_offset)
        local = self._file.read(_LOCAL)
        if len(local) < _LOCAL or local[:4] != MAGIC:
            raise EvidenceError(f"{info.filename} is not where the ZIP says.")
        flags = int.from_bytes(local[6:8], "little")
        name_size, extra_size = struct.unpack("<HH", local[26:30])
        if (info.flag_bits | flags) & ~_UTF8 or self._file.read(name_size) != name or b"\0" in name:
            raise EvidenceError(f"{info.filename} is described in two ways.")
        self.filename = info.filename
        self.begin = info.header_offset
        self._start = info.header_offset + _LOCAL + name_size + extra_size
        self._at = 0
        self.size = info.file_size
        self.end = self._start + self.size

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.size - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data


def members(file: BinaryIO, size_bytes: int) -> tuple[list[Member], int]:
    """All of them as the directory lists them, and how many bytes belong to none. Raises EvidenceError, zipfile.BadZipFile."""
    with zipfile.ZipFile(file) as archive:
        infos, directory = archive.infolist(), archive.start_dir
    found = [Member(file, info) for info in infos]
    at = foreign = 0
    for member in sorted(found, key=lambda each: each.begin):
        if member.begin < at:
            raise EvidenceError(f"{member.filename} shares bytes with another file.")
        foreign += member.begin - at
        at = member.end
    listed = sum(_CENTRAL + len(_raw_name(info)) + len(info.extra) + len(info.comment) for info in infos)
    tail = size_bytes - directory - listed
    foreign += directory - at + sum(len(info.comment) for info in infos)
    return found, foreign + (tail - _END if tail != _END + _END_64 else 0)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
