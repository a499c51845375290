"""Output that a build left as it was although its sources changed."""

from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

BEHIND = Found("derived-output-behind", "stale", "/app/dist")


@pytest.mark.timeout(600)
@pytest.mark.proves("derived-output-behind", "detected", "remedied", "silent")
def test_a_bundle_that_was_not_made_anew(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    def bundle() -> bytes | None:
        return stack.read(stack.container("web"), "/app/dist/bundle")

    dockerfile = "FROM freshd-busybox:1\nCOPY src /app/src\nCOPY dist /app/dist\n"
    stack.write(
        {
            "src/main.ts": "1\n",
            "dist/bundle": "made of 1\n",
            "Dockerfile": dockerfile,
            "compose.yaml": f"services:\n  web:\n    build: .\n    {SLEEP}\n",
            "freshd.toml": '[service.web]\nderives = [{ from = "src", to = "/app/dist" }]\n',
        }
    )
    stack.up(build=True)
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()
    assert freshd("rebuild", "web").returncode == 0
    assert found(looked(freshd, exit_code=0)) == set()

    stack.write({"src/main.ts": "2\n"})
    assert freshd("rebuild", "web").returncode in (0, 1)
    assert bundle() == b"made of 1\n", "it is new"
    document = looked(freshd, exit_code=1)
    assert found(document) == {BEHIND}
    one = finding(document, "derived-output-behind")
    assert (one["evidence"]["paths"], one["evidence"]["made_from"]) == (["src/main.ts"], "src")

    stack.write({"dist/bundle": "made of 2\n"})
    assert freshd("rebuild", "web").returncode == 0
    assert bundle() == b"made of 2\n"
    assert found(looked(freshd, exit_code=0)) == set()
    stack.write({"Dockerfile": f"{dockerfile}ENV A=1\n"})
    assert freshd("rebuild", "web").returncode == 0  # near miss: its sources are the same
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(600)
def test_a_build_without_cache_whose_output_is_the_same_settles_it(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """The compiler's stage is built anew and makes what it made: the change was a comment."""
    stack.write(
        {
            "src/main.ts": "1 # one\n",
            "Dockerfile": (
                "FROM freshd-busybox:1 AS build\nCOPY src /src\n"
                "RUN mkdir /dist && sed 's/ #.*//' /src/main.ts >/dist/bundle\n"
                "FROM freshd-busybox:1\nCOPY --from=build /dist /app/dist\n"
            ),
            "compose.yaml": f"services:\n  web:\n    build: .\n    {SLEEP}\n",
            "freshd.toml": '[service.web]\nderives = [{ from = "src", to = "/app/dist" }]\n',
        }
    )
    stack.up(build=True)
    freshd = make_freshd(stack)
    assert freshd("rebuild", "web").returncode == 0
    assert found(looked(freshd, exit_code=0)) == set()
    stack.write({"src/main.ts": "1 # the same\n"})
    freshd("rebuild", "web")
    assert found(looked(freshd, exit_code=1)) == {BEHIND}
    assert freshd("rebuild", "web", "--mode", "no-cache").returncode == 0
    assert found(looked(freshd, exit_code=0)) == set()
