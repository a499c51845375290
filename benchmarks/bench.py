"""The benchmark: freshd beside what people use today, on one tree, in one run, as ratios.

Each row says its budget and whether it is met. The tree is the source of a large Python package,
fetched from the package index once and kept in the cache directory; nothing is built from it.
Needs an engine (`make bench` sees to it) and freshd in the same virtual environment.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = "Django==5.2.8"
SAVES = 40
MANY = 1_000
PATIENCE = 60.0

# The container's only process: says when a stamp has become visible. CLOCK_MONOTONIC is the
# kernel's, so host and container read the same clock.
OBSERVER = """
import os, sys, time
one, many, count = "/app/src/bench_one.py", "/app/src/bench_many", int(sys.argv[1])
seen = all_seen = ""
def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
while True:
    text = read(one)
    if text != seen and text.endswith("\\n"):
        seen = text
        print("one", text.strip(), time.monotonic(), flush=True)
    text = read(f"{many}/d0/f0.py")
    if text != all_seen and text.endswith("\\n"):
        if all(read(f"{many}/d{n % 50}/f{n}.py") == text for n in range(count)):
            all_seen = text
            print("many", text.strip(), time.monotonic(), flush=True)
    time.sleep(0.001)
"""

COMPOSE = """name: {name}
services:
  web:
    build: .
    init: true
    stop_grace_period: 1s
    labels: {{ dev.freshd.bench: "1" }}
    develop:
      watch:
        - {{ path: ./src, target: /app/src, action: sync }}
