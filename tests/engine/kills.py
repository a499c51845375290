"""A stack under churn, and the journal of the freshd that is killed over it.

In: a stack, freshd's directories, a seed. Out: kills at a wanted phase, told by the journal's own
rows, and the judge of what is left. Nothing here imports freshd.
"""

import hashlib
import json
import os
import random
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.harness.cli import Freshd, Process
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

POLL = 0.002
DIRECTORIES, FILES_EACH, CHURNED = 60, 4, 12
LARGE, LARGE_BYTES = 3, 4 * 1024 * 1024
# How long after the phase began the kill may come, in seconds: about as long as it lasts.
SPREAD = {"put": 0.06, "rename": 0.1, "restart": 0.9, "build": 0.9, "recreate": 1.0}

COMPOSE = """
services:
  web:
    build: .
    scale: 2
    stop_grace_period: 3s
    volumes: ["shared:/data"]
volumes:
  shared: {}
"""
# What the process has loaded is told by /loaded: only a restart brings it up to date.
DOCKERFILE = """
FROM freshd-busybox:1 AS build
COPY build.txt /in/build.txt
RUN sleep 1 && sha256sum </in/build.txt >/built.txt
FROM freshd-busybox:1
COPY --from=build /built.txt /built.txt
COPY app /app
COPY data /data
CMD ["sh", "-c", "cat /app/main.txt /app/code/*/* | sha256sum >/loaded; trap 'sleep 0.5; exit 0' \
TERM; sleep 1000000 & wait"]
"""
POLICY = """
version = 1
[service.web]
volumes = true
[[rule]]
when = ["build-input-changed", "old-image"]
do = ["rebuild"]
[[rule]]
when = ["content-differs", "missing-in-container"]
paths = ["app/main.txt", "app/code/**"]
do = ["inject", "restart"]
[[rule]]
when = ["content-differs", "missing-in-container", "extra-in-container"]
do = ["inject"]
[[rule]]
when = ["changed-in-container"]
paths = ["data/**"]
do = ["inject"]
[limits]
rebuilds = 100
rebuild_window = "1m"
"""


@dataclass(frozen=True, slots=True)
class Open:
    """An unfinished entry of the journal; ``phase`` is "" before its first one."""

    entry: int
    remedy: str
    owner: int
    phase: str
    data: Mapping[str, Any]


