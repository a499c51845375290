"""One copy of a tree, its container, and what the container's process says of it."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

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


class Bare:
    """A project directory, freshd's own directories in it, and its containers."""

    def __init__(self, root: Path, name: str, compose: str, dockerfile: str) -> None:
        self.root = root
        self.name = name
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith("COMPOSE_")}
        for kind in ("CONFIG", "STATE", "RUNTIME"):
            self.environ[f"FRESHD_{kind}_DIR"] = str(root / f".freshd-{kind.lower()}")
        self.environ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
        root.mkdir(parents=True, exist_ok=True)
        (root / "compose.yaml").write_text(compose.format(name=name))
        (root / "Dockerfile").write_text(dockerfile)
        (root / ".dockerignore").write_text(".freshd-*\n")
        (root / "freshd.toml").write_text(POLICY)

    def up(self) -> None:
        self.run("docker", "compose", "up", "--build", "--detach", "--quiet-pull")

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


class Stack(Bare):
    """One copy of the tree and its one container, which says what it sees."""

    def __init__(self, root: Path, name: str, source: Path) -> None:
        super().__init__(root, name, COMPOSE, DOCKERFILE.format(many=MANY))
        shutil.copytree(source, root / "src", symlinks=True)
        (root / "observer.py").write_text(OBSERVER)
        self.save("one", "0")
        self.save_many("0")

    def up(self) -> None:
        super().up()
        self.container = self.run("docker", "compose", "ps", "-q", "web").strip()

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
