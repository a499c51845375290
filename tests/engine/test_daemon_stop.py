"""How the daemon ends, and what it remembers of the week."""

import os
import signal
import sqlite3
import time

import pytest

from tests.engine.watching import DOCKERFILE, INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

COMPOSE = """
services:
  web: {build: ., init: true, command: [sleep, "1000000"], stop_grace_period: 0s}
"""
SLOW = "FROM freshd-busybox:1\nCOPY wait.sh /wait.sh\nRUN sh /wait.sh\nCOPY app /app\n"
REBUILD = INJECT + '[[rule]]\nwhen = ["build-input-changed"]\ndo = ["rebuild"]\n'
WEEK = 7 * 24 * 3600.0


def children(pid: int) -> set[int]:
    """Every process below ``pid``, also those in sessions of their own."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue  # it has ended meanwhile
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def test_sigterm_and_sigint_end_it_cleanly(stack: Stack, freshd: Freshd) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    stack.write({"app/a.py": "a = 1\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)
    for number in (signal.SIGTERM, signal.SIGINT):
        daemon = shop.run()
        stack.write({"app/a.py": f"before signal {number}\n"})
        shop.level(replicas=1)
        daemon.process.send_signal(number)
        assert daemon.process.wait(60) == 0
        status = freshd("status")
        assert "is gone" in status.stdout
        assert "Traceback" not in shop.log
    stack.write({"app/a.py": "while nobody watched\n"})
    shop.run()
    shop.level(replicas=1)
    shop.fresh()


def test_sigterm_in_the_middle_of_a_build_ends_the_build(stack: Stack, freshd: Freshd) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": SLOW, "freshd.toml": REBUILD})
    stack.write({"app/a.py": "a = 1\n", "wait.sh": "sleep 0\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)
    daemon = shop.run()
    shop.fresh()
    before = stack.container("web")
    stack.write({"wait.sh": "sleep 100\n"})
    shop.until(lambda: len(children(daemon.pid)) >= 2, "the builder")
    shop.until(lambda: any(e["status"] == "running" for e in shop.entries()), "the open entry")
    below = children(daemon.pid)
    began = time.monotonic()
    assert daemon.stop(30) == 0
    assert time.monotonic() - began < 60
    wait_until(lambda: not [pid for pid in below if os.path.exists(f"/proc/{pid}")], 30.0)
    assert stack.container("web") == before

    stack.write({"wait.sh": "sleep 0\n# again\n", "app/a.py": "a = 2\n"})
    shop.run()
    shop.level(replicas=1)
    shop.until(lambda: ("rebuild", "done") in shop.remedies(), "the build to be made again")
    shop.fresh()


def test_a_weekly_validation_that_was_missed_runs_once(stack: Stack, freshd: Freshd) -> None:
    policy = INJECT + '[schedule]\nvalidate = "Sun 03:30"\n'
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": policy})
    stack.write({"app/a.py": "a = 1\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)

    def last_runs() -> dict[str, float]:
        (name,) = [
            n for n in os.listdir(freshd.state) if n.endswith((".db", ".sqlite", ".sqlite3"))
        ]
        connection = sqlite3.connect(os.path.join(freshd.state, name), timeout=10)
        try:
            with connection:
                return dict(connection.execute("SELECT name, at FROM last_run").fetchall())
        finally:
            connection.close()

    def set_back(seconds: float) -> None:
        (name,) = [
            n for n in os.listdir(freshd.state) if n.endswith((".db", ".sqlite", ".sqlite3"))
        ]
        connection = sqlite3.connect(os.path.join(freshd.state, name), timeout=10)
        try:
            with connection:
                connection.execute("UPDATE last_run SET at = at - ?", (seconds,))
        finally:
            connection.close()

    shop.run().stop()
    assert list(last_runs()) == ["validate:since"], "the first week has begun"
    set_back(2 * WEEK)
    daemon = shop.run()
    shop.until(lambda: "validate" in last_runs(), "the missed validation")
    ran = last_runs()["validate"]
    daemon.stop()
    shop.run()
    shop.fresh()
    assert last_runs()["validate"] == ran