class Journal:
    """The journal as it is on disk, through a read-only connection of the test's own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """No rows while freshd has not made its tables yet."""
        if self._connection is None:
            if not os.path.exists(self._path) or not os.path.getsize(self._path):
                return []
            # Not mode=ro: without a daemon there is no shared index, and such a connection would
            # not make one and then miss what is written.
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=rw", uri=True, isolation_level=None, timeout=10.0
            )
            self._connection.execute("PRAGMA query_only = ON")
        try:
            return self._connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise

    def unfinished(self) -> list[Open]:
        """Oldest first, each with its last phase."""
        rows = self.rows(
            "SELECT j.id, j.remedy, j.owner, p.name, p.data FROM journal j"
            " LEFT JOIN phase p ON p.entry = j.id AND p.number ="
            " (SELECT max(number) FROM phase WHERE entry = j.id)"
            " WHERE j.finished_at IS NULL ORDER BY j.id"
        )
        return [
            Open(entry, remedy, owner, name or "", json.loads(data) if data else {})
            for entry, remedy, owner, name, data in rows
        ]

    def last_open(self) -> Open | None:
        found = self.unfinished()
        return found[-1] if found else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(slots=True)
class Site:
    """``versions`` are the digests of all that was ever written to a path of the tree."""

    stack: Stack
    freshd: Freshd
    random: random.Random
    journal: Journal
    versions: dict[str, set[str]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    pids: list[int] = field(default_factory=list)
    files_judged: int = 0
    number: int = 0
    guard: threading.RLock = field(default_factory=threading.RLock)

    # ---- the tree

    def write(self, path: str, *, size: int = 0) -> None:
        """A new version of one file, whole from its first moment on."""
        with self.guard:
            self.number += 1
            line = f"{path} {self.number} {self.random.random()}\n".encode()
            content = line * max(1, size // len(line))
            self.versions.setdefault(path, set()).add(hashlib.sha256(content).hexdigest())
            aside = self.stack.path(".aside")
            with open(aside, "wb") as file:
                file.write(content)
            target = self.stack.path(path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(aside, target)

    def write_all(self) -> None:
        self.stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": POLICY})
        self.stack.write({".dockerignore": ".aside\n", ".gitignore": ".aside\n"})
        for phase in ("put", "rename", "restart", "build"):
            self.edit(phase)
        for number in range(CHURNED):
            self.write(f"app/churn/{number}.txt")
        self.write("data/shared.txt")

    def edit(self, phase: str) -> None:
        """The edit that leads to ``phase``: large files, many files, code, or a build's input."""
        if phase == "put":
            for number in range(LARGE):
                self.write(f"app/large/{number}.bin", size=LARGE_BYTES)
        elif phase == "rename":
            for directory in range(DIRECTORIES):
                for number in range(FILES_EACH):
                    self.write(f"app/code/{directory:02}/{number}.txt")
        elif phase == "restart":
            self.write("app/main.txt")
        else:
            self.write("build.txt")

    def churn(self) -> None:
        """One small edit, somewhere else: a file changed, added or deleted."""
        with self.guard:
            path = f"app/churn/{self.random.randrange(CHURNED)}.txt"
            if self.random.random() < 0.3 and os.path.exists(self.stack.path(path)):
                os.unlink(self.stack.path(path))
            else:
                self.write(path)
            if self.random.random() < 0.2:
                self.write("data/shared.txt")

    @contextmanager
    def churning(self, every: float = 0.3) -> Iterator[None]:
        """Small edits all the time, from another thread."""
        stop = threading.Event()

        def work() -> None:
            while not stop.wait(every):
                self.churn()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    # ---- the kill

    def kill_inside(self, wanted: str, *, deadline: float = 400.0) -> Open | None:
        """Start the daemon, edit, and kill it when the journal says that it is at ``wanted``.

        Returns what the journal has as unfinished afterwards: what the kill counts for.
        """
        daemon = self.freshd.run()
        self.pids.append(daemon.pid)
        self.edit(wanted)
        end = time.monotonic() + deadline
        edited = time.monotonic()
        while not self._struck(daemon.process, wanted):
            assert daemon.process.poll() is None, daemon.output().decode()
            assert time.monotonic() < end, f"no {wanted}: {daemon.output().decode()[-3000:]}"
            if time.monotonic() - edited > 5.0 and self.journal.last_open() is None:
                self.edit(wanted)  # the first edit went into the pass of a kill before
                edited = time.monotonic()
        found = self.journal.last_open()
        self.kills[found.phase if found else "between steps"] += 1
        return found

    def kill_verb(self, argv: Sequence[str], wanted: str, *, deadline: float = 300.0) -> None:
        """Run one verb and kill it inside ``wanted``; again when it was over too soon."""
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            self.edit(wanted)
            process = self.verb(argv)
            while process.poll() is None:
                if self._struck(process, wanted):
                    return
        raise AssertionError(f"freshd {' '.join(argv)} was not caught inside {wanted}")

    def verb(self, argv: Sequence[str]) -> Process:
        """One verb, started and not waited for."""
        with open(os.devnull, "wb") as nowhere:
            process = self.freshd.start(*argv, output=nowhere)
        self.pids.append(process.pid)
        return process

    def _struck(self, process: Process, wanted: str) -> bool:
        """Whether it was killed; False when the phase has not come or is over again."""
        time.sleep(POLL)
        seen = self.journal.last_open()
        if seen is None or seen.phase != wanted or seen.owner != process.pid:
            return False
        if wanted in ("build", "recreate") and "pid" not in seen.data:
            return False
        moment = time.monotonic() + self.random.uniform(0.0, SPREAD[wanted])
        while time.monotonic() < moment:
            time.sleep(POLL)
        now = self.journal.last_open()
        if now is None or (now.entry, now.phase) != (seen.entry, wanted):
            return False
        process.kill()
        process.wait()
        return True

    # ---- the judge

    def hashes(self, container: str) -> dict[str, str] | None:
        """target -> sha256 of every file in the container; None while it does not run."""
        script = "find /app /data /built.txt /loaded -type f -print0 | xargs -0 sha256sum"
        done = self.stack.exec(container, ["sh", "-c", script], check=False)
        if done.returncode != 0:
            return None
        lines = done.stdout.decode().splitlines()
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}

    def half_written(self) -> list[str]:
        """Files under their final names that are no whole version of what was ever written."""
        wrong = []
        for identity, name in self.stack.named_containers("web").items():
            for target, digest in (self.hashes(identity) or {}).items():
                known = self.versions.get(target.lstrip("/"))
                if known is None:
                    continue
                self.files_judged += 1
                if digest not in known:
                    wrong.append(f"{name}:{target} is {digest[:12]}, no version that was written")
        return wrong

    def differences(self) -> list[str]:
        """Where the two replicas are not the tree, or run something else than their files."""
        tree = {path: _digest(self.stack.path(path)) for path in self._mapped()}
        wrong = []
        containers = self.stack.named_containers("web")
        if len(containers) != 2:
            wrong.append(f"{len(containers)} replicas run")
        for identity, name in containers.items():
            seen = self.hashes(identity) or {}
            for path, digest in tree.items():
                if seen.get(f"/{path}") != digest:
                    wrong.append(f"{name}: {path} is {seen.get(f'/{path}', 'missing')[:12]}")
            known = {f"/{path}" for path in tree} | {"/built.txt", "/loaded"}
            wrong += [f"{name}: {target} is left over" for target in sorted(seen.keys() - known)]
            wrong += self._process(identity, name)
        return wrong

    def _mapped(self) -> list[str]:
        return sorted(p for top in ("app", "data") for p in self.stack.files(top, "/"))

    def _process(self, identity: str, name: str) -> list[str]:
        """What the process loaded at its start, and what the build made of its input."""
        loaded = hashlib.sha256()
        code = sorted(p for p in self._mapped() if p.startswith("app/code/"))
        for path in ["app/main.txt", *code]:
            with open(self.stack.path(path), "rb") as file:
                loaded.update(file.read())
        wrong = []
        expected = {
            "/loaded": loaded.hexdigest(),
            "/built.txt": _digest(self.stack.path("build.txt")),
        }
        for path, digest in expected.items():
            content = (self.stack.read(identity, path) or b"nothing").decode().split()[0]
            if content != digest:
                wrong.append(f"{name}: {path} says {content[:12]}, the tree {digest[:12]}")
        return wrong

    def debris(self) -> list[str]:
        """What a killed run may have left: in containers, in volumes, on the host."""
        wrong = []
        every = self.stack.named_containers("web", all_states=True)
        if len(every) != 2:
            wrong.append(f"containers: {sorted(every.values())}")
        for identity, name in every.items():
            tops = self.stack.exec(identity, ["ls", "-A", "/", "/data"]).stdout.decode().split()
            wrong += [f"{name}: {each}" for each in tops if each.startswith(".freshd-")]
            ran = self.stack.exec(identity, ["ps", "-o", "args"]).stdout.decode()
            wrong += [f"{name}: a helper runs" for line in ran.splitlines() if "freshd-" in line]
        wrong += self._probes()
        wrong += [f"still runs: {line}" for line in self._children()]
        return wrong

    def _probes(self) -> list[str]:
        done = self.stack.docker(
            "ps", "-a", "--filter", "label=dev.freshd.probe",
            "--format", '{{.ID}} {{.Label "dev.freshd.probe"}}',
        )  # fmt: skip
        lines = done.stdout.decode().splitlines()
        return [f"probe: {line}" for line in lines if line.split()[-1] in map(str, self.pids)]

    def _children(self) -> list[str]:
        """Processes of the docker CLI for this very project."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode("utf-8", "replace").split("\0")
            except OSError:
                continue
            if "compose" in words[:3] and self.stack.directory in words:
                found.append(" ".join(words))
        return found

    def converge(self, deadline: float = 400.0) -> None:
        """Start the daemon, wait until all is as it should be, stop it, and look for debris."""
        daemon = self.freshd.run().wait_ready(60.0)
        self.pids.append(daemon.pid)
        last: list[str] = []

        def level() -> bool:
            nonlocal last
            assert daemon.process.poll() is None, daemon.output().decode()
            last = [f"unfinished: {each}" for each in self.journal.unfinished()]
            last = last or self.differences() or self._not_fresh()
            return not last

        try:
            wait_until(level, deadline, what="the containers to converge")
        except AssertionError as error:
            said = daemon.output().decode()[-6000:]
            raise AssertionError(f"{error}\n{last[:10]}\n{said}") from None
        assert daemon.stop() == 0, daemon.output().decode()
        self.clean()

    def clean(self) -> None:
        """Nothing is left over, every entry has an end, and the database is sound."""
        wrong: list[str] = []

        def none() -> bool:
            wrong[:] = self.debris()
            return not wrong

        try:
            wait_until(none, 120.0, what="no debris")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{wrong}") from None
        assert self.journal.unfinished() == []
        assert self.journal.rows("PRAGMA integrity_check") == [("ok",)]

    def _not_fresh(self) -> list[str]:
        done = self.freshd("status", "--json")
        services = done.json.get("services") or []
        verdicts = [service["verdict"] for service in services]
        return [] if verdicts == ["fresh"] else [f"status: {done.stdout[:1500]}"]


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def alive(pid: int) -> bool:
    """Whether a process runs, zombies left out."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return done.returncode == 0 and not done.stdout.startswith("Z")
