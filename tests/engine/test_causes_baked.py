"""What a build puts into its output and a new environment does not reach."""

from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

DOCKERFILE = (
    "FROM freshd-busybox:1\nARG VITE_API\nRUN mkdir /dist && echo api=$VITE_API >/dist/bundle.js\n"
    "COPY app /app\n"
)
POLICY = 'version = 1\n[[rule]]\nwhen = ["build-input-changed"]\ndo = ["rebuild"]\n'


@pytest.mark.timeout(600)
@pytest.mark.proves("baked-env", "detected", "remedied", "silent")
def test_a_build_argument_that_is_baked_into_the_bundle(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    def compose(api: str) -> None:
        build = f"{{context: ., args: {{VITE_API: {api}}}}}"
        stack.write({"compose.yaml": f"services:\n  web:\n    build: {build}\n    {SLEEP}\n"})

    def bundle() -> bytes | None:
        return stack.read(stack.container("web"), "/dist/bundle.js")

    stack.write({"app/a": "1\n", "Dockerfile": DOCKERFILE, "freshd.toml": POLICY})
    compose("old.example")
    stack.up(build=True)
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()
    # A build that freshd did not see is told by the history, one of its own by its record.
    for before, now in (("old.example", "new.example"), ("new.example", "last.example")):
        compose(now)
        stack.up()
        assert bundle() == f"api={before}\n".encode(), "the bundle is new"
        document = looked(freshd, exit_code=1)
        assert found(document) == {Found("baked-env", "stale")}
        baked = finding(document, "baked-env")
        assert baked["evidence"]["arguments"] == ["VITE_API"]
        assert now not in str(document)
        assert before not in str(document)
        assert freshd("apply").returncode == 0
        assert bundle() == f"api={now}\n".encode()
        assert found(looked(freshd, exit_code=0)) == set()
    compose('"last.example"')  # near miss: the same value, spelt otherwise
    assert found(looked(freshd, exit_code=0)) == set()
