"""A world for each test: a project, a fake engine, freshd."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loop.fake.engine import FakeEngine
from tests.loop.wiring import install
from tests.loop.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Nothing is in it yet."""
    engine = FakeEngine()
    install(monkeypatch, engine)
    made = World(tmp_path, engine)
    yield made
    made.freshd.close()


@pytest.fixture
def shop(world: World) -> World:
    """A service that is up and equal to its tree, and a policy that injects."""
    return world.shop()
