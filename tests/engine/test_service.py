"""The installed service, as systemd would run it: several projects, one of them broken.

The unit that ``freshd service install`` wrote is read by the test and its ExecStart run with its
environment, under a socket that hears what systemd would hear.
"""

import os
import sqlite3
from pathlib import Path

import pytest

from tests.engine.conftest import StackFactory
from tests.engine.watching import DOCKERFILE, INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.supervised import Supervised, Supervisor

pytestmark = pytest.mark.timeout(300)

COMPOSE = """
services:
  web: {build: ., init: true, command: [sleep, "1000000"], stop_grace_period: 0s}
"""
POLICY = (
    INJECT
    + '[[rule]]\nwhen = ["build-input-changed"]\ndo = ["rebuild"]\n'
    + '[schedule]\nvalidate = "Sun 03:30"\n'
)
NO_SYSTEMD = "#!/bin/sh\necho 'Failed to connect to bus: No medium found'\nexit 1\n"
WATCHDOG = 2.0
WEEK = 7 * 24 * 3600.0


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, and a systemctl that reaches nobody's systemd."""
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(NO_SYSTEMD)
    systemctl.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "PATH": f"{systemctl.parent}{os.pathsep}{os.environ['PATH']}",
    }


def shop(make_stack: StackFactory) -> Stack:
    stack = make_stack()
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": POLICY})
    stack.write({"app/a.py": "a = 1\n"})
    stack.up(build=True)
    return stack


def in_(stack: Stack, own: Path, environment: dict[str, str]) -> Watching:
    """freshd in one of the projects; all of them share the state in ``own``."""
    return Watching(stack, Freshd(stack.directory, str(own), {**stack.environment, **environment}))


def started(supervisor: Supervisor, watching: Watching) -> Supervised:
    """The unit's process, ready."""
    service = supervisor.start(watchdog=WATCHDOG)
    watching.daemon = service.daemon
    watching.freshd.daemons.append(service.daemon)
    watching.until(lambda: "READY=1" in service.lines(), "READY=1")
    return service


def last_sunday_was_missed(own: Path, project: str) -> None:
    with sqlite3.connect(own / "state" / "freshd.sqlite3", timeout=10) as connection:
        connection.execute("UPDATE last_run SET at = at - ? WHERE project = ?", (2 * WEEK, project))
    connection.close()


def test_the_service_watches_every_project_and_agrees_to_nothing(
    make_stack: StackFactory, environment: dict[str, str], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    one, two, broken = (in_(shop(make_stack), own, environment) for _ in range(3))
    freshd = one.freshd
    for each in (one, two):
        done = freshd("service", "install", "--project", each.stack.directory)
        assert done.returncode == 1, "no user systemd answers"
        assert "systemctl --user enable --now freshd.service" in done.stdout
    with open(own / "config" / "config.toml", "a", encoding="utf-8") as config:
        config.write(f'\n[[project]]\ndir = "{broken.stack.directory}"\n')
    broken.stack.write({"compose.yaml": "services: 7\n"})
    unit = os.path.join(environment["HOME"], ".config", "systemd", "user", "freshd.service")

    with Supervisor(unit, str(own), freshd.full_environment) as supervisor:
        service = started(supervisor, one)
        try:
            state = freshd("service", "status", "--json").json
            problems = {each["directory"]: each["problem"] for each in state["projects"]}
            assert [problems[each.stack.directory] for each in (one, two)] == ["", ""]
            assert "compose" in problems[broken.stack.directory]
            assert "the service cannot watch it" in broken.freshd("status").stdout
            for each in (one, two):
                each.stack.write({"app/a.py": f"a = '{each.stack.project}'\n"})
            one.level(replicas=1)
            two.level(replicas=1)
            broken.stack.write({"compose.yaml": COMPOSE, "app/a.py": "a = 'repaired'\n"})
            broken.level(replicas=1)
            one.until(lambda: len(service.signs_of_life()) > 2, "three signs of life")
            assert one.daemon is not None
            assert one.daemon.stop() == 0
            one.until(lambda: service.lines()[-1] == "STOPPING=1", "STOPPING=1")

            # while it is off, a Dockerfile changes, and a Sunday passes
            one.stack.write({"Dockerfile": DOCKERFILE + "RUN true\n"})
            last_sunday_was_missed(own, two.stack.project)
            started(supervisor, one)
            one.finds("build-input-changed")
            one.until(lambda: one.status()["incidents"], "an incident")
            assert "changed since you agreed" in one.status()["incidents"][0]["text"]
            two.until(lambda: two.status()["validation"], "the validation that was missed")
            two.stack.write({"app/a.py": "a = 3\n"})
            two.level(replicas=1)
            two.fresh()
            kept = freshd("history", "--json", "--project", two.stack.directory).json["validations"]
            assert [(each["verdict"], each["by_hand"]) for each in kept] == [("fresh", False)]
            assert one.remedies() == [("inject", "done")], "nothing was rebuilt"

            assert freshd("apply").returncode == 0
            assert one.ended()[-1] == ("rebuild", "done")
            assert freshd("validate").returncode == 0
            assert one.status()["validation"]["by_hand"] is True
        finally:
            for daemon in freshd.daemons:
                daemon.stop()
    assert "Traceback" not in one.log
