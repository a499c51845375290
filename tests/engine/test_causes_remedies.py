"""What the tree has and the container not: found, put right as the finding suggests, and gone."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.conftest import StackFactory
from tests.engine.stacks.looking import Found, finding, found, looked
from tests.harness.cli import Freshd
from tests.harness.private_engine import PrivateEngine
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

SLEEP = "command: sleep 1000000\n    init: true\n    stop_grace_period: 0s"
COMPOSE = f"services:\n  web:\n    build: .\n    {SLEEP}\n"
BEHIND = Found("image-behind", "stale")
PATCHED = {Found("image-behind", "note"), Found("patched", "note")}
POLICY = 'version = 1\n[[rule]]\nwhen = ["stale-build-context"]\ndo = ["rebuild"]\n'

MakeFreshd = Callable[[Stack], Freshd]


FILES = {
    "app/a": "1\n",
    "app/gone": "1\n",
    "app/run.sh": "#!/bin/sh\n",
    "lock": "one\n",
    "Dockerfile": "FROM freshd-busybox:1\nCOPY lock /lock\nRUN cat /lock >/installed\n"
    "COPY app /srv/app\n",
    "compose.yaml": COMPOSE,
}


@pytest.fixture
def web(make_stack: StackFactory) -> Stack:
    stack = make_stack(FILES)
    stack.up(build=True)
    return stack


@pytest.mark.timeout(300)
@pytest.mark.proves("content-differs", "detected", "remedied")
@pytest.mark.proves("missing-in-container", "detected", "remedied")
@pytest.mark.proves("extra-in-container", "detected", "remedied")
@pytest.mark.proves("mode-differs", "detected", "remedied")
@pytest.mark.proves("image-behind", "detected", "remedied", "silent")
@pytest.mark.proves("patched", "detected", "remedied", "silent")
def test_injected_the_container_is_level_and_rebuilt_the_image_too(
    web: Stack, make_freshd: MakeFreshd
) -> None:
    freshd = make_freshd(web)
    web.write({"app/a": "2\n", "app/new/b": "1\n"})
    os.unlink(web.path("app/gone"))
    os.chmod(web.path("app/run.sh"), 0o755)
    landed = {name: f"/srv/{name}" for name in ("app/a", "app/new/b", "app/gone", "app/run.sh")}
    assert len(web.oracle("web", landed, modes=True)) == 4
    assert found(looked(freshd, exit_code=1)) == {
        Found("content-differs", "stale", "app/a"),
        Found("missing-in-container", "stale", "app/new/b"),
        Found("extra-in-container", "stale", "app/gone"),
        Found("mode-differs", "stale", "app/run.sh"),
        BEHIND,
    }
    assert freshd("inject", "web").returncode == 1  # nothing is deleted that was not named
    assert freshd("inject", "web", "app/gone").returncode == 0
    assert web.oracle("web", landed, modes=True) == []
    assert found(looked(freshd, exit_code=0)) == PATCHED
    assert freshd("rebuild", "web").returncode == 0
    assert web.oracle("web", landed, modes=True) == []
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(300)
@pytest.mark.proves("build-input-changed", "detected", "remedied", "silent")
def test_a_changed_input_of_a_run_is_rebuilt(web: Stack, make_freshd: MakeFreshd) -> None:
    freshd = make_freshd(web)
    web.write({"app/a": "2\n"})  # near miss: a file that only lands
    assert "build-input-changed" not in {each.cause for each in found(looked(freshd, exit_code=1))}
    web.write({"app/a": "1\n", "lock": "two\n"})
    assert web.read(web.container("web"), "/installed") == b"one\n"
    document = looked(freshd, exit_code=1)
    assert found(document) >= {Found("build-input-changed", "stale")}
    assert finding(document, "build-input-changed")["evidence"]["paths"] == ["lock"]
    assert freshd("rebuild", "web").returncode == 0
    assert web.read(web.container("web"), "/installed") == b"two\n"
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(300)
@pytest.mark.proves("stale-build-context", "detected", "remedied", "silent")
def test_a_build_that_took_an_edit_for_none_is_made_again(
    private_engine: PrivateEngine, tmp_path: Path, make_freshd: MakeFreshd
) -> None:
    """BuildKit compares size and time. A tool that keeps both hides its edit from every build.

    On an engine of its own: anybody's prune would take the builder's old copy away.
    """
    web = private_engine.stack(tmp_path)
    web.write(FILES)
    web.up(build=True)
    freshd = make_freshd(web)
    assert found(looked(freshd, exit_code=0)) == set()
    before = os.stat(web.path("app/a"))
    web.write({"app/a": "2\n"})
    os.utime(web.path("app/a"), ns=(before.st_atime_ns, before.st_mtime_ns))
    edited = os.stat(web.path("app/a")).st_ctime
    wait_until(lambda: time.time() > edited + 2)
    web.compose("build", "--no-cache")
    web.up()
    assert web.read(web.container("web"), "/srv/app/a") == b"1\n", "the builder saw the edit"
    for each in (freshd, make_freshd(web)):
        assert Found("stale-build-context", "stale") in {
            one._replace(where="") for one in found(looked(each, exit_code=1))
        }
    web.write({"freshd.toml": POLICY})
    assert freshd("apply").returncode == 0
    assert web.read(web.container("web"), "/srv/app/a") == b"2\n"
    assert found(looked(freshd, exit_code=0)) == set()
    web.write({"app/a": "three\n"})  # near miss: an edit that the builder sees
    web.up(build=True)
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(300)
@pytest.mark.proves("not-running", "detected", "remedied", "silent")
@pytest.mark.proves("target-not-writable", "detected", "remedied", "silent")
def test_what_stopped_and_what_cannot_be_written(web: Stack, make_freshd: MakeFreshd) -> None:
    freshd = make_freshd(web)
    web.write({"compose.yaml": f"{COMPOSE}    read_only: true\n"})
    web.up()
    assert found(looked(freshd, exit_code=0)) == set()  # near miss: nothing is to be written
    web.docker("kill", web.container("web"))  # stopped, it could end well
    wait_until(lambda: not web.containers("web"), 120.0)
    assert found(looked(freshd, exit_code=1)) == {Found("not-running", "stale")}
    web.up()
    assert found(looked(freshd, exit_code=0)) == set()

    web.write({"app/a": "2\n"})
    assert freshd("inject", "web").returncode == 1
    assert web.read(web.container("web"), "/srv/app/a") == b"1\n"
    assert found(looked(freshd, exit_code=1)) == {
        Found("target-not-writable", "stale", "app/a"),
        BEHIND,
    }
    assert freshd("rebuild", "web").returncode == 0
    assert web.read(web.container("web"), "/srv/app/a") == b"2\n"
    assert found(looked(freshd, exit_code=0)) == set()


WATCHED = """
services:
  web:
    image: freshd-busybox:1
    command: ["sh", "-c", "cat /conf/a >/loaded; exec sleep 1000000"]
    volumes: ["./conf:/conf"]
    init: true
    stop_grace_period: 0s
    develop:
      watch:
        - {path: ./conf/a, action: restart}
"""


@pytest.mark.timeout(300)
@pytest.mark.proves("restart-due", "detected", "remedied", "silent")
def test_a_restart_that_is_due(stack: Stack, make_freshd: MakeFreshd) -> None:
    stack.write({"conf/a": "one\n", "conf/b": "1\n", "compose.yaml": WATCHED})
    stack.up()
    web = stack.container("web")
    wait_until(lambda: stack.read(web, "/loaded") == b"one\n", 120.0)
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()
    stack.write({"conf/b": "2\n"})  # near miss: the rule does not name it
    assert found(looked(freshd, exit_code=0)) == set()
    stack.write({"conf/a": "two\n"})
    assert stack.read(web, "/loaded") == b"one\n"
    assert found(looked(freshd, exit_code=1)) == {Found("restart-due", "stale")}
    assert freshd("restart", "web").returncode == 0
    wait_until(lambda: stack.read(web, "/loaded") == b"two\n", 120.0)
    assert found(looked(freshd, exit_code=0)) == set()
