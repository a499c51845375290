"""The map of a whole service against what a real build and real mounts put into a container."""

from collections.abc import Mapping

import pytest

from freshd.config.invocation import Invocation
from freshd.config.locate import locate_project
from freshd.config.project import load
from freshd.engine.cli.compose import Compose
from freshd.engine.transport.endpoint import resolve
from freshd.mapping.service_map import MapResult, build_map
from tests.harness.stack import Stack

COMPOSE = (
    "services:\n  web:\n    build: {build}\n    command: sleep 600\n    stop_grace_period: 0s\n"
)
BASE = "FROM freshd-busybox:1\n"


def mapped(stack: Stack) -> MapResult:
    located = locate_project(Invocation(stack.directory, stack.environment))
    compose = Compose(resolve(stack.environment), stack.environment)
    project = load(located, engine=None, compose=compose)
    return build_map(project.service("web"), project_dir=project.dir)


def landed(stack: Stack, top: str) -> dict[str, str]:
    """Path -> content of every regular file below ``top``, from a fresh container of the image."""
    script = f'find {top} -type f | while read -r f; do echo "$f=$(head -n 1 "$f")"; done'
    done = stack.compose("run", "--rm", "-T", "web", "sh", "-c", script)
    lines = done.stdout.decode().splitlines()
    return {path: text for path, equals, text in (line.partition("=") for line in lines) if equals}


def named(files: Mapping[str, str]) -> dict[str, bytes | str]:
    """Files whose content is their own name, but for those that have one."""
    return {name: text or name for name, text in files.items()}


def shown(result: MapResult) -> dict[str, str]:
    return {pair.target: pair.source for pair in result.map.pairs if pair.effective}


@pytest.mark.parametrize(
    "ignores",
    [
        {},
        {".dockerignore": "a\n"},
        {".dockerignore": "a\n", "Dockerfile.dockerignore": "b\n"},
        {".dockerignore": "a\n", "Dockerfile.dockerignore": "\n"},
        {".dockerignore": "*\n!d/keep\n!d/deep/x\n"},
        {".dockerignore": "d\n!d/keep\n**/*.pyc\n"},
        {".dockerignore": "Dockerfile\n.dockerignore\nd/deep/\n"},
    ],
)
def test_what_the_ignore_files_leave_is_what_lands(stack: Stack, ignores: dict[str, str]) -> None:
    stack.write(
        named(
            {
                "a": "",
                "b": "",
                "d/keep": "",
                "d/other": "",
                "d/deep/x": "",
                "d/deep/y.pyc": "",
                ".hidden": "",
                ".git/HEAD": "",
                "Dockerfile": f"{BASE}COPY . /app/\n",
                "compose.yaml": COMPOSE.format(build="."),
                **ignores,
            }
        )
    )
    stack.build("web")
    truth = {path: text for path, text in landed(stack, "/app").items() if "/.git/" not in path}
    ours = shown(mapped(stack))
    assert set(ours) == set(truth)
    assert {path: path for path in ours} == {path: f"/app/{ours[path]}" for path in ours}


def test_a_dockerfile_outside_its_context_and_its_ignore_file(stack: Stack) -> None:
    stack.write(
        named(
            {
                "docker/web": f"{BASE}COPY . /app/\n",
                "docker/web.dockerignore": "no\n",
                "code/yes": "",
                "code/no": "",
                "code/.dockerignore": "yes\n",
                "compose.yaml": COMPOSE.format(build="{context: code, dockerfile: ../docker/web}"),
            }
        )
    )
    stack.build("web")
    result = mapped(stack)
    assert set(shown(result)) == set(landed(stack, "/app"))
    assert shown(result)["/app/yes"] == "code/yes"
    assert result.map.inputs == ("docker/web", "docker/web.dockerignore")


def test_an_inline_dockerfile(stack: Stack) -> None:
    stack.write(
        named(
            {
                "a": "",
                "no": "",
                ".dockerignore": "no\n",
                "compose.yaml": COMPOSE.format(
                    build='{context: ., dockerfile_inline: "FROM freshd-busybox:1\\nCOPY . /app/"}'
                ),
            }
        )
    )
    stack.build("web")
    assert set(shown(mapped(stack))) == set(landed(stack, "/app"))


def test_mounts_show_and_hide_what_the_map_says(stack: Stack) -> None:
    stack.write(
        named(
            {
                "src/a": "",
                "src/vendor/v": "",
                "src/sub/s": "",
                "top": "",
                "prod.conf": "",
                "Dockerfile": f"{BASE}COPY src /app/src\nCOPY top /app/top\n",
                "compose.yaml": COMPOSE.format(build=".")
                + "    volumes: ['./src:/app/src', '/app/src/vendor',"
                " './prod.conf:/app/src/sub/s']\n    tmpfs: ['/run']\n",
            }
        )
    )
    stack.build("web")
    stack.write({"src/a": "edited"})
    inside = landed(stack, "/app")
    result = mapped(stack)
    ours = shown(result)
    # an anonymous volume starts with what the image has there, so its files are seen too
    assert set(inside) - set(ours) == {"/app/src/vendor/v"}
    assert set(ours) <= set(inside)
    assert inside["/app/src/a"] == "edited"
    assert ours["/app/src/sub/s"] == inside["/app/src/sub/s"] == "prod.conf"
    hidden = {pair.target: pair.hidden_by for pair in result.map.pairs if not pair.effective}
    assert hidden["/app/src/vendor/v"] == "/app/src/vendor"


def test_an_added_archive_is_unpacked_and_a_file_that_only_looks_like_one_is_not(
    stack: Stack,
) -> None:
    stack.write({"fake.tar": "no archive at all", "inner": "x"})
    import tarfile

    with tarfile.open(stack.path("real.bin"), "w:gz") as archive:
        archive.add(stack.path("inner"), "inner")
    stack.write(
        {
            "Dockerfile": f"{BASE}ADD fake.tar real.bin /app/\n",
            "compose.yaml": COMPOSE.format(build="."),
        }
    )
    stack.build("web")
    assert set(landed(stack, "/app")) == {"/app/fake.tar", "/app/inner"}
    result = mapped(stack)
    assert shown(result) == {"/app/fake.tar": "fake.tar"}
    assert "real.bin" in result.map.inputs
