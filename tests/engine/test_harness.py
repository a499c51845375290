"""The harness itself: a judge that cannot say no would make every other test worthless."""

import hashlib
import os
import re
import socket
import subprocess

import pytest

from tests.harness import oracle
from tests.harness.cli import Freshd
from tests.harness.docker import builds_any_name
from tests.harness.private_engine import PrivateEngine
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until
from tests.harness.warm import Forked

COMPOSE = """
services:
  web:
    build: .
    init: true
    command: [sleep, "1000000"]
"""
DOCKERFILE = "FROM freshd-busybox:1\nCOPY app /app\n"
ODD = "app/new\nline 'quoted' -x \udcff"


@pytest.fixture
def two_replicas(stack: Stack) -> Stack:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE})
    odd = ODD if builds_any_name(stack.docker) else ODD.replace("\udcff", "ü")
    stack.write({"app/a.py": "a", "app/sub/b.py": "b", odd: "odd"})
    stack.up(build=True, scale={"web": 2})
    return stack


def test_the_oracle_accepts_a_level_stack(two_replicas: Stack) -> None:
    pairs = two_replicas.files("app", "/app")
    assert len(pairs) == 3
    assert two_replicas.oracle("web", pairs, replicas=2, modes=True) == []


def test_the_oracle_sees_many_files_as_it_sees_one(two_replicas: Stack) -> None:
    """The quick way to look and the one for odd names say the same, also of what is no file."""
    one = two_replicas.containers("web")[0]
    script = "mkdir -p /many/d && cd /many && for n in $(seq 700); do echo $n >$n; done"
    two_replicas.exec(one, ["sh", "-c", f"{script}; chmod 755 7; ln -s 8 l; ln -s none broken"])
    names = ["d", "l", "absent", "-x", *(str(n) for n in range(1, 701))]
    paths = tuple(f"/many/{name}" for name in names)
    quick = oracle.in_container(two_replicas.docker, one, paths)
    slow = oracle.in_container(two_replicas.docker, one, (*paths, "/many/no\nsuch"))
    assert quick == {path: slow[path] for path in paths}
    assert quick["/many/700"].digest == hashlib.sha256(b"700\n").hexdigest()
    assert (quick["/many/d"].digest, quick["/many/absent"].digest) == ("directory", "missing")
    assert [quick[f"/many/{name}"].executable for name in ("7", "8")] == [True, False]
    broken = oracle.in_container(two_replicas.docker, one, ("/many/broken", "/many/9"))
    assert broken["/many/9"] == quick["/many/9"]
    assert broken["/many/broken"].digest == "unreadable"


def test_the_oracle_names_each_kind_of_difference(two_replicas: Stack) -> None:
    pairs = two_replicas.files("app", "/app")
    first, second = two_replicas.containers("web")

    two_replicas.put(first, "/app/a.py", b"patched")
    two_replicas.exec(second, ["rm", "/app/sub/b.py"])
    assert len(two_replicas.oracle("web", pairs)) == 2

    (odd,) = (path for path in pairs if "quoted" in path)
    os.unlink(two_replicas.path(odd))
    assert len(two_replicas.oracle("web", pairs)) == 4

    os.chmod(two_replicas.path("app/sub/b.py"), 0o755)
    assert len(two_replicas.oracle("web", pairs, modes=True)) == 5
    assert two_replicas.oracle("web", pairs, replicas=3) != []


def test_the_oracle_judges_a_container_without_a_shell(stack: Stack) -> None:
    stack.write({"Dockerfile": "FROM freshd-static:1\nCOPY app /app\n", "app/a": "one"})
    stack.write({"compose.yaml": "services: {web: {build: .}}\n"})
    stack.up(build=True)
    pairs = {"app/a": "/app/a", "app/later": "/app/later"}
    assert stack.oracle("web", pairs) == []

    stack.write({"app/a": "two", "app/later": "x"})
    assert len(stack.oracle("web", pairs)) == 2


def test_removing_a_stack_leaves_nothing_of_it_in_the_engine(stack: Stack) -> None:
    stack.write({"Dockerfile": DOCKERFILE, "app/a": "one"})
    stack.write(
        {"compose.yaml": COMPOSE.rstrip() + "\n    volumes: [own:/data]\nvolumes: {own: {}}\n"}
    )
    stack.up(build=True)
    plain = stack.run("freshd-busybox:1", "sleep", "1000", options=["--init"])

    stack.remove()

    docker = stack.docker
    assert plain not in docker.words("ps", "-aq", "--no-trunc")
    for kind in ("volume", "network", "image"):
        assert stack.project not in docker(kind, "ls").stdout.decode()


def test_a_wait_that_fails_says_what_it_waited_for() -> None:
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for the moon; last seen: 0"):
        wait_until(lambda: 0, 0.05, what="the moon")


@pytest.mark.timeout(120)
def test_a_private_engine_keeps_its_images_when_it_is_killed_and_started_again(
    private_engine: PrivateEngine,
) -> None:
    def answers() -> bool:
        command = ["docker", "image", "inspect", "freshd-busybox:1"]
        done = subprocess.run(command, env=private_engine.environment, capture_output=True)
        return done.returncode == 0

    assert answers()
    private_engine.kill()
    wait_until(lambda: not answers(), what="the engine to be gone")
    private_engine.start()
    assert answers()
    private_engine.down()
    assert not answers()


@pytest.mark.parametrize(
    "argv",
    [("--version",), ("check", "--json"), ("nonsense",), ("check", "nobody"), ("doctor", "--json")],
    ids=lambda argv: argv[0],
)
def test_a_warm_process_is_a_process(
    stack: Stack, freshd: Freshd, argv: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it prints, where, and how it ends, are those of one that began with nothing loaded."""
    stack.write({"compose.yaml": "services: {web: {image: freshd-busybox:1}}\n"})
    monkeypatch.delenv("FRESHD_COLD", raising=False)
    cold = freshd(*argv, cold=True)
    (one, other) = (freshd(*argv) for _ in range(2))
    assert freshd.began == ["cold", "warm", "warm"]
    free = re.compile(r"[0-9.,]+(?= [GM]B free| of [0-9,]+ (?:watches|inotify))")  # others use it
    told = [
        (each.returncode, free.sub("N", each.stdout), each.stderr) for each in (cold, one, other)
    ]
    if argv != ("check", "--json"):  # that one has the time in it
        assert told[1:] == told[:1] * 2
    assert [each[0] for each in told] == [cold.returncode] * 3
    assert [each[1] == "" for each in told] == [cold.stdout == ""] * 3


def test_a_warm_process_that_takes_too_long_is_ended(stack: Stack, freshd: Freshd) -> None:
    stack.write({"compose.yaml": "services: {web: {image: freshd-busybox:1}}\n"})
    assert freshd("map").returncode == 0
    with pytest.raises(subprocess.TimeoutExpired):
        freshd("run", timeout=5.0)
    second = freshd.run().wait_ready()  # there is one daemon for a project at a time
    assert second.stop() == 0


def test_a_call_that_has_ended_before_anybody_listens_is_understood() -> None:
    """Both lines, the pid and how it ended, are then there at once."""
    reply, server = socket.socketpair()
    with server:
        server.sendall(b"4711\n3\n")
        call = Forked(["status"], reply)
    assert (call.pid, call.wait()) == (4711, 3)
