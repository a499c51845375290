"""The words that every report uses: names made safe to show, counts, ages, times, styled lines.

In: any text. Out: text that cannot move a cursor or turn the reading direction.
"""

import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeAlias

from freshd.model.text import printable

# One piece of a line and the name of its style: "", good, bad, doubt, dim, strong or code.
Span: TypeAlias = tuple[str, str]
Line: TypeAlias = tuple[Span, ...]


def shown(name: str) -> str:
    """A name for a person: as it is where that is plain, else in quotes with escapes."""
    quoted = not name or name != name.strip() or name.startswith('"')
    if not quoted and printable(name) == name:
        return name
    doubled = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(doubled)}"'


def typed(*words: str) -> str | None:
    """A command line that a person can copy; None where a word could not survive that."""
    if any(printable(word) != word for word in words):
        return None
    return " ".join(shlex.quote(word) for word in words)


def count(number: int, noun: str) -> str:
    """``1 file``, ``2,000 files``."""
    plural = noun if number == 1 else (f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s")
    return f"{number:,} {plural}"


def listed(names: Iterable[str], *, limit: int = 4) -> str:
    """``a, b and 3 more``: at most ``limit`` names, each safe to show."""
    every = [shown(name) for name in names]
    if len(every) <= limit:
        return ", ".join(every)
    return f"{', '.join(every[:limit])} and {len(every) - limit:,} more"


def ago(seconds: float) -> str:
    """An age in the largest unit that fits: ``12 s ago``."""
    if seconds < 1:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def lasted(seconds: float) -> str:
    """A duration: milliseconds below a second, tenths below a minute."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def iso(moment: float) -> str:
    """Seconds since the epoch as ``2026-11-22T20:00:00Z``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(line: Line) -> str:
    """A line without its styles and without spaces at its end."""
    return "".join(text for text, _ in line).rstrip()


def columns(rows: Iterable[Line], *, gap: str = "   ", widest: int = 1_000) -> list[Line]:
    """Rows of cells laid out under each other; the last cell of a row is not padded.

    A cell longer than ``widest`` characters pushes its own row aside, and no other.
    """
    table = list(rows)
    widths: dict[int, int] = {}
    for row in table:
        for index, (text, _) in enumerate(row):
            widths[index] = max(widths.get(index, 0), min(len(text), widest))
    return [_padded(row, widths, gap) for row in table]


def _padded(row: Line, widths: dict[int, int], gap: str) -> Line:
    cells: list[Span] = []
    for index, (text, style) in enumerate(row):
        last = index == len(row) - 1
        cells.append((text, style))
        if not last:
            cells.append((" " * (widths[index] - len(text)) + gap, ""))
    return tuple(cells)
