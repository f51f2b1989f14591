"""Packets taken in runs give what packets taken one by one give; connections are read on a common beat."""

from __future__ import annotations

import asyncio
import random
import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novavms_camera.rtsp.beat import Beat, join_beat
from novavms_camera.rtsp.connection import RtspConnection
from novavms_camera.rtsp.nal import H264Depacketiser, H265Depacketiser, NalDepacketiser
from novavms_camera.rtsp.parameter_sets import ParameterSets
from novavms_camera.rtsp.rtp import RtpTrack

pytestmark = pytest.mark.anyio
H264_SETS = (b"\x67\x42\x00\x1e\xf4\x05\x01\x7f\xcb\x80", b"\x68\xce\x3c\x80")


@dataclass
class Sender:
    """Packetises pictures as cameras do, and breaks some packets."""

    dice: random.Random
    codec: str
    sequence: int
    room: int
    timestamp: int = 0xFFFFFF00
    out: list[bytes] = field(default_factory=list)

    def picture(self, *, key: bool, size: int, fault: str) -> None:
        self.timestamp = (self.timestamp + 6000) & 0xFFFFFFFF
        body = self.dice.randbytes(size)
        if self.codec == "h264":
            kind, head = (5, b"\x7c") if key else (1, b"\x5c")
        else:
            kind, head = (19, b"\x62\x01") if key else (1, b"\x62\x01")
        pieces = [body[at : at + self.room] for at in range(0, size, self.room)]
        for number, piece in enumerate(pieces):
            is_last = number == len(pieces) - 1
            flags = kind | (0x80 if number == 0 else 0) | (0x40 if is_last else 0)
            self.packet(head + bytes((flags,)) + piece, marker=is_last)
        last = len(self.out) - 1
        where = max(0, last - self.dice.randrange(len(pieces)))
        if fault == "lose":
            del self.out[where]
        elif fault == "twice":
            self.out.insert(where, self.out[where])
        elif fault == "swap" and where:
            self.out[where - 1], self.out[where] = self.out[where], self.out[where - 1]
        elif fault == "bit":
            broken = bytearray(self.out[where])
            broken[self.dice.randrange(4, min(20, len(broken)))] ^= 1 << self.dice.randrange(8)
            self.out[where] = bytes(broken)
        elif fault == "report":
            self.out.insert(where, struct.pack(">cBH", b"$", 1, 8) + b"\x80\xc8\x00\x01abcd")

    def packet(self, payload: bytes, *, marker: bool) -> None:
        head = struct.pack(">BBHII", 0x80, 96 | marker << 7, self.sequence, self.timestamp, 0xDEAD)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.out.append(struct.pack(">cBH", b"$", 0, 12 + len(payload)) + head + payload)


def received(codec: str, pieces: list[bytes], *, in_runs: bool) -> tuple[object, ...]:
    """What comes out of a connection that reads `pieces`, and what is counted."""
    got: list[tuple[int, bool, bytes]] = []
    reports: list[bytes] = []
    sets = ParameterSets("h264" if codec == "h264" else "h265")
    make: type[NalDepacketiser] = H264Depacketiser if codec == "h264" else H265Depacketiser
    nal = make(sets, lambda *frame: got.append(frame))
    track = RtpTrack(96, nal, nal if in_runs else None)

    async def read() -> None:
        connection = RtspConnection()
        connection.route(0, track.on_rtp)
        connection.route(1, lambda view, start, end: reports.append(view[start:end].tobytes()))
        for piece in pieces:
            connection.get_buffer(0)[: len(piece)] = piece
            connection.buffer_updated(len(piece))
            if connection.closed.done():
                reports.append(connection.closed.result().message.encode())

    asyncio.run(read())
    return got, reports, track.packets, track.lost, track.malformed, nal.damaged, nal.skipped


@given(
    st.sampled_from(["h264", "h265"]),
    st.integers(0, 0xFFFF),
    st.sampled_from([40, 200, 1398]),
    st.integers(0, 1 << 30),
    st.lists(
        st.tuples(
            st.booleans(),
            st.integers(1, 12_000),
            st.sampled_from(["", "", "", "lose", "twice", "swap", "bit", "report"]),
        ),
        min_size=1,
        max_size=8,
    ),
)
@settings(max_examples=100, deadline=None)
def test_runs_change_nothing(
    codec: str, sequence: int, room: int, seed: int, pictures: list[tuple[bool, int, str]]
) -> None:
    dice = random.Random(seed)
    sender = Sender(dice, codec, sequence, room)
    for key, size, fault in [(True, 500, ""), *pictures]:
        sender.picture(key=key, size=size, fault=fault)
    data = b"".join(sender.out)
    pieces = []
    while data:
        cut = dice.randrange(1, 40_000)
        pieces.append(data[:cut])
        data = data[cut:]
    assert received(codec, pieces, in_runs=True) == received(codec, pieces, in_runs=False)


def test_most_packets_of_a_big_picture_are_taken_in_runs() -> None:
    sender = Sender(random.Random(1), "h264", 65_500, 1398)
    for number in range(3):
        sender.picture(key=number == 0, size=60_000, fault="")
    got: list[bytes] = []
    nal = H264Depacketiser(ParameterSets("h264"), lambda at, key, data: got.append(data))
    track = RtpTrack(96, nal, nal)
    one_by_one = 0
    buffer = bytearray(b"".join(sender.out))
    view, at = memoryview(buffer), 0
    while at < len(buffer):
        end = at + 4 + int.from_bytes(buffer[at + 2 : at + 4], "big")
        run = track.on_rtp(view, at + 4, end)
        one_by_one += 1
        at = end if run is None else run(buffer, end, len(buffer))
    assert [len(data) for data in got] == [60_005] * 3
    assert track.packets == len(sender.out) == 129
    assert one_by_one < 50, "but for the one picture in which the sequence numbers wrap"


async def test_a_beat_calls_all_that_wait_at_once_and_stands_still_while_none_does() -> None:
    beat = Beat(0.02, 0.0)
    called: list[int] = []
    done = asyncio.Event()
    for number in range(5):
        beat.wait(lambda number=number: called.append(number))  # type: ignore[misc]
    beat.wait(done.set)
    assert called == []
    await asyncio.wait_for(done.wait(), 5)
    assert called == [0, 1, 2, 3, 4]
    done.clear()
    beat.wait(done.set)
    await asyncio.wait_for(done.wait(), 5)


async def test_connections_are_spread_over_the_phases() -> None:
    beats = [join_beat(0.5) for _ in range(8)]
    assert sorted(beat.members for beat in set(beats)) == [2, 2, 2, 2]
    beats[0].members -= 1
    assert join_beat(0.5) is beats[0]
