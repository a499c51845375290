"""Container paths are compared by whole components."""

import pytest

from freshd.model.observed.container import Mount
from freshd.observe.paths import ancestors, is_below, is_clean, mount_of


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
    assert mount_of("/app/tmp/x", (outer, inner)) is inner
    assert mount_of("/app/tmpx", (outer, inner)) is outer
    assert mount_of("/srv", (outer, inner)) is None


@pytest.mark.parametrize("path", ["", "a", "./a", "/a/", "/a//b", "/a/../b", "//a", "/a\0b"])
def test_paths_that_are_not_clean(path: str) -> None:
    assert not is_clean(path)


@pytest.mark.parametrize("path", ["/a", "/a\nb", "/-x", "/a/.b", "/\udcff"])
def test_paths_that_are_clean(path: str) -> None:
    assert is_clean(path)
