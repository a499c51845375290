"""Answers that break off under a running daemon: no worker is lost, and all is made up for."""

import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.engine.watching import COMPOSE, DOCKERFILE, INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.cutting import CuttingProxy
from tests.harness.stack import Stack

CUTS = int(os.environ.get("FRESHD_CUTS", "20"))
EACH = 10


def sockets(pid: int) -> int:
    """How many the process has open."""
    links = [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    return sum(os.readlink(link).startswith("socket:") for link in links if os.path.islink(link))


def resident(pid: int) -> int:
    """MiB of memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) // 1024


@pytest.mark.timeout(3600)
def test_a_daemon_outlives_answers_that_are_cut_anywhere(
    engine_env: Mapping[str, str],
    stack: Stack,
    make_freshd: Callable[[Stack], Freshd],
    tmp_path: Path,
) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    stack.write({"app/a.py": "a = 0\n"})
    stack.up(build=True)
    chance, longest, held = random.Random(CUTS), 0.0, []
    with CuttingProxy(engine_env["DOCKER_HOST"], tmp_path / "cut") as proxy:
        watching = Watching(stack, make_freshd(stack), {"DOCKER_HOST": proxy.host})
        daemon = watching.run()
        watching.fresh()
        number = 0
        while proxy.cuts < CUTS:
            number += 1
            goal = proxy.cuts + EACH
            while proxy.cuts < min(goal, CUTS):
                proxy.cut(skip=chance.randrange(3), after=chance.choice([1, 20, 150, 400, 2000]))
                stack.write({"app/a.py": f"a = {chance.random()}\n"})
                watching.until(lambda: not proxy.is_armed, "a connection to be cut", 60.0)
            stack.write({"app/a.py": f"last = {number}\n"})
            began = time.monotonic()
            watching.level()
            longest = max(longest, time.monotonic() - began)
            assert daemon.process.poll() is None, watching.log
            assert "worker has died" not in watching.log
            held.append((sockets(daemon.process.pid), resident(daemon.process.pid)))
        watching.fresh()
        part = max(1, len(held) // 3)
        first, last = (
            tuple(map(min, zip(*some, strict=True))) for some in (held[:part], held[-part:])
        )
        print(f"{proxy.cuts} cuts, seed {CUTS}: level within {longest:.1f} s")
        print(f"sockets and MiB, the least of the first and the last third: {first}, {last}")
        assert last[0] <= first[0] + 15
        assert last[1] <= first[1] + 20
        assert daemon.stop() == 0
