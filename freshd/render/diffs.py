"""Files of a container against the tree, as a unified diff and as JSON.

In: bytes of both sides. Out: the diff as bytes, lines or JSON. ``-`` is what the container has,
``+`` what the tree has, so that the diff reads as what an injection would change.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from freshd.model.text import printable
from freshd.render.documents import Document, digest
from freshd.render.words import Line, count, shown

_SNIFF = 8192
_NO_NEWLINE = b"\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file on both sides; None where it does not exist. ``path`` is None for a leftover."""

    path: str | None
    target: str
    container: str
    tree: bytes | None
    seen: bytes | None

    @property
    def binary(self) -> bool:
        """Git's rule: a NUL among the first bytes of either side."""
        return any(b"\0" in (side or b"")[:_SNIFF] for side in (self.tree, self.seen))


def unified(diff: FileDiff) -> bytes:
    """The diff of one file, ready for ``patch``; for a binary file one line with both sizes."""
    old = f"{shown(diff.container)}:{shown(diff.target)}" if diff.seen is not None else "/dev/null"
    new = shown(diff.path or diff.target) if diff.tree is not None else "/dev/null"
    if diff.binary:
        sizes = (_size(diff.seen), _size(diff.tree))
        return f"Binary files {old} ({sizes[0]}) and {new} ({sizes[1]}) differ\n".encode()
    body = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(diff.seen),
        _lines(diff.tree),
        old.encode(),
        new.encode(),
        lineterm=b"\n",
    )
    return b"".join(_closed(line) for line in body)


def _lines(data: bytes | None) -> list[bytes]:
    """Split at line feeds only: a carriage return or form feed is content."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data or b"")


def _closed(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n" + _NO_NEWLINE


def _size(data: bytes | None) -> str:
    return "absent" if data is None else count(len(data), "byte")


def diff_lines(diff: FileDiff) -> Iterator[Line]:
    """The same diff for a terminal: coloured, and with nothing in it that moves the cursor."""
    for raw in unified(diff).decode("utf-8", "surrogateescape").split("\n")[:-1]:
        text = printable(raw.replace("\t", "    "))
        if raw.startswith(("--- ", "+++ ", "Binary ")):
            yield ((text, "strong"),)
        else:
            yield ((text, {"@": "code", "+": "good", "-": "bad"}.get(raw[:1], "")),)


def difference(diff: FileDiff) -> Document:
    """One element of ``differences`` in ``diff --json``."""
    return {
        "path": diff.path,
        "target": diff.target,
        "container": diff.container,
        "tree": _digest(diff.tree),
        "seen": _digest(diff.seen),
        "binary": diff.binary,
        "diff": None if diff.binary else unified(diff).decode("utf-8", "surrogateescape"),
    }


def _digest(data: bytes | None) -> str | None:
    return None if data is None else digest(hashlib.sha256(data).hexdigest())
