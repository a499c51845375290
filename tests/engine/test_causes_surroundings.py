"""Mounts over what a build made, links that leave the context, edits that an ignore rule keeps out.

Each is shown to keep an edit out of the container first, and to be silent once it does not.
"""

import os
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

BASE = "FROM freshd-busybox:1\n"


def git(stack: Stack, *argv: str) -> None:
    subprocess.run(["git", *argv], cwd=stack.directory, check=True, capture_output=True)


def seen_inside(stack: Stack, path: str) -> bytes:
    """What a process reads: `docker cp` mounts the directory anew."""
    return stack.exec(stack.container("web"), ["cat", path]).stdout


@pytest.mark.timeout(600)
@pytest.mark.proves("bind-hides-image", "detected", "remedied", "silent")
def test_a_bind_that_hides_what_the_image_built(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    build = "RUN mkdir -p node_modules/dep dist && echo 1 >dist/a && echo 1 >node_modules/dep/a\n"
    compose = f"services:\n  web:\n    build: .\n    volumes: VOLUMES\n    {SLEEP}\n"
    stack.write(
        {
            "package.json": "1\n",
            "dist/a": "the host's own\n",  # near miss: the mounted directory has it
            ".gitignore": "dist/\nnode_modules/\n",
            ".dockerignore": "dist\nnode_modules\n",
            "Dockerfile": f"{BASE}WORKDIR /app\nCOPY package.json .\n{build}",
            "compose.yaml": compose.replace("VOLUMES", '[".:/app"]'),
        }
    )
    stack.up(build=True)
    freshd = make_freshd(stack)
    assert stack.read(stack.container("web"), "/app/node_modules/dep/a") is None, "it is seen"
    document = looked(freshd, exit_code=0)
    assert found(document) == {Found("bind-hides-image", "note", "/app/node_modules")}
    evidence = finding(document, "bind-hides-image")["evidence"]
    assert (evidence["mount"], evidence["paths"]) == ("/app", ["/app/node_modules"])

    stack.write({"compose.yaml": compose.replace("VOLUMES", '[".:/app", "/app/node_modules"]')})
    stack.up()
    assert stack.read(stack.container("web"), "/app/node_modules/dep/a") == b"1\n"
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("symlink-leaves-context", "detected", "remedied", "silent")
def test_a_copied_link_that_leads_out_of_the_context(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack.write(
        {
            "shared/util.py": "1\n",
            "web/app/main.py": "1\n",
            "web/Dockerfile": f"{BASE}COPY app /srv/app\n",
            "compose.yaml": f"services:\n  web:\n    build: web\n    {SLEEP}\n",
        }
    )
    os.symlink("../../shared/util.py", stack.path("web/app/util.py"))
    # near misses: inside the context, on both sides, and on neither
    os.symlink("main.py", stack.path("web/app/same.py"))
    os.symlink("/etc/passwd", stack.path("web/app/users"))
    os.symlink("/nowhere/at/all", stack.path("web/app/broken"))
    stack.up(build=True)
    freshd = make_freshd(stack)
    stack.write({"shared/util.py": "2\n"})
    seen = stack.exec(stack.container("web"), ["cat", "/srv/app/util.py"], check=False)
    assert seen.returncode != 0, "the link leads there"
    document = looked(freshd, exit_code=0)
    assert found(document) == {Found("symlink-leaves-context", "note", "web/app/util.py")}
    evidence = finding(document, "symlink-leaves-context")["evidence"]
    assert evidence == {"leads_to": "shared/util.py", "missing": "/shared/util.py"}

    os.unlink(stack.path("web/app/util.py"))
    shutil.copy(stack.path("shared/util.py"), stack.path("web/app/util.py"))
    stack.up(build=True)
    assert stack.read(stack.container("web"), "/srv/app/util.py") == b"2\n"
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("ignored-by-dockerignore", "detected", "remedied", "silent")
def test_an_edit_that_an_ignore_rule_keeps_out(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    ignore = "# what is not shipped\ndocs\n"
    stack.write(
        {
            "app/main.py": "1\n",
            "app/settings_local.py": "1\n",
            "app/touched_local.py": "1\n",
            "app/README.md": "1\n",
            "app/tests/test_local.py": "1\n",
            "app/untracked_local.py": "1\n",
            ".gitignore": "untracked*\n",
            ".dockerignore": f"{ignore}**/*_local.py\n**/*.md\n",
            "Dockerfile": f"{BASE}COPY app /srv/app\n",
            "compose.yaml": f"services:\n  web:\n    build: .\n    {SLEEP}\n",
        }
    )
    git(stack, "init", "-q")
    git(stack, "add", "-A")
    stack.up(build=True)
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()

    stack.write({f"app/{name}": "2\n" for name in ("settings_local.py", "README.md")})
    stack.write({"app/tests/test_local.py": "2\n", "app/untracked_local.py": "2\n"})
    stack.write({"app/touched_local.py": "1\n"})  # near miss: the same again
    stack.build()
    stack.up()
    assert stack.read(stack.container("web"), "/srv/app/settings_local.py") is None, "it got in"
    document = looked(freshd, exit_code=0)
    assert found(document) == {Found("ignored-by-dockerignore", "note", "app/settings_local.py")}
    evidence = finding(document, "ignored-by-dockerignore")["evidence"]
    said = (evidence["file"], evidence["line"], evidence["pattern"])
    assert said == (".dockerignore", 3, "**/*_local.py")

    stack.write({".dockerignore": ignore})
    stack.up(build=True)
    assert stack.read(stack.container("web"), "/srv/app/settings_local.py") == b"2\n"
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("bind-serves-old-bytes", "detected", "remedied", "silent")
def test_a_mounted_directory_that_another_one_took_the_place_of(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """The mount holds on to the old one, as a desktop's file sharing may hold on to old bytes."""
    stack.write({"app/a": "1\n", "app/b": "1\n"})
    stack.write(
        {
            "compose.yaml": "services:\n  web:\n    image: freshd-busybox:1\n"
            f"    volumes: [./app:/app]\n    {SLEEP}\n"
        }
    )
    stack.up()
    freshd = make_freshd(stack)
    stack.write({"app/a": "2\n"})  # near miss: an edit in the directory shows
    assert found(looked(freshd, exit_code=0)) == set()
    os.rename(stack.path("app"), stack.path("old"))
    stack.write({"app/a": "3\n", "app/b": "1\n"})
    assert seen_inside(stack, "/app/a") == b"2\n", "it shows the new directory"
    assert found(looked(freshd, exit_code=1)) == {Found("content-differs", "stale", "app/a")}
    os.utime(stack.path("app/a"), (1_700_000_000, 1_700_000_000))  # it was written long ago
    document = looked(freshd, exit_code=1)
    assert found(document) == {Found("bind-serves-old-bytes", "stale", "app/a")}
    assert finding(document, "bind-serves-old-bytes")["evidence"]["mount"] == "/app"
    assert freshd("restart", "web").returncode == 0
    assert seen_inside(stack, "/app/a") == b"3\n"
    assert found(looked(freshd, exit_code=0)) == set()
