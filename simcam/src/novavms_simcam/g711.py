"""G.711 encoding (ITU-T G.711): 16-bit linear samples to A-law or mu-law bytes, by table."""

from __future__ import annotations

import array
from functools import cache
from typing import Literal


def _alaw(sample: int) -> int:
    """One A-law byte: sign, 3 bits of segment, 4 of mantissa, even bits inverted (G.711 table 1a)."""
    sign = 0x80 if sample >= 0 else 0x00
    magnitude = min((sample if sample >= 0 else -sample - 1) >> 4, 0x7FF)
    segment = max(magnitude.bit_length() - 4, 1) if magnitude >= 16 else 0
    if segment == 0:
        code = magnitude & 0x0F
    else:
        segment = magnitude.bit_length() - 4
        code = (segment << 4) | ((magnitude >> (segment - 1)) & 0x0F)
    return (sign | code) ^ 0x55


def _ulaw(sample: int) -> int:
    """One mu-law byte: biased by 33 (132 in 16-bit scale), all bits inverted (G.711 table 2a)."""
    sign = 0x80 if sample < 0 else 0x00
    magnitude = min(abs(sample), 32635) + 132
    segment = magnitude.bit_length() - 8
    code = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0F)
    return ~(sign | code) & 0xFF


@cache
def _table(law: Literal["pcma", "pcmu"]) -> bytes:
    encode = _alaw if law == "pcma" else _ulaw
    return bytes(encode(i - 65536 if i >= 32768 else i) for i in range(65536))


def encode(samples: bytes, law: Literal["pcma", "pcmu"]) -> bytes:
    """`samples`: signed 16-bit in this machine's byte order; one byte out for each."""
    table = _table(law)
    words = array.array("H")
    words.frombytes(samples)
    return bytes(table[word] for word in words)
