"""Which paths of a build context an ignore file leaves out, as BuildKit reads it. Pure.

The file differs from .gitignore: a pattern is anchored at the context's root, a match of a parent
directory counts for everything below it, and later lines (``!`` takes back in) win over earlier.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from freshd.model.errors import ConfigError

IGNORE_FILE = ".dockerignore"


def ignore_file_names(dockerfile_path: str) -> tuple[str, ...]:
    """Where to look for the ignore file, first hit wins: relative paths as ``dockerfile_path`` is.

    The second is at the context's root.
    """
    return (f"{dockerfile_path}{IGNORE_FILE}", IGNORE_FILE)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One cleaned pattern; ``negated`` takes paths back in. ``line`` is the file's, from 1."""

    text: str
    negated: bool
    regex: re.Pattern[str]
    line: int = 0

    def matches(self, path: str) -> bool:
        return self.regex.fullmatch(path) is not None

    def matches_or_parent(self, path: str) -> bool:
        """Whether the pattern names ``path`` or a directory above it."""
        return self.matches(path) or any(self.matches(parent) for parent in parents(path))


def parents(path: str) -> Iterable[str]:
    """The directories above a relative path, outermost first; the root is not among them."""
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


class _Hits(NamedTuple):
    """Which patterns count for one path, and the last of them."""

    hits: tuple[bool, ...]
    last: Pattern | None


@dataclass(frozen=True, slots=True)
class DockerIgnore:
    """The patterns of one ignore file, in order."""

    patterns: tuple[Pattern, ...] = ()
    _any: re.Pattern[str] | None = field(init=False, repr=False, compare=False)
    _directories: dict[str, _Hits] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # one expression rules out nearly every path before the patterns are tried one by one
        either = "|".join(f"(?:{pattern.regex.pattern})" for pattern in self.patterns)
        object.__setattr__(self, "_any", re.compile(either, re.DOTALL) if either else None)
        top = _Hits((False,) * len(self.patterns), None)
        object.__setattr__(self, "_directories", {"": top})

    @classmethod
    def from_text(cls, text: str, *, name: str = IGNORE_FILE) -> "DockerIgnore":
        """Read an ignore file; ConfigError names the line BuildKit would refuse."""
        lines = text.removeprefix("\ufeff").split("\n")
        patterns = (_read_line(line, number, name) for number, line in enumerate(lines, 1))
        return cls(tuple(pattern for pattern in patterns if pattern is not None))

    @classmethod
    def from_lines(cls, lines: Iterable[str], *, name: str = IGNORE_FILE) -> "DockerIgnore":
        """Patterns of a list: in it ``#`` begins no comment."""
        texts = (f"\\{line}" if line.startswith("#") else line for line in lines)
        return cls.from_text("\n".join(texts), name=name)

    def excludes(self, path: str) -> bool:
        """Whether ``path`` (relative to the context, '/'-separated) is left out of the context."""
        last = self.deciding(path)
        return last is not None and not last.negated

    def deciding(self, path: str) -> Pattern | None:
        """The pattern that decides about ``path``; None: no line names it."""
        return None if self._any is None else self._hits(path).last

    def may_reinclude_below(self, directory: str) -> bool:
        """Whether a ``!`` line can take back something below an excluded directory.

        False means that a walk need not enter it. True is a possibility, not a promise.
        """
        return any(_reaches_below(pattern, directory) for pattern in self.patterns)

    def _hits(self, path: str) -> _Hits:
        """Which patterns count for ``path``, given which counted for its directory.

        BuildKit does not try a pattern that would change nothing at that point, and what was not
        tried on a directory does not count below it: the outcome depends on it.
        """
        directory = path.rpartition("/")[0]
        parent = self._directories.get(directory)
        if parent is None:
            parent = self._directories[directory] = self._hits(directory)
        if self._any is None or self._any.fullmatch(path) is None:
            return parent
        hits: list[bool] = []
        last: Pattern | None = None
        for pattern, inherited in zip(self.patterns, parent.hits, strict=True):
            excluded = last is not None and not last.negated
            hit = inherited or (pattern.negated == excluded and pattern.matches(path))
            if hit:
                last = pattern
            hits.append(hit)
        return _Hits(tuple(hits), last)


