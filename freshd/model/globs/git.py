"""Lines of ``.gitignore`` as git reads them, byte by byte: lines in, decisions about paths out.

A path and its pattern are compared as bytes, as git does; here each byte is a character.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from freshd.model.globs.matcher import LONGEST, Matcher, compile_nodes, either, text_of
from freshd.model.globs.nodes import (
    DIRECTORIES,
    NEVER,
    NOT_SLASH,
    REST,
    STAR,
    Chars,
    Node,
    Ranges,
    literal,
)

_WILD = frozenset("*?[\\")
_CLASSES: dict[str, Ranges] = {
    "alnum": (("0", "9"), ("A", "Z"), ("a", "z")),
    "alpha": (("A", "Z"), ("a", "z")),
    "blank": ((" ", " "), ("\t", "\t")),
    "cntrl": (("\0", "\x1f"), ("\x7f", "\x7f")),
    "digit": (("0", "9"),),
    "graph": (("!", "~"),),
    "lower": (("a", "z"),),
    "print": ((" ", "~"),),
    "punct": (("!", "/"), (":", "@"), ("[", "`"), ("{", "~")),
    "space": ((" ", " "), ("\t", "\n"), ("\r", "\r")),
    "upper": (("A", "Z"),),
    "xdigit": (("0", "9"), ("A", "F"), ("a", "f")),
}


class _Malformed(ValueError):
    """Git lets such a pattern match nothing."""


@dataclass(frozen=True, slots=True)
class GitPattern:
    """One line. ``by_name`` is matched with the last name of a path, wherever that is."""

    ignores: bool
    directories_only: bool
    by_name: bool
    matcher: Matcher
    literal: str | None = None

    def names(self, parts: Sequence[str], *, directory: bool) -> bool:
        """Whether it is about this path itself; ``parts`` are its names, in bytes."""
        if self.directories_only and not directory:
            return False
        return bool(self.matcher.fullmatch(parts[-1] if self.by_name else "/".join(parts)))


def as_bytes(text: str) -> str:
    """A character for each byte."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def read_line(line: str) -> GitPattern | None:
    """None for a comment, an empty line, and what can match nothing."""
    text = _trimmed(as_bytes(line.removesuffix("\r")).partition("\0")[0])
    if not text or text.startswith("#") or len(text) > LONGEST:
        return None
    negated = text.startswith("!")
    text = text[1:] if negated else text
    directories_only = text.endswith("/")
    fixed = next((at for at, char in enumerate(text) if char in _WILD), len(text))
    text = text[:-1] if directories_only else text
    by_name = "/" not in text
    fixed = min(fixed, len(text))
    if text.startswith("/"):
        text, fixed = text[1:], fixed - 1
    if not text:
        return None
    # git compares what has no wildcard first, and begins with the rest as with a pattern
    nodes: list[Node] = [literal(char) for char in text[:fixed]]
    try:
        nodes += _ends_with(text) if by_name and _is_ending(text) else _wild(text[fixed:], by_name)
    except _Malformed:
        return None
    known = text_of(nodes)
    matcher = Matcher(known.__eq__) if known is not None else compile_nodes(nodes)
    return GitPattern(not negated, directories_only, by_name, matcher, known)


def _trimmed(text: str) -> str:
    """Without the spaces at its end that no backslash protects."""
    end, at = 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
            if at >= len(text):
                return text
            end = at + 1
        elif text[at] != " ":
            end = at + 1
        at += 1
    return text[:end]


def _is_ending(text: str) -> bool:
    return text.startswith("*") and not _WILD & set(text[1:])


def _ends_with(text: str) -> list[Node]:
    return [STAR, *map(literal, text[1:])]


def _wild(text: str, by_name: bool) -> list[Node]:  # noqa: FBT001 - how git matches it
    nodes: list[Node] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "*":
            node, at = _stars(text, at, by_name)
            nodes.append(node)
            continue
        if char == "?":
            nodes.append(NOT_SLASH)
        elif char == "[":
            chars, at = _bracket(text, at + 1)
            nodes.append(chars)
        elif char == "\\":
            at += 1
            if at >= len(text):
                raise _Malformed
            nodes.append(literal(text[at]))
        else:
            nodes.append(literal(char))
        at += 1
    return nodes


def _stars(text: str, at: int, by_name: bool) -> tuple[Node, int]:  # noqa: FBT001 - as above
    """``**`` with slashes around it crosses directories; other stars do not."""
    end = at
    while text.startswith("*", end):
        end += 1
    begins = at == 0 or text[at - 1] == "/"
    if by_name or end - at == 1 or not begins:
        return STAR, end
    if text.startswith("/", end):
        return DIRECTORIES, end + 1
    if end == len(text) or text.startswith("\\/", end):
        return REST, end
    return STAR, end


