"""Patterns of a shell's ``${x#p}`` and its like: ``*`` and ``?`` alone, and no brackets.

What stands between two stars is taken at the first place where it is, the last of it where that is
wanted at the last: so nothing is tried twice.
"""

import re
from collections.abc import Sequence
from functools import lru_cache


class ShellPattern:
    """``*`` stands for any text. Ends are positions in the text, None where nothing matches."""

    def __init__(self, text: str) -> None:
        self._chunks = _chunks(text)
        self._reversed = [list(reversed(chunk)) for chunk in reversed(self._chunks)]

    def prefix_end(self, text: str, *, longest: bool) -> int | None:
        """Where the shortest, or the longest, beginning ends that it matches."""
        found = _at_start(_key(self._chunks), longest=longest).match(text)
        return None if found is None else found.end()

    def suffix_start(self, text: str, *, longest: bool) -> int | None:
        """The same of an end: where that begins."""
        found = _at_start(_key(self._reversed), longest=longest).match(text[::-1])
        return None if found is None else len(text) - found.end()

    def find(self, text: str, at: int) -> tuple[int, int] | None:
        """The first match from ``at`` on, as long as can be.

        Where the rest is not found behind the first place of its beginning, it is behind none.
        """
        first = _expression(_source(self._chunks[0])).search(text, at)
        if first is None:
            return None
        found = _at_start(_key(self._chunks), longest=True).match(text, first.start())
        return None if found is None else found.span()


def _chunks(text: str) -> list[list[str]]:
    """What stands between the stars, as expressions of one character each."""
    chunks: list[list[str]] = [[]]
    chars = iter(text)
    for char in chars:
        if char == "*":
            chunks.append([])
        elif char == "\\":
            chunks[-1].append(re.escape(next(chars, "\\")))
        else:
            chunks[-1].append("." if char == "?" else re.escape(char))
    return chunks


def _source(chunk: Sequence[str]) -> str:
    return "".join(chunk)


def _key(chunks: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(map(_source, chunks))


@lru_cache(maxsize=256)
def _at_start(chunks: tuple[str, ...], *, longest: bool) -> "re.Pattern[str]":
    """Each chunk at the first place behind the one before, or the last one at the last."""
    first, *others = chunks
    parts = [f"(?>.*?{chunk})" for chunk in others if chunk]
    if longest and others:
        parts = [*(f"(?>.*?{chunk})" for chunk in others[:-1] if chunk), f".*{others[-1]}"]
    return _expression("".join((first, *parts)))


@lru_cache(maxsize=256)
def _expression(source: str) -> "re.Pattern[str]":
    return re.compile(source, re.DOTALL)
