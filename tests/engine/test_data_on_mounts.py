"""What a service writes into a bind mount of the project: a log, a database, uploads, a cache.

Nothing of it is code, whether git ignores it or not. An edit of the code beside it is.
"""

import os
from collections.abc import Mapping

import pytest

from tests.engine.stacks.looking import Found, found, looked
from tests.engine.watching import Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(300)

END = "init: true\n    stop_grace_period: 0s"
# Each turn is a line of a log that is rotated by renaming, a row of a database, an upload, a
# cache beside the code; a socket and a named pipe lie there as well.
BUSY = """
import os, socket, sqlite3, sys, time
import answer
os.chdir("/app")
for name in ("uploads", ".cache", "__pycache__"):
    os.makedirs(name, exist_ok=True)
for name in ("pipe", "socket"):
    if os.path.exists(name):
        os.unlink(name)
os.mkfifo("pipe")
listening = socket.socket(socket.AF_UNIX)
listening.bind("socket")
open("service.pid", "w").write(str(os.getpid()))
database = sqlite3.connect("app.sqlite3")
database.execute("CREATE TABLE IF NOT EXISTS row (text)")
open("/tmp/answer", "w").write(answer.TEXT)
turn = 0
while True:
    turn += 1
    with open("/logs/app.log", "a") as log:
        log.write(f"turn {turn}\\n" * 20)
    if turn % 25 == 0:
        os.rename("/logs/app.log", f"/logs/app.log.{turn // 25 % 3}")
    with database:
        database.execute("INSERT INTO row VALUES (?)", (str(turn),))
    open(f"uploads/{turn % 40}.bin", "wb").write(os.urandom(2000))
    open(".cache/compiled.py", "w").write(f"turn = {turn}\\n")
    time.sleep(0.02)
"""
COMPOSE = f"""
services:
  web:
    build: .
    volumes: ["./app:/app", "./logs:/logs", "./single.conf:/etc/single.conf"]
    {END}
"""
DOCKERFILE = """FROM freshd-python:1
COPY copied.py /copied.py
WORKDIR /app
CMD ["python3", "-u", "busy.py"]
"""
RESTART = """
[[rule]]
when = ["process-older-than-code"]
do = ["restart"]
"""
FILES: Mapping[str, str] = {
    "compose.yaml": COMPOSE,
    "Dockerfile": DOCKERFILE,
    "copied.py": "copied = 1\n",
    "app/busy.py": BUSY,
    "app/answer.py": "TEXT = 'one'\n",
    "single.conf": "a = 1\n",
    "logs/.gitkeep": "",
}


def _whole_passes(shop: Watching, count: int) -> None:
    """Until so many whole looks have been made, while the service writes: code is only touched."""
    for _ in range(count):
        before = shop.status()["services"][0]["checked_at"]
        shop.stack.write({"app/answer.py": FILES["app/answer.py"]})
        shop.until(
            lambda before=before: shop.status()["services"][0]["checked_at"] != before,  # type: ignore[misc]
            "a further whole look",
        )


@pytest.mark.proves("unsettled", "silent")
@pytest.mark.parametrize("ignored", [False, True], ids=["known to git", "ignored"])
def test_what_a_service_writes_into_its_mounts_is_no_code(
    stack: Stack, freshd: Freshd, *, ignored: bool
) -> None:
    stack.write(FILES)
    if ignored:
        os.mkdir(stack.path(".git"))
        stack.write({".gitignore": "/logs\n*.sqlite3*\nuploads/\n.cache/\n"})
    stack.up(build=True)
    container = stack.container("web")
    shop = Watching(stack, freshd)
    shop.until(lambda: os.path.exists(stack.path("app/uploads/3.bin")), "the service to write")
    for _ in range(3):
        _check_untouched(freshd)
    assert freshd("init", "--write").returncode == 0
    with open(stack.path("freshd.toml"), "a") as policy:
        policy.write(RESTART)
    shop.run()
    shop.fresh()
    started = _started(stack, container)
    _whole_passes(shop, 3)
    assert shop.remedies() == []
    assert (stack.container("web"), _started(stack, container)) == (container, started)
    shop.fresh()

    # Near misses: code in the same mount, copied code, a file that took a mounted one's place.
    stack.write({"app/answer.py": "TEXT = 'two'\n"})
    shop.until(lambda: shop.read("/tmp/answer") == {b"two"}, "the edit to be run")
    shop.fresh()
    assert shop.ended() == [("restart", "done")]
    assert stack.container("web") == container
    stack.write({"copied.py": "copied = 2\n"})
    shop.until(lambda: shop.read("/copied.py") == {b"copied = 2\n"}, "the copied file")
    stack.write({"new.conf": "a = 2\n"})
    os.rename(stack.path("new.conf"), stack.path("single.conf"))
    shop.until(lambda: shop.read("/etc/single.conf") == {b"a = 2\n"}, "the mount to be renewed")
    shop.fresh()
    # what the service wrote is all there
    assert os.path.getsize(stack.path("app/app.sqlite3")) > 0
    assert os.path.exists(stack.path("logs/app.log.1"))


def _check_untouched(freshd: Freshd) -> None:
    """A log that is rotated just as it is looked at is another file on either side: a note."""
    causes = {each.cause for each in found(looked(freshd, exit_code=0))}
    assert causes <= {"unsettled"}


def _started(stack: Stack, container: str) -> str:
    (started,) = stack.docker.words("inspect", "-f", "{{.State.StartedAt}}", container)
    return started


def test_a_mounted_file_and_a_mounted_directory_that_were_replaced_are_found(
    stack: Stack, freshd: Freshd
) -> None:
    """While the service writes: what it writes into is no more the tree's."""
    stack.write(FILES)
    stack.up(build=True)
    _check_untouched(freshd)
    stack.write({"new.conf": "a = 2\n"})
    os.rename(stack.path("new.conf"), stack.path("single.conf"))
    for full in (False, True):
        assert Found("single-file-bind-detached", "stale", "single.conf") in found(
            looked(freshd, exit_code=1, full=full)
        )
    os.rename(stack.path("app"), stack.path("old"))
    stack.write({"app/busy.py": BUSY, "app/answer.py": "TEXT = 'three'\n"})
    os.utime(stack.path("app/answer.py"), (1_700_000_000, 1_700_000_000))
    for full in (False, True):
        assert Found("bind-serves-old-bytes", "stale", "app/answer.py") in found(
            looked(freshd, exit_code=1, full=full)
        )
