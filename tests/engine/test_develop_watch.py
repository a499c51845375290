"""``develop.watch`` as the policy: the same end state as Compose's own watch, and a right one where
Compose is known to leave a wrong one."""

import io
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import StackFactory
from tests.engine.watching import Watching
from tests.harness.cli import Freshd
from tests.harness.compose_watch import ComposeWatch, compose_version
from tests.harness.docker import Docker
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

SERVICE = """
services:
  web:
    build: .
    init: true
    command: [sh, -c, "echo up >>/boots; exec sleep 1000000"]
    stop_grace_period: 0s
    labels: {dev.freshd.test: "1"}
"""
SYNC = """
    develop:
      watch:
        - {path: ./app, action: sync, target: /app, ignore: ["*.log", "cache/"]}
        - {path: ./app/both, action: sync, target: /both}
        - {path: ./conf, action: sync+restart, target: /etc/conf}
        - {path: words.txt, action: rebuild}
"""
NEWER = """
        - {path: ./told, action: sync+exec, target: /told,
           exec: {command: [sh, -c, "cat /told/* >>/heard"]}}
        - {path: ./only, action: sync, target: /only, include: "*.txt", initial_sync: true}
        - {path: ./start, action: restart}
"""
DOCKERFILE = """
FROM freshd-busybox:1
COPY words.txt /in/
RUN sort </in/words.txt >/words.txt
COPY app /app
COPY conf /etc/conf
"""
TREE = {
    "Dockerfile": DOCKERFILE,
    ".dockerignore": ".*\n",
    "words.txt": "b\na\n",
    "app/a.py": "a1\n",
    "app/gone.py": "gone1\n",
    "app/deep/b.py": "b1\n",
    "app/both/c.py": "c1\n",
    "app/x.log": "log1\n",
    "conf/site.conf": "conf1\n",
    "told/word": "told1\n",
    "only/a.txt": "only1\n",
    "only/a.md": "only1\n",
    "start/me": "start1\n",
}
PLACES = ("/app", "/both", "/etc/conf", "/told", "/only", "/in", "/words.txt", "/heard", "/boots")
EQUAL = tuple(place for place in PLACES if place != "/only")
BUILT = ("/app", "/etc/conf", "/in", "/words.txt")


@pytest.fixture
def compose_watch(tmp_path: Path) -> Iterator[Callable[[Stack], ComposeWatch]]:
    """``compose_watch(stack)``: Compose's own watch on it; ended with the test."""
    started: list[ComposeWatch] = []

    def start(stack: Stack) -> ComposeWatch:
        started.append(ComposeWatch.start(stack, str(tmp_path)))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def held(stack: Stack) -> list[dict[str, str]]:
    """What each replica holds in ``PLACES``: path -> text, as the engine exports it.

    No command is run inside: after a restart by Compose some engines cannot any more.
    """
    found = []
    for identity in stack.containers("web"):
        exported = stack.docker("export", identity, check=False).stdout
        with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
            files = {f"/{each.name}": each for each in archive if each.isreg()}
            found.append(
                {
                    path: _text(archive, each)
                    for path, each in files.items()
                    if path.startswith(PLACES)
                }
            )
    return found


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    assert file is not None
    return file.read().decode()


def starts(stacks: tuple[Stack, Stack]) -> set[str]:
    """One word per replica that runs: it is another after a restart or in a new container."""
    found = set()
    for stack in stacks:
        shown = "{{.Id}}/{{.State.Running}}/{{.State.StartedAt}}"
        done = stack.docker("inspect", "-f", shown, *stack.containers("web"), check=False)
        found |= {word for word in done.stdout.decode().split() if "/true/" in word}
    return found


