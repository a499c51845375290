"""Long lists of keys in parts that SQLite accepts as parameters."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

_T = TypeVar("_T")

_LONGEST: Final = 500  # below SQLite's oldest limit of 999 parameters


def chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Consecutive parts of at most 500 items."""
    for start in range(0, len(items), _LONGEST):
        yield items[start : start + _LONGEST]


def marks(items: Sequence[object]) -> str:
    """A question mark per item, for an IN list."""
    return ",".join("?" * len(items))
