"""A Dockerfile's text into instructions: directives, comments, continuations, heredocs, JSON form.

Nothing is expanded here: the environment is known only while a stage is replayed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from freshd.mapping.dockerfile.syntax.expand import ExpansionError, shell_words
from freshd.model.errors import ConfigError

BLANKS = re.compile(r"[\t\v\f\r ]+")
DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
OFFICIAL = re.compile(r"(?:[\w.:-]+/)*docker/dockerfile(?:-upstream)?(?:[:@].*)?")
KNOWN_DIRECTIVES = frozenset({"syntax", "escape", "check"})
HEREDOC = re.compile(r"(\d*)<<(-?)\s*([^<]*)", re.DOTALL)
HEREDOC_INSTRUCTIONS = frozenset({"ADD", "COPY", "RUN"})
JSON_INSTRUCTIONS = frozenset(
    {"ADD", "COPY", "RUN", "CMD", "ENTRYPOINT", "SHELL", "VOLUME", "HEALTHCHECK"}
)
PLAIN_INSTRUCTIONS = "ARG ENV EXPOSE FROM LABEL MAINTAINER ONBUILD STOPSIGNAL USER WORKDIR"
INSTRUCTIONS = JSON_INSTRUCTIONS.union(PLAIN_INSTRUCTIONS.split())


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One inline document. ``name`` is its terminator, which COPY takes for the file's name."""

    name: str
    content: str
    chomp: bool = False


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction as written. ``args`` is the text behind name and flags.

    ``array`` holds the JSON form where it was used. ``line`` counts from 1.
    """

    name: str
    line: int
    flags: tuple[str, ...] = ()
    args: str = ""
    array: tuple[str, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The JSON array, else the text split at white space (quotes do not join words)."""
        if self.array is not None:
            return self.array
        return tuple(BLANKS.split(self.args)) if self.args else ()

    @property
    def script(self) -> str:
        """What a RUN runs, its documents with it."""
        own = " ".join(self.array) if self.array is not None else self.args
        return "\n".join([own, *(document.content for document in self.heredocs)])

    @property
    def sources(self) -> tuple[str, ...]:
        """The stages or images that a ``--from`` or a mount names."""
        mounts = (part for flag in self.all_flags("mount") for part in flag.split(","))
        named = (part.removeprefix("from=") for part in mounts if part.startswith("from="))
        return (*self.all_flags("from"), *named)

    def flag(self, name: str) -> str | None:
        """The last ``--name=value``; "true" for a bare ``--name``; None where it is absent."""
        values = self.all_flags(name)
        return values[-1] if values else None

    def all_flags(self, name: str) -> tuple[str, ...]:
        """Every value of a flag that may be repeated."""
        values = []
        for flag in self.flags:
            key, equals, value = flag.partition("=")
            if key == f"--{name}":
                values.append(value if equals else "true")
        return tuple(values)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The parsed file: its escape character and every instruction in order."""

    escape: str
    instructions: tuple[Instruction, ...]


def read_frontend(text: str) -> str:
    """The image that ``# syntax=`` names to read the file; "" for the builder's own."""
    for line in text.removeprefix("\ufeff").splitlines():
        match = DIRECTIVE.match(line.strip())
        if match is None or match[1].lower() not in KNOWN_DIRECTIVES:
            break
        if match[1].lower() == "syntax":
            return match[2].split()[0]
    return ""


def speaks_dockerfile(image: str) -> bool:
    """Whether a frontend is Docker's own, perhaps from a mirror of its registry."""
    return not image or OFFICIAL.fullmatch(image) is not None


def parse(text: str, *, name: str = "Dockerfile") -> Dockerfile:
    """Parse a whole Dockerfile; ConfigError names ``name`` and the line."""
    return _Parser(text, name).run()