def compile_pattern(text: str, *, negated: bool = False, line: int = 0) -> Pattern:
    """One pattern, cleaned already; re.error or ValueError for a malformed one."""
    return Pattern(text, negated, re.compile(_regex(text), re.DOTALL), line)


def _read_line(line: str, number: int, name: str) -> Pattern | None:
    if line.startswith("#"):
        return None
    text = line.strip()
    negated = text.startswith("!")
    if negated:
        text = text[1:].strip()
    if not text:
        if negated:
            raise ConfigError(f"{name}:{number}: '!' without a pattern", hint="remove the line")
        return None
    text = clean(text)
    if len(text) > 1:
        text = text.removeprefix("/")
    try:
        return compile_pattern(text, negated=negated, line=number)
    except (re.error, ValueError):
        raise ConfigError(
            f"{name}:{number}: malformed pattern {text!r}", hint="close the [ bracket"
        ) from None


def clean(path: str) -> str:
    """The shortest equal path, as Go's filepath.Clean gives it."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _regex(pattern: str) -> str:
    """The pattern as a regular expression: ``**`` crosses '/', ``*`` and ``?`` do not."""
    suffix = pattern.removeprefix("**")
    if suffix != pattern and not suffix.startswith("/") and not set(suffix) & set("*?[]\\"):
        return ".*" + re.escape(suffix)  # "**x" is a plain "ends with x", not "a file named x"
    # BuildKit escapes no "|" in what it makes a regular expression of: either end may then be open
    either = bool(
        set(pattern.removeprefix("**").removesuffix("/").removesuffix("**")) & set("*?[]\\")
    )
    out: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "|" and either:
            out.append(".*|.*")
        elif char == "*" and pattern.startswith("*", position):
            position += 2 if pattern.startswith("/", position + 1) else 1
            out.append(".*" if position >= len(pattern) else "(?:.*/)?")
        elif char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "\\":
            if position >= len(pattern):
                raise ValueError(pattern)
            out.append(_escaped(pattern[position]))
            position += 1
        elif char == "[":
            group, position = _bracket(pattern, position)
            out.append(group)
        else:
            out.append(re.escape(char))
    return "".join(out)


def _escaped(char: str) -> str:
    """BuildKit hands ``\\x`` on to a regular expression: ``\\t`` is a tab, ``\\d`` any digit."""
    return f"\\{char}" if char.isascii() and char.isalnum() else re.escape(char)


def _bracket(pattern: str, start: int) -> tuple[str, int]:
    """A character class from behind its ``[``; ``^`` negates and ``\\`` escapes, as in Go."""
    position = start
    negated = pattern.startswith("^", position)
    position += negated
    items: list[str] = []
    while not pattern.startswith("]", position) or not items:
        low, position = _bracket_char(pattern, position)
        if not pattern.startswith("-", position):
            items.append(re.escape(low))
            continue
        high, position = _bracket_char(pattern, position + 1)
        items.append(f"{re.escape(low)}-{re.escape(high)}")
    return f"[{'^' if negated else ''}{''.join(items)}]", position + 1


def _bracket_char(pattern: str, position: int) -> tuple[str, int]:
    char = pattern[position : position + 1]
    if char == "\\":
        position += 1
        char = pattern[position : position + 1]
    elif char in ("", "-", "]"):
        raise ValueError(pattern)
    if not char:
        raise ValueError(pattern)
    return char, position + 1


def _reaches_below(pattern: Pattern, directory: str) -> bool:
    if not pattern.negated:
        return False
    if pattern.matches_or_parent(directory):
        return True
    parts, depth = pattern.text.split("/"), directory.count("/") + 1
    if "**" in pattern.text:
        # only what stands before the first ** is fixed
        fixed = next(at for at, part in enumerate(parts) if "**" in part)
        parts = parts[:fixed]
    elif len(parts) <= depth:
        return False
    names = directory.split("/")
    pairs = zip(parts, names, strict=False)
    return all(compile_pattern(part).matches(name) for part, name in pairs)
