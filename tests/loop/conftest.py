"""A world for each test: a project, a fake engine, freshd."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.loop.fake.engine import FakeEngine
from tests.loop.wiring import install
from tests.loop.world import World


@pytest.fixture
def new_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    """Each call makes one with nothing in it, and ends the one before."""
    made: list[World] = []

    def make() -> World:
        for world in made[-1:]:
            world.close()
        directory = tmp_path / str(len(made))
        directory.mkdir()
        engine = FakeEngine()
        install(monkeypatch, engine)
        made.append(World(directory, engine))
        return made[-1]

    yield make
    for world in made[-1:]:
        world.close()


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    """Nothing is in it yet."""
    return new_world()


@pytest.fixture
def shop(world: World) -> World:
    """A service that is up and equal to its tree, and a policy that injects."""
    return world.shop()
