"""What the engine has no more is forgotten, and what another project or engine has is not."""

import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Final

import pytest

from tests.engine.conftest import StackFactory
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

COMPOSE: Final = """
services:
  web: {build: ., init: true, command: [sleep, "1000"], stop_grace_period: 0s}
  side: {image: "freshd-busybox:1", init: true, command: [sleep, "1000"]}
"""
DOCKERFILE: Final = "FROM freshd-busybox:1\nCOPY app /app\nRUN echo built >/built\n"
TREE: Final = {"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "app/a.py": "0", "app/b": "b"}


def rows(freshd: Freshd) -> Mapping[str, int]:
    """Table -> how many rows it has."""
    path = os.path.join(freshd.state, "freshd.sqlite3")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        counts = {name: f"SELECT count(*) FROM {name}" for (name,) in names}
        return {name: connection.execute(count).fetchone()[0] for name, count in counts.items()}


def known_containers(freshd: Freshd) -> set[str]:
    path = os.path.join(freshd.state, "freshd.sqlite3")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return {row[0] for row in connection.execute("SELECT container_id FROM made_with")}


def outlast_racy_hashes() -> None:
    """Until the hash of a file that was just written is kept: a younger one's may be wrong."""
    kept_from = time.time() + 3.1
    wait_until(lambda: time.time() > kept_from)


@pytest.mark.timeout(600)
def test_ten_rebuilds_leave_as_many_rows_as_the_first(
    make_stack: StackFactory, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack, other = make_stack(TREE), make_stack(TREE)
    freshd = make_freshd(stack)
    other.up(build=True)
    assert freshd("check", directory=other.directory).returncode == 0
    counts = []
    for number in range(10):
        stack.write({"app/a.py": f"print({number})"})
        stack.build()
        stack.compose("up", "-d", "--timeout", "0", "--force-recreate")
        outlast_racy_hashes()
        assert freshd("check").returncode == 0
        counts.append(rows(freshd))
    assert counts[0]["image_file"] > 0
    assert counts[-1] == counts[0]
    lasting = {*stack.containers(), *other.containers()}
    assert known_containers(freshd) == lasting
