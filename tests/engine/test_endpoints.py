"""One engine is resolved and given to every call: contexts, and engines behind ``ssh://``.

The other engine is a second one on this machine; the first, which DOCKER_HOST names for all other
tests, must see nothing of what is done.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from freshd.engine.client import Engine
from freshd.engine.transport import ssh
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import EngineUnavailable
from tests.engine.conftest import own_engine
from tests.engine.stacks.looking import Found, finding, found, looked
from tests.harness import sshd
from tests.harness.cli import Freshd
from tests.harness.docker import Docker, own_settings
from tests.harness.private_engine import PrivateEngine
from tests.harness.sshd import Sshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(240)
FILES = {
    "compose.yaml": "services: {web: {build: ., stop_grace_period: 0s}}\n",
    "Dockerfile": 'FROM freshd-busybox:1\nCOPY app /app\nCMD ["sleep", "1000000"]\n',
    "app/a.py": "A = 1\n",
    "freshd.toml": 'version = 1\n[[rule]]\nwhen = ["content-differs"]\ndo = ["inject"]\n',
}
PAIRS = {"app/a.py": "/app/a.py"}


@pytest.fixture(scope="module")
def second(engine_env: Mapping[str, str]) -> Iterator[PrivateEngine]:
    """Another engine than the one under test."""
    with own_engine(engine_env) as engine:
        yield engine


@pytest.fixture
def stack(second: PrivateEngine, tmp_path: Path) -> Iterator[Stack]:
    """A stack that runs on the second engine."""
    made = second.stack(tmp_path)
    made.write(FILES)
    made.up(build=True)
    yield made
    made.remove()


def whole_round(freshd: Freshd, stack: Stack, docker: Docker, *, patience: float = 120.0) -> None:
    """Check, inject, rebuild: all on the second engine, as the judge sees it from outside."""
    first = freshd("check", timeout=patience)
    assert first.returncode == 0, first
    stack.write({"app/a.py": "A = 2\n"})
    # what took too long on a busy machine is unknown, and is looked at again
    wait_until(lambda: freshd("apply", timeout=patience).returncode == 0, patience, what="apply")
    assert stack.oracle("web", PAIRS) == []
    before = stack.container("web")
    stack.write({"app/a.py": "A = 3\n"})
    done = freshd("rebuild", "web", timeout=patience)
    assert done.returncode == 0, done
    assert stack.container("web") != before
    assert stack.oracle("web", PAIRS) == []
    own = f"label=com.docker.compose.project={stack.project}"
    assert docker.words("ps", "-aq", "--filter", own) == (), "nothing of it is on the first engine"
    assert docker.words("image", "ls", "-q", f"{stack.project}*") == ()


@pytest.mark.parametrize("how", ["DOCKER_CONTEXT", "current", "config.toml"])
def test_a_context_is_the_engine_of_every_call(
    stack: Stack, docker: Docker, second: PrivateEngine, tmp_path: Path, how: str
) -> None:
    settings = own_settings(tmp_path / "docker", stack.environment)
    environment = {**stack.environment, "DOCKER_CONFIG": settings}
    del environment["DOCKER_HOST"]
    client = Docker(environment)
    own = tmp_path / "own"
    (own / "config").mkdir(parents=True)
    if how == "config.toml":
        text = f'[engine]\nhost = "unix://{second.socket}"\n'
        (own / "config" / "config.toml").write_text(text)
    else:
        client("context", "create", "two", "--docker", f"host=unix://{second.socket}")
        if how == "current":
            client("context", "use", "two")
        else:
            environment["DOCKER_CONTEXT"] = "two"
    freshd = Freshd(stack.directory, str(own), environment)
    whole_round(freshd, stack, docker)
    assert f"unix://{second.socket}" in freshd("doctor").stdout


@pytest.fixture(scope="module")
def remote(second: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An sshd whose `docker` speaks to the second engine."""
    reason = sshd.why_not()
    if reason is not None:
        pytest.skip(reason)
    told = {"DOCKER_HOST": f"unix://{second.socket}", "PATH": os.environ["PATH"]}
    server = Sshd(tmp_path_factory.mktemp("sshd"), told)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def by_ssh(remote: Sshd, stack: Stack, tmp_path: Path) -> Iterator[Freshd]:
    """freshd, told of the second engine by ``ssh://`` alone."""
    environment = {
        **stack.environment,
        "DOCKER_HOST": f"ssh://root@127.0.0.1:{remote.port}",
        "DOCKER_CONFIG": own_settings(tmp_path / "docker", stack.environment),
        "PATH": f"{remote.bin}:{os.environ['PATH']}",
    }
    own = tmp_path / "own"
    own.mkdir()
    freshd = Freshd(stack.directory, str(own), environment)
    yield freshd
    freshd.close()


