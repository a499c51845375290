"""Containers whose root may not do everything, and whose own user may: nothing is taken for absent
that is only hidden, nothing that exists gets another owner, mode or time, and freshd does for no
program what that could not do itself.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from freshd import act
from freshd.engine.client import Engine
from freshd.engine.container.shell_session import ShellSession
from freshd.engine.transport.endpoint import resolve
from freshd.model.plan import Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import LinkName, LinkState, Verdict
from freshd.reconcile.context import Context
from freshd.reconcile.reconcile import check_service, reconcile
from tests.engine.worlds import Site, inject, removal
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

COMPOSE = """
services:
  web: {build: ., user: "1000:1000", init: true, cap_drop: [ALL], stop_grace_period: 0s}
"""
DOCKERFILE = """
FROM freshd-python:1
RUN mkdir -p /home/app && chown 1000:1000 /home/app && chmod 700 /home/app
COPY --chown=1000:3000 src /home/app/src
RUN chmod 2775 /home/app/src
CMD ["python3", "/home/app/src/main.py"]
"""
POLICY = """
version = 1
[[rule]]
when = ["content-differs", "missing-in-container"]
do = ["inject", "purge", "restart"]
"""
MAIN = """
import time, greeting
while True:
    print(greeting.TEXT, flush=True)
    time.sleep(0.1)
