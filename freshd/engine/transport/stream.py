"""One attached exec as a raw socket: bytes in, (stream, bytes) frames out, a deadline on all of it.

The SDK's timeout does not cover an exec, and its blocking reads deadlock when much goes in and
out at once; here one selector loop does both. Past the deadline the socket is closed and
the outcome is unknown: the engine has no way to end an exec.
"""

import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from freshd.engine.connection import Connection
from freshd.engine.transport import http, sdk_errors
from freshd.model.errors import OutcomeUnknown, StepRefused, TargetGone

STDOUT, STDERR = 1, 2
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """What a command is given besides its user; by default what the container has."""

    privileged: bool = False
    workdir: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


_AS_THE_IMAGE = Setting()


class Frames:
    """Takes the multiplexed stream apart, whatever pieces it comes in."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._stream = 0
        self._missing = 0

    @property
    def whole(self) -> bool:
        """Whether what came so far ends with a frame."""
        return not self._buffer and self._missing == 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        self._buffer += data
        while self._buffer:
            if self._missing == 0:
                if len(self._buffer) < 8:
                    return
                self._stream, self._missing = struct.unpack(">BxxxL", self._buffer[:8])
                del self._buffer[:8]
                continue
            piece = bytes(self._buffer[: self._missing])
            del self._buffer[: len(piece)]
            self._missing -= len(piece)
            yield self._stream, piece


class ExecStream:
    """A started exec. Making one raises TargetGone, and EngineFailed (paused, not running)."""

    def __init__(
        self,
        connection: Connection,
        container_id: str,
        argv: Sequence[str],
        *,
        stdin: bool,
        user: str | None,
        deadline: float,
        setting: Setting = _AS_THE_IMAGE,
    ) -> None:
        self._connection = connection
        self.what = f"running {argv[0]} in {container_id[:12]}"
        self._frames = Frames()
        self._id = self._create(container_id, argv, stdin=stdin, user=user, setting=setting)
        self._socket, self._early = self._start(container_id, deadline)
        self._socket.settimeout(0)

    def _create(
        self,
        container_id: str,
        argv: Sequence[str],
        *,
        stdin: bool,
        user: str | None,
        setting: Setting,
    ) -> str:
        try:
            "\0".join(argv).encode()
        except UnicodeEncodeError as error:
            raise StepRefused(
                f"{self.what}: an argument is not UTF-8, and the engine would change it",
                hint="such names are passed on standard input",
            ) from error
        with sdk_errors.translated(self._connection.endpoint, self.what):
            created: Mapping[str, Any] = self._connection.api.exec_create(
                container_id,
                list(argv),
                stdin=stdin,
                user=user or "",
                privileged=setting.privileged,
                environment=dict(setting.environment) or None,
                workdir=setting.workdir,
            )
        return str(created["Id"])

    def _start(self, container_id: str, deadline: float) -> tuple[socket.socket, bytes]:
        target = f"/v{self._connection.api_version}/exec/{http.segment(self._id)}/start"
        try:
            got = http.hijack(
                self._connection.endpoint,
                target,
                body=b'{"Detach":false,"Tty":false}',
                deadline=deadline,
            )
        except OSError as error:
            raise self.unknown(f"the engine did not start it in time ({error})") from error
        if isinstance(got, http.HttpAnswer):
            if got.status == 404:
                self._connection.inspect(container_id)
            text = got.body.decode("utf-8", "replace")
            raise sdk_errors.of_status(got.status, text, self.what, self._connection.endpoint)
        return got

    def unknown(self, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{self.what}: {why}; it may still run",
            hint="freshd observes again before it decides",
        )

    def converse(
        self,
        data: bytes,
        on_frame: Callable[[int, bytes], bool],
        *,
        deadline: float,
        finish: bool = False,
    ) -> bool:
        """Sends ``data`` while receiving. True when ``on_frame`` said so, False at the end.

        ``finish`` closes standard input after the last byte. Raises OutcomeUnknown past the
        deadline or when the connection breaks.
        """
        if self._early and self._dispatch(self._take_early(), on_frame):
            return True
        rest = memoryview(data)
        with selectors.DefaultSelector() as selector:
            events = selectors.EVENT_READ
            selector.register(self._socket, events | (selectors.EVENT_WRITE if rest else 0))
            if finish and not rest:
                self._end_input()
            while True:
                ready = selector.select(max(deadline - time.monotonic(), 0.0))
                if not ready:
                    self.close()
                    raise self.unknown("no answer before the deadline")
                if ready[0][1] & selectors.EVENT_WRITE and rest:
                    rest = rest[self._send(rest) :]
                    if not rest:
                        selector.modify(self._socket, selectors.EVENT_READ)
                        if finish:
                            self._end_input()
                if ready[0][1] & selectors.EVENT_READ:
                    received = self._receive()
                    if received == b"":
                        if not self._frames.whole:
                            raise self.unknown("its output broke off")
                        return False
                    if received and self._dispatch(received, on_frame):
                        return True

    def quiet(self) -> bool:
        """Whether the exec is alive with nothing to say, without waiting."""
        try:
            return self._socket.recv(1, socket.MSG_PEEK) != b"" and False
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False

    def exit_code(self, *, deadline: float) -> int:
        """After the end of the stream. Raises OutcomeUnknown when the engine does not tell."""
        while True:
            try:
                with sdk_errors.translated(self._connection.endpoint, self.what):
                    state: Mapping[str, Any] = self._connection.api.exec_inspect(self._id)
            except TargetGone as error:
                raise self.unknown("the engine has forgotten it") from error
            if not state.get("Running") and state.get("ExitCode") is not None:
                return int(state["ExitCode"])
            if time.monotonic() >= deadline:
                raise self.unknown("its output ended, and it did not")
            time.sleep(0.002)

    def close(self) -> None:
        """Ends standard input; a well-behaved command ends with it."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # closed by the other side
        self._socket.close()

    def _take_early(self) -> bytes:
        early, self._early = self._early, b""
        return early

    def _dispatch(self, data: bytes, on_frame: Callable[[int, bytes], bool]) -> bool:
        done = False
        for number, piece in self._frames.feed(data):
            done = on_frame(number, piece) or done
        return done

    def _send(self, rest: memoryview) -> int:
        try:
            return self._socket.send(rest[:_CHUNK])
        except (BlockingIOError, InterruptedError):
            return 0
        except (BrokenPipeError, ConnectionResetError):
            return len(rest)  # it does not read its input; what it printed says why
        except OSError as error:
            raise self.unknown(str(error)) from error

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return None
        except ConnectionResetError:
            return b""
        except OSError as error:
            raise self.unknown(str(error)) from error

    def _end_input(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has ended already