# Every connection starts a docker command on the other side: on a busy machine that takes seconds.
@pytest.mark.timeout(900)
def test_an_engine_behind_ssh_is_like_any_other(
    by_ssh: Freshd, stack: Stack, docker: Docker
) -> None:
    whole_round(by_ssh, stack, docker, patience=400.0)


@pytest.mark.timeout(600)
def test_the_daemon_works_over_ssh_and_leaves_no_process(by_ssh: Freshd, stack: Stack) -> None:
    daemon = by_ssh.run().wait_ready(120.0)
    stack.write({"app/a.py": "A = 4\n"})
    began = time.monotonic()
    wait_until(lambda: stack.oracle("web", PAIRS) == [], 120.0, what="the injection")
    print(f"visible after {time.monotonic() - began:.2f} s over ssh")
    assert daemon.stop(120.0) == 0
    wait_until(lambda: left_over() == [], 120.0, what="every ssh to end")


def left_over() -> list[str]:
    """`ssh` commands that have a relay of freshd's as their shared connection."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "freshd-ssh-" in words and "sshd" not in words:
            found.append(words)
    return found


def test_a_host_that_does_not_answer_is_told_in_its_own_words(
    remote: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{remote.bin}:{os.environ['PATH']}")
    endpoint = Endpoint("ssh://root@127.0.0.1:1", "the test")
    try:
        with pytest.raises(EngineUnavailable, match="Connection refused"), Engine(endpoint) as one:
            one.ping()
    finally:
        ssh.close_all()


@pytest.mark.proves("wrong-engine", "detected", "remedied", "silent")
def test_a_build_that_went_to_another_engine(
    second: PrivateEngine,
    docker: Docker,
    tmp_path: Path,
    stack: Stack,
    make_freshd: Callable[[Stack], Freshd],
) -> None:
    """Whoever types `docker compose build` under another context builds for another engine."""
    first = docker.environment["DOCKER_HOST"]
    settings = own_settings(tmp_path / "docker", stack.environment)
    own = {**stack.environment, "DOCKER_CONFIG": settings}
    here = replace(stack, environment=own)
    strayed = replace(stack, environment={**own, "DOCKER_HOST": "", "DOCKER_CONTEXT": "other"})
    alias = tmp_path / "alias.sock"
    alias.symlink_to(second.socket)
    for name, host in (("other", first), ("alias", f"unix://{alias}")):
        here.docker("context", "create", name, "--docker", f"host={host}")
    freshd = make_freshd(here)
    behind = {Found("content-differs", "stale", "app/a.py"), Found("image-behind", "stale")}
    try:
        strayed.build()  # near miss: nothing was edited
        assert found(looked(freshd, exit_code=0)) == set()
        stack.write({"app/a.py": "A = 2\n"})
        # near misses: an edit that no build had, and a build that failed on the right engine
        stack.write({"Dockerfile": "FROM freshd-busybox:1\nRUN false\n"})
        by_alias = {**own, "DOCKER_HOST": "", "DOCKER_CONTEXT": "alias"}
        assert replace(stack, environment=by_alias).compose("build", check=False).returncode != 0
        stack.write({"Dockerfile": FILES["Dockerfile"]})
        assert found(looked(freshd, exit_code=1)) == behind

        strayed.build()
        here.up()
        assert here.read(here.container("web"), "/app/a.py") == b"A = 1\n", "it was built here"
        document = looked(freshd, exit_code=1)
        assert found(document) == {*behind, Found("wrong-engine", "note")}
        evidence = finding(document, "wrong-engine")["evidence"]
        assert (evidence["builder"], evidence["built_at"]) == ("other", first)
        assert evidence["runs_at"] == f"unix://{second.socket}"
        assert "app/a.py" in evidence["paths"]
    finally:
        docker("image", "rm", "-f", f"{stack.project}-web", check=False)

    here.up(build=True)
    assert here.read(here.container("web"), "/app/a.py") == b"A = 2\n"
    assert found(looked(freshd, exit_code=0)) == set()
