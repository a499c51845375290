"""What a pattern is made of: sets of characters, one after the other, repeated, or one of several.

Made by the readers of ``git``, of Go's ``filepath.Match`` and of BuildKit's patterns.
"""

import re
from dataclasses import dataclass, field
from typing import TypeAlias

Ranges: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Chars:
    """One character that is, or with ``negated`` is not, in one of the ``ranges`` (both ends in).

    A range whose ends are the wrong way round has nothing in it.
    """

    ranges: Ranges
    negated: bool = False

    def has(self, char: str) -> bool:
        return any(low <= char <= high for low, high in self.ranges) != self.negated

    @property
    def source(self) -> str:
        """It as a regular expression, with the flag DOTALL."""
        if not self.negated and len(self.ranges) == 1 and self.ranges[0][0] == self.ranges[0][1]:
            return re.escape(self.ranges[0][0])
        inside = "".join(
            f"{_in_class(low)}-{_in_class(high)}" for low, high in self.ranges if low <= high
        )
        if not inside:
            return "." if self.negated else "(?!)"
        return f"[{'^' if self.negated else ''}{inside}]"


@dataclass(frozen=True, slots=True)
class Repeated:
    """``node`` any number of times, none included."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class Row:
    """One after the other; of nothing: the empty text."""

    nodes: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """One of them; of none: never."""

    nodes: "tuple[Node, ...]" = field(default=())


Node: TypeAlias = Chars | Repeated | Row | Either

NOTHING = Row(())
NEVER = Either()
ANY = Chars((), negated=True)
SLASH = Chars((("/", "/"),))
NOT_SLASH = Chars((("/", "/"),), negated=True)
STAR = Repeated(NOT_SLASH)
REST = Repeated(ANY)
DIRECTORIES = Either((NOTHING, Row((REST, SLASH))))
"""Any number of directories, each with its slash."""


def literal(char: str) -> Chars:
    return SLASH if char == "/" else Chars(((char, char),))


def _in_class(char: str) -> str:
    return f"\\{char}" if char in "\\]^-[&~|" else char
