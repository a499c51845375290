"""The patterns of Go's ``filepath.Match``, which COPY has, and expressions of Go's ``regexp``.

Of expressions as much is known as BuildKit makes of a line of ``.dockerignore``. Raises ValueError
for what Go refuses.
"""

import re
from collections.abc import Sequence
from typing import Final

from freshd.model.globs.matcher import LONGEST
from freshd.model.globs.nodes import (
    ANY,
    NEVER,
    NOT_SLASH,
    NOTHING,
    REST,
    STAR,
    Chars,
    Either,
    Node,
    Ranges,
    Repeated,
    Row,
    literal,
)

_MOST_REPEATS: Final = 1000
_LAST: Final = chr(0x10FFFF)
_CONTROLS: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_REPEAT: Final = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}")
_OCTAL: Final = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_HEX: Final = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})")
_DIGITS: Final[Ranges] = (("0", "9"),)
_LETTERS: Final[Ranges] = (("A", "Z"), ("a", "z"))
_WORD: Final[Ranges] = (*_DIGITS, *_LETTERS, ("_", "_"))
_SPACE: Final[Ranges] = (("\t", "\n"), ("\f", "\r"), (" ", " "))
_PERL: Final = {"d": _DIGITS, "s": _SPACE, "w": _WORD}
_NAMED: Final[dict[str, Ranges]] = {
    "alnum": (*_DIGITS, *_LETTERS),
    "alpha": _LETTERS,
    "ascii": (("\0", "\x7f"),),
    "blank": (("\t", "\t"), (" ", " ")),
    "cntrl": (("\0", "\x1f"), ("\x7f", "\x7f")),
    "digit": _DIGITS,
    "graph": (("!", "~"),),
    "lower": (("a", "z"),),
    "print": ((" ", "~"),),
    "punct": (("!", "/"), (":", "@"), ("[", "`"), ("{", "~")),
    "space": (("\t", "\r"), (" ", " ")),
    "upper": (("A", "Z"),),
    "word": _WORD,
    "xdigit": (*_DIGITS, ("A", "F"), ("a", "f")),
}


def read_match(pattern: str) -> list[Node]:
    """One path component of ``filepath.Match``."""
    nodes: list[Node] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if nodes[-1:] != [STAR]:
                nodes.append(STAR)
        elif char == "?":
            nodes.append(NOT_SLASH)
        elif char == "[":
            chars, at = _match_class(pattern, at)
            nodes.append(chars)
        elif char == "\\":
            if at >= len(pattern):
                raise ValueError(pattern)
            nodes.append(literal(pattern[at]))
            at += 1
        else:
            nodes.append(literal(char))
    return nodes


