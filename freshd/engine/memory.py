"""What the clients of one engine know together: its version, what never changes, one listing.

Each thread has a client of its own; without this, each of them would ask the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_MOST: Final = 64


@dataclass(slots=True)
class Memory:
    """Safe in several threads: at worst the same is asked twice.

    ``listing`` is the last answer to ``GET /containers/json`` and when it was given, by the
    monotonic clock.
    """

    api_version: str = ""
    listing: tuple[float, Sequence[Mapping[str, Any]]] = (float("-inf"), ())
    _histories: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

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
