"""Commands in a container: argv and bytes in, ``ExecResult`` out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from freshd.engine.client import Engine
from freshd.engine.transport.stream import STDOUT, ExecStream, Setting
from freshd.model.errors import EngineFailed

STDERR_LIMIT = 64 * 1024
STDOUT_LIMIT = 8 * 1024 * 1024
_NO_SUCH_COMMAND = (b"OCI runtime exec failed", b"executable file not found", b"exec failed:")


@dataclass(frozen=True, slots=True)
class ExecResult:
    """``missing`` is true when the command itself is not in the image (or may not be run)."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    missing: bool = False

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


def run(
    engine: Engine,
    container_id: str,
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout: float,
    user: str | None = None,
    setting: Setting | None = None,
    limit: int = STDOUT_LIMIT,
) -> ExecResult:
    """Runs ``argv`` (no shell) and waits. ``limit`` caps standard output in bytes.

    Raises TargetGone; EngineFailed when the container cannot run commands now or prints more than
    ``limit``; OutcomeUnknown when it does not end within ``timeout`` seconds: it may still run.
    """
    deadline = time.monotonic() + timeout
    stream = ExecStream(
        engine,
        container_id,
        argv,
        stdin=bool(stdin),
        user=user,
        deadline=deadline,
        setting=setting or Setting(),
    )
    engine.at_work()
    out, err = bytearray(), bytearray()
    surplus = 0

    def keep(number: int, piece: bytes) -> bool:
        nonlocal surplus
        buffer, cap = (out, limit) if number == STDOUT else (err, STDERR_LIMIT)
        room = max(cap - len(buffer), 0)
        buffer.extend(piece[:room])
        if number == STDOUT:
            surplus += len(piece) - min(room, len(piece))
        return False

    try:
        stream.converse(stdin, keep, deadline=deadline, finish=bool(stdin))
        code = stream.exit_code(deadline=deadline)
    finally:
        stream.close()
    if surplus:
        raise EngineFailed(f"{stream.what}: it printed {limit + surplus} bytes, more than {limit}")
    missing = code in (126, 127) and any(text in bytes(out + err) for text in _NO_SUCH_COMMAND)
    return ExecResult(code, bytes(out), bytes(err), missing)


__all__ = ["ExecResult", "Setting", "run"]
