"""Variables and quotes as the Dockerfile frontend reads them: word and environment in, text out.

Known: ``$x``, ``${x}``, ``${x:-y}``, ``${x-y}``, ``${x:+y}``, ``${x+y}``, ``${x:?y}``, ``${x?y}``,
``${x#p}``, ``${x##p}``, ``${x%p}``, ``${x%%p}``, ``${x/p/r}``, ``${x//p/r}``, both quotes, and the
escape character of the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.model.globs.shell import ShellPattern

GROUP = re.compile(r"\$(?:\$|\w+|\{\w+\})")
SPECIAL_PARAMETERS = "@*#?-$!0"


class ExpansionError(ValueError):
    """The word is not one the frontend accepts; the text says why."""


@dataclass(slots=True)
class Expansion:
    """One run over one word. ``missing`` collects the variables that had no value."""

    text: str
    env: Mapping[str, str]
    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_unset: bool = False
    missing: set[str] = field(default_factory=set)
    position: int = 0
    words: list[str] = field(default_factory=list)
    _word: str = ""
    _in_word: bool = False

    def run(self) -> str:
        """The expanded text; ``words`` then holds it split at unquoted white space."""
        result = self._until("", raw=self.raw_escapes)
        self._end_word()
        return result

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _next(self) -> str:
        char = self._peek()
        self.position += 1
        return char

    def _end_word(self) -> None:
        if self._word:
            self.words.append(self._word)
        self._word, self._in_word = "", False

    def _add(self, text: str, *, splits: bool) -> None:
        for char in text:
            if splits and char.isspace():
                if self._in_word:
                    self._end_word()
                continue
            self._word += char
            self._in_word = True

    def _until(self, stop: str, *, raw: bool) -> str:
        result: list[str] = []
        while char := self._peek():
            if char == stop:
                self.position += 1
                return "".join(result)
            piece, splits = self._piece(char, raw=raw)
            result.append(piece)
            self._add(piece, splits=splits)
        if stop:
            raise ExpansionError(f"missing {stop!r} in {self.text!r}")
        return "".join(result)

    def _piece(self, char: str, *, raw: bool) -> tuple[str, bool]:
        if char == "'":
            return self._single_quoted(), False
        if char == '"':
            return self._double_quoted(raw=raw), False
        if char == "$":
            return self._dollar(), True
        if char == "<":
            return self._heredoc_mark(), False
        self.position += 1
        if char != self.escape:
            return char, True
        return (char if raw else "") + self._next(), False

    def _heredoc_mark(self) -> str:
        # white space between << and its word does not split the word
        match = re.compile(r"<<[ \t\r]*|<").match(self.text, self.position)
        assert match is not None
        self.position = match.end()
        return match.group()

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise ExpansionError(f"missing ' in {self.text!r}")
        inner = self.text[self.position + 1 : end]
        self.position = end + 1
        return f"'{inner}'" if self.raw_quotes else inner

    def _double_quoted(self, *, raw: bool) -> str:
        self.position += 1
        result: list[str] = []
        while char := self._peek():
            if char == "$":
                result.append(self._dollar())
                continue
            self.position += 1
            if char == '"':
                inner = "".join(result)
                return f'"{inner}"' if self.raw_quotes else inner
            if char == self.escape:
                if raw:
                    result.append(char)
                if not self._peek():
                    continue
                if self._peek() in ('"', "$", self.escape):
                    char = self._next()
                elif raw:
                    continue
            result.append(char)
        raise ExpansionError(f'missing " in {self.text!r}')

    def _name(self) -> str:
        match = re.compile(r"\d+|[^\W\d]\w*").match(self.text, self.position)
        if match:
            self.position = match.end()
            return match.group()
        if self._peek() and self._peek() in SPECIAL_PARAMETERS:
            return self._next()
        return ""

    def _value(self, name: str) -> str | None:
        value = self.env.get(name)
        if value is None:
            self.missing.add(name)
        return value

    def _dollar(self) -> str:
        start = self.position
        self.position += 1
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self._value(name)
            if value is None:
                return f"${name}" if self.keep_unset else ""
            return value
        self.position += 1
        if self._peek() in ("", "{", "}", ":"):
            raise ExpansionError(f"bad substitution in {self.text!r}")
        words, word, in_word = self.words, self._word, self._in_word
        # what is expanded inside the braces is not a word of the outer text
        self.words, self._word, self._in_word = [], "", False
        try:
            return self._braced(start)
        finally:
            self.words, self._word, self._in_word = words, word, in_word

    def _braced(self, start: int) -> str:
        name = self._name()
        mark = self._next()
        if mark == "}":
            value = self._value(name)
            if value is None and self.keep_unset:
                return self.text[start : self.position]
            return value or ""
        empty_is_unset = mark == ":"
        if empty_is_unset:
            mark = self._next()
        if mark not in ("-", "+", "?", "#", "%", "/") or (empty_is_unset and mark in "#%/"):
            raise ExpansionError(f"unsupported modifier in {self.text!r}")
        if mark == "/":
            return self._replaced(name, start)
        word = self._until("}", raw=mark in "#%")
        value = self._value(name)
        if value is None and self.keep_unset:
            return self.text[start : self.position]
        if mark in "#%":
            return _trimmed(value or "", word, mark)
        return _chosen(name, value, word, mark=mark, empty_is_unset=empty_is_unset)

    def _replaced(self, name: str, start: int) -> str:
        everywhere = self._peek() == "/"
        if everywhere:
            self.position += 1
        pattern = self._until("/", raw=True)
        replacement = self._until("}", raw=True)
        value = self._value(name)
        if value is None and self.keep_unset:
            return self.text[start : self.position]
        shell, value = ShellPattern(pattern), value or ""
        if everywhere:
            return _replaced_everywhere(shell, replacement, value)
        found = shell.find(value, 0)
        return value if found is None else value[: found[0]] + replacement + value[found[1] :]


def _replaced_everywhere(pattern: ShellPattern, replacement: str, value: str) -> str:
    """As Go's regexp does it: no empty match right behind another, and ``$x`` is a group's name."""
    out: list[str] = []
    end, at = 0, 0
    while at <= len(value) and (found := pattern.find(value, at)):
        begin, after = found
        out.append(value[end:begin])
        if after > end or begin == 0:
            out.append(GROUP.sub(lambda name: "$" if name.group() == "$$" else "", replacement))
        end = after
        at = max(end, at + 1)
    return "".join(out) + value[end:]


def _chosen(name: str, value: str | None, word: str, *, mark: str, empty_is_unset: bool) -> str:
    unset = value is None or (empty_is_unset and value == "")
    if mark == "-":
        return word if unset else value or ""
    if mark == "+":
        return "" if unset else word
    if unset:
        raise ExpansionError(f"{name}: {word or 'is not allowed to be unset'}")
    return value or ""


def _trimmed(value: str, word: str, mark: str) -> str:
    longest = word.startswith(mark)
    pattern = ShellPattern(word.removeprefix(mark))
    if mark == "#":
        end = pattern.prefix_end(value, longest=longest)
        return value if end is None else value[end:]
    start = pattern.suffix_start(value, longest=longest)
    return value if start is None else value[:start]


def expand_word(text: str, env: Mapping[str, str], *, escape: str) -> tuple[str, set[str]]:
    """``text`` with variables, quotes and escapes resolved, and the variables without a value."""
    run = Expansion(text, env, escape=escape)
    return run.run(), run.missing


def shell_words(text: str, *, raw_quotes: bool, raw_escapes: bool = False) -> list[str]:
    """Split ``text`` as the frontend does when it looks for heredocs; variables stay as written."""
    run = Expansion(text, {}, raw_quotes=raw_quotes, raw_escapes=raw_escapes, keep_unset=True)
    run.run()
    return run.words
