"""What cannot be looked at is said to be unknown, with what would make it known."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(600)
UNPRIVILEGED = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Root that may read what root may not: as any other user."""


def as_other(freshd: Freshd, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UNPRIVILEGED, *argv],
        cwd=freshd.directory,
        env=freshd.full_environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def checked(freshd: Freshd) -> tuple[int, Any]:
    done = as_other(freshd, sys.executable, "-m", "freshd", "check", "--json")
    return done.returncode, json.loads(done.stdout)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv"
)
@pytest.mark.proves("unreadable", "detected", "remedied", "silent")
def test_a_file_of_the_tree_that_may_not_be_read(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    files = {"app/a.py": "A = 1\n", "app/b.py": "B = 1\n", "notes/private.txt": "1\n"}
    dockerfile = "FROM freshd-busybox:1\nCOPY app /app\n"
    compose = f"services:\n  web:\n    build: .\n    {SLEEP}\n"
    stack.write({**files, "Dockerfile": dockerfile, "compose.yaml": compose})
    stack.up(build=True)
    freshd = make_freshd(stack)
    for name in ("app/a.py", "notes/private.txt"):  # the second lands nowhere: a near miss
        stack.write({name: "A = 2\n"})
        os.chmod(stack.path(name), 0)
    assert as_other(freshd, "cat", stack.path("app/a.py")).returncode != 0, "it can be read"
    status, document = checked(freshd)
    assert (status, found(document)) == (3, {Found("unreadable", "unverifiable", "app/a.py")})
    assert "Permission denied" in finding(document, "unreadable")["evidence"]["reason"]

    os.chmod(stack.path("app/a.py"), 0o644)
    status, document = checked(freshd)
    assert status == 1
    assert Found("content-differs", "stale", "app/a.py") in found(document)
    assert "unreadable" not in {each.cause for each in found(document)}


@pytest.mark.proves("not-observed", "detected", "remedied", "silent")
def test_a_container_whose_mount_lost_its_source_is_not_asked_by_the_engine(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """The engine would make a directory of the file that is gone, in the developer's tree."""
    mount = 'volumes: ["./site.conf:/etc/site.conf:ro"]'
    stack.write(
        {
            "app/a.py": "A = 1\n",
            "site.conf": "1\n",
            "Dockerfile": "FROM freshd-static:1\nCOPY app /app\n",
            "shell/Dockerfile": "FROM freshd-busybox:1\nCOPY a.py /app/\n",
            "shell/a.py": "A = 1\n",
            "compose.yaml": (
                f"services:\n  web:\n    build: .\n    {mount}\n"
                f"  shell:\n    build: shell\n    {mount}\n    {SLEEP}\n"
            ),
        }
    )
    stack.up(build=True)
    freshd = make_freshd(stack)
    os.unlink(stack.path("site.conf"))
    document = looked(freshd, exit_code=3)
    assert found(document) == {Found("not-observed", "unverifiable")}
    assert "site.conf, which is gone" in finding(document, "not-observed")["message"]
    assert found(document, "shell") == set()  # near miss: that one is asked inside
    assert not os.path.lexists(stack.path("site.conf"))
    done = stack.docker("cp", f"{stack.container('web')}:/app/a.py", "-", check=False)
    assert done.returncode != 0, "the engine can read it"
    assert os.path.isdir(stack.path("site.conf")), "it would have made no directory"

    os.rmdir(stack.path("site.conf"))
    stack.write({"site.conf": "1\n"})
    stack.compose("up", "-d", "--force-recreate", "--timeout", "0", "web")
    assert stack.read(stack.container("web"), "/app/a.py") == b"A = 1\n"
    assert found(looked(freshd, exit_code=0)) == set()


def test_nothing_is_started_again_that_lost_the_source_of_a_mount(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """Its file would become a directory, and the container would not come up again."""
    mount = 'volumes: ["./site.conf:/etc/site.conf:ro", "./data:/data"]'
    compose = f"services:\n  web:\n    build: .\n    {mount}\n    {SLEEP}\n"
    stack.write({"app/a.py": "A = 1\n", "site.conf": "1\n", "data/kept": "1\n"})
    stack.write({"Dockerfile": "FROM freshd-busybox:1\nCOPY app /app\n", "compose.yaml": compose})
    stack.up(build=True)
    freshd = make_freshd(stack)
    before = stack.container("web")
    stack.write({"app/a.py": "A = 2\n"})
    for name in ("site.conf", "data"):
        os.rename(stack.path(name), stack.path(f"{name}.away"))
    for argv in (["inject", "web"], ["restart", "web"], ["recreate", "web"], ["rebuild", "web"]):
        done = freshd(*argv)
        assert done.returncode == 1, done
        assert "is gone" in done.stdout + done.stderr, done
        assert not os.path.lexists(stack.path("site.conf"))
        assert not os.path.lexists(stack.path("data"))
    assert stack.container("web") == before
    assert stack.exec(before, ["cat", "/app/a.py"]).stdout == b"A = 1\n"

    os.rename(stack.path("data.away"), stack.path("data"))
    stack.write({"compose.yaml": compose.replace('"./site.conf:/etc/site.conf:ro", ', "")})
    done = freshd("rebuild", "web")  # near miss: a new container mounts it no more
    assert done.returncode == 0, done
    assert not os.path.lexists(stack.path("site.conf"))
    assert stack.read(stack.container("web"), "/app/a.py") == b"A = 2\n"
