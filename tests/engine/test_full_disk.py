"""A state directory without room: nothing is done, and all goes on by itself once there is some."""

import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.engine.watching import COMPOSE, DOCKERFILE, INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

FILLED = int(os.environ.get("FRESHD_FILLED", "3"))

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk of its own"),
]


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of a few hundred kilobytes, or of some megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    size = f"size={request.param}"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "freshd-test", str(place)], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> None:
    """To the last byte."""
    with open(place / "filler", "wb", buffering=0) as filler:
        for size in (65536, 4096, 512, 1):
            try:
                while filler.write(b"x" * size) == size:
                    pass
            except OSError:
                continue


@pytest.mark.parametrize("disk", ["4m"], indirect=True)
def test_a_full_state_disk_stops_what_is_done_and_nothing_else(
    engine_env: Mapping[str, str],
    stack: Stack,
    make_freshd: Callable[[Stack], Freshd],
    disk: Path,
) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    stack.write({"app/a.py": "a = 0\n"})
    stack.up(build=True)
    chance = random.Random(FILLED)
    watching = Watching(stack, make_freshd(stack), {"FRESHD_STATE_DIR": str(disk / "state")})
    fill(disk)
    daemon = watching.freshd.run(environment=watching.environment)
    watching.daemon = daemon
    (disk / "filler").unlink()
    daemon.wait_ready()
    for number in range(FILLED):
        if chance.random() < 0.5:
            watching.level()
        fill(disk)
        stack.write({"app/a.py": f"a = {chance.random()}\n"})
        if chance.random() < 0.5:
            watching.until(lambda: "full" in watching.log or "room" in watching.log, "a word")
        assert daemon.process.poll() is None, watching.log
        (disk / "filler").unlink()
        stack.write({"app/a.py": f"last = {number}\n"})
        watching.level()
    watching.fresh()
    print(f"filled {FILLED} times, seed {FILLED}: it went on")
    assert daemon.stop() == 0


@pytest.mark.parametrize("disk", ["256k"], indirect=True)
def test_a_disk_without_room_for_the_state_is_said_by_every_verb_and_ends_when_told(
    stack: Stack, make_freshd: Callable[[Stack], Freshd], disk: Path
) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    stack.write({"app/a.py": "a = 0\n"})
    stack.up(build=True)
    stack.write({"app/a.py": "a = 1\n"})
    watching = Watching(stack, make_freshd(stack), {"FRESHD_STATE_DIR": str(disk / "state")})
    for argv in (["check"], ["plan"], ["inject", "web"], ["validate"]):
        done = watching.freshd(*argv, environment=watching.environment, timeout=60.0)
        assert done.returncode not in (0, 70), done
        assert done.stderr.splitlines()[0].startswith("error: state database"), done
        assert "full" in done.stderr
        assert "Traceback" not in done.stderr
    status = watching.freshd("status", environment=watching.environment, timeout=60.0)
    assert status.returncode not in (0, 70), status
    daemon = watching.freshd.run(environment=watching.environment)
    watching.daemon = daemon
    watching.until(lambda: "full" in watching.log or "room" in watching.log, "a word")
    assert daemon.stop(deadline=30.0) in (0, -signal.SIGTERM)
    assert watching.read("/app/a.py") == {b"a = 0\n"}
