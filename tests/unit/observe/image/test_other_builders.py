"""Builds that went elsewhere: whose they are, where they went, and what they had anew."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freshd.config.compose.model import ComposeBuild
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.model.observed.surroundings import Elsewhere
from freshd.observe.image.other_builders import find_build_elsewhere
from freshd.observe.observers import Tools
from freshd.store.store import memory_store
from tests.unit.compare.stack import entry
from tests.unit.engine.cli.test_buildx import Notes

HERE = "unix:///here.sock"


@dataclass
class Shop:
    """A project ``web`` and ``api`` of one directory, with buildx's notes beside it."""

    root: Path
    host: str = HERE
    source: str = "the default socket"
    build: ComposeBuild | None = None
    tagged: float = 0.0
    model: Mapping[str, object] = field(default_factory=lambda: {"web": None, "api": None})

    def __post_init__(self) -> None:
        self.notes = Notes(self.root / "home")
        self.app = self.root / "app"
        self.app.mkdir()
        (self.app / "main.py").write_text("1")
        self.build = self.build or ComposeBuild(str(self.app))
        self.edited = os.lstat(self.app / "main.py").st_ctime

    def built(self, builder: str, *, after: float = 1.0, **note: str) -> None:
        self.notes.build(builder, {"LocalPath": str(self.app), **note}, at=self.edited + after)
        os.utime(self.notes.directory / "refs" / builder / "n0", (self.edited + 99,) * 2)

    def look(self) -> Elsewhere | None:
        project: Any = SimpleNamespace(
            dir=str(self.root),
            model=SimpleNamespace(services=self.model),
            service=lambda _: SimpleNamespace(build=self.build),
        )
        engine = Engine(Endpoint(self.host, self.source))
        compose = Compose(engine.endpoint, self.notes.environ)
        tools = Tools(project, engine, compose, memory_store(), lambda: 0.0)
        image = ImageFacts("i", "c", created_at=self.edited - 5, tagged_at=self.tagged)
        mapping = ServiceMap("web", pairs=(Pair("app/main.py", "/main.py", Via.COPY),))
        tree = {"app/main.py": entry("1")}
        facts = Snapshot("web", True, mapping, tree, tag_image=image)
        return find_build_elsewhere(tools, facts)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_build_of_another_driver_is_elsewhere(shop: Shop) -> None:
    shop.notes.instance("far", {"Driver": "remote", "Nodes": [{"Endpoint": "tcp://far:1"}]})
    shop.built("far", after=1.0)
    shop.built("far", after=3.0)
    seen = shop.look()
    assert seen is not None
    expected = Elsewhere("far", "remote", "tcp://far:1", HERE, seen.at, ("app/main.py",))
    assert seen == expected
    assert abs(seen.at - shop.edited - 3) < 1e-3
    shop.tagged = shop.edited + 4
    assert shop.look() is None, "the tag moved later"


def test_an_edit_that_came_later_was_in_no_build(shop: Shop) -> None:
    shop.notes.context("other", "tcp://far:1")
    shop.built("other", after=-1.0)
    seen = shop.look()
    assert seen is not None
    assert (seen.driver, seen.edited) == ("docker", ())


@pytest.mark.parametrize(
    ("host", "source", "told"),
    [
        pytest.param(HERE, "DOCKER_HOST", False, id="DOCKER_HOST may have sent it here"),
        pytest.param(HERE, "the current docker context (x)", True, id="a context did not"),
        pytest.param("unix:///var/run/docker.sock", "the default socket", False, id="it is here"),
    ],
)
def test_the_default_builder_is_elsewhere_only_for_sure(
    tmp_path: Path, host: str, source: str, told: bool
) -> None:
    shop = Shop(tmp_path, host=host, source=source)
    shop.built("default")
    assert (shop.look() is not None) is told


@pytest.mark.parametrize(
    "note",
    [
        {"Target": "api"},
        {"LocalPath": "/elsewhere"},
        {"LocalPath": "https://host/repository.git"},
        {"DockerfilePath": "/other/Dockerfile"},
        {"DockerfilePath": "-"},
    ],
)
def test_builds_of_something_else_are_left_out(shop: Shop, note: dict[str, str]) -> None:
    shop.notes.context("other", "tcp://far:1")
    shop.built("other", after=1.0, **note)
    assert shop.look() is None


def test_a_socket_is_the_same_through_a_link(shop: Shop) -> None:
    real, link = shop.root / "real.sock", shop.root / "link.sock"
    real.touch()
    link.symlink_to(real)
    shop.host = f"unix://{real}"
    shop.notes.context("alias", f"unix://{link}")
    shop.built("alias", Target="web", DockerfilePath=str(shop.app / "Dockerfile"))
    assert shop.look() is None


@pytest.mark.parametrize(
    "build",
    [ComposeBuild("https://host/repository.git"), ComposeBuild("/", dockerfile_inline="FROM a")],
)
def test_of_what_leaves_no_note_nothing_is_said(tmp_path: Path, build: ComposeBuild) -> None:
    shop = Shop(tmp_path, build=build)
    shop.notes.context("other", "tcp://far:1")
    shop.built("other", LocalPath=build.context)
    assert shop.look() is None
