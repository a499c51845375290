"""What the clients of one engine know together: its version, what never changes, one listing.

Each thread has a client of its own; without this, each of them would ask the same.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

_MOST: Final = 64


@dataclass(slots=True)
class SharedCache:
    """Safe in several threads: at worst the same is asked twice, but for what is asked ``alone``.

    ``places`` are (container, its start, destination of a mount) -> where that is. ``listing`` is
    the last answer to ``GET /containers/json`` and when it was given, by the
    monotonic clock.
    """

    api_version: str = ""
    listing: tuple[float, Sequence[Mapping[str, Any]]] = (float("-inf"), ())
    places: dict[tuple[str, float, str], str] = field(default_factory=dict)
    _histories: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    _asking: dict[str, "threading.Lock"] = field(default_factory=dict)

    def history(self, image_id: str) -> Sequence[Mapping[str, Any]] | None:
        """An image's, by its full id: of that it never changes."""
        return self._histories.get(image_id)

    def keep_history(self, image_id: str, history: Sequence[Mapping[str, Any]]) -> None:
        """The newest 64 are kept."""
        self._histories.pop(image_id, None)
        oldest_first = tuple(self._histories)
        for oldest in oldest_first[: max(0, len(oldest_first) - _MOST + 1)]:
            self._histories.pop(oldest, None)
        self._histories[image_id] = history

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """One client at a time asks for ``what``, as it takes long: the next looks if it is there.

        Not to be held twice by one thread.
        """
        with self._asking.setdefault(what, threading.Lock()):
            yield
