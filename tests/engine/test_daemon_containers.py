"""Containers that cannot be put right, or not now: a named finding, never a lie."""

import os
from datetime import datetime
from itertools import pairwise

import pytest

from tests.engine.watching import INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(300)

COMPOSE = """
x-one: &one
  build: .
  init: true
  command: [sleep, "1000000"]
  stop_grace_period: 0s
services:
  plain: *one
  sealed:
    <<: *one
    read_only: true
  scratch:
    <<: *one
    tmpfs: [/app]
  bare:
    build: {context: ., target: bare}
    command: [/sleep, "1000000"]
    stop_grace_period: 0s
  crashing:
    <<: *one
    command: ["false"]
    restart: always
"""
DOCKERFILE = """
FROM scratch AS bare
COPY --from=freshd-busybox:1 /bin/busybox /sleep
COPY app /app
FROM freshd-busybox:1
COPY app /app
"""
LEVEL = {"app/a.py": "/app/a.py"}


def test_each_kind_of_container_is_told_as_it_is(stack: Stack, freshd: Freshd) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    stack.write({"app/a.py": "a = 1\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)
    shop.run()
    stack.docker("pause", stack.container("plain"))
    stack.write({"app/a.py": "a = 2\n"})

    def causes() -> dict[str, set[str]]:
        services = shop.status()["services"]
        return {s["name"]: {f["cause"] for f in s["findings"]} for s in services}

    expected = {
        "plain": "not-running",
        "sealed": "target-not-writable",
        "scratch": "target-not-writable",
        "crashing": "restart-looping",
    }
    shop.until(
        lambda: all(cause in causes().get(name, ()) for name, cause in expected.items()),
        "a named finding for each",
    )
    assert freshd("status").returncode == 1
    shop.level(LEVEL, service="bare", replicas=1)
    done = {e["step"]["service"] for e in shop.entries() if e["status"] == "done"}
    assert done <= {"bare", "crashing"}

    stack.docker("unpause", stack.container("plain"))
    shop.level(LEVEL, service="plain", replicas=1)
    shop.until(lambda: not causes()["plain"] - {"image-behind", "patched"}, "plain to be fresh")
    # what its first stage took from another image leaves no trace
    settled = {"image-behind", "patched", "build-unrecorded"}
    shop.until(lambda: not causes()["bare"] - settled, "bare to be level")

    stack.docker("rm", "-f", stack.container("plain"))
    stack.write({"app/a.py": "a = 3\n"})
    shop.level(LEVEL, service="bare", replicas=1)
    stack.compose("up", "-d", "--no-build", "--no-deps", "plain")
    shop.level(LEVEL, service="plain", replicas=1)
    shop.until(lambda: not shop.status()["daemon"]["problems"], "no problem that lasts")


def test_a_step_that_fails_is_tried_again_ever_more_rarely(stack: Stack, freshd: Freshd) -> None:
    """Somebody made a directory where a new file is to be: every injection of it is refused."""
    policy = INJECT.replace('"content-differs"', '"content-differs", "changed-in-container"')
    compose = """
services:
  web: {build: ., init: true, command: [sleep, "1000000"], stop_grace_period: 0s}
"""
    stack.write({"compose.yaml": compose, "Dockerfile": DOCKERFILE, "freshd.toml": policy})
    stack.write({"app/a.py": "a = 1\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)
    shop.run()
    shop.fresh()
    web = stack.container("web")
    stack.exec(web, ["mkdir", "-p", "/app/new.py"])
    stack.exec(web, ["touch", "/app/new.py/theirs"])
    stack.write({"app/new.py": "new = 1\n"})
    shop.until(lambda: len(shop.entries()) >= 4, "four attempts")
    attempts = list(reversed(shop.entries()))
    assert {e["status"] for e in attempts} <= {"refused", "failed"}
    began = [e["began_at"] for e in attempts]
    assert began == sorted(began)
    state = shop.status()["services"][0]
    assert state["verdict"] == "stale"
    gaps = _gaps(began)
    assert gaps[1] >= 1.5
    assert gaps[2] >= 3.5

    stack.exec(web, ["rm", "-r", "/app/new.py"])
    shop.level(replicas=1)
    shop.fresh()
    assert os.path.exists(stack.path("app/new.py"))


def _gaps(moments: list[str]) -> list[float]:
    times = [datetime.fromisoformat(each).timestamp() for each in moments]
    return [later - earlier for earlier, later in pairwise(times)]
