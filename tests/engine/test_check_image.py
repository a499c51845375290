"""`freshd check --image`: an image against the tree, with no container and no state."""

from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(240)
SLEEP = "init: true\n    stop_grace_period: 0s"
COMPOSE = f"services:\n  web:\n    build: .\n    command: sleep 1000000\n    {SLEEP}\n"
DOCKERFILE = (
    "FROM freshd-busybox:1 AS build\nCOPY src /src\nRUN sha256sum /src/main.c >/program\n"
    "FROM freshd-busybox:1\nCOPY --from=build /program /bin/program\nCOPY static /static\n"
)
FILES = {
    "src/main.c": "one\n",
    "static/a": "a\n",
    "Dockerfile": DOCKERFILE,
    "compose.yaml": COMPOSE,
}

MakeFreshd = Callable[[Stack], Freshd]


def test_a_build_by_freshd_is_known_again_where_freshd_has_never_been(
    stack: Stack, make_freshd: MakeFreshd
) -> None:
    stack.write(FILES)
    stack.up(build=True)
    image = f"{stack.project}-web"
    unknown = make_freshd(stack)("check", "--image", image, "--json")
    assert found(unknown.json) == {Found("build-unrecorded", "unverifiable")}
    assert unknown.returncode == 3

    assert make_freshd(stack)("rebuild", "web").returncode == 0
    stack.docker("tag", image, f"{image}:released")
    stack.compose("down", "-v", "--timeout", "0")
    elsewhere = make_freshd(stack)  # with no container, and nothing remembered
    fresh = elsewhere("check", "--image", f"{image}:released")
    assert (fresh.returncode, "fresh" in fresh.stdout) == (0, True), fresh

    stack.write({"src/main.c": "two\n"})  # an input that leaves no trace
    seen = make_freshd(stack)("check", "--image", image, "--json")
    assert seen.returncode == 1, seen
    assert found(seen.json) == {Found("build-input-changed", "stale")}
    assert finding(seen.json, "build-input-changed")["evidence"]["built_from"].startswith("v1:")

    stack.write({"src/main.c": "one\n", "static/a": "b\n"})  # one that lands
    seen = make_freshd(stack)("check", "--image", image, "web", "--json")
    assert seen.returncode == 1, seen
    assert Found("image-behind", "stale") in found(seen.json)
    assert finding(seen.json, "image-behind")["evidence"]["paths"] == ["static/a"]
    links = seen.json["services"][0]["links"]
    assert links == {
        "image": "stale", "container": "unchecked", "process": "unchecked", "config": "unchecked",
    }  # fmt: skip
    stack.write({"static/a": "a\n"})
    assert elsewhere("check", "--image", image).returncode == 0


def test_a_check_of_the_stack_believes_what_an_image_carries(
    stack: Stack, make_freshd: MakeFreshd
) -> None:
    stack.write(FILES)
    stack.up(build=True)
    assert make_freshd(stack)("check").returncode == 3
    assert make_freshd(stack)("rebuild", "web").returncode == 0
    fresh = make_freshd(stack)("check", "--json")
    assert (fresh.returncode, found(fresh.json)) == (0, set())
    # the label changes no image of equal layers: built again it is the same one
    (before,) = stack.docker.words("image", "inspect", "-f", "{{.Id}}", f"{stack.project}-web")
    assert make_freshd(stack)("rebuild", "web").returncode == 0
    (after,) = stack.docker.words("image", "inspect", "-f", "{{.Id}}", f"{stack.project}-web")
    assert before == after


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere:1",), "this engine has no image nowhere:1"),
        (("freshd-busybox:1",), "no service of PROJECT is known to build freshd-busybox:1"),
        (("freshd-busybox:1", "db"), "db of PROJECT is not built from this tree"),
        (("freshd-busybox:1", "web", "db"), "--image judges one image by one service"),
        (("freshd-busybox:1", "--full"), "--image goes with neither --path nor --full"),
    ],
)
def test_what_cannot_be_judged_is_said_in_a_line(
    stack: Stack, freshd: Freshd, words: tuple[str, ...], said: str
) -> None:
    stack.write(FILES)
    stack.write({"compose.yaml": f"{COMPOSE}  db:\n    image: freshd-busybox:1\n"})
    done = freshd("check", "--image", *words)
    assert done.returncode == 2, done
    assert said.replace("PROJECT", stack.project) in done.stderr
    assert done.stdout == ""
