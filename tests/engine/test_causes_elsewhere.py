"""A build that ended well and changed nothing here: it stayed in the cache of another builder.

That builder is the engine's own BuildKit behind a socket of its own: to buildx it is a remote one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.engine.stacks.truth import SLEEP
from tests.harness.buildkit import buildkit
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

COMPOSE = f"services:\n  web:\n    build: app\n    {SLEEP}\n"


@pytest.fixture
def far(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """The stack as it is called where buildx knows a builder ``far`` besides."""
    engine = stack.environment["DOCKER_HOST"]
    if not engine.startswith("unix://"):
        pytest.skip("the engine is not behind a socket of this machine")
    own = {**stack.environment, "BUILDX_CONFIG": str(tmp_path / "buildx")}
    with buildkit(engine.removeprefix("unix://"), str(tmp_path / "buildkit.sock")) as url:
        one = replace(stack, environment=own)
        one.docker("buildx", "create", "--name", "far", "--driver", "remote", url)
        yield one


@pytest.mark.timeout(600)
@pytest.mark.proves("build-not-loaded", "detected", "remedied", "silent")
def test_a_build_that_stayed_in_another_builders_cache(
    far: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    def build(*options: str) -> None:
        far.docker("buildx", "build", "--builder", "far", *options, far.path("app"))

    def seen() -> bytes | None:
        return far.read(far.container("web"), "/page")

    dockerfile = "FROM freshd-busybox:1\nCOPY page /page\n"
    far.write({"compose.yaml": COMPOSE, "app/Dockerfile": dockerfile, "app/page": "1\n"})
    far.up(build=True)
    freshd = make_freshd(far)
    build()  # near misses: nothing was edited, and what is edited later no build had
    assert found(looked(freshd, exit_code=0)) == set()
    far.write({"app/page": "2\n"})
    behind = {Found("content-differs", "stale", "app/page"), Found("image-behind", "stale")}
    assert found(looked(freshd, exit_code=1)) == behind

    far.write({"app/Dockerfile.other": dockerfile})
    build("--file", far.path("app/Dockerfile.other"))  # near miss: another image of this directory
    assert found(looked(freshd, exit_code=1)) == behind
    build("--tag", f"{far.project}-web")
    far.up()
    assert seen() == b"1\n", "the build was loaded"
    document = looked(freshd, exit_code=1)
    assert found(document) == {*behind, Found("build-not-loaded", "note")}
    evidence = finding(document, "build-not-loaded")["evidence"]
    assert (evidence["builder"], evidence["driver"]) == ("far", "remote")
    assert evidence["paths"] == ["app/page"]

    far.up(build=True)
    assert seen() == b"2\n"
    assert found(looked(freshd, exit_code=0)) == set()