def _bracket(text: str, at: int) -> tuple[Node, int]:
    """The set from behind its ``[``, and where its ``]`` is. Nothing in it matches a slash."""
    negated = text[at : at + 1] in ("!", "^") and at < len(text)
    at += negated
    ranges: list[tuple[str, str]] = []
    before = ""
    while True:
        char = text[at : at + 1]
        if char == "\\":
            at += 1
            char = _char(text, at)
            ranges.append((char, char))
        elif char == "-" and before and text[at + 1 : at + 2] not in ("", "]"):
            at += 1
            at += text[at] == "\\"
            ranges.append((before, _char(text, at)))
            char = ""
        elif char == "[" and text.startswith(":", at + 1):
            found, at, char = _posix(text, at)
            ranges += found
        else:
            _char(text, at)
            ranges.append((char, char))
        before = char
        at += 1
        if text[at : at + 1] == "]":
            return _without_slash(ranges, negated), at


def _char(text: str, at: int) -> str:
    if at >= len(text):
        raise _Malformed
    return text[at]


def _posix(text: str, at: int) -> tuple[Ranges, int, str]:
    """``[:alpha:]``: its ranges, where it ends, and the character a range may begin with."""
    end = text.find("]", at + 2)
    if end < 0:
        raise _Malformed
    if end == at + 2 or text[end - 1] != ":":
        return (("[", "["),), at, "["
    known = _CLASSES.get(text[at + 2 : end - 1])
    if known is None:
        raise _Malformed
    return known, end, ""


def _without_slash(ranges: Sequence[tuple[str, str]], negated: bool) -> Node:  # noqa: FBT001
    if negated:
        return Chars((*ranges, ("/", "/")), negated=True)
    parts: list[tuple[str, str]] = []
    for low, high in ranges:
        has_slash = low <= "/" <= high
        parts += ((low, "."), ("0", high)) if has_slash else ((low, high),)
    kept = tuple((low, high) for low, high in parts if low <= high)
    return Chars(kept) if kept else NEVER


class GitRules:
    """The patterns of one ignore file, for paths relative to the directory it is in."""

    __slots__ = ("_endings", "_names", "_paths", "_patterns", "_whole_names", "_whole_paths")

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = [pattern for line in lines if (pattern := read_line(line)) is not None]
        self._patterns.reverse()
        by_name = [pattern for pattern in self._patterns if pattern.by_name]
        by_path = [pattern for pattern in self._patterns if not pattern.by_name]
        self._names = _any(by_name)
        self._paths = _any(by_path)
        self._whole_names = frozenset(p.literal for p in by_name if p.literal is not None)
        self._whole_paths = frozenset(p.literal for p in by_path if p.literal is not None)

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._patterns)

    def decide(self, path: str, *, directory: bool) -> bool | None:
        """True: ignored; False: taken back by a ``!`` line; None: nothing names this path."""
        if not path.isascii():
            path = as_bytes(path)
        name = path.rpartition("/")[2]
        # this rules out nearly every path before the patterns are asked one by one
        if not (
            name in self._whole_names
            or path in self._whole_paths
            or (self._names is not None and self._names(name))
            or (self._paths is not None and self._paths(path))
        ):
            return None
        for pattern in self._patterns:
            if pattern.directories_only and not directory:
                continue
            if pattern.matcher.fullmatch(name if pattern.by_name else path):
                return pattern.ignores
        return None

    def covers(self, path: str) -> bool:
        """Whether the patterns take the file ``path``, itself or by a directory above it.

        The last that names it decides; one that names it counts more than one that names a
        directory above, but that what is below a directory was taken.
        """
        parts = as_bytes(path).split("/")
        decision, weight = False, 0
        for pattern in reversed(self._patterns):
            if pattern.names(parts, directory=False):
                found, is_above = 2, False
            elif any(pattern.names(parts[:end], directory=True) for end in range(1, len(parts))):
                found, is_above = 1, True
            else:
                continue
            if found >= weight or (is_above and pattern.ignores):
                decision, weight = pattern.ignores, found
        return decision


def _any(patterns: Iterable[GitPattern]) -> Callable[[str], object] | None:
    """A test for those that are no plain names."""
    matchers = [pattern.matcher for pattern in patterns if pattern.literal is None]
    return either(matchers) if matchers else None
