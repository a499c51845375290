"""Base images looked into: each path is asked once for ever, by one probe that goes away."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.transport.endpoint import Endpoint
from freshd.mapping.dockerfile.replay.volume import Node
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind
from freshd.observe.image import bases as module
from freshd.observe.image.bases import Bases
from freshd.store import memory_store


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine was asked, in order."""
    asked: list[str] = []

    @contextmanager
    def probe(_engine: Engine, image_id: str) -> Iterator[str]:
        asked.append(f"probe {image_id}")
        yield "probe"
        asked.append("gone")

    def stat(_engine: Engine, container_id: str, path: str) -> archive.PathStat | None:
        asked.append(path)
        if path == "/closed":
            raise EngineFailed("no")
        found = {"/opt": archive.PathStat(Kind.DIR, 0, 0o755)}
        found["/bin"] = archive.PathStat(Kind.LINK, 0, 0o777, "/usr/bin")
        return found.get(path)

    monkeypatch.setattr(module, "probe_container", probe)
    monkeypatch.setattr(archive, "stat", stat)
    return asked


def test_a_path_is_asked_once_and_the_probe_goes_away(asked: list[str]) -> None:
    store = memory_store()
    engine = Engine(Endpoint("unix:///nowhere", "the test"))
    for _ in range(2):
        with Bases(engine, store.image_contents) as bases:
            assert bases.lookup("id", "chain", "/opt") == Node(Kind.DIR)
            assert bases.lookup("id", "chain", "/bin") == Node(Kind.LINK, link="/usr/bin")
            assert bases.lookup("id", "chain", "/none") is None
    assert asked == ["probe id", "/opt", "/bin", "/none", "gone"]


def test_a_look_that_failed_is_made_again(asked: list[str]) -> None:
    store = memory_store()
    with Bases(Engine(Endpoint("unix:///nowhere", "the test")), store.image_contents) as bases:
        assert bases.lookup("id", "chain", "/closed") is None
        assert bases.lookup("id", "chain", "/closed") is None
    assert asked.count("/closed") == 2
