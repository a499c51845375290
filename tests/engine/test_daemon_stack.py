"""What happens to containers and images behind freshd's back, and its own rebuilds."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.watching import COMPOSE, DOCKERFILE, INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.private_engine import PrivateEngine
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(300)

REBUILD = (
    INJECT
    + """
[[rule]]
name = "inputs"
when = ["build-input-changed"]
do = ["rebuild"]
[[rule]]
name = "another image"
when = ["old-image"]
do = ["recreate"]
"""
)
# words.txt is consumed by a RUN: only a rebuild brings a change of it into a container.
BUILT = """
FROM freshd-busybox:1
COPY words.txt /in/words.txt
RUN tr a-z A-Z </in/words.txt >/words.txt
COPY app /app
"""


def git(stack: Stack, *argv: str) -> None:
    subprocess.run(["git", *argv], cwd=stack.directory, check=True, capture_output=True)


def test_a_checkout_of_two_thousand_files_is_one_change(stack: Stack, freshd: Freshd) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    names = [f"app/{n % 40}/{n}.py" for n in range(2000)]
    stack.write({name: f"{name} on main\n" for name in names})
    git(stack, "init", "-q", "-b", "main")
    git(stack, "add", ".")
    git(stack, "commit", "-q", "-m", "main")
    git(stack, "checkout", "-q", "-b", "other")
    stack.write({name: f"{name} on other\n" for name in names[:1900]})
    for name in names[1900:1950]:
        os.unlink(stack.path(name))
    stack.write({f"app/new/{n}.py": f"{n}\n" for n in range(50)})
    git(stack, "add", ".")
    git(stack, "commit", "-q", "-m", "other")
    git(stack, "checkout", "-q", "main")
    stack.up(build=True)
    shop = Watching(stack, freshd)
    shop.run()
    shop.fresh()
    on_main = stack.files("app", "/app")

    git(stack, "checkout", "-q", "other")
    shop.level(gone=[on_main[name] for name in names[1900:1950]])
    shop.fresh()
    steps = shop.entries()
    assert {step["status"] for step in steps} == {"done"}
    assert len(steps) <= 10, "a few passes over two replicas, not a step for each of 2,000 files"

    git(stack, "checkout", "-q", "main")
    shop.level(gone=[f"/app/new/{n}.py" for n in range(50)])
    shop.fresh()


def test_a_recreate_and_a_new_replica_behind_its_back_are_brought_level(
    stack: Stack, freshd: Freshd
) -> None:
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": BUILT, "freshd.toml": REBUILD})
    stack.write({"app/a.py": "a = 1\n", "app/b.py": "b = 1\n", "words.txt": "one\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)
    shop.run()
    stack.write({"app/a.py": "a = 2\n"})
    shop.level()

    before = set(stack.containers("web"))
    stack.compose("up", "-d", "--no-build", "--force-recreate", "web")
    assert before.isdisjoint(stack.containers("web"))
    shop.level()
    shop.fresh()

    stack.compose("up", "-d", "--no-build", "--no-recreate", "--scale", "web=3", "web")
    shop.level(replicas=3)
    shop.fresh()

    before = set(stack.containers("web"))
    stack.write({"words.txt": "two\n"})
    shop.until(lambda: shop.read("/words.txt") == {b"TWO\n"}, "the rebuilt image in each replica")
    shop.level(replicas=3)
    assert before.isdisjoint(stack.containers("web"))
    shop.fresh()
    assert ("rebuild", "done") in shop.ended()


def test_an_image_that_somebody_else_built_is_noticed_and_taken_up(
    stack: Stack, freshd: Freshd
) -> None:
    told = INJECT + '[[rule]]\nwhen = ["old-image"]\ndo = ["notify"]\n'
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": told})
    stack.write({"app/a.py": "a = 1\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)
    shop.run()
    shop.fresh()
    stack.write({"app/a.py": "a = 2\n"})
    stack.build("web")
    shop.level()
    shop.finds("old-image")

    before = set(stack.containers("web"))
    assert shop.daemon is not None
    shop.daemon.stop()
    stack.write({"freshd.toml": REBUILD})
    shop.run()
    shop.until(lambda: before.isdisjoint(stack.containers("web")), "new containers")
    shop.level()
    shop.fresh()
    assert ("recreate", "done") in shop.ended()


def test_a_builder_that_holds_old_bytes_is_pruned_and_builds_once_more(
    private_engine: PrivateEngine, tmp_path: Path, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """Equal size and mtime: BuildKit takes its old copy for the file of now.

    On an engine of its own: anybody's prune would take that copy away.
    """
    policy = 'version = 1\n[[rule]]\nwhen = ["content-differs", "image-behind"]\ndo = ["rebuild"]\n'
    stack = private_engine.stack(tmp_path)
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": policy})
    stack.write({"app/a.py": "a = 1\n"})
    moment = (1_700_000_000, 1_700_000_000)
    os.utime(stack.path("app/a.py"), moment)
    stack.up(build=True)
    shop = Watching(stack, make_freshd(stack))
    shop.run()
    shop.fresh()

    with open(stack.path("app/a.py"), "r+b") as file:
        file.write(b"a = 2\n")
    os.utime(stack.path("app/a.py"), moment)
    shop.level()
    shop.fresh()
    assert shop.ended()[-1] == ("rebuild", "done")
    modes = [p["data"]["mode"] for p in shop.entries()[0]["phases"] if p["name"] == "build"]
    assert modes[0] == "cached"
    assert modes[-1] == "fresh-context", "the builder was not fooled, so nothing was proved"


def test_rebuilds_stop_at_the_limit_with_one_notice(stack: Stack, freshd: Freshd) -> None:
    """Each build changes what it consumes, as a code generator in the tree would."""
    limited = REBUILD + "[limits]\nrebuilds = 2\n"
    compose = COMPOSE.replace("scale: 2", "scale: 1")
    stack.write({"compose.yaml": compose, "Dockerfile": BUILT, "freshd.toml": limited})
    stack.write({"app/a.py": "a = 1\n", "words.txt": "w0\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)
    shop.run()
    shop.fresh()
    for number in (1, 2):
        stack.write({"words.txt": f"w{number}\n"})
        wanted = {f"W{number}\n".encode()}
        shop.until(lambda wanted=wanted: shop.read("/words.txt") == wanted, "the rebuild")  # type: ignore[misc]
    shop.fresh()
    stack.write({"words.txt": "w3\n"})
    shop.finds("build-input-changed")
    shop.until(lambda: shop.status()["incidents"], "an incident")
    (incident,) = shop.status()["incidents"]
    assert "2 rebuilds within 10 minutes" in incident["text"]
    assert [r for r, _ in shop.ended()].count("rebuild") == 2
    assert shop.read("/words.txt") == {b"W2\n"}
