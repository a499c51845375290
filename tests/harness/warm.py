"""Processes of freshd that begin with the libraries loaded: half a second less for each.

In: argv, directory and environment. Out: an exit status and what was printed. One server for each
test process forks a child for each call; nothing of freshd is loaded before that child.
"""

import atexit
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Final

LIBRARIES: Final = (
    "click", "docker", "filelock", "pathspec", "platformdirs", "psutil", "pydantic",
    "pydantic.json_schema", "pydantic.root_model", "rich.console", "rich.text", "sqlite3",
    "structlog", "tenacity",
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
            files = [kept.enter_context(tempfile.TemporaryFile()) for _ in range(4)]
            body, given, out, err = files
            wanted = {"argv": list(argv), "directory": directory, "environment": dict(environment)}
            body.write(json.dumps(wanted).encode())
            given.write(stdin)
            for file in files:
                file.flush()
                file.seek(0)
            reply, theirs = socket.socketpair()
            with reply, theirs:
                passed = [*(file.fileno() for file in files), theirs.fileno()]
                socket.send_fds(self._control, [_CALL], passed)
                theirs.close()
                status = _status(reply, argv, timeout)
            out.seek(0)
            err.seek(0)
            return status, out.read(), err.read()


def _status(reply: socket.socket, argv: Sequence[str], timeout: float) -> int:
    """Two lines come: the child's pid, and how it ended."""
    end = time.monotonic() + timeout
    heard = b""
    while heard.count(b"\n") < 2:
        reply.settimeout(max(0.001, end - time.monotonic()))
        try:
            more = reply.recv(100)
        except TimeoutError:
            if b"\n" in heard:
                os.kill(int(heard.split()[0]), signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(argv), timeout) from None
        assert more, "the server of warm processes is gone"
        heard += more
    return int(heard.split()[1])


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


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    _become(_serve(socket.socket(fileno=int(sys.argv[1]))))
    runpy.run_module("freshd", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
