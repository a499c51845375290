"""Nothing that freshd does takes a service down or a volume away: every docker command is noted."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from freshd.engine.cli.command import MAY_RUN
from tests.engine.watching import Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

COMPOSE = """
services:
  web:
    build: .
    init: true
    scale: 2
    command: [sleep, "1000000"]
    stop_grace_period: 0s
    volumes: ["data:/data", "/anonymous"]
volumes: {data: {}}
"""
DOCKERFILE = """
FROM freshd-busybox:1
COPY words.txt /in/words.txt
RUN tr a-z A-Z </in/words.txt >/words.txt
COPY app /app
"""
POLICY = """
version = 1
[[rule]]
when = ["build-input-changed"]
do = ["rebuild"]
[[rule]]
when = ["old-image"]
do = ["recreate"]
[[rule]]
when = ["content-differs", "missing-in-container", "extra-in-container"]
do = ["inject", "restart"]
[limits]
rebuilds = 20
"""
# One line a command; what it is asked stays as it is.
NOTING = '#!/bin/sh\n( printf "%s\\037" "$@"; echo ) >>"{log}"\nexec "{docker}" "$@"\n'


@pytest.fixture
def noting(stack: Stack, freshd: Freshd, tmp_path: Path) -> Callable[[], list[list[str]]]:
    """The docker commands that freshd has run up to now; all else is not noted."""
    log = tmp_path / "commands"
    log.touch()
    script = tmp_path / "bin" / "docker"
    script.parent.mkdir()
    script.write_text(NOTING.format(log=log, docker=shutil.which("docker")))
    script.chmod(0o755)
    path = f"{script.parent}:{os.environ['PATH']}"
    freshd.environment = {**stack.environment, "PATH": path}
    return lambda: [line.split("\x1f")[:-1] for line in log.read_text().splitlines()]


def asked(command: list[str]) -> tuple[tuple[str, str], set[str]]:
    """What a command does, and the options it has for that."""
    words = list(command)
    noun = words.pop(0)
    while noun == "compose" and words[0].startswith("--"):
        del words[: 1 if words[0] == "--compatibility" else 2]
    verb = words.pop(0)
    own = words[: words.index("--")] if "--" in words else words
    return (noun, verb), {word for word in own if word.startswith("-")}


def names_of_volumes(stack: Stack) -> set[str]:
    form = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    return set(stack.docker.words("inspect", "-f", form, *stack.containers("web")))


@pytest.mark.timeout(300)
def test_a_whole_life_has_no_command_that_takes_away(
    stack: Stack, freshd: Freshd, noting: Callable[[], list[list[str]]]
) -> None:
    """By hand: a recreate, an injection, a build that fails; by the daemon: a rebuild."""
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": POLICY})
    stack.write({"app/a.py": "a = 1\n", "words.txt": "one\n"})
    stack.up(build=True)
    stack.put(stack.containers("web")[0], "/data/kept", b"data")
    for each in stack.containers("web"):
        stack.put(each, "/anonymous/kept", b"of its own")
    volumes = names_of_volumes(stack)
    assert len(volumes) == 3
    shop = Watching(stack, freshd)
    done = freshd("recreate", "web")
    assert done.returncode == 0, done
    stack.write({"app/a.py": "a = 2\n"})
    done = freshd("apply")
    assert done.returncode == 0, done
    stack.write({"Dockerfile": f"{DOCKERFILE}RUN false\n"})
    assert freshd("rebuild", "web", "--mode", "clean").returncode == 1
    stack.write({"Dockerfile": DOCKERFILE})

    shop.run()
    stack.write({"words.txt": "two\n"})
    shop.until(lambda: shop.read("/words.txt") == {b"TWO\n"}, "the daemon's rebuild")
    shop.level()
    shop.fresh()
    assert shop.daemon is not None
    assert shop.daemon.stop() == 0

    assert names_of_volumes(stack) == volumes
    assert shop.read("/data/kept") == {b"data"}
    assert shop.read("/anonymous/kept") == {b"of its own"}
    commands = [asked(command) for command in noting()]
    asks = {("compose", "version")}  # only where an answer of Compose is in doubt
    assert {what for what, _ in commands} | asks == set(MAY_RUN), "each is used, and nothing else"
    for what, options in commands:
        assert options <= MAY_RUN[what]
