"""A hundred thousand files and ten services: starting on them, doing nothing, being asked."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from benchmarks.checks import expect_fresh, in_process
from benchmarks.floor import least_of_many
from benchmarks.stack import Bare
from benchmarks.table import Row, fastest, ratio, say

DIRECTORIES = 1_000
FILES = 100
SERVICES = 10
IDLE = 30.0
PATIENCE = 180.0
_TICKS = os.sysconf("SC_CLK_TCK")

COMPOSE = """name: {name}
services:
  web:
    build: .
    init: true
    network_mode: none
    command: [sleep, "1000000"]
    develop:
      watch:
        - {{ path: ./src, target: /app/src, action: sync }}
"""
DOCKERFILE = "FROM freshd-busybox:1\nCOPY src /app/src\n"
SMALL = "name: {name}\nservices:\n" + "".join(
    f"  s{number}:\n    build: .\n    image: '{{name}}-{number}'\n    init: true\n"
    "    network_mode: none\n    command: [sleep, '1000000']\n"
    for number in range(SERVICES)
)
WALK = """
import os, sys
def walk(top):
    for entry in os.scandir(top):
        if entry.is_dir(follow_symlinks=False):
            walk(entry.path)
        else:
            os.lstat(entry.path)
walk("src")
"""


def scale(work: Path) -> list[Row]:
    """The rows of a large tree, of many services, and of the verbs that must answer at once."""
    rows: list[Row] = []
    with contextlib.ExitStack() as cleanup:
        large = Bare(work / "large", f"freshd-bench-large-{os.getpid()}", COMPOSE, DOCKERFILE)
        for number in range(DIRECTORIES * FILES):
            directory = large.root / f"src/d{number // FILES // 40}/d{number // FILES}"
            if number % FILES == 0:
                directory.mkdir(parents=True)
            (directory / f"f{number}.py").write_text(f"VALUE = {number}\n")
        cleanup.callback(large.down)
        say(f"a tree of {DIRECTORIES * FILES:,} files")
        large.up()
        rows += started(large)
        rows += asked(large)
        small = Bare(work / "small", f"freshd-bench-small-{os.getpid()}", SMALL, DOCKERFILE)
        (small.root / "src").mkdir()
        for number in range(100):
            (small.root / f"src/f{number}.py").write_text(f"VALUE = {number}\n")
        cleanup.callback(small.down)
        say(f"a project of {SERVICES} services")
        small.up()
        rows += many_services(small)
    return rows


def started(stack: Bare) -> list[Row]:
    """A start with a warm cache, then nothing to do, beside ``docker compose watch``."""
    with running(stack, "freshd"):
        compared(stack, time.time())  # everything is hashed and remembered
    walked = fastest(3, lambda: stack.run(sys.executable, "-c", WALK))
    began, clock = time.monotonic(), time.time()
    with running(stack, "freshd") as process:
        watching = time.monotonic() - began
        compared(stack, clock)
        done = time.monotonic() - began
        time.sleep(8)  # the pass after the first one
        size, share = idle(process.pid)
    with running(stack, "watch") as process:
        time.sleep(8)
        other_size, other_share = idle(process.pid)
    return [
        _within("start, 100,000 files, warm: watching", watching, walked, 3.0),
        _within("the same: compared", done, walked, 6.0),
        Row(
            "idle, 100,000 files: resident memory",
            f"{size:.0f} MB",
            f"{other_size:.0f} MB  docker compose watch, with its CLI",
            f"{size / other_size:.2f}",
            "<= 80 MB",
            size <= 80,
        ),
        Row(
            f"idle, 100,000 files: processor over {IDLE:.0f} s",
            f"{share * 100:.2f} %",
            f"{other_share * 100:.2f} %  docker compose watch, with its CLI",
            "",
            "< 0.2 %",
            share < 0.002,
        ),
    ]


def _within(what: str, seconds: float, walked: float, budget: float) -> Row:
    return Row(
        what,
        f"{seconds:.2f} s",
        f"{walked:.2f} s  one stat walk of the tree",
        f"{seconds / walked:.1f}",
        f"<= {budget:.0f} s",
        seconds <= budget,
    )


def asked(stack: Bare) -> list[Row]:
    """The verbs that must answer at once, as whole processes."""
    beside = fastest(5, lambda: stack.run("docker", "compose", "version"))
    rows = []
    for verb in ("--help", "status"):
        seconds = fastest(5, lambda verb=verb: stack.freshd(verb))  # type: ignore[misc]
        rows.append(
            Row(
                f"freshd {verb}",
                f"{seconds * 1000:.0f} ms",
                f"{beside * 1000:.0f} ms  docker compose version",
                f"{seconds / beside:.1f}",
                "<= 150 ms",
                seconds <= 0.150,
            )
        )
    return rows


def many_services(stack: Bare) -> list[Row]:
    """Nothing changed since the last check: in a process that runs, and as a whole process."""
    expect_fresh(stack)
    listed = fastest(3, lambda: stack.run("docker", "compose", "ps"))
    walked = fastest(3, lambda: stack.run(sys.executable, "-c", WALK))
    allowed, name = 3 * listed + walked, "3 x docker compose ps and a stat walk"
    _, warm = in_process(stack)
    whole, asked = fastest(3, lambda: expect_fresh(stack)), least_of_many(stack)
    execs = f"docker compose config beside {SERVICES} execs, without freshd"
    return [
        ratio(f"check of {SERVICES} services, warm", warm, allowed, name, 1),
        ratio("the same, the whole process", whole, allowed, name),
        ratio(execs, asked, allowed, name),
    ]


@contextlib.contextmanager
def running(stack: Bare, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """``freshd run`` or ``docker compose watch`` from when it says that it watches."""
    freshd = [sys.executable, "-m", "freshd", "run"]
    command = freshd if name == "freshd" else ["docker", "compose", "watch", "--no-up"]
    log = stack.root / f".freshd-{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=stack.root,
            env=stack.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while b"watch" not in log.read_bytes().lower():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"bench: {' '.join(command)} did not begin:\n{log.read_text()}")
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGTERM if name == "freshd" else signal.SIGINT)
        process.wait(timeout=60)


def compared(stack: Bare, after: float) -> None:
    """Until the daemon has compared every file since ``after``."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = json.loads(stack.freshd("status", "--json").stdout or "{}")
        for service in status.get("services", []):
            seen = service.get("checked_at")
            if seen and _seconds(seen) >= int(after) and service["verdict"] == "fresh":
                return
        time.sleep(0.5)  # asking costs the daemon a core meanwhile
    raise SystemExit(f"bench: not compared within {PATIENCE:.0f} s:\n{status}")


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def idle(pid: int) -> tuple[float, float]:
    """Resident megabytes, and the share of one processor over IDLE seconds, children included."""
    family = {pid, *_children(pid)}
    before, began = sum(map(_ticks, family)), time.monotonic()
    time.sleep(IDLE)
    spent = (sum(map(_ticks, family)) - before) / _TICKS
    return sum(map(_resident, family)), spent / (time.monotonic() - began)


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found |= {child, *_children(child)}
    return found


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
