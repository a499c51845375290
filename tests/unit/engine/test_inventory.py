"""What counts as gone, told by an engine that answers from a table."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from freshd.engine.client import Engine
from freshd.engine.inventory import Missing, missing
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import TargetGone

HERE = {"Id": "here", "ImageID": "sha256:run", "Mounts": [{"Type": "volume", "Name": "data"}]}
IMAGES: Sequence[Mapping[str, Any]] = (
    {"Id": "sha256:tagged", "RepoTags": ["web:latest"], "RepoDigests": []},
    {"Id": "sha256:pulled", "RepoTags": None, "RepoDigests": ["base@sha256:1"]},
    {"Id": "sha256:idle", "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]},
    {"Id": "sha256:run", "RepoTags": [], "RepoDigests": None},
)


class _Api:
    """``hidden`` is there, and in no listing."""

    def __init__(self, hidden: Sequence[str] = ()) -> None:
        self.hidden = hidden
        self.asked: list[str] = []

    def images(self) -> Sequence[Mapping[str, Any]]:
        return IMAGES

    def _inspect(self, name: str) -> Mapping[str, Any]:
        self.asked.append(name)
        if name not in self.hidden:
            raise TargetGone(name)
        return {}

    inspect_container = inspect_image = inspect_volume = _inspect


class _Engine:
    endpoint = Endpoint("unix:///x", "a test")

    def __init__(self, api: _Api, containers: Sequence[Mapping[str, Any]] = (HERE,)) -> None:
        self.api = api
        self._containers = containers

    def listing(self) -> Sequence[Mapping[str, Any]]:
        return self._containers


def ask(engine: _Engine, *objects: str) -> Missing:
    return missing(cast(Engine, engine), objects)


def test_what_is_listed_or_in_use_is_not_asked_for() -> None:
    api = _Api()
    listed = ("here", "sha256:run", "sha256:tagged", "sha256:pulled", "volume:data")
    assert ask(_Engine(api), *listed) == Missing()
    assert api.asked == []


def test_an_image_that_nothing_names_is_unused() -> None:
    assert ask(_Engine(_Api()), "sha256:idle") == Missing(unused=frozenset({"sha256:idle"}))


@pytest.mark.parametrize("name", ["old", "sha256:old", "volume:old"])
def test_only_what_the_engine_denies_is_gone(name: str) -> None:
    api = _Api()
    assert ask(_Engine(api), name) == Missing(gone=frozenset({name}))
    assert api.asked == [name.removeprefix("volume:")]
    assert ask(_Engine(_Api(hidden=["old", "sha256:old"])), name) == Missing()


def test_an_engine_without_containers_is_not_believed() -> None:
    assert ask(_Engine(_Api(), ()), "old", "sha256:idle") == Missing()