"""
DOCKERFILE = """FROM freshd-python:1
WORKDIR /app
COPY observer.py .
COPY src src
CMD ["python3", "/app/observer.py", "{many}"]
"""
POLICY = """version = 1
[[rule]]
when = ["content-differs", "missing-in-container", "mode-differs"]
do = ["inject"]
"""


class Stack:
    """One copy of the tree and its container."""

    def __init__(self, root: Path, name: str, source: Path) -> None:
        self.root = root
        self.name = name
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith("COMPOSE_")}
        for kind in ("CONFIG", "STATE", "RUNTIME"):
            self.environ[f"FRESHD_{kind}_DIR"] = str(root / f".freshd-{kind.lower()}")
        self.environ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
        shutil.copytree(source, root / "src", symlinks=True)
        (root / "observer.py").write_text(OBSERVER)
        (root / "compose.yaml").write_text(COMPOSE.format(name=name))
        (root / "Dockerfile").write_text(DOCKERFILE.format(many=MANY))
        (root / ".dockerignore").write_text(".freshd-*\n")
        (root / "freshd.toml").write_text(POLICY)
        self.save("one", "0")
        self.save_many("0")

    def up(self) -> None:
        self.run("docker", "compose", "up", "--build", "--detach", "--quiet-pull")
        self.container = self.run("docker", "compose", "ps", "-q", "web").strip()

    def down(self) -> None:
        self.run("docker", "compose", "down", "--volumes", "--rmi", "local", "--timeout", "1")

    def run(self, *argv: str) -> str:
        done = subprocess.run(
            argv, cwd=self.root, env=self.environ, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(f"bench: {' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def freshd(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "freshd", *arguments],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def save(self, what: str, stamp: str) -> float:
        """Write the one file as editors do, in place; when that began."""
        begun = time.monotonic()
        (self.root / f"src/bench_{what}.py").write_text(f"{stamp}\n")
        return begun

    def save_many(self, stamp: str) -> float:
        """Write the thousand files, in fifty directories; when the last was written."""
        for number in range(MANY):
            path = self.root / f"src/bench_many/d{number % 50}/f{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{stamp}\n")
        return time.monotonic()


class Observed:
    """What the container's process said, as it says it."""

    def __init__(self, stack: Stack) -> None:
        self._process = subprocess.Popen(
            ["docker", "logs", "--follow", stack.container],
            env=stack.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._seen: dict[tuple[str, str], float] = {}
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait(self, what: str, stamp: str) -> float:
        """When the stamp became visible in the container."""
        with self._changed:
            if not self._changed.wait_for(lambda: (what, stamp) in self._seen, PATIENCE):
                raise SystemExit(f"bench: {what} {stamp} never became visible")
            return self._seen[what, stamp]

    def wait_briefly(self, what: str, prefix: str) -> None:
        """Until any stamp that begins so is visible; TimeoutError after a second."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: any(w == what and s.startswith(prefix) for w, s in self._seen), 1.0
            )
        if not found:
            raise TimeoutError

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                words = line.split()
                if len(words) == 3:
                    with self._changed:
                        self._seen[words[0], words[1]] = float(words[2])
                        self._changed.notify_all()


class Row(NamedTuple):
    """One line of the table: seconds, and the budget in words; ``held`` None where none is set."""

    what: str
    freshd: str
    other: str
    ratio: str
    budget: str
    held: bool | None


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--saves", type=int, default=SAVES, help="saves of one file to measure")
    saves: int = arguments.parse_args().saves
    rows: list[Row] = []
    with contextlib.ExitStack() as cleanup:
        work = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="freshd-bench-")))
        source = package(work)
        stacks = {}
        for name in ("freshd", "watch"):
            (work / name).mkdir()
            stacks[name] = Stack(work / name, f"freshd-bench-{name}-{os.getpid()}", source)
            cleanup.callback(stacks[name].down)
            stacks[name].up()
        files = sum(1 for path in source.rglob("*") if path.is_file()) + MANY + 1
        say(f"{PACKAGE}: {files:,} files with ours, one container each for freshd and for watch")
        rows += checks(stacks["freshd"])
        rows += latencies(stacks, saves)
    print()
    print(table(rows))
    failed = [row.what for row in rows if row.held is False]
    if failed:
        print(f"\nover budget: {', '.join(failed)}")
    return 0


def package(work: Path) -> Path:
    """The unpacked source of PACKAGE, fetched once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "freshd" / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    name, _, version = PACKAGE.lower().partition("==")
    archive = cache / f"{name}-{version}.tar.gz"
    if not archive.exists():
        say(f"fetching the source of {PACKAGE}")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        pip += ["--no-binary", name, "--dest", str(cache), PACKAGE]
        subprocess.run(pip, check=False, stderr=subprocess.DEVNULL)
    if not archive.exists():
        raise SystemExit(f"bench: pip could not fetch the source of {PACKAGE}")
    with tarfile.open(archive) as tar:
        tar.extractall(work / "package", filter="data")
    return next((work / "package").iterdir())


def checks(stack: Stack) -> list[Row]:
    """The full check, with nothing remembered and with everything, beside the plain tools."""
    say("full checks")
    names = stack.run(
        "docker", "exec", stack.container, "sh", "-c", "find /app/src -type f | sort"
    ).splitlines()
    hashed = fastest(3, lambda: in_container(stack, HASH_ALL))
    walked = fastest(3, lambda: in_container(stack, STAT_ALL))
    sample = names[:: max(1, len(names) // 30)][:30]
    begun = time.monotonic()
    for name in sample:
        stack.run("docker", "exec", stack.container, "md5sum", name)
    loop = (time.monotonic() - begun) / len(sample) * len(names)
    cold, warm = in_process(stack)
    whole = fastest(3, lambda: expect_fresh(stack))
    return [
        Row(
            "full check, nothing cached",
            f"{cold:.2f} s",
            f"{hashed:.2f} s  xargs sha256sum in the container",
            f"{cold / hashed:.2f}",
            "<= 1.3",
            cold / hashed <= 1.3,
        ),
        Row(
            "the same, a docker exec md5sum a file",
            f"{cold:.2f} s",
            f"{loop:.0f} s  from a sample of {len(sample)}",
            f"1/{loop / cold:.0f}",
            "",
            None,
        ),
        Row(
            "full check, warm",
            f"{warm:.2f} s",
            f"{walked:.2f} s  xargs stat in the container",
            f"{warm / walked:.2f}",
            "<= 2",
            warm / walked <= 2,
        ),
        Row(
            "freshd check, the whole process, warm",
            f"{whole:.2f} s",
            f"{hashed:.2f} s  xargs sha256sum",
            f"{whole / hashed:.2f}",
            "",
            None,
        ),
    ]


HASH_ALL = "find /app/src -type f -print0 | xargs -0 sha256sum > /dev/null"
STAT_ALL = "find /app/src -type f -print0 | xargs -0 stat -c '%n %s %Y %Z %i' > /dev/null"


def in_container(stack: Stack, script: str) -> None:
    stack.run("docker", "exec", stack.container, "sh", "-c", script)


def in_process(stack: Stack) -> tuple[float, float]:
    """Seconds of a check in a process that runs already, as the daemon's: cold and warm."""
    cold, warm = [], []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", CHECK],
            cwd=stack.root,
            env=stack.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"bench: the check failed:\n{done.stdout}{done.stderr}")
        first, *rest = json.loads(done.stdout)
        cold.append(first)
        warm.append(min(rest))
    return min(cold), min(warm)


CHECK = """
import json, os, shutil, sys, time
from freshd.session import open_session
from freshd.model import Verdict
shutil.rmtree(os.environ["FRESHD_STATE_DIR"], ignore_errors=True)
session = open_session(
    cwd=".", environ=os.environ, project_dir=None, files=(), project_name=None, profiles=(),
    need_engine=True, on_line=lambda line: None,
)
seconds = []
with session:
    for _ in range(4):
        begun = time.monotonic()
        report = session.check([])
        seconds.append(time.monotonic() - begun)
        assert report.verdict is Verdict.FRESH, report.services[0].findings[:3]
        time.sleep(2.5)
print(json.dumps(seconds))
"""


def expect_fresh(stack: Stack) -> None:
    done = stack.freshd("check")
    if done.returncode != 0:
        raise SystemExit(f"bench: freshd check exits {done.returncode}:\n{done.stdout}")


def latencies(stacks: dict[str, Stack], saves: int) -> list[Row]:
    """Save to visible, one file and a thousand, beside ``docker compose watch`` in turn."""
    with contextlib.ExitStack() as cleanup:
        observed = {}
        for name, stack in stacks.items():
            cleanup.enter_context(follower(name, stack))
            observed[name] = Observed(stack)
            cleanup.callback(observed[name].close)
        one: dict[str, list[float]] = {name: [] for name in stacks}
        many: dict[str, list[float]] = {name: [] for name in stacks}
        for number in range(1, saves + 1):
            for name, stack in stacks.items():
                time.sleep(0.7)
                begun = stack.save("one", f"{number}")
                one[name].append(observed[name].wait("one", f"{number}") - begun)
        recorded = verified(stacks["freshd"])
        for number in range(1, 4):
            for name, stack in stacks.items():
                time.sleep(3)
                written = stack.save_many(f"m{number}")
                many[name].append(observed[name].wait("many", f"m{number}") - written)
    median = {name: statistics.median(values) for name, values in one.items()}
    slow = {name: sorted(values)[int(len(values) * 0.99)] for name, values in one.items()}
    all_of = {name: statistics.median(values) for name, values in many.items()}
    return [
        Row(
            f"save -> visible, one file, median of {saves}",
            f"{median['freshd'] * 1000:.0f} ms",
            f"{median['watch'] * 1000:.0f} ms  docker compose watch",
            f"1/{median['watch'] / median['freshd']:.0f}",
            "<= 50 ms",
            median["freshd"] <= 0.050,
        ),
        Row(
            "save -> visible, one file, p99",
            f"{slow['freshd'] * 1000:.0f} ms",
            f"{slow['watch'] * 1000:.0f} ms  docker compose watch",
            f"1/{slow['watch'] / slow['freshd']:.0f}",
            "<= 150 ms",
            slow["freshd"] <= 0.150,
        ),
        Row(
            "injection -> verified and recorded, median",
            f"{recorded * 1000:.0f} ms",
            "nothing to compare: watch does not verify",
            "",
            "<= 200 ms",
            recorded <= 0.200,
        ),
        Row(
            "1,000 files in 50 directories -> all visible",
            f"{all_of['freshd']:.2f} s",
            f"{all_of['watch']:.2f} s  docker compose watch",
            f"1/{all_of['watch'] / all_of['freshd']:.1f}",
            "<= 0.6 s",
            all_of["freshd"] <= 0.6,
        ),
    ]


@contextlib.contextmanager
def follower(name: str, stack: Stack) -> Iterator[None]:
    """``freshd run`` or ``docker compose watch`` on the stack, ready, and ended afterwards."""
    freshd = [sys.executable, "-m", "freshd", "run"]
    command = freshd if name == "freshd" else ["docker", "compose", "watch", "--no-up"]
    log = stack.root / ".freshd-follower.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=stack.root,
            env=stack.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        time.sleep(1)
        observed = Observed(stack)
        stamp = f"ready{time.monotonic_ns()}"
        for attempt in range(60):
            stack.save("one", f"{stamp}-{attempt}")
            try:
                observed.wait_briefly("one", stamp)
                break
            except TimeoutError:
                continue
        else:
            raise SystemExit(f"bench: {' '.join(command)} never delivered:\n{log.read_text()}")
        observed.close()
        time.sleep(4)
        yield
    finally:
        process.send_signal(signal.SIGTERM if name == "freshd" else signal.SIGINT)
        process.wait(timeout=30)


def verified(stack: Stack) -> float:
    """Median seconds of an injection step: read, put, renamed, read back, and in the journal."""
    history = json.loads(stack.freshd("history", "--json").stdout)
    return statistics.median(
        float(entry["seconds"])
        for entry in history["entries"]
        if entry["step"]["remedy"] == "inject" and entry["status"] == "done"
    )


def fastest(times: int, action: Callable[[], object]) -> float:
    seconds = []
    for _ in range(times):
        begun = time.monotonic()
        action()
        seconds.append(time.monotonic() - begun)
    return min(seconds)


def table(rows: list[Row]) -> str:
    head = Row("", "freshd", "beside it", "ratio", "budget", None)
    marks = {True: "met", False: "OVER", None: ""}
    cells = [[*row[:5], marks[row.held]] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def say(text: str) -> None:
    print(f"bench: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
