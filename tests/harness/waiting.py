"""Waiting for a state, with a deadline: tests never sleep for a guessed time."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

Value = TypeVar("Value")

POLL: Final = 0.02  # seconds
LONGEST_POLL: Final = 0.25


def wait_until(predicate: Callable[[], Value], deadline: float = 60.0, *, what: str = "") -> Value:
    """Call ``predicate`` until it returns something true, and return that.

    ``deadline`` is in seconds from now. Raises AssertionError that names ``what`` and the last
    value seen. A look that takes long is not made again at once: it would keep busy what is
    waited for.
    """
    end = time.monotonic() + deadline
    while True:
        began = time.monotonic()
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            name = what or getattr(predicate, "__name__", "the condition")
            raise AssertionError(f"waited {deadline:g} s for {name}; last seen: {value!r}")
        time.sleep(min(max(POLL, time.monotonic() - began), LONGEST_POLL))
