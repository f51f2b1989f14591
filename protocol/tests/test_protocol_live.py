"""A live body's frames survive any cut into pieces, and what is none is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novavms_protocol import (
    INIT,
    MEDIA,
    NOTE,
    LiveBodyError,
    LiveFrame,
    LiveNote,
    LiveReader,
    live_frame,
    note_frame,
    read_note,
)

NOTE_BYTES = (
    b'{"tier":"sub","codecs":"avc1.64001f","codec":"h264","width":640,"height":360,"tier_reason":"uplink"}'
)
FRAMES = [
    LiveFrame(NOTE, 0, False, NOTE_BYTES),
    LiveFrame(INIT, 0, False, b"init"),
    LiveFrame(MEDIA, 2**40, True, b"key" * 100),
    LiveFrame(MEDIA, -7, False, b""),
    LiveFrame(9, 1, True, b"of a newer version"),
]
BODY = b"".join(live_frame(f.kind, f.payload, start_90k=f.start_90k, is_key=f.is_key) for f in FRAMES)


@given(st.lists(st.integers(1, 40), min_size=1))
def test_frames_come_out_as_they_went_in_however_they_are_cut(sizes: list[int]) -> None:
    reader = LiveReader()
    found: list[LiveFrame] = []
    at = 0
    while at < len(BODY):
        for size in sizes:
            found += reader.feed(BODY[at : at + size])
            at += size
    assert found == FRAMES


def test_the_bytes_of_a_frame_are_a_contract() -> None:
    frame = live_frame(MEDIA, b"ab", start_90k=-1, is_key=True)
    assert frame.hex() == "0201" + "ff" * 8 + "00000002" + "6162"


def test_a_note_is_read_as_it_was_written_also_a_newer_ones() -> None:
    note = LiveNote(
        tier="sub", codecs="avc1.64001f", codec="h264", width=640, height=360, tier_reason="uplink"
    )
    assert note_frame(note)[14:] == NOTE_BYTES
    assert read_note(NOTE_BYTES) == note
    assert read_note(b'{"tier":"main","new":1}') == LiveNote(tier="main")
    for bad in (b"", b"{}", b'{"tier":"third"}', b"\xff"):
        with pytest.raises(LiveBodyError):
            read_note(bad)


def test_a_size_that_no_fragment_has_is_refused_before_it_is_waited_for() -> None:
    with pytest.raises(LiveBodyError):
        list(LiveReader(payload_max=10).feed(live_frame(MEDIA, b"x" * 11)[:14]))
