"""Where output goes: data to stdout, log and progress to stderr, colour only where it is wanted.

``Line`` tuples and JSON documents come in. Piped, with ``NO_COLOR`` or on a dumb terminal the same
words come out without colour and without anything that moves.
"""

import itertools
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from freshd.cli.progress import Progress
    from freshd.model.text import Json
    from freshd.render.words import Line

_STYLES: dict[str, dict[str, str | bool]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "doubt": {"fg": "yellow"},
    "dim": {"dim": True},
    "strong": {"bold": True},
    "code": {"fg": "cyan"},
}


def lively(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether ``stream`` is a terminal that can show colour and move its cursor."""
    return stream.isatty() and environ.get("TERM", "") not in {"", "dumb"}


class Screen:
    """The two streams of one invocation, looked up late so that a test may replace them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @property
    def terminal(self) -> bool:
        """Whether stdout is a terminal that can be redrawn."""
        return lively(sys.stdout, self._environ)

    @property
    def colour(self) -> bool:
        return self.terminal and not self._environ.get("NO_COLOR")

    def lines(self, lines: "Iterable[Line]") -> None:
        """Print lines of data."""
        from freshd.render.words import plain

        draw = painted if self.colour else plain
        sys.stdout.writelines(f"{draw(line)}\n" for line in lines)

    @contextmanager
    def whole(self) -> "Iterator[Callable[[Iterable[Line]], None]]":
        """Take the whole terminal and give a function that redraws it; it comes back as it was."""
        from freshd.render.words import plain

        draw = painted if self.colour else plain

        def redraw(lines: "Iterable[Line]") -> None:
            height = shutil.get_terminal_size().lines
            shown = "\r\n".join(f"{draw(line)}\x1b[K" for line in itertools.islice(lines, height))
            sys.stdout.write(f"\x1b[H{shown}\x1b[J")
            sys.stdout.flush()

        sys.stdout.write("\x1b[?1049h\x1b[?25l\x1b[?7l")  # other screen, no cursor, no wrapping
        try:
            yield redraw
        finally:
            sys.stdout.write("\x1b[?7h\x1b[?25h\x1b[?1049l")
            sys.stdout.flush()

    def text(self, text: str) -> None:
        """Print a block of data that is made already; each line is made safe to show."""
        from freshd.model.text import printable

        sys.stdout.writelines(f"{printable(line)}\n" for line in text.splitlines())

    def raw(self, data: bytes) -> None:
        """Write bytes of data as they are."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)

    def json(self, document: "Mapping[str, Json]") -> None:
        """Print one document: on one line when piped, indented on a terminal."""
        from freshd.render.documents import dumps

        sys.stdout.write(dumps(document, indent=2 if sys.stdout.isatty() else None) + "\n")

    def log(self, text: str) -> None:
        """Print one line of log to stderr."""
        from freshd.model.text import printable

        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()

    def progress(self) -> "Progress":
        """A progress display on stderr, silent where that is not a terminal."""
        from freshd.cli.progress import Progress

        return Progress(live=lively(sys.stderr, self._environ), log=self.log)


def painted(line: "Line") -> str:
    """A line with the colours of its styles."""
    return "".join(
        click.style(text, **_STYLES[style]) if style and text.strip() else text  # type: ignore[arg-type]
        for text, style in line
    ).rstrip()
