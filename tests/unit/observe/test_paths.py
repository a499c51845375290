"""Container paths are compared by whole components."""

from dataclasses import replace

import pytest

from freshd.model.observed.container import Mount, Replica
from freshd.model.paths import ancestors, is_below
from freshd.observe.paths import is_clean


@pytest.mark.parametrize(
    ("path", "directory", "below"),
    [
        ("/app/x", "/app", True),
        ("/app", "/app", True),
        ("/application", "/app", False),
        ("/x", "/", True),
    ],
)
def test_below_is_by_component(path: str, directory: str, below: bool) -> None:
    assert is_below(path, directory) is below


def test_ancestors_are_the_directories_above_without_the_root() -> None:
    assert list(ancestors("/a/b/c")) == ["/a/b", "/a"]
    assert list(ancestors("/a")) == []


def test_the_deepest_mount_serves_a_path() -> None:
    outer, inner = Mount("bind", "/app"), Mount("tmpfs", "/app/tmp")
    replica = Replica(id="1", name="web-1", service="web", mounts=(outer, inner))
    assert replica.mount_at("/app/tmp/x") is inner
    assert replica.mount_at("/app/tmpx") is outer
    assert replica.mount_at("/srv") is None
    root = Mount("volume", "/")
    assert replace(replica, mounts=(root, inner)).mount_at("/srv") is root
    assert replace(replica, mounts=(root, inner)).mount_at("/app/tmp") is inner


@pytest.mark.parametrize("path", ["", "a", "./a", "/a/", "/a//b", "/a/../b", "//a", "/a\0b"])
def test_paths_that_are_not_clean(path: str) -> None:
    assert not is_clean(path)


@pytest.mark.parametrize("path", ["/a", "/a\nb", "/-x", "/a/.b", "/\udcff"])
def test_paths_that_are_clean(path: str) -> None:
    assert is_clean(path)