def _match_class(pattern: str, at: int) -> tuple[Chars, int]:
    """From behind its ``[``; ``^`` negates and a backslash escapes."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[tuple[str, str]] = []
    while not pattern.startswith("]", at) or not ranges:
        low, at = _match_char(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _match_char(pattern, at + 1)
        ranges.append((low, high))
    return Chars(tuple(ranges), negated), at + 1


def _match_char(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at : at + 1]
    if char == "\\":
        at += 1
        char = pattern[at : at + 1]
    elif char in ("", "-", "]"):
        raise ValueError(pattern)
    if not char:
        raise ValueError(pattern)
    return char, at + 1


def read_expression(text: str) -> list[Node]:
    """For a match of a whole text, what ``MatchString`` says: it finds a match anywhere in it."""
    branches = _Expression(text).branches()
    return branches[0] if len(branches) == 1 else [Either(tuple(map(_row, branches)))]


def _row(nodes: Sequence[Node]) -> Node:
    return Row(tuple(nodes))


class _Expression:
    """One expression, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._size = 0

    def branches(self) -> list[list[Node]]:
        found = [self._branch()]
        while self._peek() == "|":
            self._at += 1
            found.append(self._branch())
        if self._peek():
            raise ValueError(f"an unexpected {self._peek()} in {self._text!r}")
        return found

    def _branch(self) -> list[Node]:
        """With what may stand before and behind it, where it is not tied to the ends."""
        nodes: list[Node] = []
        at_start = at_end = False
        while (char := self._peek()) not in ("", "|", ")"):
            if char == "^":
                self._at += 1
                nodes, at_start = ([] if all(map(_may_be_empty, nodes)) else [NEVER]), True
            elif char == "$":
                self._at += 1
                at_end = True
            else:
                node = self._repeated(self._atom())
                # behind the end there is nothing
                nodes.append(NOTHING if at_end and _may_be_empty(node) else node)
                if at_end and not _may_be_empty(node):
                    nodes.append(NEVER)
        return [*([] if at_start else [REST]), *nodes, *([] if at_end else [REST])]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _atom(self) -> Node:
        char = self._peek()
        self._at += 1
        if char == ".":
            return ANY
        if char == "[":
            return self._class()
        if char == "(":
            return self._group()
        if char == "\\":
            ranges, negated = self._escape()
            return Chars(ranges, negated)
        if char in "*+?":
            raise ValueError(f"nothing to repeat in {self._text!r}")
        return literal(char)

    def _group(self) -> Node:
        nodes: list[Node] = []
        while self._peek() not in ("", ")"):
            nodes.append(self._repeated(self._atom()))
        if not self._peek():
            raise ValueError(f"an open ( in {self._text!r}")
        self._at += 1
        return Row(tuple(nodes))

    def _repeated(self, node: Node) -> Node:
        self._count(1)
        char = self._peek()
        found = _REPEAT.match(self._text, self._at)
        if char in ("*", "?"):
            self._at += 1
            node = Repeated(node) if char == "*" else Either((NOTHING, node))
        elif found is not None:
            self._at = found.end()
            node = self._times(node, found)
        else:
            return node
        if (self._peek() in ("*", "?", "+") and self._peek()) or _REPEAT.match(
            self._text, self._at
        ):
            raise ValueError(f"one repetition of another in {self._text!r}")
        return node

    def _times(self, node: Node, found: "re.Match[str]") -> Node:
        least = int(found[1])
        most = int(found[3]) if found[3] else (None if found[2] else least)
        if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
            raise ValueError(f"no repetition: {found.group()}")
        self._count(most or least)
        more: Node = Repeated(node)
        if most is not None:
            more = NOTHING
            for _ in range(most - least):
                more = Either((NOTHING, Row((node, more))))
        return Row((*[node] * least, more))

    def _count(self, nodes: int) -> None:
        self._size += nodes
        if self._size > LONGEST:
            raise ValueError("longer than any path")

    def _class(self) -> Node:
        negated = self._peek() == "^"
        self._at += negated
        ranges: list[tuple[str, str]] = []
        first = True
        while first or self._peek() != "]":
            first = False
            ranges += self._member()
        self._at += 1
        return Chars(tuple(ranges), negated)

    def _member(self) -> Ranges:
        named = self._named()
        if named is not None:
            return named
        perl = self._text[self._at + 1 : self._at + 2]
        if self._peek() == "\\" and perl.lower() in _PERL:
            self._at += 2
            known = _PERL[perl.lower()]
            return known if perl.islower() else _others(known)
        low = high = self._class_char()
        if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]"):
            self._at += 1
            high = self._class_char()
        if high < low:
            raise ValueError(f"no range: {low}-{high}")
        return ((low, high),)

    def _class_char(self) -> str:
        char = self._peek()
        if not char:
            raise ValueError(f"an open [ in {self._text!r}")
        self._at += 1
        if char != "\\":
            return char
        ((found, _),), _ = self._escape(perl=False)
        return found

    def _named(self) -> Ranges | None:
        if not self._text.startswith("[:", self._at):
            return None
        end = self._text.find(":]", self._at + 2)
        if end < 0:
            return None
        name = self._text[self._at + 2 : end]
        known = _NAMED.get(name.removeprefix("^"))
        if known is None:
            raise ValueError(f"no class: [:{name}:]")
        self._at = end + 2
        return _others(known) if name.startswith("^") else known

    def _escape(self, *, perl: bool = True) -> tuple[Ranges, bool]:
        """What a backslash and the characters behind it mean."""
        char = self._peek()
        if not char or not char.isascii():
            raise ValueError(f"no escape in {self._text!r}")
        if perl and char.lower() in _PERL:
            self._at += 1
            return _PERL[char.lower()], char.isupper()
        number = _OCTAL.match(self._text, self._at) or _HEX.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            return _one(_numbered(number)), False
        self._at += 1
        if char.isalnum() and char not in _CONTROLS:
            raise ValueError(f"no escape: {char} in {self._text!r}")
        return _one(_CONTROLS.get(char, char)), False


def _numbered(number: "re.Match[str]") -> str:
    digits = number.group()
    code = int(number[1] or number[2], 16) if digits.startswith("x") else int(digits, 8)
    if code > ord(_LAST):
        raise ValueError(f"no character: {digits}")
    return chr(code)


def _one(char: str) -> Ranges:
    return ((char, char),)


def _others(ranges: Ranges) -> Ranges:
    """All characters that are in none of them."""
    found: list[tuple[str, str]] = []
    begin = 0
    for low, high in sorted(ranges):
        if begin < ord(low):
            found.append((chr(begin), chr(ord(low) - 1)))
        begin = ord(high) + 1
    return (*found, (chr(begin), _LAST))


def _may_be_empty(node: Node) -> bool:
    match node:
        case Chars():
            return False
        case Repeated():
            return True
        case Row():
            return all(map(_may_be_empty, node.nodes))
        case Either():
            return any(map(_may_be_empty, node.nodes))
