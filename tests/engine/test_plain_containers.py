"""Containers that no `docker compose up` made: `docker run`, and the one-offs of `compose run`.

They belong to no service but by the policy's ``container``; a declared map says what of the tree
they hold.
"""

from collections.abc import Callable

import pytest

from tests.harness.cli import Daemon, Freshd
from tests.harness.docker import Docker
from tests.harness.stack import Stack, unique_name
from tests.harness.waiting import wait_until

IMAGE = "freshd-busybox:1"
IDLE = ("sleep", "1000000")
POLICY = """
version = 1
[service.{service}]
container = "{name}"
map = [{{ from = "app", to = "/app" }}]

[[rule]]
when = ["content-differs", "missing-in-container"]
do = ["inject"]
"""
PAIRS = {"app/a.py": "/app/a.py", "app/sub/b.txt": "/app/sub/b.txt"}
FILES = {"app/a.py": "A = 1\n", "app/sub/b.txt": "b\n"}


def differences(stack: Stack, name: str) -> list[str]:
    """Which of the pairs are not level, by the contents alone."""
    wrong = []
    for source, target in PAIRS.items():
        with open(stack.path(source), "rb") as file:
            if file.read() != stack.read(name, target):
                wrong.append(source)
    return wrong


@pytest.fixture
def plain(stack: Stack) -> str:
    """The name of a plain container whose image has the files; no Compose file is near."""
    name = unique_name("ft-plain-")
    stack.write({**FILES, "freshd.toml": POLICY.format(service="web", name=name)})
    stack.write({"Dockerfile": f"FROM {IMAGE}\nCOPY app /app\n"})
    stack.docker("build", "-q", "-t", f"{stack.project}-plain", ".")
    stack.run(f"{stack.project}-plain", *IDLE, name=name, options=["--stop-timeout", "0"])
    return name


def test_it_is_checked_injected_purged_and_restarted(
    stack: Stack, freshd: Freshd, plain: str
) -> None:
    assert freshd("check").returncode == 0, freshd("check")
    stack.write({"app/a.py": "A = 2\n"})
    stack.put(plain, "/app/a.pyc", b"old")
    seen = freshd("check", "--json")
    assert seen.returncode == 1
    (web,) = seen.json["services"]
    assert [one["name"] for one in web["containers"]] == [plain]
    assert "content-differs" in {finding["cause"] for finding in web["findings"]}
    assert "rebuild" not in seen.stdout, "what cannot be done is not proposed"
    assert freshd("apply").returncode == 0
    assert differences(stack, plain) == []
    assert freshd("purge", "web").returncode == 0
    assert stack.read(plain, "/app/a.pyc") is None
    assert freshd("restart", "web").returncode == 0
    assert differences(stack, plain) == []
    assert freshd("check").returncode == 0


@pytest.mark.parametrize("verb", ["recreate", "rebuild"])
def test_a_rebuild_and_a_recreate_are_refused_with_a_line(
    stack: Stack, freshd: Freshd, docker: Docker, plain: str, verb: str
) -> None:
    before = docker.words("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", plain)
    done = freshd(verb, "web")
    assert done.returncode == 1, done
    assert f"`docker compose up` did not make {plain}" in done.stdout
    assert docker.words("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", plain) == before


def test_the_daemon_follows_it_through_a_new_one_of_the_same_name(
    stack: Stack, daemon: Callable[..., Daemon], plain: str
) -> None:
    running = daemon()
    stack.write({"app/a.py": "A = 2\n"})
    wait_until(lambda: differences(stack, plain) == [], 120.0, what="the injection")
    stack.docker("rm", "-f", plain)
    stack.run(f"{stack.project}-plain", *IDLE, name=plain)
    wait_until(lambda: differences(stack, plain) == [], 120.0, what="the new one to be filled")
    assert running.stop() == 0


COMPOSE = """
services:
  web:
    image: freshd-busybox:1
    command: [sleep, "1000000"]
    stop_grace_period: 0s
    volumes: [./app:/app]
"""


def test_a_one_off_is_no_replica_but_may_be_named(
    stack: Stack, freshd: Freshd, docker: Docker
) -> None:
    name = unique_name("ft-job-")
    stack.write({**FILES, "compose.yaml": COMPOSE})
    stack.up()
    stack.compose("run", "-d", "--name", name, "--volume", "/app", "web", *IDLE)
    (web,) = freshd("check", "--json").json["services"]
    assert len(web["containers"]) == 1, "the one-off is nobody's"
    stack.write({"freshd.toml": POLICY.format(service="job", name=name)})
    seen = freshd("check", "job", "--json")
    (job,) = seen.json["services"]
    assert [one["name"] for one in job["containers"]] == [name]
    done = freshd("recreate", "job")
    assert done.returncode == 1
    assert f"did not make {name}" in done.stdout
    assert docker.words("inspect", "--format", "{{.State.Status}}", name) == ("running",)


def test_a_service_of_the_file_that_the_policy_finds_elsewhere_is_not_recreated(
    stack: Stack, freshd: Freshd, docker: Docker
) -> None:
    """Compose would make a second one beside it."""
    name = unique_name("ft-plain-")
    stack.write({**FILES, "compose.yaml": COMPOSE})
    stack.write({"freshd.toml": POLICY.format(service="web", name=name)})
    stack.run(IMAGE, *IDLE, name=name)
    done = freshd("recreate", "web")
    assert done.returncode == 1
    assert f"did not make {name}" in done.stdout
    assert stack.containers("web", all_states=True) == ()


def test_one_that_is_not_there_is_no_finding_and_no_error(stack: Stack, freshd: Freshd) -> None:
    stack.write({**FILES, "freshd.toml": POLICY.format(service="web", name="ft-not-there")})
    seen = freshd("check", "--json")
    assert seen.returncode == 0, seen
    (web,) = seen.json["services"]
    assert web["containers"] == []
    assert web["findings"] == []
