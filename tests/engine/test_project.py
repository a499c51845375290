"""A project is found, named and read as the real Compose does it."""

import json
import os
from collections.abc import Callable, Iterator, Mapping

import pytest

from freshd.config.compose.files import COMPOSE_NAMES, OVERRIDE_NAMES, default_files
from freshd.config.invocation import Invocation
from freshd.config.locate import locate_project
from freshd.config.project import Project, load
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import resolve
from freshd.model.errors import ConfigError
from tests.harness.stack import Stack

StackFactory = Callable[..., Stack]
SERVICE = "services:\n  {name}:\n    image: freshd-busybox:1\n    command: sleep 600\n    stop_grace_period: 0s\n"  # noqa: E501


@pytest.fixture
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    client = Engine(resolve(engine_env))
    yield client
    client.close()


def read(stack: Stack, engine: Engine | None = None, **more: object) -> Project:
    located = locate_project(Invocation(stack.directory, stack.environment, **more))  # type: ignore[arg-type]
    compose = Compose(resolve(stack.environment), stack.environment)
    return load(located, engine=engine, compose=compose)


@pytest.mark.parametrize(
    "names",
    [
        COMPOSE_NAMES,
        COMPOSE_NAMES[1:],
        COMPOSE_NAMES[2:],
        (COMPOSE_NAMES[0], *OVERRIDE_NAMES),
        (COMPOSE_NAMES[2], *OVERRIDE_NAMES[1:]),
        (COMPOSE_NAMES[3], OVERRIDE_NAMES[3]),
        (COMPOSE_NAMES[1], OVERRIDE_NAMES[2]),
    ],
)
def test_compose_takes_the_files_freshd_says_it_takes(
    make_stack: StackFactory, names: tuple[str, ...]
) -> None:
    stack = make_stack({name: SERVICE.format(name=name.replace(".", "-")) for name in names})
    told = json.loads(stack.compose("config", "--format", "json").stdout)
    ours = {os.path.basename(file).replace(".", "-") for file in default_files(stack.directory)}
    assert ours == set(told["services"])


def test_a_compose_file_named_in_the_env_file_is_taken_as_compose_takes_it(stack: Stack) -> None:
    stack.write(
        {
            ".env": "COMPOSE_FILE='one.yaml:deploy/two.yaml' # both\nTAG=1\n",
            "one.yaml": SERVICE.format(name="one"),
            "deploy/two.yaml": SERVICE.format(name="two").replace(":1", ":${TAG}"),
        }
    )
    theirs = json.loads(stack.compose("config", "--format", "json").stdout)
    project = read(stack)
    assert set(project.services) == set(theirs["services"]) == {"one", "two"}
    assert project.name == theirs["name"] == stack.project
    assert project.service("two").image == theirs["services"]["two"]["image"]


def test_the_model_has_what_a_real_compose_prints(stack: Stack) -> None:
    stack.write(
        {
            "compose.yaml": "services:\n"
            "  web:\n    build: {context: ., args: {A: 1, FROM_ENV: }}\n"
            "    volumes: ['./src:/app:ro', 'data:/data', '/anon']\n    tmpfs: ['/run:size=1m']\n"
            "    deploy: {replicas: 3}\n    command: run it\n"
            "  tool:\n    image: freshd-busybox:1\n    profiles: [dev]\n    restart: always\n"
            "volumes: {data: }\n",
            "Dockerfile": "FROM freshd-busybox:1\n",
        }
    )
    project = read(stack)
    web, tool = project.service("web"), project.service("tool")
    assert web.image == f"{stack.project}-web"
    assert web.build is not None
    assert (web.build.context, web.build.args["A"]) == (stack.directory, "1")
    assert {(one.kind, one.target, one.read_only) for one in web.mounts} == {
        ("bind", "/app", True),
        ("volume", "/data", False),
        ("volume", "/anon", False),
        ("tmpfs", "/run", False),
    }
    assert (web.scale, web.command) == (3, ("run", "it"))
    assert (tool.profiles, tool.restart) == (("dev",), "always")


def test_running_containers_tell_the_project_name(stack: Stack, engine: Engine) -> None:
    stack.write({"compose.yaml": SERVICE.format(name="web")})
    other = f"{stack.project}b"
    try:
        stack.compose("--project-name", other, "up", "-d")
        assert read(stack, engine).name == other
        stack.compose("up", "-d")
        with pytest.raises(ConfigError, match=f"{stack.project}, {other}"):
            read(stack, engine)
        assert read(stack, engine, project_name=stack.project).name == stack.project
    finally:
        stack.compose("--project-name", other, "down", "--timeout", "0", check=False)


def test_a_broken_compose_file_keeps_the_last_good_model(stack: Stack) -> None:
    stack.write({"compose.yaml": SERVICE.format(name="web")})
    project = read(stack)
    stack.write({"compose.yaml": "services:\n  web:\n   image: [unclosed\n"})
    assert project.refresh()
    assert "invalid" in project.problem
    assert set(project.services) == {"web"}
    stack.write({"compose.yaml": SERVICE.format(name="web") + SERVICE.format(name="two")[10:]})
    assert project.refresh()
    assert project.problem == ""
    assert set(project.services) == {"web", "two"}


def test_an_edit_of_an_extended_file_or_its_environment_is_seen(stack: Stack) -> None:
    stack.write(
        {
            "compose.yaml": "services:\n  web:\n    extends: {file: lib/base.yaml, service: b}\n"
            "    image: freshd-busybox:${TAG:-1}\n",
            "lib/base.yaml": "services:\n  b:\n    command: sleep 1\n",
        }
    )
    project = read(stack)
    assert project.service("web").command == ("sleep", "1")
    stack.write({"lib/base.yaml": "services:\n  b:\n    command: sleep 2\n"})
    assert project.refresh()
    assert project.service("web").command == ("sleep", "2")
    stack.write({".env": "TAG=none\n"})
    assert project.refresh()
    assert project.service("web").image == "freshd-busybox:none"
