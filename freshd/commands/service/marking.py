"""A line that says which freshd wrote a file, and by which it is known whether it is as written.

Text comes in, text goes out; a comment of the file's own kind holds the line.
"""

import hashlib
import re
from typing import Final

_MARK: Final = re.compile(r"freshd \S+ wrote this; sha256 of the rest: ([0-9a-f]{64})")


def mark(text: str, *, version: str, comment: str, at: int = 0) -> str:
    """``text`` with the mark as line ``at``; ``comment`` has ``{}`` where the words go."""
    lines = text.splitlines(keepends=True)
    words = f"freshd {version} wrote this; sha256 of the rest: {_digest(text)}"
    lines.insert(at, comment.format(words) + "\n")
    return "".join(lines)


def is_untouched(text: str) -> bool:
    """Whether it is what some freshd wrote, to the byte."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        match = _MARK.search(line)
        if match is not None:
            return match[1] == _digest("".join(lines[:number] + lines[number + 1 :]))
    return False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