@dataclass(slots=True)
class _Parser:
    text: str
    name: str
    escape: str = "\\"
    number: int = 0
    lines: list[str] = field(default_factory=list)

    def run(self) -> Dockerfile:
        self.lines = re.findall(r"[^\n]*\n|[^\n]+", self.text.removeprefix("\ufeff"))
        self._read_directives()
        instructions = tuple(self._instructions())
        if not instructions:
            raise ConfigError(f"{self.name}: no instructions", hint="it needs at least a FROM")
        return Dockerfile(self.escape, instructions)

    def _fail(self, line: int, why: str) -> ConfigError:
        return ConfigError(
            f"{self.name}:{line}: {why}", hint="`docker build` refuses this file too: mend the line"
        )

    def _read_directives(self) -> None:
        for number, line in enumerate(self.lines, 1):
            match = DIRECTIVE.match(line.strip())
            if match is None or match[1].lower() not in KNOWN_DIRECTIVES:
                return
            if match[1].lower() == "escape":
                if match[2] not in ("\\", "`"):
                    raise self._fail(number, f"escape may be \\ or `, not {match[2]!r}")
                self.escape = match[2]

    def _instructions(self) -> Iterator[Instruction]:
        while self.number < len(self.lines):
            start = self.number + 1
            text = self._logical_line()
            if text is not None:
                yield self._instruction(text, start)

    def _logical_line(self) -> str | None:
        """Join continued lines; comment and empty lines between them vanish."""
        joined, goes_on = self._continued(self._take().lstrip())
        if not joined and not goes_on:
            return None
        while goes_on and self.number < len(self.lines):
            raw = self._take()
            if not raw.strip() or raw.lstrip().startswith("#"):
                continue
            piece, goes_on = self._continued(raw)
            joined += piece
        return joined if joined.strip() else None

    def _take(self) -> str:
        line = self.lines[self.number].rstrip("\r\n")
        self.number += 1
        return line

    def _continued(self, line: str) -> tuple[str, bool]:
        if line.lstrip().startswith("#"):
            return "", False
        bare = line.rstrip(" \t")
        if bare == self.escape or (
            bare.endswith(self.escape) and not bare.endswith(self.escape * 2)
        ):
            return bare[:-1], True
        return line, False

    def _instruction(self, text: str, line: int) -> Instruction:
        head, *rest = BLANKS.split(text.strip(), maxsplit=1)
        name = head.upper()
        if name not in INSTRUCTIONS:
            raise self._fail(line, f"unknown instruction {head!r}")
        flags, args = _split_flags(rest[0], self.escape) if rest else ((), "")
        if not args and name != "FROM" and not (name in ("CMD", "ENTRYPOINT") and flags):
            raise self._fail(line, f"{name} has no argument")
        array = self._array(name, args, line)
        heredocs: tuple[Heredoc, ...] = ()
        if name in HEREDOC_INSTRUCTIONS and array is None and "<<" in text:
            heredocs = tuple(self._heredoc(name, mark, line) for mark in heredoc_marks(text))
        return Instruction(name, line, flags, args, array, heredocs)

    def _array(self, name: str, args: str, line: int) -> tuple[str, ...] | None:
        if name not in JSON_INSTRUCTIONS:
            return None
        if name == "HEALTHCHECK":
            args = args.partition(" ")[2].lstrip()
        if not args.startswith("["):
            return None
        try:
            words = json.loads(args)
        except ValueError:
            return None
        if not all(isinstance(word, str) for word in words):
            raise self._fail(line, "a JSON array here holds only strings")
        return tuple(words)

    def _heredoc(self, name: str, mark: Heredoc, line: int) -> Heredoc:
        content: list[str] = []
        while self.number < len(self.lines):
            raw = self.lines[self.number]
            self.number += 1
            end = raw.rstrip("\r\n")
            if (end.lstrip("\t") if mark.chomp else end) == mark.name:
                return Heredoc(mark.name, "".join(content), mark.chomp)
            content.append(raw)
        raise self._fail(line, f"the heredoc of this {name} is not ended by {mark.name!r}")


def heredoc_marks(text: str) -> list[Heredoc]:
    """The heredocs a line announces, without their content."""
    try:
        words = shell_words(text, raw_quotes=True, raw_escapes=True)
    except ExpansionError:
        return []
    return [mark for word in words if (mark := heredoc_mark(word)) is not None]


def heredoc_mark(word: str) -> Heredoc | None:
    """``<<EOF``, ``<<-EOF``, ``<<"EOF"`` and ``3<<EOF``; None for any other word."""
    match = HEREDOC.fullmatch(word)
    if match is None or not match[3]:
        return None
    try:
        names = shell_words(match[3], raw_quotes=False)
    except ExpansionError:
        return None
    return Heredoc(names[0], "", match[2] == "-") if len(names) == 1 else None


def _split_flags(text: str, escape: str) -> tuple[tuple[str, ...], str]:
    """Leading ``--flags`` (quotes and escapes resolved), and what is left."""
    flags: list[str] = []
    rest = text.lstrip()
    while rest.startswith("--"):
        flag, rest = _flag(rest, escape)
        rest = rest.lstrip()
        if flag == "--":
            break
        flags.append(flag)
    return tuple(flags), rest.strip()


def _flag(text: str, escape: str) -> tuple[str, str]:
    out: list[str] = []
    quote, position = "", 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == escape:
            out.append(text[position : position + 1])
            position += 1
        elif quote:
            quote = "" if char == quote else quote
            out.append("" if not quote else char)
        elif char in "'\"":
            quote = char
        elif char.isspace():
            return "".join(out), text[position:]
        else:
            out.append(char)
    return "".join(out), ""


def split_quoted(text: str, escape: str) -> list[str]:
    """Split ENV, LABEL and ARG text at white space outside quotes; quotes and escapes stay."""
    words: list[str] = []
    word, quote, position = "", "", 0
    while position < len(text):
        char = text[position]
        position += 1
        if not quote and char.isspace():
            if word:
                words.append(word)
            word = ""
            continue
        if char == escape and quote != "'":
            if position < len(text):
                word += char + text[position]
            position += 1
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        word += char
    return [*words, word] if word else words


def name_values(instruction: Instruction, escape: str) -> list[tuple[str, str]]:
    """ENV and LABEL: ``NAME=value …``, or the old ``NAME value``."""
    words = split_quoted(instruction.args, escape)
    if words and "=" not in words[0]:
        key, *value = BLANKS.split(instruction.args, maxsplit=1)
        return [(key, value[0] if value else "")]
    pairs = (word.partition("=") for word in words)
    return [(key, value) for key, _, value in pairs]
