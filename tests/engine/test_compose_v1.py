"""Containers that Compose v1 made: found, checked, rebuilt and recreated under the names they have.

With the real `docker-compose` 1.29; freshd itself calls `docker compose` alone.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.cli import Freshd
from tests.harness.docker import Docker
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

COMPOSE = """
version: "3.8"
services:
  web:
    build: .
    volumes: [data:/data]
    stop_grace_period: 0s
  worker:
    image: {project}_web
    command: [sleep, "1000001"]
    stop_grace_period: 0s
volumes: {{data: {{}}}}
"""
FILES = {
    "Dockerfile": 'FROM freshd-busybox:1\nCOPY app /app\nCMD ["sleep", "1000000"]\n',
    "app/a.txt": "one\n",
    "freshd.toml": "version = 1\n",
}
POLICY = """
version = 1
[[rule]]
when = ["content-differs", "image-behind"]
do = ["rebuild"]
"""
V1 = Callable[..., str]


def compose_v1() -> str | None:
    """The command, where it is the first version: FRESHD_COMPOSE_V1 names it, else PATH."""
    command = os.environ.get("FRESHD_COMPOSE_V1") or shutil.which("docker-compose")
    if command is None:
        return None
    done = subprocess.run([command, "version", "--short"], capture_output=True, text=True)
    return command if done.stdout.startswith("1.") else None


pytestmark = pytest.mark.skipif(
    compose_v1() is None, reason="no docker-compose of version 1 here (`make test-old` has one)"
)


@pytest.fixture
def v1(stack: Stack) -> V1:
    """``v1("up", "-d")`` in the test's stack, which it writes first."""
    stack.write(FILES)
    stack.write({"docker-compose.yml": COMPOSE.format(project=stack.project)})
    command = compose_v1()
    assert command is not None

    def call(*argv: str) -> str:
        done = subprocess.run(
            [command, *argv],
            cwd=stack.directory,
            env=stack.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def names(stack: Stack, service: str = "web") -> list[str]:
    return list(stack.named_containers(service, all_states=True).values())


def oracle(stack: Stack) -> list[str]:
    return stack.oracle("web", {"app/a.txt": "/app/a.txt"}, replicas=1)


def test_they_are_found_and_checked(stack: Stack, freshd: Freshd, v1: V1) -> None:
    v1("up", "-d", "--scale", "web=2")
    stack.write({"app/a.txt": "two\n"})
    seen = freshd("check", "--json")
    assert seen.returncode == 1, seen
    services = {one["name"]: one for one in seen.json["services"]}
    assert [one["name"] for one in services["web"]["containers"]] == names(stack)
    assert names(stack) == [f"{stack.project}_web_{n}" for n in (1, 2)]
    assert services["worker"]["verdict"] == "stale", "it runs the image that web builds"
    assert freshd("inject", "web").returncode == 0
    assert stack.oracle("web", {"app/a.txt": "/app/a.txt"}, replicas=2) == []


def test_a_rebuild_and_a_recreate_keep_names_image_and_volume(
    stack: Stack, freshd: Freshd, v1: V1, docker: Docker
) -> None:
    v1("up", "-d", "--scale", "web=2")
    stack.put(stack.containers("web")[0], "/data/kept", b"kept")
    before = names(stack)
    stack.write({"app/a.txt": "two\n"})
    done = freshd("rebuild", "web")
    assert done.returncode == 0, done
    first = stack.containers("web")
    done = freshd("recreate", "web")
    assert done.returncode == 0, done
    second = stack.containers("web")
    assert not {*first} & {*second}
    assert names(stack) == before
    assert stack.oracle("web", {"app/a.txt": "/app/a.txt"}, replicas=2) == []
    assert stack.read(second[0], "/data/kept") == b"kept"
    made = docker.words("image", "ls", "--format", "{{.Repository}}")
    assert f"{stack.project}_web" in made
    assert f"{stack.project}-web" not in made
    assert sorted(v1("ps", "-q", "web").split()) == sorted(second), "v1 still sees them"


def test_who_changes_to_v2_gets_its_names_from_then_on(
    stack: Stack, freshd: Freshd, v1: V1
) -> None:
    v1("up", "-d", "web")
    assert freshd("check").returncode == 3, "the classic builder leaves no proof"
    stack.up("web", build=True)
    assert names(stack) == [f"{stack.project}-web-1"]
    stack.write({"app/a.txt": "two\n"})
    assert freshd("rebuild", "web").returncode == 0
    assert names(stack) == [f"{stack.project}-web-1"]
    assert freshd("check", "web").returncode == 0


def test_the_daemon_follows_who_changes_while_it_runs(stack: Stack, freshd: Freshd, v1: V1) -> None:
    stack.write({"freshd.toml": POLICY})
    v1("up", "-d", "web")
    daemon = freshd.run().wait_ready()
    stack.up("web", build=True)
    stack.write({"app/a.txt": "two\n"})
    wait_until(lambda: oracle(stack) == [], 120.0, what="the rebuild")
    assert names(stack) == [f"{stack.project}-web-1"]
    assert daemon.stop() == 0
    assert freshd("check", "web").returncode == 0


def test_of_two_clones_with_one_name_each_has_its_own(
    stack: Stack, freshd: Freshd, v1: V1, tmp_path: Path
) -> None:
    """v1 notes `docker-compose.yml` without its directory."""
    clone = Stack(str(tmp_path / "clone" / stack.project), stack.project, stack.environment)
    clone.write(FILES)
    clone.write({"docker-compose.yml": COMPOSE.format(project=stack.project)})
    v1("up", "-d", "web")
    seen = freshd("check", "--json", directory=clone.directory)
    web = next(one for one in seen.json["services"] if one["name"] == "web")
    assert web["containers"] == []


def test_a_one_off_of_v1_is_none_of_the_service(stack: Stack, freshd: Freshd, v1: V1) -> None:
    v1("up", "-d", "web")
    v1("run", "-d", "web", "sleep", "1000000")
    seen = freshd("check", "--json")
    web = next(one for one in seen.json["services"] if one["name"] == "web")
    assert [one["name"] for one in web["containers"]] == [f"{stack.project}_web_1"]
