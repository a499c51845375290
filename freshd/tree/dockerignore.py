"""Which paths of a build context an ignore file leaves out, as BuildKit reads it. Pure.

The file differs from .gitignore: a pattern is anchored at the context's root, a match of a parent
directory counts for everything below it, and later lines (``!`` takes back in) win over earlier.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from freshd.model.errors import ConfigError
from freshd.model.globs import go
from freshd.model.globs.matcher import Matcher, compile_nodes, either
from freshd.model.globs.nodes import DIRECTORIES, REST, Node, literal

IGNORE_FILE = ".dockerignore"
_WILD: Final = frozenset("*?[]\\")
_ESCAPED: Final = frozenset(".+()$")  # not all that has a meaning in an expression


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
    matcher: Matcher = field(compare=False, repr=False)
    line: int = 0

    def matches(self, path: str) -> bool:
        return bool(self.matcher.fullmatch(path))

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
    _any: Callable[[str], object] | None = field(init=False, repr=False, compare=False)
    _directories: dict[str, _Hits] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # one test rules out nearly every path before the patterns are tried one by one
        matchers = [pattern.matcher for pattern in self.patterns]
        object.__setattr__(self, "_any", either(matchers) if matchers else None)
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
        parent = self._directory_hits(path.rpartition("/")[0])
        return self._hits_below(parent, path)

    def _directory_hits(self, directory: str) -> _Hits:
        known = self._directories.get(directory)
        if known is not None:
            return known
        unknown = [directory]
        while (above := unknown[-1].rpartition("/")[0]) not in self._directories:
            unknown.append(above)
        found = self._directories[above]
        for each in reversed(unknown):  # a tree can be deeper than calls may nest
            found = self._directories[each] = self._hits_below(found, each)
        return found

    def _hits_below(self, parent: _Hits, path: str) -> _Hits:
        if self._any is None or not self._any(path):
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
    """One pattern, cleaned already; ValueError for a malformed one."""
    return Pattern(text, negated, compile_nodes(_nodes(text)), line)


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
    except ValueError:
        raise ConfigError(
            f"{name}:{number}: malformed pattern {text!r}", hint="close the [ bracket"
        ) from None


def clean(path: str) -> str:
    """The shortest equal path, as Go's filepath.Clean gives it."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _nodes(pattern: str) -> Sequence[Node]:
    """A cleaned pattern. ValueError where BuildKit refuses it.

    What has no wildcard but a ``**`` at one end is compared as it is; of all else BuildKit makes an
    expression, character by character, and not all of them as one would think.
    """
    go.read_match(pattern)  # it checks first what Go's own matcher says
    if not set(pattern.removeprefix("**")) & _WILD:
        return _ending(pattern)
    if pattern.endswith("**") and not set(pattern.removesuffix("**")) & _WILD:
        return [*map(literal, pattern.removesuffix("**")), REST]
    return go.read_expression("".join(_expression(pattern)))


def _ending(pattern: str) -> Sequence[Node]:
    suffix = pattern.removeprefix("**")
    nodes = list(map(literal, suffix.removeprefix("/")))
    if suffix == pattern:
        return [*map(literal, pattern)]
    return [DIRECTORIES, *nodes] if suffix.startswith("/") else [REST, *nodes]


def _expression(pattern: str) -> Iterator[str]:
    """``**`` crosses '/', ``*`` and ``?`` do not. Within brackets the same is done as without."""
    yield "^"
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*" and pattern.startswith("*", position):
            position += 2 if pattern.startswith("/", position + 1) else 1
            yield ".*" if position >= len(pattern) else "(.*/)?"
        elif char == "*":
            yield "[^/]*"
        elif char == "?":
            yield "[^/]"
        elif char == "\\":
            yield pattern[position - 1 : position + 1]
            position += 1
        else:
            yield f"\\{char}" if char in _ESCAPED else char
    yield "$"


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
    return all(_may_match(part, name) for part, name in pairs)


def _may_match(part: str, name: str) -> bool:
    """What is no pattern by itself, as a piece of a bracket, says nothing."""
    try:
        return compile_pattern(part).matches(name)
    except ValueError:
        return True
