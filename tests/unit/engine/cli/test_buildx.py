"""What buildx notes: builders by driver and engine, builds by time; what is broken is left out."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from freshd.engine.cli.buildx import Begun, Builder, begun, builders


class Notes:
    """A Docker configuration directory as buildx leaves it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {"HOME": str(home)}
        self.directory = home / ".docker" / "buildx"

    def build(self, builder: str, note: object, *, at: float, node: str = "n0") -> None:
        directory = self.directory / "refs" / builder / node
        directory.mkdir(parents=True, exist_ok=True)
        name = directory / f"r{len(os.listdir(directory))}"
        name.write_text(note if isinstance(note, str) else json.dumps(note))
        os.utime(name, (at, at))

    def instance(self, name: str, content: object) -> None:
        (self.directory / "instances").mkdir(parents=True, exist_ok=True)
        (self.directory / "instances" / name).write_text(json.dumps(content))

    def context(self, name: str, host: str) -> None:
        key = hashlib.sha256(name.encode()).hexdigest()
        directory = self.home / ".docker" / "contexts" / "meta" / key
        directory.mkdir(parents=True)
        (directory / "meta.json").write_text(json.dumps({"Endpoints": {"docker": {"Host": host}}}))


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path)


FAR = "unix:///far.sock"
NODE = {"Endpoint": FAR}


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        pytest.param(
            {"Driver": "remote", "Nodes": [NODE]},
            Builder("b", "remote", FAR),
            id="remote",
        ),
        pytest.param(
            {"Driver": "docker-container", "Nodes": [{"Endpoint": "other"}]},
            Builder("b", "docker-container", "other"),
            id="in a container of a context's engine",
        ),
        pytest.param(
            {"Driver": "docker", "Nodes": [{"Endpoint": "other"}]},
            Builder("b", "docker", "unix:///other.sock"),
            id="an engine by its context",
        ),
        pytest.param({"Driver": "docker", "Nodes": [NODE]}, Builder("b", "docker", FAR)),
        pytest.param({"Driver": "cloud", "Nodes": None}, Builder("b", "cloud"), id="no nodes"),
        pytest.param({"Nodes": [3]}, Builder("b", ""), id="nothing that is known"),
    ],
)
def test_a_builder_is_known_by_its_instance(
    notes: Notes, instance: Mapping[str, Any], expected: Builder
) -> None:
    notes.context("other", "unix:///other.sock")
    notes.instance("b", instance)
    notes.build("b", {}, at=1.0)
    assert list(builders(notes.environ)) == [expected]


def test_a_builder_without_an_instance_is_a_context(notes: Notes) -> None:
    notes.context("other", "tcp://far:2375")
    for name in ("default", "other", "removed"):
        notes.build(name, {}, at=1.0)
    assert list(builders(notes.environ)) == [
        Builder("default", "docker", "unix:///var/run/docker.sock"),
        Builder("other", "docker", "tcp://far:2375"),
    ]


def test_builds_are_told_that_began_later(notes: Notes) -> None:
    for at in (10.0, 20.0, 30.0):
        notes.build("b", {"LocalPath": f"/at{at:.0f}", "Target": "web"}, at=at)
    notes.build("b", {"LocalPath": "/n1", "DockerfilePath": "/n1/D"}, at=40.0, node="n1")
    for broken in ("", "[]", "{", "null"):
        notes.build("b", broken, at=50.0)
    assert sorted(begun(notes.environ, "b", since=20.0), key=lambda one: one.at) == [
        Begun(30.0, "/at30", "", "web"),
        Begun(40.0, "/n1", "/n1/D", ""),
    ]


def test_a_directory_in_which_nothing_is_newer_is_not_read(notes: Notes) -> None:
    notes.build("b", {"LocalPath": "/a"}, at=50.0)
    os.utime(notes.directory / "refs" / "b" / "n0", (40.0, 40.0))
    assert list(begun(notes.environ, "b", since=40.0)) == []


def test_another_directory_may_be_named(notes: Notes, tmp_path: Path) -> None:
    notes.build("b", {"LocalPath": "/a"}, at=50.0)
    notes.instance("b", {"Driver": "remote"})
    elsewhere = {"HOME": "/none", "BUILDX_CONFIG": str(notes.directory)}
    assert [one.name for one in builders(elsewhere)] == ["b"]
    named = {"DOCKER_CONFIG": str(notes.home / ".docker")}
    assert [one.context for one in begun(named, "b", since=1.0)] == ["/a"]
    assert list(builders({"HOME": str(tmp_path / "nobody")})) == []
