"""A watcher on a directory, and what it reported."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from freshd.triggers.watch import Watcher

DEADLINE = 8.0


class Reports:
    """Collects what a watcher says and waits for what a test expects."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.lost: list[str] = []
        self._arrived = threading.Condition()

    def on_change(self, paths: Collection[str]) -> None:
        with self._arrived:
            self.paths.extend(paths)
            self._arrived.notify_all()

    def on_lost(self, reason: str) -> None:
        with self._arrived:
            self.lost.append(reason)
            self._arrived.notify_all()

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + DEADLINE
        with self._arrived:
            while not condition():
                left = end - time.monotonic()
                assert left > 0, f"no report of {what}; seen {self.paths[-20:]} {self.lost[-5:]}"
                self._arrived.wait(min(left, 0.05))

    def wait_for(self, *paths: str | Path) -> None:
        wanted = {str(path) for path in paths}
        self.wait(lambda: wanted <= set(self.paths), f"{sorted(wanted)}")

    def wait_lost(self, text: str) -> None:
        self.wait(lambda: any(text in reason for reason in self.lost), text)

    def covers(self, path: str) -> bool:
        """Whether the path or a directory above it was reported."""
        seen = set(self.paths)
        while path not in seen:
            if path == "/":
                return False
            path = os.path.dirname(path)
        return True

    def clear(self) -> None:
        with self._arrived:
            self.paths.clear()
            self.lost.clear()


class Fixture:
    """Starts watchers that end with the test."""

    def __init__(self, root: Path, stack: contextlib.ExitStack) -> None:
        self.root = root
        self.reports = Reports()
        self._stack = stack

    def start(self, *roots: Path, skip: Any = lambda _path, _is_dir: False, **more: Any) -> Watcher:
        options: dict[str, Any] = {
            "skip": skip,
            "on_change": self.reports.on_change,
            "on_lost": self.reports.on_lost,
            "root_interval": 0.05,
            "poll_interval": 0.05,
        }
        watcher = Watcher([str(root) for root in roots or (self.root,)], **(options | more))
        watcher.start()
        self._stack.callback(watcher.stop)
        return watcher


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Fixture]:
    root = tmp_path / "tree"
    root.mkdir()
    with contextlib.ExitStack() as stack:
        yield Fixture(root, stack)
