"""Whatever is done to the tree, every change is covered, and afterwards no directory is blind."""

import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from freshd.triggers.watch import WatchMode


def scan(root: str) -> dict[str, tuple[int, int, int]]:
    found = {}
    for directory, _, files in os.walk(root):
        for path in (directory, *(os.path.join(directory, name) for name in files)):
            status = os.lstat(path)
            found[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def one_change(chance: random.Random, root: str, number: int) -> None:
    directories = [directory for directory, _, _ in os.walk(root)]
    where = chance.choice(directories)
    what = chance.randrange(10)
    if what < 3:
        os.makedirs(os.path.join(where, f"d{number}", f"e{number}"))
    elif what < 6:
        with open(os.path.join(where, f"f{number % 7}"), "w", encoding="ascii") as file:
            file.write(str(number))
    elif where == root:
        return
    elif what < 9:
        target = os.path.join(chance.choice(directories), f"r{number % 5}")
        if not target.startswith(where + os.sep) and target != where:
            shutil.rmtree(target, ignore_errors=True)
            if os.path.isdir(where) and os.path.isdir(os.path.dirname(target)):
                os.rename(where, target)
    else:
        shutil.rmtree(where)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_random_churn_leaves_no_change_unreported_and_no_directory_blind(
    watching: Any, seed: int
) -> None:
    root = str(watching.root)
    chance = random.Random(seed)
    watcher = watching.start()
    before = scan(root)
    end = time.monotonic() + 2.5
    number = 0
    while time.monotonic() < end:
        number += 1
        one_change(chance, root, number)
    after = scan(root)
    marker = Path(root) / "the-last-change"
    marker.touch()
    watching.reports.wait_for(marker)
    changed = {path for path, _ in before.items() ^ after.items()} - {root}
    if not watching.reports.lost:
        unreported = sorted(path for path in changed if not watching.reports.covers(path))
        assert unreported == []
    watching.reports.clear()
    probes = [os.path.join(directory, "probe") for directory, _, _ in os.walk(root)]
    for probe in probes:
        Path(probe).touch()
    watching.reports.wait_for(*probes)
    assert watcher.alive()
    assert watcher.state().mode is WatchMode.WATCHING
    assert number > 50
