"""Edits under ``freshd run``: every replica is made level, and ``status`` says so."""

import os
import shutil
import sqlite3
import threading

import pytest

from tests.engine.watching import COMPOSE, DOCKERFILE, INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def shop(stack: Stack, freshd: Freshd) -> Watching:
    """Two replicas of a small tree, and the daemon on it."""
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    stack.write({f"app/{name}.py": f"{name} = 1\n" for name in ("a", "b", "c", "d")})
    stack.write({f"app/package/{name}.py": f"{name} = 1\n" for name in ("x", "y")})
    stack.write({"app/tool": "#!/bin/sh\n"}, mode=0o755)
    stack.up(build=True)
    watching = Watching(stack, freshd)
    watching.run()
    return watching


def test_every_kind_of_edit_reaches_every_replica(shop: Watching) -> None:
    stack = shop.stack
    stack.write({"app/new.py": "new = 1\n", "app/deep/er/new.py": "deep = 1\n"})
    stack.write({"app/a.py": "a = 2\n"})
    os.unlink(stack.path("app/b.py"))
    os.rename(stack.path("app/c.py"), stack.path("app/moved.py"))
    os.rename(stack.path("app/package"), stack.path("app/parcel"))
    shop.level(gone=("/app/b.py", "/app/c.py", "/app/package/x.py", "/app/package/y.py"))
    shop.fresh()

    os.chmod(stack.path("app/d.py"), 0o755)
    os.chmod(stack.path("app/tool"), 0o644)
    shop.level(modes=True)
    os.chmod(stack.path("app/d.py"), 0o644)
    os.chmod(stack.path("app/tool"), 0o755)
    shop.level(modes=True)
    shop.fresh()

    status = shop.freshd("status")
    assert "fresh" in status.stdout
    assert {remedy for remedy, _ in shop.remedies()} == {"inject"}


def test_what_a_save_would_wait_for_is_known_before(stack: Stack, freshd: Freshd) -> None:
    """A RUN follows the COPY: which files it wrote only the layers tell, streamed once a build."""
    run = f"{DOCKERFILE}RUN touch /built\n"
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": run, "freshd.toml": INJECT})
    stack.write({"app/a.py": "a = 1\n"})
    stack.up(build=True)
    shop = Watching(stack, freshd)
    shop.run()
    shop.fresh()
    state = sqlite3.connect(os.path.join(freshd.state, "freshd.sqlite3"), timeout=10)
    try:
        shop.until(
            lambda: state.execute("SELECT count(*) FROM image_writers").fetchone()[0],
            "the layers to be known though nothing differs",
        )
    finally:
        state.close()
    assert shop.remedies() == []
    stack.write({"app/a.py": "a = 2\n"})
    shop.level()
    shop.fresh()


def test_editors_that_save_by_renaming_are_followed(shop: Watching) -> None:
    """A backup beside it, a temporary file renamed over it, a truncated file written again."""
    stack = shop.stack
    path = stack.path("app/a.py")
    for number in range(2, 6):
        os.rename(path, f"{path}~")
        stack.write({"app/a.py": f"a = {number}\n"})
        stack.write({"app/.a.py.swp": "swap", "app/b.py.tmp": f"b = {number}\n"})
        os.rename(stack.path("app/b.py.tmp"), stack.path("app/b.py"))
        os.unlink(stack.path("app/.a.py.swp"))
        os.unlink(f"{path}~")
        shop.level(gone=("/app/b.py.tmp",))
    shop.fresh()


def test_a_file_that_was_deleted_and_is_brought_back_is_written_again(shop: Watching) -> None:
    stack = shop.stack
    os.unlink(stack.path("app/a.py"))
    shop.level(gone=("/app/a.py",))
    shop.fresh()
    stack.write({"app/a.py": "a = 1\n"})
    shop.level()
    shop.fresh()


def test_a_file_becomes_a_directory_and_a_file_again(shop: Watching) -> None:
    stack = shop.stack
    os.unlink(stack.path("app/a.py"))
    stack.write({"app/a.py/inner.py": "inner = 1\n"})
    shop.level()
    shop.fresh()
    shutil.rmtree(stack.path("app/a.py"))
    stack.write({"app/a.py": "a = 3\n"})
    shop.level()
    shop.fresh()

    shutil.rmtree(stack.path("app/package"))
    stack.write({"app/package": "a file\n"})
    shop.level()
    shop.fresh()
    os.unlink(stack.path("app/package"))
    stack.write({"app/package/x.py": "x = 1\n"})
    shop.level()
    shop.fresh()


def test_a_file_that_is_written_without_end_keeps_no_whole_look_away(
    stack: Stack, freshd: Freshd
) -> None:
    """Whole looks make way for saves. A log in the tree is one save after the other."""
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": INJECT})
    stack.write({"app/a.py": "a = 1\n", "app/log.txt": "0\n"})
    stack.up(build=True)
    shop, ended = Watching(stack, freshd), threading.Event()

    def behind() -> list[str]:
        """Files that the image lacks: whole looks alone see to that."""
        found = [f for service in shop.status()["services"] for f in service["findings"]]
        image = [f["evidence"]["paths"] for f in found if f["cause"] == "image-behind"]
        return [path for paths in image for path in paths]

    def log() -> None:
        number = 0
        while not ended.wait(0.02):
            number += 1
            stack.write({"app/log.txt": f"{number}\n"})

    writer = threading.Thread(target=log)
    writer.start()
    try:
        shop.run()
        shop.until(behind, "the first whole look")
    finally:
        ended.set()
        writer.join()
    shop.level()
