"""A job that has ended is not run a second time unless a person or a rule that names it says so."""

import os
from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, found, looked
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

JOB = 'build: ., init: true, stop_grace_period: 0s, volumes: ["./log:/log"]'
COMPOSE = f"""
services:
  web:
    build: .
    init: true
    stop_grace_period: 0s
    command: sleep 1000000
    depends_on: {{migrate: {{condition: service_completed_successfully}}}}
  migrate: {{{JOB}, command: [sh, -c, "echo >> /log/migrate"]}}
  seed: {{{JOB}, command: [sh, -c, "echo >> /log/seed; exit 1"]}}
  until:
    {{{JOB}, restart: on-failure, command: [sh, -c, "echo >> /log/until; test -e /log/seed"]}}
  server:
    {{{JOB}, expose: ["80"], ports: ["127.0.0.1::80"],
    command: [sh, -c, "echo >> /log/server; grep TWO /app/out && exec sleep 1000000"]}}
"""
DOCKERFILE = """
FROM freshd-busybox:1 AS compile
WORKDIR /s
COPY main.txt .
RUN tr a-z A-Z < main.txt > out
FROM freshd-busybox:1
COPY --from=compile /s/out /app/out
"""
POLICY = """
version = 1
[[rule]]
when = ["image-behind", "build-input-changed", "build-unrecorded", "old-image"]
do = ["rebuild"]
[[rule]]
when = ["compose-changed", "env-changed"]
do = ["recreate"]
"""
JOBS = ("migrate", "seed", "until")


def runs(stack: Stack, service: str) -> int:
    with open(stack.path(f"log/{service}")) as log:
        return len(log.readlines())


def has_ended(stack: Stack, service: str) -> Callable[[], bool]:
    (one,) = stack.containers(service, all_states=True)
    return lambda: "exited" in stack.docker.words("inspect", "-f", "{{.State.Status}}", one)


@pytest.mark.timeout(600)
def test_what_has_ended_is_built_and_run_again_only_by_name(stack: Stack, freshd: Freshd) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "main.txt": "one\n"})
    stack.write({"freshd.toml": POLICY})
    os.makedirs(stack.path("log"))
    stack.up("seed", "server", build=True)
    wait_until(has_ended(stack, "seed"), 60.0, what="the seed to end")
    stack.up(build=True)
    for job in (*JOBS, "server"):
        wait_until(has_ended(stack, job), 60.0, what=f"{job} to end")
    first = {name: runs(stack, name) for name in (*JOBS, "server")}
    before = {job: stack.containers(job, all_states=True) for job in JOBS}
    web = stack.container("web")

    changed = COMPOSE.replace("{build: .,", "{build: ., environment: {A: b},")
    stack.write({"main.txt": "two\n", "compose.yaml": changed})
    done = freshd("apply")
    assert "seed-1 has ended, and is left as it is: `freshd rebuild seed`" in done.stdout
    assert stack.container("web") != web, "what runs is renewed, and not what it depends on"
    assert stack.read(stack.container("web"), "/app/out") == b"TWO\n"
    assert stack.read(stack.container("server"), "/app/out") == b"TWO\n", "a server is brought up"
    assert runs(stack, "server") == first.pop("server") + 1
    for _ in range(2):
        assert {job: stack.containers(job, all_states=True) for job in JOBS} == before
        assert {job: runs(stack, job) for job in JOBS} == first
        again = freshd("apply")
        assert "rebuild" not in again.stdout.replace("freshd rebuild", ""), "it is no loop"
    assert found(looked(freshd, exit_code=1), "seed") >= {Found("old-image", "stale")}
    assert found(looked(freshd, exit_code=1), "migrate") == set()

    done = freshd("rebuild", "seed")
    assert "exited with 1 right after it started" in done.stdout
    assert runs(stack, "seed") == first["seed"] + 1
    done = freshd("recreate", "migrate")
    assert done.returncode == 0, done
    assert "recreated and run again" in done.stdout
    assert runs(stack, "migrate") == first["migrate"] + 1
