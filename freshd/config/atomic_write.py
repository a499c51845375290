"""Files written whole or not at all: a path and its text in, a file out. Raises OSError."""

import os
import tempfile


def replace_file(path: str, text: str, *, mode: int) -> None:
    """Write ``path`` by a file beside it, which is renamed; its directory is made if need be."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = write_beside(path, text, mode=mode, prefix=".freshd-")
    try:
        os.rename(beside, path)
    except OSError:
        os.unlink(beside)
        raise


def write_beside(path: str, text: str, *, mode: int, prefix: str, suffix: str = "") -> str:
    """Write a new file in the directory of ``path``, flushed to disk; returns its path."""
    directory = os.path.dirname(path)
    descriptor, beside = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=directory)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(beside)
        raise
    return beside
