"""Fixtures on a real engine: the one that DOCKER_HOST names.

``make engine`` and ``make test`` name one; without it these tests are skipped, or fail where
FRESHD_REQUIRE_ENGINE=1 says that they must run.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from freshd.config.invocation import Invocation
from freshd.config.locate import locate_project
from freshd.config.project import load
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import resolve
from freshd.reconcile.context import Context
from freshd.store.store import memory_store
from tests.harness.cli import Daemon, Freshd
from tests.harness.docker import Docker
from tests.harness.private_engine import PrivateEngine
from tests.harness.stack import Stack, unique_name

StackFactory = Callable[..., Stack]


def _engine_problem(environment: Mapping[str, str]) -> str | None:
    if not environment.get("DOCKER_HOST"):
        return "no engine: DOCKER_HOST is not set (`make engine` sets one up)"
    done = Docker(environment)("version", "--format", "{{.Server.Version}}", check=False)
    if done.returncode != 0:
        return f"no engine answers at {environment['DOCKER_HOST']}"
    return None


@pytest.fixture(scope="session")
def engine_env() -> Mapping[str, str]:
    """The environment for commands on the engine under test; the base images are there."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    problem = _engine_problem(environment)
    if problem is None:
        return environment
    if environment.get("FRESHD_REQUIRE_ENGINE") == "1":
        pytest.fail(problem)
    pytest.skip(problem)


@pytest.fixture(scope="session")
def docker(engine_env: Mapping[str, str]) -> Docker:
    """The plain docker command on the engine under test."""
    return Docker(engine_env)


@pytest.fixture(scope="session")
def engine_version(docker: Docker) -> int:
    """The major version of the engine under test."""
    (version,) = docker.words("version", "--format", "{{.Server.Version}}")
    return int(version.partition(".")[0])


@pytest.fixture(autouse=True)
def _engine_is_new_enough(request: pytest.FixtureRequest) -> None:
    """``needs_engine(23, "what the older lacks")``: skipped there. The reasons are documented."""
    for mark in request.node.iter_markers("needs_engine"):
        wanted, reason = mark.args
        have = request.getfixturevalue("engine_version")
        if have < wanted:
            pytest.skip(f"Docker {have}: {reason}")


@pytest.fixture
def make_stack(engine_env: Mapping[str, str], tmp_path: Path) -> Iterator[StackFactory]:
    """``make_stack(files)``: a project directory with those files; all of it removed at the end."""
    made: list[Stack] = []

    def make(files: Mapping[str, bytes | str] | None = None, *, under: str = "") -> Stack:
        project = unique_name()
        directory = tmp_path / under / project
        directory.mkdir(parents=True)
        stack = Stack(str(directory), project, engine_env)
        made.append(stack)
        stack.write(files or {})
        return stack

    yield make
    for stack in made:
        stack.remove()


@pytest.fixture
def stack(make_stack: StackFactory) -> Stack:
    """One empty project: ``stack.write({...})``, ``stack.up()``."""
    return make_stack()


@pytest.fixture
def make_freshd(tmp_path: Path) -> Iterator[Callable[[Stack], Freshd]]:
    """``make_freshd(stack)``: freshd in that project, with its own state; daemons are ended."""
    made: list[Freshd] = []

    def make(stack: Stack) -> Freshd:
        own = tempfile.mkdtemp(prefix="freshd-", dir=tmp_path)
        freshd = Freshd(stack.directory, own, stack.environment)
        made.append(freshd)
        return freshd

    yield make
    for freshd in made:
        freshd.close()


@pytest.fixture
def freshd(stack: Stack, make_freshd: Callable[[Stack], Freshd]) -> Freshd:
    """``freshd("check", "--json")`` in the test's ``stack``."""
    return make_freshd(stack)


@pytest.fixture
def context(stack: Stack, tree: Mapping[str, str], tmp_path: Path) -> Iterator[Context]:
    """What a pass needs, for the test module's own ``tree``: brought up, and asked for by hand."""
    stack.write(tree)
    stack.up(build=True)
    endpoint = resolve(os.environ)
    compose = Compose(endpoint, os.environ)
    located = locate_project(Invocation(stack.directory, os.environ))
    with Engine(endpoint) as engine:
        yield Context(
            project=load(located, engine=engine, compose=compose),
            engine=engine,
            compose=compose,
            store=memory_store(),
            locks=str(tmp_path),
            clock=time.time,
            asked=True,
        )


@pytest.fixture
def daemon(freshd: Freshd) -> Callable[..., Daemon]:
    """``daemon()``: starts ``freshd run`` on the test's ``stack`` and returns when it watches."""

    def start(*argv: str) -> Daemon:
        return freshd.run(*argv).wait_ready()

    return start


@pytest.fixture
def private_engine(engine_env: Mapping[str, str]) -> Iterator[PrivateEngine]:
    """A running engine of the test's own with ``freshd-busybox:1``, to stop and start at will."""
    with own_engine(engine_env) as engine:
        yield engine


@contextmanager
def own_engine(
    environment: Mapping[str, str], settings: Mapping[str, str] | None = None
) -> Iterator[PrivateEngine]:
    """The same as a context manager, with ``settings`` of `.ci/engine`."""
    if os.geteuid() != 0:
        pytest.skip("a private engine needs root")
    base = tempfile.mkdtemp(prefix="freshd-test-engine-", dir="/var/tmp")
    engine = PrivateEngine(os.path.join(base, "e"), environment, settings or {})
    try:
        engine.start()
        engine.images("busybox")
        yield engine
    finally:
        engine.remove()
        os.rmdir(base)
