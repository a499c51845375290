"""What a container cannot do without: the files that its own commands name. Pure."""

import posixpath
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from freshd.model.paths import absolute


@dataclass(frozen=True, slots=True)
class Needs:
    """``commands`` are Entrypoint, Cmd, what was started of both, and the health check's.

    ``working_dir`` is where they run, ``search`` the directories of PATH.
    """

    commands: tuple[tuple[str, ...], ...] = ()
    working_dir: str = "/"
    search: tuple[str, ...] = ()

    def places(self) -> tuple[str, ...]:
        """Absolute paths where files that are named may be; most of them are none."""
        return tuple(dict.fromkeys(self._places()))

    def _places(self) -> Iterator[str]:
        yield absolute(self.working_dir)
        for command in self.commands:
            for word in command:
                for name in _names(word):
                    yield absolute(posixpath.join(self.working_dir, name))
                    if "/" not in name:
                        yield from (absolute(f"{place}/{name}") for place in self.search)


def _names(word: str) -> Iterator[str]:
    """The word, and where it is a line for a shell, the words of that; no options."""
    try:
        parts = shlex.split(word.replace(";", " ").replace("&", " ").replace("|", " "))
    except ValueError:
        parts = word.split()
    for part in dict.fromkeys((word, *parts)):
        value = part.partition("=")[2] if part.startswith("-") else part
        if value and "\0" not in value and len(value) < 4096:
            yield value
