"""What a measurement says: rows of figures, each with its budget, and progress."""

import time
from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table: seconds, and the budget in words; ``held`` None where none is set."""

    what: str
    freshd: str
    other: str
    ratio: str
    budget: str
    held: bool | None


def ratio(what: str, seconds: float, than: float, name: str, most: float | None = None) -> Row:
    """Seconds beside ``than``, which something called ``name`` takes; ``most`` is the budget."""
    times = seconds / than
    budget, held = ("", None) if most is None else (f"<= {most:g}", times <= most)
    return Row(what, f"{seconds:.2f} s", f"{than:.2f} s  {name}", f"{times:.2f}", budget, held)


def table(rows: list[Row]) -> str:
    head = Row("", "freshd", "beside it", "ratio", "budget", None)
    marks = {True: "met", False: "OVER", None: ""}
    cells = [[*row[:5], marks[row.held]] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def fastest(times: int, action: Callable[[], object]) -> float:
    seconds = []
    for _ in range(times):
        begun = time.monotonic()
        action()
        seconds.append(time.monotonic() - begun)
    return min(seconds)


def say(text: str) -> None:
    print(f"bench: {text}", flush=True)
