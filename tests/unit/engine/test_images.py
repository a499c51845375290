"""A probe is removed when nobody can be using it any more."""

import os
import socket
import subprocess
import sys

import pytest

from freshd.engine.images import _in_use, _owner


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_probe_of_a_living_process_is_in_use() -> None:
    assert _owner().endswith(f" {os.getpid()}")
    assert _in_use(_owner(), age=1.0)


def test_a_probe_of_a_dead_process_is_not(dead: int) -> None:
    assert not _in_use(f"{socket.gethostname()} {dead}", age=1.0)


@pytest.mark.parametrize("owner", ["elsewhere 1", "1", ""])
def test_a_probe_of_another_machine_is_spared_for_an_hour(owner: str) -> None:
    assert _in_use(owner, age=60.0)
    assert not _in_use(owner, age=4000.0)


def test_an_hour_is_enough_for_anybody() -> None:
    assert not _in_use(_owner(), age=4000.0)