"""
NO_RIGHTS = ("--cap-drop", "ALL")
IMAGES = ("freshd-busybox:1", "freshd-python:1")
ROUNDS = int(os.environ.get("FRESHD_FLIPS", "30"))


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture
def site(engine: Engine) -> Site:
    return Site(engine, directories=("/srv",))


@pytest.fixture
def tree() -> Mapping[str, str]:
    project = {"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": POLICY}
    return project | {"src/main.py": MAIN, "src/greeting.py": 'TEXT = "old"\n'}


def prepared(stack: Stack, image: str, script: str, *options: str) -> str:
    """A container of an image in which root, with all its rights, ran ``script``."""
    stack.write({"Dockerfile": f"FROM {image}\nRUN {script}\n"})
    stack.docker("build", "-q", "-t", stack.project, ".")
    return stack.run(stack.project, "sleep", "600", options=options)


def seen(stack: Stack, container: str, paths: str) -> str:
    """Owner, mode, time and place, as a root with all rights sees them."""
    argv = ["stat", "-c", "%u:%g %a %Y %n", *paths.split()]
    return stack.docker("exec", "--privileged", "-u", "0", container, *argv).stdout.decode()


def whole(stack: Stack, container: str, script: str) -> bytes:
    """What ``script`` prints for a root with all rights."""
    argv = ("exec", "--privileged", "-u", "0", container, "sh", "-c", script)
    return stack.docker(*argv).stdout


@pytest.mark.timeout(240)
def test_a_service_without_capabilities_below_a_closed_home(context: Context, stack: Stack) -> None:
    web = stack.container("web")
    untouched = check_service(context, "web").report
    assert (untouched.verdict, untouched.findings) == (Verdict.FRESH, ())
    wait_until(lambda: b"old" in stack.docker("logs", web).stdout, what="the old code runs")
    before = seen(stack, web, "/home/app /home/app/src")

    stack.write({"src/greeting.py": 'TEXT = "new!"\n'})
    assert {f.cause for f in check_service(context, "web").report.findings} >= {"content-differs"}
    passed = reconcile(context, "web")
    assert {outcome.status for outcome in passed.outcomes} == {StepStatus.DONE}, passed.outcomes
    assert passed.report.verdict is Verdict.FRESH
    assert seen(stack, web, "/home/app").splitlines() == before.splitlines()[:1]
    assert seen(stack, web, "/home/app/src").startswith("1000:3000 2775 ")
    assert whole(stack, web, "cat /home/app/src/greeting.py") == b'TEXT = "new!"\n'
    wait_until(lambda: b"new!" in stack.docker("logs", web).stdout, what="the new code runs")

    whole(stack, web, "echo 'TEXT = 0' > /home/app/src/greeting.py")
    other = check_service(context, "web").report
    assert "changed-in-container" in {finding.cause for finding in other.findings}
    assert other.links[LinkName.PROCESS] is not LinkState.FRESH, "it landed after the start"
    assert check_service(context, "web", full=True).report.verdict is Verdict.STALE


HOME = (
    "mkdir -p /srv/home/src/sub && echo old > /srv/home/src/a.py && echo old > /srv/home/src/gone "
    "&& chown -R 1000:3000 /srv/home && chmod 700 /srv/home && chmod 2775 /srv/home/src "
    "&& touch -d '2020-01-02 03:04:05' /srv/home/src /srv/home/src/sub"
)


@pytest.mark.parametrize("image", IMAGES)
def test_code_below_a_closed_home_is_written_and_deleted_by_the_user_who_lives_there(
    site: Site, stack: Stack, image: str
) -> None:
    container = prepared(stack, image, HOME, *NO_RIGHTS, "--user", "1000:1000")
    directories = "/srv/home /srv/home/src /srv/home/src/sub"
    before = seen(stack, container, directories)
    outcome = act.run(inject(container, site.change("/srv/home/src/a.py", b"new\n")), site.world())
    assert (outcome.status, outcome.detail) == (StepStatus.DONE, "1 file written and read back")
    assert seen(stack, container, directories) == before
    assert whole(stack, container, "cat /srv/home/src/a.py") == b"new\n"
    assert seen(stack, container, "/srv/home/src/a.py").startswith("1000:3000 644 ")

    new = site.change("/srv/home/src/new/deep/b.py", b"b\n")
    gone = removal("/srv/home/src/gone", b"old\n")
    outcome = act.run(inject(container, new, gone), site.world())
    assert outcome.status is StepStatus.DONE, outcome
    assert outcome.detail == "1 file written and read back; 1 file deleted"
    made = seen(stack, container, "/srv/home/src/new /srv/home/src/new/deep")
    assert [line.split()[:2] for line in made.splitlines()] == [["1000:3000", "2775"]] * 2
    assert whole(stack, container, "ls -A / /srv/home/src | grep -c freshd || :") == b"0\n"
    assert whole(stack, container, "ls /srv/home/src").split() == [b"a.py", b"new", b"sub"]
    purge = Step(Remedy.PURGE, "web", ("x",), container_id=container, patterns=("/srv/**/b.py",))
    assert act.run(purge, site.world()).status is StepStatus.DONE
    assert whole(stack, container, "find /srv/home/src/new -type f") == b""


FOREIGN = (
    "mkdir -p /srv/other/in && echo old > /srv/other/in/a.py && echo old > /srv/other/in/gone "
    "&& chown -R 2000:2000 /srv/other && chmod 700 /srv/other/in "
    "&& touch -d '2020-01-02 03:04:05' /srv/other /srv/other/in"
)


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize(
    "options", [(*NO_RIGHTS, "--user", "1000"), ("--cap-drop", "DAC_OVERRIDE"), NO_RIGHTS]
)
def test_where_nobody_in_the_container_may_write_the_engine_does_and_a_delete_is_refused(
    site: Site, stack: Stack, image: str, options: tuple[str, ...]
) -> None:
    script = f"{FOREIGN} && chmod 555 /srv/other"
    container = prepared(stack, image, script, *options)
    before = [
        line.split() for line in seen(stack, container, "/srv/other /srv/other/in").splitlines()
    ]
    change = site.change("/srv/other/in/a.py", b"new\n")
    outcome = act.run(inject(container, change), site.world())
    assert outcome.status is StepStatus.DONE, outcome
    assert "in place, not atomically" in outcome.detail
    assert whole(stack, container, "cat /srv/other/in/a.py") == b"new\n"
    assert seen(stack, container, "/srv/other/in/a.py").startswith("2000:2000 644 ")
    after = [
        line.split() for line in seen(stack, container, "/srv/other /srv/other/in").splitlines()
    ]
    assert [line[:2] for line in after] == [line[:2] for line in before]
    outcome = act.run(inject(container, removal("/srv/other/in/gone", b"old\n")), site.world())
    assert outcome.status is StepStatus.FAILED
    assert "it is still there" in outcome.detail
    assert "only commands in it can delete" in outcome.detail
    assert whole(stack, container, "cat /srv/other/in/gone") == b"old\n"
    assert whole(stack, container, "ls -A / | grep -c freshd || :") == b"0\n"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A directory of the host that the container's user may read and not write."""
    directory = tmp_path / "host"
    directory.mkdir()
    (directory / "a.py").write_bytes(b"precious")
    return directory


def untouched(host: Path) -> bool:
    return {path.name: path.read_bytes() for path in host.iterdir()} == {"a.py": b"precious"}


MINE = "mkdir -p /srv/d && echo old > /srv/d/a.py && chown -R 1000:1000 /srv"
SWAP = "mv /srv/d /srv/e && ln -s /hostrw /srv/d"
WHO = [("--user", "1000"), (*NO_RIGHTS, "--user", "1000"), ()]


@pytest.mark.parametrize("who", WHO)
def test_a_directory_that_becomes_a_link_right_before_the_rename_leads_nowhere(
    site: Site, stack: Stack, host: Path, monkeypatch: pytest.MonkeyPatch, who: tuple[str, ...]
) -> None:
    """Rule 19: neither the shell nor, after it has failed, the engine goes through the link."""
    container = prepared(stack, IMAGES[0], MINE, "-v", f"{host}:/hostrw", *who)
    real, swaps = ShellSession.rename, [SWAP]

    def swapped(
        self: ShellSession, moves: Mapping[str, list[str]], *, keep_times: bool = False
    ) -> tuple[bool, str]:
        if swaps:
            stack.docker("exec", "-u", "1000", container, "sh", "-c", swaps.pop())
        return real(self, moves, keep_times=keep_times)

    monkeypatch.setattr(ShellSession, "rename", swapped)
    changes = [site.change("/srv/d/a.py", b"new"), site.change("/srv/d/new/b.py", b"new")]
    outcome = act.run(inject(container, *changes), site.world())
    assert not swaps
    assert untouched(host)
    assert outcome.status is StepStatus.FAILED, outcome
    assert whole(stack, container, "cat /srv/e/a.py; ls -A / | grep -c freshd || :") == b"old\n0\n"