def both_hold(
    stacks: tuple[Stack, Stack],
    expected: Mapping[str, str | None],
    places: tuple[str, ...] = EQUAL,
) -> None:
    """Until both stacks' replicas hold ``expected`` and are equal in all of ``places``."""
    seen: list[dict[str, str]] = []

    def same() -> bool:
        try:
            seen[:] = [one for stack in stacks for one in held(stack)]
        except tarfile.TarError:  # a container that is just being replaced
            return False
        wanted = all(one.get(path) == text for one in seen for path, text in expected.items())
        compared = [{p: t for p, t in one.items() if p.startswith(places)} for one in seen]
        return len(seen) == 2 and wanted and all(one == compared[0] for one in compared)

    try:
        wait_until(same, 120.0, what="both stacks to be equal")
    except AssertionError as error:
        shown = "\n".join(map(str, seen))
        raise AssertionError(f"{error}, {expected}\n{shown}") from None


def test_every_action_ends_as_under_compose_watch_which_freshd_then_leaves_alone(
    make_stack: StackFactory,
    make_freshd: Callable[[Stack], Freshd],
    compose_watch: Callable[[Stack], ComposeWatch],
    docker: Docker,
) -> None:
    newer = compose_version(docker) >= (2, 33)
    compose = SERVICE + SYNC + (NEWER if newer else "")
    stacks = (make_stack({**TREE, "compose.yaml": compose}), make_stack())
    theirs, ours = stacks
    shutil.copytree(theirs.directory, ours.directory, dirs_exist_ok=True)
    for stack in stacks:
        stack.up(build=True)
        # Compose's first sync brings only what is newer than the image.
        stack.write({"only/a.txt": TREE["only/a.txt"]})
    watch = compose_watch(theirs)
    shop = Watching(ours, make_freshd(ours))
    shop.run()
    shop.fresh()

    def edit(files: Mapping[str, str | None], *, begins: bool = False) -> None:
        """In both trees alike; with ``begins`` until every process has begun anew."""
        before = starts(stacks)
        for stack in stacks:
            for path in (path for path, text in files.items() if text is None):
                os.unlink(stack.path(path))
            stack.write({path: text for path, text in files.items() if text is not None})
        # Nothing is asked of a container that is just being restarted.
        shop.until(lambda: not begins or len(starts(stacks) - before) == 2, "two new processes")

    edit({"app/cache/y": "y", "app/x.log": "log2\n", "app/deep/new.py": "new\n"})
    edit({"app/a.py": "a2\n", "app/both/c.py": "c2\n", "app/gone.py": None})
    both_hold(
        stacks,
        {
            "/app/a.py": "a2\n",
            "/app/gone.py": None,
            "/app/deep/new.py": "new\n",
            "/app/both/c.py": "c2\n",
            "/both/c.py": "c2\n",
            "/app/x.log": "log1\n",
            "/app/cache/y": None,
            "/only/a.txt": "only1\n" if newer else None,
            "/boots": "up\n",
        },
    )
    if newer:
        edit({"told/word": "told2\n", "only/b.txt": "only2\n", "only/b.md": "only2\n"})
        both_hold(stacks, {"/heard": "told2\n", "/only/b.txt": "only2\n", "/only/b.md": None})
    edit({"conf/site.conf": "conf2\n"}, begins=True)
    both_hold(stacks, {"/etc/conf/site.conf": "conf2\n", "/boots": "up\nup\n"})
    if newer:
        edit({"start/me": "start2\n"}, begins=True)
        both_hold(stacks, {"/boots": "up\nup\nup\n"})
    edit({"words.txt": "d\nc\n"}, begins=True)
    both_hold(stacks, {"/words.txt": "c\nd\n", "/in/words.txt": "d\nc\n", "/boots": "up\n"}, BUILT)
    ours_only = {"app/both/c.py": "/both/c.py", **({"only/b.txt": "/only/b.txt"} if newer else {})}
    shop.level(
        ours_only, gone=["/only/a.md", "/only/b.md"], replicas=1
    )  # Compose's first sync brings one
    assert {status for _, status in shop.ended()} == {"done"}
    shop.fresh()

    theirs.write({"app/both/c.py": "c3\n"})
    wait_until(lambda: theirs.oracle("web", {"app/both/c.py": "/both/c.py"}) == [], 120.0)
    beside = Watching(theirs, make_freshd(theirs))
    beside.run()
    beside.until(lambda: beside.status()["daemon"]["verifying"], "freshd to see compose watch")
    theirs.write({"app/a.py": "a3\n"})
    beside.level({"app/a.py": "/app/a.py"}, replicas=1)
    beside.until(lambda: beside.status()["services"], "freshd to have looked")
    theirs.compose("up", "-d", "--force-recreate", "--timeout", "0")
    beside.until(lambda: {"/both/c.py", "/app/a.py"} <= _behind(beside), "what is lost to be found")
    assert "docker compose watch (pid" in beside.freshd("status").stdout
    assert "is at work: only verified" in beside.freshd("plan").stdout
    assert beside.entries() == []

    watch.stop()
    beside.level({"app/both/c.py": "/both/c.py", "app/a.py": "/app/a.py"}, replicas=1)
    assert beside.status()["daemon"]["verifying"] == ""
    theirs.write({"app/a.py": "a4\n"})
    beside.level({"app/a.py": "/app/a.py"}, replicas=1)
    assert {status for _, status in beside.ended()} == {"done"}


