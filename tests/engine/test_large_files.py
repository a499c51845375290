"""A large file is brought into a container without being held in memory."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.watching import COMPOSE, DOCKERFILE, INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

MIB = 1024 * 1024
SIZE = int(os.environ.get("FRESHD_LARGE", "64"))


def most_resident(pid: int) -> int:
    """MiB of memory, the most that there ever were."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) // 1024


@pytest.mark.timeout(600)
def test_an_injection_takes_no_memory_for_what_a_large_file_has(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    compose = COMPOSE.replace("scale: 2", "scale: 1")
    stack.write({"compose.yaml": compose, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    stack.write({"app/a.py": "a = 0\n", "app/model.bin": "small"})
    stack.up(build=True)
    watching = Watching(stack, make_freshd(stack))
    daemon = watching.run()
    watching.fresh()
    stack.write({"app/a.py": "a = 1\n"})
    watching.level(replicas=1)
    before = most_resident(daemon.process.pid)
    made = Path(stack.directory) / "made"
    with open(made, "wb") as file:
        file.writelines(os.urandom(MIB) for _ in range(SIZE))
    os.rename(made, Path(stack.directory) / "app" / "model.bin")
    watching.level(replicas=1)
    watching.fresh()
    after = most_resident(daemon.process.pid)
    print(f"{SIZE} MiB: {after} MiB of memory at most, {before} before")
    assert after - before < 32
    assert after < 150
    assert daemon.stop() == 0