@pytest.mark.parametrize("who", WHO)
def test_a_directory_that_becomes_a_link_right_before_a_delete_leads_nowhere(
    site: Site, stack: Stack, host: Path, monkeypatch: pytest.MonkeyPatch, who: tuple[str, ...]
) -> None:
    container = prepared(stack, IMAGES[0], MINE, "-v", f"{host}:/hostrw", *who)
    real, swaps = ShellSession.delete, [SWAP]

    def swapped(self: ShellSession, paths: list[str]) -> str:
        if swaps and paths == ["/srv/d/a.py"]:
            stack.docker("exec", "-u", "1000", container, "sh", "-c", swaps.pop())
        return real(self, paths)

    monkeypatch.setattr(ShellSession, "delete", swapped)
    outcome = act.run(inject(container, removal("/srv/d/a.py", b"old\n")), site.world())
    assert not swaps
    assert untouched(host)
    assert outcome.status is StepStatus.FAILED, outcome


def test_where_the_user_may_write_root_does_not(
    site: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 19; near by, in a directory that is not the user's, root does as ever."""
    script = f"{MINE} && mkdir /srv/roots && chown 0:0 /srv/roots"
    container = prepared(stack, IMAGES[0], script, "--user", "1000:1000")
    real, uids = ShellSession.rename, list[int]()

    def noted(
        self: ShellSession, moves: Mapping[str, list[str]], *, keep_times: bool = False
    ) -> tuple[bool, str]:
        uids.append(self.identity.uid)
        return real(self, moves, keep_times=keep_times)

    monkeypatch.setattr(ShellSession, "rename", noted)
    for target, uid in (("/srv/d/a.py", 1000), ("/srv/roots/b.py", 0), ("/c.py", 0)):
        outcome = act.run(inject(container, site.change(target, b"new")), site.world())
        assert outcome.status is StepStatus.DONE, outcome
        assert uids == [uid]
        uids.clear()
        assert seen(stack, container, target).startswith(f"{uid}:{uid} 644 ")


FLIP = """
import os, shutil
shutil.copytree("/srv/d", "/srv/own")  # the image's own directory cannot be renamed
shutil.rmtree("/srv/d")
os.rename("/srv/own", "/srv/d")
while True:
    os.rename("/srv/d", "/srv/e")
    os.symlink("/hostrw", "/srv/d")
    for _ in range(300): os.stat("/srv/d")
    os.unlink("/srv/d")
    os.rename("/srv/e", "/srv/d")
    for _ in range(300): os.stat("/srv/d")
"""


def test_a_container_that_swaps_a_directory_for_a_link_all_the_time_gains_nothing(
    site: Site, stack: Stack, host: Path
) -> None:
    container = prepared(stack, IMAGES[1], MINE, "-v", f"{host}:/hostrw", "--user", "1000:1000")
    stack.docker("exec", "-d", container, "python3", "-c", FLIP)
    done = 0
    for number in range(ROUNDS):
        change = site.change("/srv/d/a.py", b"%d" % number)
        done += act.run(inject(container, change), site.world()).status is StepStatus.DONE
        assert untouched(host), f"round {number}"
    print(f"{ROUNDS} injections, {done} of them done, 0 through the link")


@pytest.mark.parametrize("user", ["0", "1000"])
def test_a_closed_root_and_a_tmpfs_are_refused_and_nothing_is_left_of_the_try(
    site: Site, stack: Stack, user: str
) -> None:
    """Near by: whoever runs there, nothing is to be gained by another way."""
    options = ("--read-only", "--tmpfs", "/srv/t", *NO_RIGHTS, "--user", user)
    container = prepared(stack, IMAGES[0], MINE, *options)
    before = seen(stack, container, "/srv /srv/d /srv/d/a.py /srv/t")
    for target, why in (("/srv/d/a.py", "root is read-only"), ("/srv/t/x", "the tmpfs mount")):
        outcome = act.run(inject(container, site.change(target, b"new")), site.world())
        assert (outcome.status, why in outcome.detail) == (StepStatus.REFUSED, True), outcome
    assert seen(stack, container, "/srv /srv/d /srv/d/a.py /srv/t") == before
    assert whole(stack, container, "ls -A / /srv/t | grep -c freshd || :") == b"0\n"
