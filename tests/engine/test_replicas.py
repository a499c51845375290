"""Who is a replica: what Compose numbers as one, and nothing else that has a service's labels."""

import pytest

from tests.engine.stacks.looking import Found, found, looked
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

FILES = {
    "compose.yaml": """
services:
  web:
    build: .
    init: true
    stop_grace_period: 0s
""",
    "Dockerfile": 'FROM freshd-busybox:1\nCOPY app /app\nCMD ["sleep", "1000000"]\n',
    "app/a": "1\n",
}


def labels(stack: Stack, **more: str) -> list[str]:
    """Those of project and service, and ``more``, as options of `docker run`."""
    named = {"project": stack.project, "service": "web", **more}
    pairs = (f"com.docker.compose.{name.replace('_', '-')}={text}" for name, text in named.items())
    return [word for pair in pairs for word in ("--label", pair)]


@pytest.mark.timeout(300)
def test_hooks_one_offs_and_what_is_labelled_by_hand_are_no_replicas(
    stack: Stack, freshd: Freshd
) -> None:
    """Two replicas, and four containers around them: one that failed, three that run."""
    stack.write(FILES)
    stack.up(build=True, scale={"web": 2})
    two = [f"{stack.project}-web-{number}" for number in (1, 2)]
    hook = stack.run(
        "freshd-busybox:1", "false", options=labels(stack, hook="pre_start", version="5.5.1")
    )
    stack.docker("wait", hook)
    idle = ("freshd-busybox:1", "sleep", "1000000")
    others = [
        stack.run(*idle, options=labels(stack, hook="post_stop", container_number="1")),
        stack.run(*idle, options=labels(stack)),
        stack.compose("run", "-d", "web").stdout.decode().split()[-1],
    ]
    assert found(looked(freshd, exit_code=0)) == set()

    before = set(stack.containers("web", all_states=True))
    done = freshd("recreate", "web")
    assert done.returncode == 0, done
    named = stack.named_containers("web", all_states=True)
    assert {name for name in named.values() if name in two} == set(two)
    assert len(before & set(named)) == 1 + len(others), "only the two replicas are new"
    assert found(looked(freshd, exit_code=0)) == set()

    # What would be seen of a replica: the second one is not running.
    stack.docker("kill", two[1])
    stack.docker("wait", two[1])
    assert found(looked(freshd, exit_code=1)) == {Found("not-running", "stale")}


@pytest.mark.timeout(300)
def test_what_compose_would_take_for_a_replica_is_named_and_nothing_is_made_anew(
    stack: Stack, freshd: Freshd
) -> None:
    """An image committed from a replica has all its labels, and so has whatever runs of it."""
    stack.write(FILES)
    stack.up(build=True)
    web = stack.container("web")
    copy = f"{stack.project}-copy"
    stack.docker("commit", web, f"{stack.project}:debug")
    twin = stack.run(f"{stack.project}:debug", "sleep", "1000000", name=copy)
    assert found(looked(freshd, exit_code=0)) == set()

    for verb in ("recreate", "rebuild"):
        done = freshd(verb, "web")
        assert done.returncode == 1, done
        assert f"Compose takes {copy} for a replica of web" in done.stdout.replace("\n", " ")
        assert set(stack.containers("web")) == {web, twin}, "nothing was made anew"
    stack.docker("rm", "-f", twin)
    assert freshd("recreate", "web").returncode == 0
    assert len(stack.containers("web")) == 1
