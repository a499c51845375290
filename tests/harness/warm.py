"""Processes of freshd that begin with their modules loaded: most of a second less for each.

In: argv, directory and environment. Out: an exit status and what was printed. One server for each
test process has all of freshd imported, has run none of it, and forks a child for each call.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Final

# What freshd imports late: functions name these, and no module of it does.
LATE: Final = (
    "docker", "filelock", "psutil", "pydantic.json_schema", "pydantic.root_model",
    "rich.console", "rich.text", "sqlite3", "tenacity",
)  # fmt: skip
_CALL: Final = b"call"


class Warm:
    """The server; started by the first call, ended with this process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.harness.warm", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=root,
            )
        self._control = ours

    def close(self) -> None:
        self._control.close()
        self._server.wait(10.0)

    def call(
        self,
        argv: Sequence[str],
        *,
        directory: str,
        environment: Mapping[str, str],
        stdin: bytes,
        timeout: float,
    ) -> tuple[int, bytes, bytes]:
        """(exit status, standard output, standard error) of ``freshd argv``.

        Raises TimeoutExpired after ``timeout`` seconds, as subprocess does; the child is ended.
        """
        with ExitStack() as kept:
            given, out, err = (kept.enter_context(tempfile.TemporaryFile()) for _ in range(3))
            given.write(stdin)
            given.seek(0)
            streams = [file.fileno() for file in (given, out, err)]
            child = self.start(argv, directory=directory, environment=environment, streams=streams)
            try:
                status = child.wait(timeout)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                raise
            out.seek(0)
            err.seek(0)
            return status, out.read(), err.read()

    def start(
        self,
        argv: Sequence[str],
        *,
        directory: str,
        environment: Mapping[str, str],
        streams: Sequence[int],
    ) -> "Forked":
        """``freshd argv`` in the background, with these three descriptors as its streams."""
        wanted = {"argv": list(argv), "directory": directory, "environment": dict(environment)}
        reply, theirs = socket.socketpair()
        with tempfile.TemporaryFile() as body, theirs:
            body.write(json.dumps(wanted).encode())
            body.flush()
            body.seek(0)
            passed = [body.fileno(), *streams, theirs.fileno()]
            socket.send_fds(self._control, [_CALL], passed)
        return Forked(argv, reply)


class Forked:
    """A child of the server, in the words of subprocess: ``pid``, ``poll``, ``wait``, ``kill``."""

    def __init__(self, argv: Sequence[str], reply: socket.socket) -> None:
        self.returncode: int | None = None
        self._argv = list(argv)
        self._reply = reply
        self._heard = b""  # two lines come: the pid, and how it ended
        self._hear(1, None)
        self.pid = int(self._heard.split()[0])  # a short call has ended by now: both are there

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; raises TimeoutExpired after ``timeout`` seconds."""
        if self.returncode is None:
            self._hear(2, timeout)
            self._reply.close()
            self.returncode = int(self._heard.split()[1])
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _hear(self, lines: int, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        while self._heard.count(b"\n") < lines:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._reply], [], [], left)[0]:
                raise subprocess.TimeoutExpired(self._argv, timeout or 0.0)
            more = self._reply.recv(100)
            assert more, "the server of warm processes is gone"
            self._heard += more


_running: list[Warm] = []


def warm() -> Warm:
    """The server of this process."""
    if not _running:
        _running.append(Warm())
        atexit.register(_running[0].close)
    return _running[0]


# ---- the server: it returns once in every child, and never elsewhere


def _serve(control: socket.socket) -> list[int]:
    """Descriptors of one call, in the child that is to carry it out."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waits for a call's child is reaped
    while True:
        message, fds, _, _ = socket.recv_fds(control, len(_CALL), 5)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _waited_for(fds)
        for each in fds:
            os.close(each)


def _waited_for(fds: list[int]) -> list[int]:
    *files, reply = fds
    child = os.fork()
    if child == 0:
        os.close(reply)
        return files
    for each in files:
        os.close(each)
    with socket.socket(fileno=reply) as answer, suppress(BrokenPipeError):  # nobody waits any more
        answer.sendall(f"{child}\n".encode())
        _, ended = os.waitpid(child, 0)
        answer.sendall(f"{os.waitstatus_to_exitcode(ended)}\n".encode())
    os._exit(0)


def _become(files: list[int]) -> None:
    """Take over what a process gets from who starts it."""
    with open(files[0], "rb") as body:
        wanted = json.loads(body.read())
    for number, each in enumerate(files[1:]):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    time.tzset()
    os.chdir(wanted["directory"])
    sys.argv = ["freshd", *wanted["argv"]]
    sys.path[0] = wanted["directory"]


def _load() -> None:
    """Import all of freshd but what runs on import, and what its functions import late."""
    package = importlib.import_module("freshd")
    found = pkgutil.walk_packages(package.__path__, "freshd.")
    for name in (*LATE, *(each.name for each in found if not each.name.endswith(".__main__"))):
        importlib.import_module(name)
    gc.freeze()  # a child's collections leave alone, and so do not copy, what is shared


def main() -> None:
    _load()
    _become(_serve(socket.socket(fileno=int(sys.argv[1]))))
    runpy.run_module("freshd", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
