"""When bind-mounted code landed: the host's file, and what it held before."""

import os
import time
from pathlib import Path

import pytest

from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Observation
from freshd.observe.process.landing import Landings
from freshd.store.store import memory_store
from tests.unit.compare.stack import Stack, entry, replica

PAIR = Pair("a.py", "/app/a.py", Via.BIND)


class World:
    """One file that is bind-mounted into a container which was started ``started`` seconds ago."""

    def __init__(self, root: Path, *, started: float = 100.0) -> None:
        self.root = root
        self.started_at = time.time() - started
        self.store = memory_store()
        nowhere = Endpoint("unix:///nonexistent.sock", "test")
        self.landings = Landings(Engine(nowhere), str(root), self.store.creation_records)

    def write(self, text: str, *, at: float) -> None:
        """The file with a modification time ``at`` seconds after the start."""
        (self.root / "a.py").write_text(text)
        self.touch(at=at)

    def touch(self, *, at: float) -> None:
        moment = self.started_at + at
        os.utime(self.root / "a.py", (moment, moment))

    def landed(self) -> list[float]:
        """How many seconds after the start the file landed, if it did."""
        each = replica(1, started_at=self.started_at)
        facts = Stack({}, {}, pairs=(PAIR,)).facts()
        seen = Observation(
            each, frozenset({"/app/a.py"}), {"/app/a.py": entry((self.root / "a.py").read_text())}
        )
        found = self.landings.later(facts, seen, {PAIR.target: PAIR}, {})
        return [round(one.earliest - self.started_at) for one in found]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_edit_after_the_start_landed_when_it_was_made(world: World) -> None:
    world.write("one", at=10)
    assert world.landed() == [10]
    assert world.landed() == [10], "a second look does not take it for known"


def test_a_change_of_owner_or_mode_is_none(world: World) -> None:
    world.write("one", at=-10)  # its inode changed just now all the same
    assert world.landed() == []


def test_what_was_only_touched_or_brought_back_has_not_changed(world: World) -> None:
    world.write("one", at=-10)
    assert world.landed() == []
    world.touch(at=20)
    assert world.landed() == []
    world.write("two", at=30)
    assert world.landed() == [30]
    world.write("one", at=40)
    assert world.landed() == []


def test_another_content_with_an_old_time_landed_when_its_inode_changed(world: World) -> None:
    world.write("one", at=-10)
    assert world.landed() == []
    world.write("two", at=-5)
    assert world.landed() == [100]


def test_another_start_knows_nothing_of_the_one_before(world: World) -> None:
    world.write("one", at=-10)
    assert world.landed() == []
    world.write("two", at=30)
    world.started_at = time.time() + 10
    assert world.landed() == []
    assert not world.store.creation_records.holds(replica(1).id, 1.0)
