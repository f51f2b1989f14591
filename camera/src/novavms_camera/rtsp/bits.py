"""Reading parameter sets bit by bit (ITU-T H.264 and H.265, clause 7.2)."""

from __future__ import annotations

from typing import Final

_MAX_BYTES: Final = 4096


def unescape(unit: bytes) -> bytes:
    """A NAL unit's payload without emulation prevention bytes (H.264 clause 7.4.1.1)."""
    parts = unit.split(b"\x00\x00\x03")
    return b"\x00\x00".join(parts)


class BitReader:
    """Reads big-endian bit fields and Exp-Golomb codes. Raises ValueError when the bits run out."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        if len(data) > _MAX_BYTES:
            raise ValueError("longer than any parameter set")
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def u(self, bits: int) -> int:
        """An unsigned number of `bits` bits."""
        if bits > self._left:
            raise ValueError("the data ends too early")
        self._left -= bits
        return (self._value >> self._left) & ((1 << bits) - 1)

    def ue(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("an Exp-Golomb number is too long")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)

    def skip(self, bits: int) -> None:
        """Passes over `bits` bits."""
        if bits > self._left:
            raise ValueError("the data ends too early")
        self._left -= bits
