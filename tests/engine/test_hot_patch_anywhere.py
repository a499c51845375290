"""What a person changed of the files that the image brought, mapped or not, outlives every rebuild
that was not told to; what programs write holds none back."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.engine.conftest import own_engine
from tests.harness.cli import Freshd
from tests.harness.private_engine import PrivateEngine
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

COMPOSE = """
services:
  web: {build: ., stop_grace_period: 0s, init: true}
  beside: {build: ., stop_grace_period: 0s, init: true, network_mode: "service:web"}
"""
DOCKERFILE = """
FROM freshd-busybox:1
RUN mkdir -p /etc/site /opt/tool && echo base > /etc/site/base.conf && echo tool > /opt/tool/run
COPY words.txt /in/words.txt
RUN tr a-z A-Z </in/words.txt >/words.txt
COPY site.conf /etc/site/site.conf
COPY app /app
COPY --chmod=755 start /start
ENTRYPOINT ["/start"]
"""
START = """#!/bin/sh
sed -i "s/PORT/80/" /etc/site/site.conf
echo "# written by the start" >> /etc/site/base.conf
chown -R 1000 /app
chmod -R g+w /opt
echo 1 > /app/new
echo line >> /app/app.log
echo row >> /app/rows.sqlite3
rm -f /app/server.pid
(sleep 1; echo 2 >> /app/count; echo counted) &
exec sleep 1000000
"""
FILES = {
    "compose.yaml": COMPOSE,
    "Dockerfile": DOCKERFILE,
    "start": START,
    "words.txt": "one\n",
    "site.conf": "listen PORT\n",
    "app/a": "a\n",
    "app/b": "b\n",
    "app/count": "1\n",
    "app/app.log": "first\n",
    "app/rows.sqlite3": "none\n",
    "app/server.pid": "1\n",
}
REBUILD = """
version = 1
[[rule]]
when = ["build-input-changed", "image-behind", "old-image", "build-unrecorded"]
do = ["rebuild"]
"""


def started(stack: Stack, container: str) -> None:
    """Entrypoint and program have written what they write; nobody went in to see it."""

    def done() -> bool:
        return b"counted" in stack.docker("logs", container).stdout

    wait_until(done, 60.0, what="the program to count")


@pytest.fixture(scope="module")
def quiet(engine_env: Mapping[str, str]) -> Iterator[PrivateEngine]:
    """An engine keeps 256 events: on one that many tests use, those of a start are soon gone."""
    with own_engine(engine_env) as engine:
        yield engine


@pytest.fixture
def stack(quiet: PrivateEngine, tmp_path: Path) -> Iterator[Stack]:
    stack = quiet.stack(tmp_path)
    yield stack
    stack.remove()


@pytest.fixture
def site(stack: Stack) -> Stack:
    stack.write(FILES)
    stack.up(build=True, scale={"web": 2})
    for container in stack.containers():
        started(stack, container)
    return stack


@pytest.mark.timeout(600)
def test_what_programs_write_holds_no_rebuild_back(site: Stack, freshd: Freshd) -> None:
    """An entrypoint that edits configuration and owners, logs, a database, a program's counter."""
    site.write({"words.txt": "two\n", "freshd.toml": REBUILD})
    before = set(site.containers())
    done = freshd("apply", "web")
    assert not before & set(site.containers()), freshd("plan", "web").stdout
    assert "would lose" not in done.stdout
    for container in site.containers("web"):
        assert site.read(container, "/words.txt") == b"TWO\n"


def by_exec(path: str) -> Callable[[Stack, str], None]:
    def change(stack: Stack, container: str) -> None:
        stack.put(container, path, b"somebody's only copy\n")

    return change


def by_copy(path: str) -> Callable[[Stack, str], None]:
    """`docker cp` keeps the time of the file, which may be any; its container may be stopped."""

    def change(stack: Stack, container: str) -> None:
        stack.write({"patch": "somebody's only copy\n"})
        os.utime(stack.path("patch"), (1_600_000_000, 1_600_000_000))
        stack.docker("cp", stack.path("patch"), f"{container}:{path}")

    return change


@pytest.mark.timeout(900)
@pytest.mark.proves("hot-patch", "detected", "remedied", "silent")
def test_a_hot_patch_anywhere_is_named_and_kept(site: Stack, freshd: Freshd) -> None:
    """Configuration that the start writes too, of the base, an input; of replicas, a follower."""
    site.write({"words.txt": "two\n", "freshd.toml": REBUILD})
    first, second = site.containers("web")
    (beside,) = site.containers("beside")
    for verb, container, path, change in (
        ("recreate", beside, "/etc/site/base.conf", by_copy("/etc/site/base.conf")),
        ("apply", first, "/etc/site/site.conf", by_exec("/etc/site/site.conf")),
        ("rebuild", second, "/opt/tool/run", by_exec("/opt/tool/run")),
        ("apply", second, "/in/words.txt", by_copy("/in/words.txt")),
        ("recreate", first, "/app/a", by_exec("/app/a")),
    ):
        change(site, container)
        everything = set(site.containers())
        done = freshd(verb, "web")
        assert set(site.containers()) == everything, (verb, path, done)
        assert site.read(container, path) == b"somebody's only copy\n"
        told = done.stdout + freshd("plan", "web").stdout
        assert os.path.basename(path) in told, told
        assert "--discard-changes" in done.stdout or verb == "apply"
    done = freshd("rebuild", "web", "--discard-changes")
    assert "✓ rebuild web" in done.stdout, done
    assert first not in site.containers("web")


@pytest.mark.timeout(600)
def test_a_stopped_container_keeps_its_hot_patch_until_a_rule_names_it(
    stack: Stack, freshd: Freshd
) -> None:
    compose = COMPOSE.replace("init: true}", "init: true, restart: unless-stopped}", 1)
    stack.write({**FILES, "compose.yaml": compose, "freshd.toml": REBUILD})
    stack.up("web", build=True)
    (web,) = stack.containers("web")
    started(stack, web)
    stack.docker("kill", web)
    stack.docker("wait", web)
    by_copy("/etc/site/base.conf")(stack, web)
    stack.write({"words.txt": "two\n"})
    for argv in (("apply", "web"), ("recreate", "web")):
        done = freshd(*argv)
        assert "/etc/site/base.conf" in done.stdout + freshd("plan", "web").stdout
        assert stack.containers("web", all_states=True) == (web,)
    more = REBUILD.replace('"build-unrecorded"', '"hot-patch", "changed-in-container"')
    stack.write({"freshd.toml": more})
    freshd("apply", "web")
    assert web not in stack.containers("web", all_states=True)