def _behind(shop: Watching) -> set[str]:
    """The places in containers that status knows to differ."""
    services = shop.status()["services"]
    return {f["target"] for one in services for f in one["findings"] if f["container"] is not None}


OFF = """
    develop:
      watch:
        - {path: ., action: sync, target: /srv}
        - {path: ./conf, action: sync+restart, target: /etc/conf}
"""
OFF_TREE = {
    "compose.yaml": SERVICE + OFF,
    "Dockerfile": "FROM freshd-busybox:1\nCOPY app /srv/app\nCOPY conf /etc/conf\n",
    ".dockerignore": "*\n!app\n!conf\n",  # of a star and what it takes back Compose makes nothing
    "notes.txt": "never in a container\n",
    "app/a.py": "a1\n",
    "app/old.py": "old\n",
    "conf/site.conf": "conf1\n",
    **{f"app/many/{number}.py": f"{number}\n" for number in range(30)},
}


def test_where_compose_leaves_a_wrong_state_freshd_leaves_the_right_one(
    stack: Stack, freshd: Freshd
) -> None:
    stack.write(OFF_TREE)
    stack.up(build=True)
    assert freshd("check").returncode == 0, "nothing was edited, so nothing is to be synced"
    os.unlink(stack.path("app/old.py"))
    edited = {"app/a.py": "a2\n", "app/new.py": "new\n", "conf/site.conf": "conf2\n"}
    stack.write({**edited, "notes.txt": "edited\n"})
    assert "[develop.watch web 1, develop.watch web 2]" in freshd("plan").stdout
    pairs = {"conf/site.conf": "/etc/conf/site.conf", **stack.files("app", "/srv/app")}
    gone = ["/srv/app/old.py", "/srv/notes.txt"]

    shop = Watching(stack, freshd)
    shop.run()  # typing it is consent: what changed while everything was off is made good
    shop.level(pairs, gone=gone, replicas=1)
    shop.until(lambda: ("restart", "done") in shop.remedies(), "the restart")
    shop.fresh()
    assert shop.read("/boots") == {b"up\nup\n"}

    stack.compose("up", "-d", "--force-recreate", "--timeout", "0")
    shop.level(pairs, gone=gone, replicas=1)
    shop.fresh()
    done = len(shop.entries())

    shutil.move(stack.path("app"), stack.path(".away"))
    shop.until(lambda: shop.status()["halts"], "the halt in status")
    assert shop.read("/srv/app/many/0.py") == {b"0\n"}, "Compose removes the whole directory"
    assert len(shop.entries()) == done


