"""Places that a Compose file names by a link: followed to where they are, at each look anew.

A build context, a mount's source, a whole project. Near misses: links inside of what is copied are
what a COPY copies. What a link hides is unreadable and is never taken for deleted.
"""

import os
import shutil
from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked, of, second_passes
from tests.engine.stacks.truth import SLEEP
from tests.engine.watching import INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(300)

BASE = "FROM freshd-busybox:1\n"


def turn(stack: Stack, link: str, target: str) -> None:
    """`ln -sfn`, in one step."""
    os.symlink(target, stack.path("turning"))
    os.replace(stack.path("turning"), stack.path(link))


def files(stack: Stack, service: str = "web", directory: str = "/app") -> list[str]:
    """What lies there in the container, links and directories not followed."""
    said = stack.exec(stack.container(service), ["find", directory, "!", "-type", "d"])
    return sorted(said.stdout.decode().split())


@pytest.fixture
def linked(stack: Stack) -> Stack:
    """Contexts that are links: the main one, a further one, and the Dockerfile's directory.

    Near misses in them: links to a file, to a directory, and out of the context.
    """
    services = {
        "web": "build: ./ctx",
        "lib": "build: {context: real, dockerfile: ../docker/lib.docker, "
        "additional_contexts: {more: ./far/more}}",
    }
    compose = "".join(f"  {name}:\n    {text}\n    {SLEEP}\n" for name, text in services.items())
    stack.write(
        {
            "real/Dockerfile": f"{BASE}COPY src /app\n",
            **{f"real/src/{name}": f"{name}\n" for name in ("a", "b", "sub/s")},
            "kept/docker/lib.docker": f"{BASE}COPY src /app\nCOPY --from=more . /more\n",
            "kept/more/m": "m\n",
            "kept/more/n": "n\n",
            "outside": "o\n",
            "compose.yaml": f"services:\n{compose}",
            "freshd.toml": INJECT,
        }
    )
    for link, target in {
        "ctx": "real",
        "docker": "kept/docker",
        "far": "kept",
        "real/src/to-file": "a",
        "real/src/to-dir": "sub",
        "real/src/out": "../../outside",
    }.items():
        os.symlink(target, stack.path(link))
    stack.up(build=True)
    return stack


APP = ["/app/a", "/app/b", "/app/out", "/app/sub/s", "/app/to-dir", "/app/to-file"]


