"""On an engine that keeps its images in containerd: ids are digests of manifest lists there, and a
saved image holds attestations beside its layers. Layers, and so ChainIDs, are what they were.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.engine.conftest import own_engine
from tests.harness.cli import Freshd
from tests.harness.private_engine import PrivateEngine
from tests.harness.stack import Stack

pytestmark = [
    pytest.mark.needs_engine(24, "has no containerd image store"),
    pytest.mark.timeout(240),
]
COMPOSE = "services: {web: {build: ., stop_grace_period: 0s}}\n"
DOCKERFILE = """
FROM freshd-busybox:1
COPY app /app
CMD ["sleep", "1000000"]
"""
FILES = {
    "compose.yaml": COMPOSE,
    "Dockerfile": DOCKERFILE,
    "app/a.py": "A = 1\n",
    "app/run.sh": "true\n",
    "app/made.txt": "read\n",
}
REWRITTEN = f"{DOCKERFILE}RUN chmod 700 /app/run.sh && echo made >>/app/made.txt\n"
PAIRS = {"app/a.py": "/app/a.py"}


@pytest.fixture(scope="module")
def containerd_engine(
    engine_env: Mapping[str, str], engine_version: int
) -> Iterator[PrivateEngine]:
    if engine_version < 24:
        pytest.skip("has no containerd image store")
    with own_engine(engine_env, {"FRESHD_STORE": "containerd"}) as engine:
        yield engine


@pytest.fixture
def stack(containerd_engine: PrivateEngine, tmp_path: Path) -> Iterator[Stack]:
    made = containerd_engine.stack(tmp_path)
    made.write(FILES)
    yield made
    made.remove()


def test_it_is_checked_injected_and_rebuilt(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    freshd = make_freshd(stack)
    assert b"io.containerd.snapshotter" in stack.docker("info").stdout
    stack.up(build=True)
    first = freshd("check", "--json")
    assert first.returncode == 0, first
    stack.write({"app/a.py": "A = 2\n"})
    assert freshd("check").returncode == 1
    assert freshd("inject", "web").returncode == 0
    assert stack.oracle("web", PAIRS) == []
    patched = freshd("check", "--json")
    assert patched.returncode == 0, patched
    assert patched.json["services"][0]["patched"]
    assert freshd("rebuild", "web").returncode == 0
    after = freshd("check", "--json")
    assert after.returncode == 0, after
    assert not after.json["services"][0]["patched"]
    assert after.json["services"][0]["links"]["image"] == "fresh"
    assert stack.oracle("web", PAIRS) == []


def test_what_a_run_wrote_over_is_known_from_the_layers(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """The saved image has a second configuration, of the attestation, without history."""
    freshd = make_freshd(stack)
    stack.write({"Dockerfile": REWRITTEN})
    stack.up(build=True)
    seen = freshd("map", "--json")
    (web,) = seen.json["services"]
    # A RUN chmodded run.sh, and left its bytes.
    assert {pair["source"] for pair in web["pairs"]} == {"app/a.py", "app/run.sh"}, seen
    assert {"app/made.txt", "Dockerfile"} <= {*web["inputs"]}


def test_a_build_by_others_is_seen_to_be_newer(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    freshd = make_freshd(stack)
    stack.up(build=True)
    stack.write({"app/a.py": "A = 3\n"})
    stack.build()
    seen = freshd("check", "--json")
    assert seen.returncode == 1
    causes = {finding["cause"] for finding in seen.json["services"][0]["findings"]}
    assert "old-image" in causes, causes
    assert freshd("recreate", "web").returncode == 0
    assert freshd("check").returncode == 0


def test_a_file_that_two_copies_bring_is_one_that_an_edit_puts_out_of_step(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """This store leaves out of a layer what those below it have, so the first COPY wrote it."""
    freshd = make_freshd(stack)
    stack.write({"app/lock": "one\n", "compose.yaml": COMPOSE})
    stack.write(
        {
            "Dockerfile": "FROM freshd-busybox:1\nWORKDIR /app\nCOPY app/lock .\n"
            'RUN cat lock >/installed\nCOPY app .\nCMD ["sleep", "1000000"]\n'
        }
    )
    stack.up(build=True)
    assert freshd("check").returncode == 0
    stack.write({"app/lock": "two\n"})
    seen = freshd("check", "--json")
    assert seen.returncode == 1, seen
    findings = seen.json["services"][0]["findings"]
    assert {finding["cause"] for finding in findings} == {"content-differs", "build-input-changed"}
    assert freshd("rebuild", "web").returncode == 0
    assert stack.read(stack.container("web"), "/installed") == b"two\n"
    assert freshd("check").returncode == 0