LATER: list[dict[str, Any]] = [
    {"path": "told", "action": "sync+exec", "target": "/told", "exec": {
        "command": ["sh", "-c", "echo $WORD $(id -u) $(pwd) $(cat /told/word) >>heard"],
        "user": "1000", "working_dir": "/tmp", "environment": {"WORD": "it is"}}},
    {"path": "fails", "action": "sync+exec", "target": "/fails", "exec": {
        "command": ["sh", "-c", "echo no such luck >&2; exit 3"]}},
    {"path": "only", "action": "sync", "target": "/only", "include": ["*.txt"],
     "initial_sync": True},
    {"path": "start", "action": "restart"},
]  # fmt: skip
"""What Compose 2.26 refuses, as 2.40 prints it."""
LATER_TREE = {
    "compose.yaml": SERVICE,
    "Dockerfile": "FROM freshd-busybox:1\nRUN mkdir -p /tmp && chmod 1777 /tmp\n",
    "told/word": "one\n",
    "fails/x": "one\n",
    "only/a.txt": "a\n",
    "only/a.md": "a\n",
    "start/me": "one\n",
}
LATER_COMPOSE = """#!{python}
import json, os, subprocess, sys
real = "{docker}"
if "compose" not in sys.argv or "config" not in sys.argv:
    os.execv(real, [real, *sys.argv[1:]])
done = subprocess.run([real, *sys.argv[1:]], stdout=subprocess.PIPE)
model = json.loads(done.stdout)
with open("{rules}") as file:
    model["services"]["web"]["develop"] = {{"watch": json.load(file)}}
print(json.dumps(model))
"""


def later_compose(stack: Stack, directory: Path) -> Mapping[str, str]:
    """An environment whose docker command prints the model as a later Compose would."""
    rules = [{**rule, "path": stack.path(str(rule["path"]))} for rule in LATER]
    (directory / "rules.json").write_text(json.dumps(rules))
    command = directory / "docker"
    real = shutil.which("docker")
    command.write_text(
        LATER_COMPOSE.format(python=sys.executable, docker=real, rules=directory / "rules.json")
    )
    command.chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}


def test_a_command_after_a_sync_and_a_restart_without_one(
    stack: Stack, freshd: Freshd, tmp_path: Path
) -> None:
    stack.write(LATER_TREE)
    stack.up(build=True)
    shop = Watching(stack, freshd, environment=later_compose(stack, tmp_path))
    shop.run()
    shop.level({"only/a.txt": "/only/a.txt"}, gone=["/only/a.md", "/told/word"], replicas=1)
    shop.fresh()  # a first sync brings what never changed, and no other rule does
    os.utime(stack.path("start/me"))  # only touched: it holds what the process has read
    stack.write({"told/word": "two\n", "only/b.md": "b\n"})
    shop.until(lambda: shop.read("/tmp/heard") == {b"it is 1000 /tmp two\n"}, "the command to run")
    shop.fresh()
    assert shop.read("/boots") == {b"up\n"}

    stack.write({"fails/x": "two\n"})
    shop.until(lambda: ("exec", "failed") in shop.remedies(), "the command to fail")
    (failed,) = [entry for entry in shop.entries() if entry["status"] == "failed"]
    assert "ended with 3: no such luck" in failed["detail"]
    shop.level({"fails/x": "/fails/x"}, replicas=1)

    stack.write({"start/me": "two\n"})
    shop.until(lambda: ("restart", "done") in shop.remedies(), "the restart")
    shop.fresh()
    steps = [("inject", "done"), ("exec", "done"), ("inject", "done"), ("exec", "failed")]
    assert shop.remedies() == [("inject", "done"), *steps, ("restart", "done")]
    assert shop.read("/boots") == {b"up\nup\n"}
    assert "develop.watch web 4" in [entry["step"]["rule"] for entry in shop.entries()]