def test_a_context_that_is_a_link_is_compared_and_only_what_left_it_is_deleted(
    linked: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    freshd = make_freshd(linked)
    document = looked(freshd, exit_code=0)
    compared = {each["name"]: each["containers"][0]["compared"] for each in document["services"]}
    assert compared == {"web": 6, "lib": 8}
    assert {each.cause for each in found(document)} <= {"symlink-leaves-context"}

    linked.write({"real/src/a": "edited\n", "kept/more/m": "edited\n"})
    os.unlink(linked.path("real/src/b"))
    os.unlink(linked.path("kept/more/n"))
    document = looked(freshd, exit_code=1)
    assert {each for each in found(document) if each.level == "stale"} == {
        Found("image-behind", "stale"),
        Found("content-differs", "stale", "real/src/a"),
        Found("extra-in-container", "stale", "real/src/b"),
    }
    assert Found("content-differs", "stale", "kept/more/m") in found(document, "lib")
    assert Found("extra-in-container", "stale", "kept/more/n") in found(document, "lib")

    done = freshd("apply")
    assert done.returncode == 0, done
    assert files(linked) == [path for path in APP if path != "/app/b"]
    assert files(linked, "lib", "/more") == ["/more/m"]
    assert linked.read(linked.container("web"), "/app/a") == b"edited\n"
    assert linked.read(linked.container("lib"), "/more/m") == b"edited\n"
    looked(freshd, exit_code=0)

    # near miss: the link is turned to another tree, which has no `sub`: that is an edit
    linked.write({"next/Dockerfile": f"{BASE}COPY src /app\n", "next/src/a": "next\n"})
    turn(linked, "ctx", "next")
    document = looked(freshd, exit_code=1)
    assert Found("content-differs", "stale", "next/src/a") in found(document)
    assert Found("extra-in-container", "stale", "next/src/sub/s") in found(document)


@pytest.mark.parametrize("how", ["dangling", "circle", "through a file", "directory is a link"])
def test_what_a_link_hides_is_unreadable_and_nothing_is_deleted(
    stack: Stack, make_freshd: Callable[[Stack], Freshd], how: str
) -> None:
    """Each after a first look, and with a policy that deletes what has left the tree."""
    stack.write(
        {
            **{f"real/src/{name}": f"{name}\n" for name in ("a", "b", "sub/s")},
            "docker/Dockerfile": f"{BASE}COPY src /app\n",
            "compose.yaml": "services:\n  web:\n    build:\n      context: ctx\n"
            f"      dockerfile: {stack.path('docker/Dockerfile')}\n    {SLEEP}\n",
            "freshd.toml": INJECT,
        }
    )
    os.symlink("real", stack.path("ctx"))
    stack.up(build=True)
    freshd = make_freshd(stack)
    looked(freshd, exit_code=0)
    before = files(stack)
    if how == "directory is a link":
        os.rename(stack.path("real/src/sub"), stack.path("elsewhere"))
        os.symlink("../../elsewhere", stack.path("real/src/sub"))
    else:
        stack.write({"file": ""})
        where = {"dangling": "nowhere", "circle": "ctx", "through a file": "file/x"}
        turn(stack, "ctx", where[how])
    freshd("apply")
    assert files(stack) == before
    code = 1 if how == "directory is a link" else 3  # the link itself is not in the container
    document = looked(freshd, exit_code=code)
    assert "unreadable" in {each.cause for each in found(document)}
    assert "extra-in-container" not in {each.cause for each in found(document)}
    if how == "dangling":
        assert "leads to nothing" in finding(document, "unreadable")["message"]


PYTHON = "import time, v\nwhile True:\n    print(v.V, flush=True); time.sleep(0.2)\n"


@pytest.fixture
def released(stack: Stack) -> Stack:
    """Releases, and services that mount the current one: by a link, above one, and one file."""
    services = {
        "web": "image: freshd-python:1\n    command: python3 -u /app/main.py\n"
        "    init: true\n    stop_grace_period: 0s\n    volumes: ['./current:/app']",
        "deep": f"image: freshd-busybox:1\n    {SLEEP}\n    volumes:\n"
        "      - {type: bind, source: ./current/conf, target: /conf}",
        "one": f"image: freshd-busybox:1\n    {SLEEP}\n    volumes: ['./current/conf/c:/c:ro']",
        # near misses: no link on the way, and a link that stays as it is
        "plain": f"image: freshd-busybox:1\n    {SLEEP}\n    volumes: ['./rel/1/conf:/conf']",
        "still": f"image: freshd-busybox:1\n    {SLEEP}\n    volumes: ['./still:/conf']",
    }
    compose = "".join(f"  {name}:\n    {text}\n" for name, text in services.items())
    stack.write({"compose.yaml": f"services:\n{compose}"})
    for number in "12":
        stack.write(
            {
                f"rel/{number}/main.py": PYTHON,
                f"rel/{number}/v.py": f"V = 'release {number}'\n",
                f"rel/{number}/conf/c": f"conf {number}\n",
                f"rel/{number}/conf/same": "same\n",
            }
        )
    os.symlink("rel/1", stack.path("current"))
    os.symlink("rel/1/conf", stack.path("still"))
    stack.up()
    return stack


def test_a_mounted_link_that_is_turned_shows_old_bytes_until_a_restart(
    released: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    freshd = make_freshd(released)
    for full in (False, True):
        document = looked(freshd, exit_code=0, full=full)
        assert all(each["containers"][0]["compared"] for each in document["services"])
    second_passes()
    released.write({"rel/1/v.py": "V = 'edited'\n"})
    document = looked(freshd, exit_code=1, later=20)
    assert found(document) == {Found("process-older-than-code", "stale")}

    turn(released, "current", "rel/2")
    for full in (False, True):  # the engine's archives show the new directory
        document = looked(freshd, exit_code=1, later=20, full=full)
        assert found(document) == {
            Found("bind-serves-old-bytes", "stale", f"rel/2/{name}") for name in ("v.py", "conf/c")
        }
        assert {each["remedy"] for each in of(document)["findings"]} == {"restart"}
        assert found(document, "deep") == {Found("bind-serves-old-bytes", "stale", "rel/2/conf/c")}
        detached = Found("single-file-bind-detached", "stale", "rel/2/conf/c")
        assert found(document, "one") == {detached}
        assert found(document, "plain") == found(document, "still") == set()
    ids = {name: released.container(name) for name in ("web", "deep", "one")}
    held = released.exec(ids["web"], ["cat", "/app/v.py"]).stdout
    assert held == b"V = 'edited'\n", "it is the old directory"

    for name in ids:
        assert freshd("restart", name).returncode == 0
    assert {name: released.container(name) for name in ids} == ids
    inside = released.exec(ids["deep"], ["cat", "/conf/c"]).stdout
    assert inside == released.exec(ids["one"], ["cat", "/c"]).stdout == b"conf 2\n"
    looked(freshd, exit_code=0, later=20)
    assert os.readlink(released.path("current")) == "rel/2"

    # near miss: another release with the very same files is no news
    shutil.copytree(released.path("rel/2"), released.path("rel/3"))
    turn(released, "current", "rel/3")
    for full in (False, True):
        looked(freshd, exit_code=0, later=20, full=full)


def test_a_project_is_one_by_whatever_path_it_is_reached(
    make_stack: Callable[..., Stack], make_freshd: Callable[[Stack], Freshd]
) -> None:
    """``../lib`` is beside the path that Compose was called with: two places, by two paths."""
    stack = make_stack(under="disk/deep")
    top = os.path.dirname(os.path.dirname(os.path.dirname(stack.directory)))
    link = os.path.join(top, stack.project)
    os.symlink(stack.directory, link)
    os.makedirs(os.path.join(top, "lib"))
    for name, text in {
        "lib/l": "beside the link\n",
        "disk/deep/lib/l": "beside the place\n",
    }.items():
        os.makedirs(os.path.dirname(os.path.join(top, name)), exist_ok=True)
        with open(os.path.join(top, name), "w") as file:
            file.write(text)
    stack.write(
        {
            "conf/c": "c\n",
            "secret": "s\n",
            "Dockerfile": f"{BASE}COPY conf /app\n",
            "compose.yaml": "services:\n  web:\n    build: .\n    env_file: [e.env]\n"
            f"    secrets: [s]\n    volumes: ['./conf:/conf', '../lib:/lib2']\n    {SLEEP}\n"
            "secrets: {s: {file: ./kept}}\n",
            "e.env": "A=1\n",
            "freshd.toml": INJECT,
        }
    )
    os.symlink("secret", stack.path("kept"))
    shown = {**stack.environment, "PWD": link}
    stack.docker("compose", "--project-directory", link, "-f", f"{link}/compose.yaml", "up", "-d",
                 "--build")  # fmt: skip
    freshd = make_freshd(stack)
    identity = stack.container("web")
    assert stack.exec(identity, ["cat", "/lib2/l"]).stdout == b"beside the link\n"

    def verdicts(argv: tuple[str, ...], environment: dict[str, str] | None = None) -> object:
        done = freshd(*argv, "check", "--json", environment=environment)
        document = done.json
        for each in document["services"]:
            assert "unchecked" not in each["links"].values(), done
        return done.returncode, document["project"], found(document)

    ways = ((), ("--project", link), ("--file", f"{link}/compose.yaml"))
    assert {str(verdicts(way)) for way in ways} == {str((0, stack.project, set()))}
    assert verdicts((), shown) == (0, stack.project, set())

    # the state is one: what an edit is called, and what is done about it
    stack.write({"conf/c": "edited\n", "secret": "other\n"})
    answers = {str(sorted(verdicts(way)[2])) for way in ways}  # type: ignore[index]
    assert len(answers) == 1, answers
    assert freshd("--project", link, "inject", "web").returncode in (0, 1)
    assert freshd("history", "--json").json == freshd("--project", link, "history", "--json").json
    assert stack.container("web") == identity


def test_the_daemon_sees_an_edit_behind_a_link_and_that_the_link_is_turned(
    linked: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """That git ignores the link is no reason not to look at it."""
    linked.write({".gitignore": "ctx\n"})
    shop = Watching(linked, make_freshd(linked))
    shop.run()
    shop.fresh()
    linked.write({"real/src/a": "edited\n", "kept/more/m": "edited\n"})
    shop.level({"real/src/a": "/app/a"}, replicas=1)
    shop.level({"kept/more/m": "/more/m"}, replicas=1, service="lib")
    shop.fresh()

    shutil.copytree(linked.path("real"), linked.path("next"), symlinks=True)
    linked.write({"next/src/a": "next\n"})
    turn(linked, "ctx", "next")
    shop.level({"next/src/a": "/app/a"}, replicas=1)
    linked.write({"next/src/b": "edited after the turn\n"})
    shop.level({"next/src/b": "/app/b"}, replicas=1)
    assert files(linked) == APP
    assert {remedy for remedy, _ in shop.remedies()} == {"inject"}
