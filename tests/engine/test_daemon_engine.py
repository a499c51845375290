"""An engine that goes away, comes back, was never there, or dies in the middle of a step."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.kills import Journal
from tests.engine.watching import INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.private_engine import PrivateEngine
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(600)

COMPOSE = """
services:
  web:
    build: .
    scale: 2
    restart: always
    network_mode: none
    command: [sh, -c, "trap 'sleep 2; exit 0' TERM; while :; do sleep 0.1; done"]
    stop_grace_period: 4s
"""
DOCKERFILE = """
FROM freshd-busybox:1
COPY words.txt /in/words.txt
RUN sleep 1 && tr a-z A-Z </in/words.txt >/words.txt
COPY app /app
"""
POLICY = (
    INJECT
    + """
[[rule]]
when = ["build-input-changed"]
do = ["rebuild"]
[[rule]]
when = ["old-image"]
do = ["recreate"]
"""
)


@pytest.fixture
def shop(
    private_engine: PrivateEngine,
    tmp_path: Path,
    make_freshd: Callable[[Stack], Freshd],
) -> Watching:
    """Two replicas on an engine of their own; the daemon is not started yet."""
    stack = private_engine.stack(tmp_path)
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": POLICY})
    stack.write({"app/a.py": "a = 1\n", "app/b.py": "b = 1\n", "words.txt": "one\n"})
    stack.up(build=True)
    return Watching(stack, make_freshd(stack))


def test_an_engine_that_goes_away_is_waited_for(
    shop: Watching, private_engine: PrivateEngine
) -> None:
    stack = shop.stack
    daemon = shop.run()
    shop.fresh()

    private_engine.down()
    shop.until(lambda: shop.status()["daemon"]["engine"], "the loss in status")
    said = shop.freshd("status")
    assert "engine: " in said.stdout
    assert said.returncode == 3, "what the containers hold now cannot be proved"
    stack.write({"app/a.py": "a = 2\n"})
    assert daemon.process.poll() is None
    private_engine.start()
    shop.level()
    shop.fresh()
    assert shop.status()["daemon"]["engine"] == ""

    # absent at the daemon's start
    assert daemon.stop() == 0
    private_engine.down()
    daemon = shop.run()
    shop.until(lambda: shop.status()["daemon"]["engine"], "the absence in status")
    stack.write({"app/b.py": "b = 2\n"})
    private_engine.start()
    shop.level()
    shop.fresh()
    assert daemon.process.poll() is None


def test_an_engine_that_dies_in_the_middle_of_a_rebuild(
    shop: Watching, private_engine: PrivateEngine
) -> None:
    stack = shop.stack
    daemon = shop.run()
    shop.fresh()
    journal = Journal(os.path.join(shop.freshd.state, "freshd.sqlite3"))
    for phase, word in (("build", "two"), ("recreate", "three")):
        stack.write({"words.txt": f"{word}\n"})

        def begun(phase: str = phase) -> bool:
            return any(entry.phase == phase for entry in journal.unfinished())

        shop.until(begun, f"the {phase}")
        private_engine.kill()
        stack.write({"app/a.py": f"a = {word!r}\n"})
        shop.until(lambda: shop.status()["daemon"]["engine"], "the loss in status")
        private_engine.start()
        wanted: set[bytes | None] = {f"{word.upper()}\n".encode()}

        def renewed(wanted: set[bytes | None] = wanted) -> bool:
            return len(stack.containers("web")) == 2 and shop.read("/words.txt") == wanted

        shop.until(renewed, "both replicas of the new image", 180.0)
        shop.level()
        shop.fresh()
        broken = [entry for entry in shop.entries() if entry["status"] == "interrupted"]
        assert phase in {p["name"] for p in broken[0]["phases"]}
    assert daemon.process.poll() is None
    journal.close()
