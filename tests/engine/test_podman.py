"""What works on Podman's Docker-compatible socket: from the first look to a rebuild."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.harness import podman
from tests.harness.cli import Freshd
from tests.harness.docker import Docker
from tests.harness.podman import Podman
from tests.harness.stack import Stack, unique_name
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(900)
PATIENCE = 300.0
COMPOSE = """
services:
  web:
    build: .
    network_mode: none
    stop_grace_period: 0s
"""
FILES = {
    "compose.yaml": COMPOSE,
    "Dockerfile": 'FROM freshd-busybox:1\nCOPY app /app\nCMD ["sleep", "1000000"]\n',
    "app/a.py": "A = 1\n",
    "app/sub/b.txt": "b\n",
    "freshd.toml": 'version = 1\n[[rule]]\nwhen = ["content-differs"]\ndo = ["inject"]\n',
}


@pytest.fixture
def stack(
    engine_env: Mapping[str, str], docker: Docker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """An empty project on a Podman that has the base image of the engine under test."""
    reason = podman.why_not()
    if reason is not None:
        pytest.skip(reason)
    service = Podman(tmp_path_factory.mktemp("podman"), engine_env)
    service.start()
    try:
        base = docker("save", "freshd-busybox:1").stdout
        Docker(service.environment)("load", stdin=base)
        directory: Path = tmp_path_factory.mktemp("project") / unique_name()
        directory.mkdir()
        stack = Stack(str(directory), directory.name, service.environment)
        stack.write(FILES)
        yield stack
        stack.remove()
    finally:
        service.stop()


def web(freshd: Freshd, code: int) -> dict[str, object]:
    seen = freshd("check", "--json", timeout=PATIENCE)
    assert seen.returncode == code, seen
    (service,) = seen.json["services"]
    assert isinstance(service, dict)
    return service


def held(stack: Stack) -> bytes | None:
    """The file in the container, read by the docker command alone."""
    return stack.exec(stack.container("web"), ["cat", "/app/a.py"]).stdout


def test_from_the_first_look_to_a_rebuild(stack: Stack, tmp_path: Path) -> None:
    freshd = Freshd(stack.directory, str(tmp_path), stack.environment)
    stack.up(build=True)
    first = web(freshd, 3)
    assert first["links"]["container"] == "fresh"  # type: ignore[index]
    stack.write({"app/a.py": "A = 2\n"})
    assert web(freshd, 1)["verdict"] == "stale"
    done = freshd("apply", timeout=PATIENCE)
    assert done.returncode == 0, done
    assert held(stack) == b"A = 2\n"
    assert web(freshd, 3)["patched"] is True
    before = stack.container("web")
    stack.write({"app/a.py": "A = 3\n"})
    done = freshd("rebuild", "web", timeout=PATIENCE)
    assert done.returncode == 0, done
    assert stack.container("web") != before
    assert held(stack) == b"A = 3\n"
    assert web(freshd, 0)["verdict"] == "fresh"
    done = freshd("restart", "web", timeout=PATIENCE)
    assert done.returncode == 0, done


def test_the_daemon_brings_edits_and_new_containers_level(stack: Stack, tmp_path: Path) -> None:
    freshd = Freshd(stack.directory, str(tmp_path), stack.environment)
    stack.up(build=True)
    daemon = freshd.run().wait_ready(60)
    try:
        stack.write({"app/a.py": "A = 2\n"})
        wait_until(lambda: held(stack) == b"A = 2\n", 120.0, what="the edit")
        before = stack.container("web")
        stack.up("--force-recreate")
        assert stack.container("web") != before
        wait_until(lambda: held(stack) == b"A = 2\n", 120.0, what="the new container")
        assert daemon.stop() == 0
    finally:
        freshd.close()
