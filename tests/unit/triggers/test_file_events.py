"""Saved files mark their services; files of the project itself mark all, and are read anew."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freshd.config.invocation import Invocation
from freshd.config.locate import locate_project
from freshd.config.project import Project, load
from freshd.triggers.file_events import FileEvents
from tests.harness.waiting import wait_until
from tests.unit.triggers.marks import ALL, Marked


class Tree:
    """A project's files, watched."""

    def __init__(self, directory: Path) -> None:
        self.root = directory
        (directory / "app").mkdir(parents=True)
        (directory / "compose.yaml").write_text("")
        self.web: dict[str, Any] = {"build": {"context": str(directory)}}
        model = {"name": "shop", "services": {"web": self.web}}
        compose: Any = SimpleNamespace(config=lambda _: model)
        located = locate_project(Invocation(str(directory), {}))
        self.project: Project = load(located, engine=None, compose=compose)
        self.marked = Marked()
        self.stale = 0
        self.trigger = FileEvents(
            self.project, self.marked, own=[str(self.root / "own")], on_stale=self._on_stale
        )

    def _on_stale(self) -> None:
        self.stale += 1

    def after(self, change: Callable[[], object], service: str, reason: str) -> None:
        self.marked.made.clear()
        change()
        self.marked.wait_for(service, reason)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    with ExitStack() as closing:
        tree = Tree(tmp_path / "shop")
        closing.callback(tree.trigger.stop)
        tree.trigger.start()
        yield tree


def test_a_saved_file_marks_its_service_with_its_path(tree: Tree) -> None:
    saved = tree.root / "app" / "a.py"
    tree.after(lambda: saved.write_text("a = 2\n"), "web", "files changed")
    assert str(saved) in tree.marked.paths
    assert tree.stale == 0
    assert tree.trigger.state() == str(tree.root)


def test_a_compose_file_marks_all_and_after_a_refresh_what_it_mounts_is_watched(
    tree: Tree, tmp_path: Path
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    mount = {"type": "bind", "source": str(beside), "target": "/data"}
    tree.web["volumes"] = [mount]
    compose = tree.root / "compose.yaml"
    tree.after(lambda: compose.write_text("#"), ALL, "a file of the project itself changed")
    wait_until(lambda: tree.stale)
    assert tree.project.refresh()
    tree.trigger.refresh()
    assert (ALL, "other directories are watched") in tree.marked.made
    assert tree.trigger.state() == f"{beside}, {tree.root}"
    tree.after(lambda: (beside / "b.py").write_text(""), "web", "files changed")


def test_an_ignore_file_is_followed_and_the_same_directories_are_kept(tree: Tree) -> None:
    (tree.root / ".gitignore").write_text("*.log\n")
    wait_until(lambda: tree.stale)
    tree.trigger.refresh()
    tree.marked.paths.clear()
    (tree.root / "app" / "x.log").write_text("")
    tree.after(lambda: (tree.root / "app" / "y.py").write_text(""), "web", "files changed")
    assert not any(path.endswith(".log") for path in tree.marked.paths)
    assert (ALL, "other directories are watched") not in tree.marked.made


def test_a_directory_that_went_is_shown(tree: Tree) -> None:
    tree.root.rename(tree.root.with_name("away"))
    wait_until(lambda: "is not there" in tree.trigger.state())
    tree.trigger.stop()
    assert not tree.trigger.alive()
