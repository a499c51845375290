"""Frames of an exec come out whole, whatever pieces the socket gives."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.engine.transport.stream import Frames

FRAMES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50)), max_size=20)


@settings(deadline=None)
@given(frames=FRAMES, cuts=st.lists(st.integers(1, 40)))
def test_frames_survive_any_cutting(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    raw = b"".join(struct.pack(">BxxxL", number, len(data)) + data for number, data in frames)
    parser = Frames()
    got: dict[int, bytes] = {1: b"", 2: b""}
    sizes = iter(cuts)
    while raw:
        size = next(sizes, len(raw))
        for number, piece in parser.feed(raw[:size]):
            got[number] += piece
        raw = raw[size:]
    for number in (1, 2):
        assert got[number] == b"".join(data for n, data in frames if n == number)


def test_what_breaks_off_in_a_frame_is_not_whole() -> None:
    """A command's output of which the half is missing must not look like all of it."""
    frame = struct.pack(">BxxxL", 1, 3) + b"abc"
    for end in range(1, len(frame)):
        parser = Frames()
        list(parser.feed(frame + frame[:end]))
        assert not parser.whole
    parser = Frames()
    assert parser.whole
    list(parser.feed(frame))
    assert parser.whole
