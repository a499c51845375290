"""What is kept for a moment: how much of it is memory, who can see it, and a disk without room."""

import os
import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freshd.engine.container.spool import Spool, Spooled
from freshd.model.errors import NoRoom

MIB = 1024 * 1024


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses more of one file, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_much_is_no_memory_and_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    piece = b"x" * MIB
    tracemalloc.start()
    try:
        with Spool() as spool:
            for _ in range(64):
                spool.write(piece)
            assert os.fstat(spool.fileno()).st_size >= 63 * MIB
            assert os.fstat(spool.fileno()).st_mode & 0o777 == 0o600
            assert not list(tmp_path.iterdir())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24 * MIB


def test_little_touches_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    with Spool() as spool:
        spool.write(b"onetwothree")
        assert Spooled(spool, 3, 3).read() == b"two"


@pytest.mark.parametrize("by", [MIB, 1000])
def test_no_room_is_said_in_words_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: int
) -> None:
    """Small writes wait in a buffer: then it is noticed when that is emptied, or not at all."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def write_much() -> None:
        with Spool() as spool:
            for _ in range(12 * MIB // by + 1):
                spool.write(b"x" * by)
            spool.seek(0)

    with largest_file(12 * MIB), pytest.raises(NoRoom, match="temporary directory") as raised:
        write_much()
    assert "TMPDIR" in (raised.value.hint or "")
    assert not list(tmp_path.iterdir())
