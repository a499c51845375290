"""An injection that a recreate or a further replica takes back, and containers beside the own."""

import os
import socket
from collections.abc import Callable

import pytest

from tests.engine.conftest import StackFactory
from tests.engine.stacks.looking import Found, finding, found, looked, of
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

BASE = "FROM freshd-busybox:1\n"
POLICY = 'version = 1\n[[rule]]\nwhen = ["content-differs"]\ndo = ["inject"]\n'
PATCHED = {Found("image-behind", "note"), Found("patched", "note")}


@pytest.mark.timeout(600)
@pytest.mark.proves("injection-lost", "detected", "remedied", "silent")
def test_an_injection_that_new_containers_do_not_have(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack.write({"app/a": "1\n", "app/b": "1\n", "Dockerfile": f"{BASE}COPY app /app\n"})
    stack.write({"compose.yaml": f"services:\n  web:\n    build: .\n    {SLEEP}\n"})
    stack.write({"freshd.toml": POLICY})
    stack.up(build=True)
    freshd = make_freshd(stack)
    stack.write({"app/a": "2\n"})
    assert {each.cause for each in found(looked(freshd, exit_code=1))} >= {"content-differs"}
    assert freshd("apply").returncode == 0
    assert found(looked(freshd, exit_code=0)) == PATCHED

    stack.up(scale={"web": 2})  # a further replica
    assert {stack.read(one, "/app/a") for one in stack.containers("web")} == {b"1\n", b"2\n"}
    behind = Found("image-behind", "stale")
    assert found(looked(freshd, exit_code=1)) == {behind, Found("injection-lost", "stale", "app/a")}
    stack.compose("up", "-d", "-t", "0", "--force-recreate")
    assert stack.read(stack.container("web"), "/app/a") == b"1\n", "the injection is still there"
    stack.write({"app/b": "2\n"})  # near miss: this was never injected
    document = looked(freshd, exit_code=1)
    assert found(document) == {
        *(behind, Found("injection-lost", "stale", "app/a")),
        Found("content-differs", "stale", "app/b"),
    }
    lost = finding(document, "injection-lost")
    assert lost["remedy"] == "inject"
    assert lost["evidence"]["injected_at"] < lost["evidence"]["made_at"]

    assert freshd("apply").returncode == 0  # the rule for content-differs reaches it
    assert stack.read(stack.container("web"), "/app/a") == b"2\n"
    assert found(looked(freshd, exit_code=0)) == PATCHED


@pytest.mark.timeout(600)
@pytest.mark.proves("orphan-container", "detected", "remedied", "silent")
def test_containers_that_nothing_takes_care_of(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    web = f"  web:\n    build: .\n    {SLEEP}\n"
    old = f"  old:\n    image: freshd-busybox:1\n    {SLEEP}\n"
    stack.write({"app/a": "1\n", "Dockerfile": f"{BASE}COPY app /app\n"})
    stack.write({"compose.yaml": f"services:\n{web}{old}"})
    stack.up(build=True)
    stack.compose("run", "-T", "-d", "web", "sleep", "1000000")  # near miss: it is of this image
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()

    stack.write({"app/a": "2\n", "compose.yaml": f"services:\n{web}"})
    stack.up(build=True)
    names = stack.named_containers()
    contents = {name: stack.read(one, "/app/a") for one, name in names.items()}
    (job,) = [name for name, content in contents.items() if content == b"1\n"]
    document = looked(freshd, exit_code=0)
    assert found(document) == {Found("orphan-container", "note")}
    told = {f["evidence"]["container"]: f["evidence"]["why"] for f in of(document)["findings"]}
    assert told == {job: "one-off", f"{stack.project}-old-1": "orphan"}

    stack.compose("up", "-d", "-t", "0", "--remove-orphans")
    stack.docker("rm", "-f", job)
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("wrong-project", "detected", "remedied", "silent")
def test_another_clone_that_serves_in_place_of_this_one(
    make_stack: StackFactory, make_freshd: Callable[[Stack], Freshd]
) -> None:
    here, there = make_stack(), make_stack()
    for stack, content in ((here, "here\n"), (there, "there\n")):
        compose = f"name: {here.project}\nservices:\n  web:\n    build: .\n    {SLEEP}\n"
        stack.write({"app/a": content, "Dockerfile": f"{BASE}COPY app /app\n"})
        stack.write({"compose.yaml": compose})
    here.up(build=True)
    freshd = make_freshd(here)
    assert found(looked(freshd, exit_code=0)) == set()
    there.up(build=True)
    (web,) = here.containers("web")
    assert here.read(web, "/app/a") == b"there\n", "the other clone did not take its place"
    document = looked(freshd, exit_code=0)
    assert found(document) == {Found("wrong-project", "note")}
    evidence = finding(document, "wrong-project")["evidence"]
    assert os.path.realpath(evidence["directory"]) == os.path.realpath(there.directory)
    _leaves_to_the_other_clone(there, f"{here.project}-web", freshd)
    here.up(build=True)
    (web,) = here.containers("web")
    assert here.read(web, "/app/a") == b"here\n"
    assert found(looked(freshd, exit_code=0)) == set()


def _leaves_to_the_other_clone(there: Stack, tag: str, freshd: Freshd) -> None:
    """Both clones build one tag: what is built here would go into the containers there."""

    def state() -> tuple[bytes, bytes]:
        image = there.docker("image", "inspect", "-f", "{{.Id}}", tag)
        return image.stdout, there.docker("ps", "-q", "-f", f"ancestor={tag}").stdout

    before = state()
    for verb, exit_code in (("rebuild", 1), ("recreate", 0)):
        done = freshd(verb, "web")
        assert state() == before, f"{verb} reached the other clone: {done}"
        assert done.returncode == exit_code, done


@pytest.mark.timeout(600)
def test_a_port_that_another_project_has(
    make_stack: StackFactory, make_freshd: Callable[[Stack], Freshd]
) -> None:
    here, there = make_stack(), make_stack()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for stack in (here, there):
        ports = f'ports: ["127.0.0.1:{port}:80"]'
        stack.write({"app/a": "1\n", "Dockerfile": f"{BASE}COPY app /app\n"})
        stack.write(
            {"compose.yaml": f"services:\n  web:\n    build: .\n    {ports}\n    {SLEEP}\n"}
        )
    there.up(build=True)
    assert here.compose("up", "-d", "--build", check=False).returncode != 0
    freshd = make_freshd(here)
    document = looked(freshd, exit_code=1)
    assert {each.cause for each in found(document)} >= {"not-running", "wrong-project"}
    evidence = finding(document, "wrong-project")["evidence"]
    assert (evidence["project"], evidence["why"]) == (there.project, f"127.0.0.1:{port}/tcp")
    assert found(looked(make_freshd(there), exit_code=0)) == set()  # near miss: it has its port
    there.compose("stop", "-t", "0")
    here.up()
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("tag-contention", "detected", "remedied", "silent")
def test_a_tag_that_two_projects_build(
    make_stack: StackFactory, make_freshd: Callable[[Stack], Freshd]
) -> None:
    here, there = make_stack(), make_stack()
    image = f"image: {here.project}-shared"
    for stack, content in ((here, "here\n"), (there, "here\n")):
        stack.write({"app/a": content, "Dockerfile": f"{BASE}COPY app /app\n"})
        stack.write(
            {"compose.yaml": f"services:\n  web:\n    build: .\n    {image}\n    {SLEEP}\n"}
        )
    here.up(build=True)
    freshd = make_freshd(here)
    there.build()  # near miss: the same bytes
    here.up()
    assert found(looked(freshd, exit_code=0)) == set()
    there.write({"app/a": "there\n"})
    there.build()
    here.up()
    assert here.read(here.container("web"), "/app/a") == b"there\n", "it has its own image"
    document = looked(freshd, exit_code=1)
    behind = {Found("image-behind", "stale"), Found("content-differs", "stale", "app/a")}
    assert found(document) == {*behind, Found("tag-contention", "note")}
    evidence = finding(document, "tag-contention")["evidence"]
    assert (evidence["built_by"], evidence["project"]) == (there.project, here.project)
    here.up(build=True)
    assert here.read(here.container("web"), "/app/a") == b"here\n"
    assert found(looked(freshd, exit_code=0)) == set()
