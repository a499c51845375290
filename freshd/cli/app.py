"""What every verb is given: which project is meant, the environment, the clock and the screen."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freshd.cli.screen import Screen

if TYPE_CHECKING:
    from freshd.commands.protocol import Opener, Session


@dataclass(frozen=True, slots=True)
class Wanted:
    """The project as typed: nothing here is resolved or checked yet."""

    directory: str | None = None
    files: tuple[str, ...] = ()
    name: str | None = None
    profiles: tuple[str, ...] = ()

    def then(self, later: "Wanted") -> "Wanted":
        """These options followed by later ones."""
        return Wanted(
            directory=later.directory or self.directory,
            files=self.files + later.files,
            name=later.name or self.name,
            profiles=self.profiles + later.profiles,
        )


@dataclass(frozen=True, slots=True)
class App:
    """The world of one invocation; tests pass another ``opener``, clock and environment."""

    screen: Screen
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    cwd: Callable[[], str] = os.getcwd
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    opener: "Opener | None" = None
    wanted: Wanted = Wanted()

    def open(self, *, need_engine: bool = True) -> "Session":
        """A session of the project that is meant; raises what ``open_session`` raises."""
        from freshd.commands.protocol import open_session

        opener = self.opener or open_session
        return opener(**self.asked(), need_engine=need_engine, on_line=self.screen.log)

    def asked(self) -> dict[str, Any]:
        """The project that is meant, as everything that finds one takes it."""
        return {
            "cwd": self.cwd(),
            "environ": self.environ,
            "project_dir": self.wanted.directory,
            "files": self.wanted.files,
            "project_name": self.wanted.name,
            "profiles": self.wanted.profiles,
        }
